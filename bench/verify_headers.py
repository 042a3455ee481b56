"""CometBFT headers a second, from bytes to verdict, beside the bare cost of their signatures and hashes in the same run.

Bare: each signature that the commit rule reads, once, over its finished digest, and every hash of the two validator sets
and the header over its finished preimage. The rest is decoding, sign bytes, addresses and rules.
"""

from collections.abc import Callable, Iterator

from bench.rows import Row, compared
from light_clients.crypto import ed25519, secp256k1, sha256
from light_clients.interface import Updated
from light_clients.tendermint.client import TendermintClient
from light_clients.tendermint.codec import encode_tendermint_header
from light_clients.tendermint.hashing import commit_signer, encode_simple_validator
from light_clients.tendermint.types import TWO_THIRDS, KeyType, TendermintHeader, ValidatorSet
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers
from tests.light_clients.tendermint.verifying import Verifier

SIZES = (4, 7, 100, 150)
POWER = 10
SKIP = 5
HEADER_HASHES = 27
"""14 leaves and 13 inner nodes."""


def _set_preimages(validators: ValidatorSet) -> list[bytes]:
    leaves = [encode_simple_validator(validator) for validator in validators.validators]
    nodes = [b"\x00" + leaf for leaf in leaves]
    width = len(leaves)
    while width > 1:
        nodes += [b"\x01" + bytes(64)] * (width // 2)
        width = (width + 1) // 2
    return nodes


def _bare(update: TendermintHeader, key_type: KeyType) -> Callable[[], None]:
    commit = update.signed_header.commit
    sign_bytes = commit_signer(update.signed_header.header.chain_id, commit)
    needed = TWO_THIRDS.power_needed(update.validator_set.total_voting_power) // POWER + 1
    read = list(zip(update.validator_set.validators, commit.signatures, strict=True))[:needed]
    messages = [(v.public_key.data, sign_bytes(entry.timestamp_ns), entry.signature) for v, entry in read]
    hashes = _set_preimages(update.validator_set) + _set_preimages(update.trusted_validators)
    hashes += [b"\x00" + bytes(40)] * HEADER_HASHES

    def run() -> None:
        for key, message, signature in messages:
            if key_type is KeyType.ED25519:
                valid = ed25519.verify(key, message, signature)
            else:
                valid = secp256k1.verify_low_s(key, sha256(message), signature)
            assert valid
        for preimage in hashes:
            sha256(preimage)

    return run


def _row(key_type: KeyType, size: int, height: int) -> Row:
    chain = SimulatedChain(members=dict.fromkeys(signers(size, key_type), POWER))
    chain.advance(height - 1)
    verifier = Verifier(chain, 1)
    update = chain.update(height, 1)
    data = encode_tendermint_header(update)
    client, now_ns = TendermintClient(), verifier.now_ns

    def whole() -> None:
        verdict = client.verify_header(verifier.state, verifier.states, data, now_ns)
        assert isinstance(verdict, Updated)

    step = "next block" if height == 2 else "skipping"
    return compared(f"CometBFT header, {size} validators {key_type}, {step}", whole, _bare(update, key_type))


def run() -> Iterator[Row]:
    """Rows for 4 to 150 validators of both key types, adjacent; and skipping for 100."""
    for key_type in KeyType:
        for size in SIZES:
            yield _row(key_type, size, 2)
        yield _row(key_type, 100, SKIP)
