"""CometBFT headers a second, from bytes to verdict, beside their bare signature checks in the same run.

Bare: each signature that the commit rule reads, once, over its finished sign bytes. The rest is decoding, sign bytes, addresses,
hashes and rules. Headers of one chain come in turn, each with other proposer priorities, as a client meets them: what is
remembered of its validators (keys, addresses, the root of the set) helps, what is remembered of a header cannot. The rows
`never seen` forget the validators before each header.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle

from bench.verify.rows import Row, compared
from hutong.light_clients.crypto import ed25519, secp256k1, sha256
from hutong.light_clients.interface import NoOp, Updated
from hutong.light_clients.tendermint import codec, hashing, types
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import encode_tendermint_header
from hutong.light_clients.tendermint.hashing import commit_signer
from hutong.light_clients.tendermint.types import TWO_THIRDS, KeyType, TendermintHeader, ValidatorSet
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers
from tests.light_clients.tendermint.verifying import Verifier

SIZES = (4, 7, 100, 150)
POWER = 10
SKIP = 5
HEADERS = 6
"""In turn, so that none is met twice in a row."""


def forget_validators() -> None:
    """The next header's validators are met for the first time."""
    for remembered in (codec._public_key, types._address, hashing._simple_validator, hashing._validators_root):
        remembered.cache_clear()


def _with_priorities(validators: ValidatorSet, height: int) -> ValidatorSet:
    """As at `height`: every block moves them, and no two sets have the same bytes."""
    moved = tuple(
        replace(validator, proposer_priority=height * POWER - 10 * place)
        for place, validator in enumerate(validators.validators)
    )
    return replace(validators, validators=moved, proposer=moved[0])


def _signatures_of(update: TendermintHeader, key_type: KeyType) -> Callable[[], None]:
    commit = update.signed_header.commit
    sign_bytes = commit_signer(update.signed_header.header.chain_id, commit)
    needed = TWO_THIRDS.power_needed(update.validator_set.total_voting_power) // POWER + 1
    read = list(zip(update.validator_set.validators, commit.signatures, strict=True))[:needed]
    messages = [(v.public_key.data, sign_bytes(entry.timestamp_ns), entry.signature) for v, entry in read]

    def run() -> None:
        for key, message, signature in messages:
            if key_type is KeyType.ED25519:
                valid = ed25519.verify(key, message, signature)
            else:
                valid = secp256k1.verify_low_s(key, sha256(message), signature)
            assert valid

    return run


def _row(key_type: KeyType, size: int, step: int, *, seen: bool = True) -> Row:
    """Headers `step` above the heights that they are judged from."""
    chain = SimulatedChain(members=dict.fromkeys(signers(size, key_type), POWER))
    chain.advance(step + HEADERS)
    trusted = range(1, HEADERS + 1)
    verifier = Verifier(chain, *trusted)
    updates = []
    for height in trusted:
        update = chain.update(height + step, height)
        updates.append(
            replace(
                update,
                validator_set=_with_priorities(update.validator_set, height + step),
                trusted_validators=_with_priorities(update.trusted_validators, height + 1),
            )
        )
    messages = cycle([encode_tendermint_header(update) for update in updates])
    bare = cycle([_signatures_of(update, key_type) for update in updates])
    client, now_ns = TendermintClient(), verifier.now_ns
    # A height that is stored already is judged in full and then found to be known.
    wanted = (Updated, NoOp)

    def bare_signatures() -> None:
        next(bare)()

    def whole() -> None:
        if not seen:
            forget_validators()
        verdict = client.verify_header(verifier.state, verifier.states, next(messages), now_ns)
        assert isinstance(verdict, wanted)

    name = f"CometBFT header, {size} validators {key_type}, {'next block' if step == 1 else 'skipping'}"
    return compared(name if seen else f"{name}, validators never seen", whole, bare_signatures)


def run() -> Iterator[Row]:
    """Rows for 4 to 150 validators of both key types, adjacent; skipping for 100; and 150 that are new to the client."""
    for key_type in KeyType:
        for size in SIZES:
            yield _row(key_type, size, 1)
        yield _row(key_type, 150, 1, seen=False)
        yield _row(key_type, 100, SKIP)
