"""What an attacker makes of honest attestations, line by line of attack list D: library, hub and contract judge the same bytes.

Each forgery names the rule that must refuse it: the library's predicate (or malformed field) and the contract's error.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from coincurve import PrivateKey
from coincurve._libsecp256k1 import ffi
from eth_abi.abi import encode

from hutong.light_clients.attestation import AttestationKind, Scope, encode_attestation, in_signer_order, sign_digest
from hutong.light_clients.attestation.codec import ATTESTATION_TUPLE, PACKETS_TUPLE, STATE_TUPLE
from hutong.light_clients.crypto import keccak256, secp256k1
from tests.light_clients.attestation.attested_chain import (
    KEY,
    OTHER_KEY,
    VALUE,
    AttestedChain,
    address_of,
    attestor_keys,
)

STATE, PACKETS = AttestationKind.STATE, AttestationKind.PACKETS
STRANGERS = attestor_keys(3, first=900)


@dataclass(frozen=True)
class Forgery:
    """`predicate` and `error` are what must refuse `message`."""

    name: str
    message: bytes
    predicate: str
    error: str


@dataclass(frozen=True)
class Statement:
    """Honest data of one kind, to be signed well or badly."""

    chain: AttestedChain
    kind: AttestationKind
    data: bytes

    @property
    def digest(self) -> bytes:
        return self.chain.digest(self.kind, self.data)

    def sign(self, key: bytes) -> bytes:
        return sign_digest(key, self.digest)

    @property
    def honest(self) -> bytes:
        """By exactly the threshold."""
        return encode_attestation(self.chain.attest(self.kind, self.data))

    def by(self, *keys: bytes) -> bytes:
        """Signed by these, in the canonical order."""
        return self.wire(in_signer_order(self.digest, map(self.sign, keys)))

    def wire(self, signatures: Iterable[bytes]) -> bytes:
        return wire(self.data, b"".join(signatures))


def wire(data: bytes, signatures: bytes) -> bytes:
    """Any data and signatures in the attestation's encoding, well formed or not."""
    return encode([ATTESTATION_TUPLE], [(data, signatures)])


def state_of(chain: AttestedChain, height: int) -> Statement:
    return Statement(chain, STATE, chain.state_attestation(height).data)


def packets_of(chain: AttestedChain, height: int) -> Statement:
    """KEY is a member with VALUE, OTHER_KEY is absent."""
    return Statement(chain, PACKETS, chain.packets_of(height, (KEY, OTHER_KEY)))


def signed_again(key: bytes, digest: bytes) -> bytes:
    """Another valid signature of the same signer: RFC 6979 with extra entropy."""
    extra = ffi.new("unsigned char[32]", b"another nonce".ljust(32))
    signature = PrivateKey(key).sign_recoverable(digest, hasher=None, custom_nonce=(ffi.NULL, extra))
    return signature[:64] + bytes([signature[64] + 27])


def high_s(signature: bytes) -> bytes:
    """The twin with the other s and the other v, which ECDSA alone accepts."""
    s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def one_signer_counted_twice(statement: Statement) -> Iterator[Forgery]:
    """D1."""
    key = statement.chain.keys[0]
    own, again = statement.sign(key), signed_again(key, statement.digest)
    assert own != again
    refused = ("signed_by_attestors", "SignersNotAscending")
    yield Forgery("the same signature twice", statement.wire([own, own]), *refused)
    yield Forgery("two signatures of one signer", statement.wire([own, again]), *refused)
    yield Forgery("two signatures of one signer, swapped", statement.wire([again, own]), *refused)
    other = statement.sign(statement.chain.keys[1])
    yield Forgery("a second one after a quorum", statement.wire([own, other, other]), *refused)
    yield Forgery("signers out of order", statement.wire([other, own]), *refused)


def malleated_signatures(statement: Statement) -> Iterator[Forgery]:
    """D2."""
    first, second = map(statement.sign, statement.chain.keys[:2])
    refused = ("signed_by_attestors", "InvalidSignature")
    order = secp256k1.ORDER.to_bytes(32, "big")
    for name, bad in (
        ("high s", high_s(second)),
        ("high s with the same v", high_s(second)[:64] + second[64:]),
        ("v 0 or 1", second[:64] + bytes([second[64] - 27])),
        ("v 29", second[:64] + b"\x1d"),
        ("v of EIP-155", second[:64] + bytes([second[64] + 10])),
        ("all zero", bytes(65)),
        ("r zero", bytes(32) + second[32:]),
        ("s zero", second[:32] + bytes(32) + second[64:]),
        ("r the order", order + second[32:]),
        ("s the order", second[:32] + order + second[64:]),
    ):
        yield Forgery(name, statement.wire([first, bad]), *refused)
    compact = second[:32] + bytes([second[32] | (second[64] - 27) << 7]) + second[33:64]
    for name, bad in (("64 bytes", second[:64]), ("64 bytes, EIP-2098", compact), ("66 bytes", second + b"\0")):
        yield Forgery(name, statement.wire([first, bad]), "attestation.signatures", "InvalidSignatureCount")


def too_few_or_too_many(statement: Statement) -> Iterator[Forgery]:
    """A below the threshold (Ronin 2024, Harmony), and more signatures than attestors."""
    keys = statement.chain.keys
    yield Forgery("no signature", statement.wire([]), "attestation.signatures", "InvalidSignatureCount")
    yield Forgery("one below the threshold", statement.by(*keys[:1]), "quorum_of_attestors", "InvalidSignatureCount")
    many = (*keys, *STRANGERS[:1])
    yield Forgery("more than there are", statement.by(*many), "quorum_of_attestors", "InvalidSignatureCount")


def strangers(statement: Statement) -> Iterator[Forgery]:
    """D3: nobody's signature is passed over."""
    keys = statement.chain.keys
    refused = ("signed_by_attestors", "UnknownAttestor")
    yield Forgery("a stranger in a quorum's place", statement.by(keys[0], STRANGERS[0]), *refused)
    yield Forgery("a stranger beside a quorum", statement.by(*keys[:2], STRANGERS[0]), *refused)
    yield Forgery("strangers alone", statement.by(*STRANGERS[:2]), *refused)
    yield Forgery(
        "signatures over other data",
        statement.wire(map(replace(statement, data=statement.data[::-1]).sign, keys[:2])),
        *refused,
    )


def other_scopes(scope: Scope) -> dict[str, Scope]:
    """D5: the same keys speak elsewhere."""
    number = int(scope.destination_client_id.rpartition("-")[2])
    other_client = f"{scope.destination_client_id.rpartition('-')[0]}-{number + 1}"
    return {
        "another source chain": replace(scope, source_chain_id=scope.source_chain_id + "1"),
        "another source router": replace(scope, source_router=scope.source_router[::-1]),
        "another destination chain": replace(scope, destination_chain_id="1"),
        "a test net of the destination": replace(scope, destination_chain_id=f"{scope.destination_chain_id}1"),
        "another router on the destination": replace(scope, destination_router=b"\x0d" * 20),
        "another client": replace(scope, destination_client_id=other_client),
        "the way back": Scope(
            scope.destination_chain_id,
            scope.destination_router,
            scope.source_chain_id,
            scope.source_router,
            scope.destination_client_id,
        ),
        "a byte moved between two fields": replace(
            scope,
            source_chain_id=scope.source_chain_id[:-1],
            source_router=scope.source_chain_id[-1:].encode() + scope.source_router,
        ),
    }


def replays(statement: Statement) -> Iterator[Forgery]:
    """D5."""
    for name, scope in other_scopes(statement.chain.scope).items():
        message = encode_attestation(statement.chain.attest(statement.kind, statement.data, scope=scope))
        yield Forgery(name, message, "signed_by_attestors", "UnknownAttestor")


def undomained(statement: Statement) -> Iterator[Forgery]:
    """D5: the public form's digest, the bare data's and `personal_sign`'s bind no destination, and are not offered."""
    hashed = keccak256(statement.data)
    for name, digest in (
        ("public form", keccak256(bytes([statement.kind]) + hashed)),
        ("hash of the data", hashed),
        ("personal_sign", keccak256(b"\x19Ethereum Signed Message:\n32" + hashed)),
    ):
        signatures = in_signer_order(digest, (sign_digest(key, digest) for key in statement.chain.keys[:2]))
        yield Forgery(name, statement.wire(signatures), "signed_by_attestors", "UnknownAttestor")


def kinds_exchanged(state: Statement, packets: Statement) -> Iterator[tuple[str, Forgery]]:
    """D6, as (use, forgery). Even data that would pass as the other kind are refused for their tag."""
    refused = ("signed_by_attestors", "UnknownAttestor")
    yield "update", Forgery("packets as state", packets.honest, *refused)
    yield "proof", Forgery("state as packets", state.honest, *refused)
    yield "update", Forgery("state data signed as packets", replace(state, kind=PACKETS).honest, *refused)
    yield "proof", Forgery("packet data signed as state", replace(packets, kind=STATE).honest, *refused)


def signed_data(chain: AttestedChain, kind: AttestationKind, data: bytes) -> bytes:
    """A quorum signs whatever bytes there are."""
    return Statement(chain, kind, data).honest


def states_out_of_range(chain: AttestedChain, height: int) -> Iterator[Forgery]:
    """D7: heights and units. Attestors that sign nonsense are still refused."""
    time_s = chain.times_s[height]
    for name, height_word, time_word, field, error in (
        ("zero height", 0, time_s, "state.height", "InvalidAttestedData"),
        ("zero time", height, 0, "state.timestamp_s", "InvalidAttestedData"),
        ("milliseconds", height, time_s * 1_000, "state.timestamp_s", "InvalidAttestedData"),
        ("microseconds", height, time_s * 10**6, "state.timestamp_s", "InvalidAttestedData"),
        ("nanoseconds", height, time_s * 10**9, "state.timestamp_s", "InvalidAttestedData"),
        ("2^40", height, 2**40, "state.timestamp_s", "InvalidAttestedData"),
        ("2^40 - 1", height, 2**40 - 1, "header_not_from_future", "HeaderFromFuture"),
    ):
        data = encode([STATE_TUPLE], [(height_word, time_word)])
        yield Forgery(name, signed_data(chain, STATE, data), field, error)
    for name, words, field in (
        ("height of 65 bits", (2**64, time_s), "state.height"),
        ("time of 65 bits", (height, 2**64 + time_s), "state.timestamp_s"),
    ):
        data = b"".join(word.to_bytes(32, "big") for word in words)
        yield Forgery(name, signed_data(chain, STATE, data), field, "InvalidAttestedData")


def entries(*pairs: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return sorted((keccak256(key), value) for key, value in pairs)


def bad_packet_lists(chain: AttestedChain, height: int) -> Iterator[Forgery]:
    """D9: lists that no honest attestor signs, each offered as a membership proof of KEY with VALUE."""
    path, other = keccak256(KEY), keccak256(OTHER_KEY)
    low, high = sorted((path, other))
    many = sorted((keccak256(number.to_bytes(4, "big")), VALUE) for number in range(10_000))

    def listed(rows: list[tuple[bytes, bytes]], at: int = height) -> bytes:
        return signed_data(chain, PACKETS, encode([PACKETS_TUPLE], [(at, rows)]))

    order = ("packets.packets", "InvalidAttestedData")
    yield Forgery("empty", listed([]), *order)
    yield Forgery("path twice, two values", listed([(path, VALUE), (path, VALUE[::-1])]), *order)
    yield Forgery("path twice, one value", listed([(path, VALUE), (path, VALUE)]), *order)
    yield Forgery("path twice, the second absent", listed([(path, VALUE), (path, bytes(32))]), *order)
    yield Forgery("descending", listed([(high, VALUE), (low, VALUE)]), *order)
    yield Forgery("zero height", listed([(path, VALUE)], 0), "packets.height", "InvalidAttestedData")
    longest = sorted([(path, VALUE), *many[:256]])
    yield Forgery("257 entries", listed(longest), "attestation.data", "InvalidAttestedData")
    yield Forgery("10 000 entries", listed(many), "attestation", "InvalidAttestedData")
    lists = "commitment_is_attested"
    yield Forgery("path of another client", listed(entries((b"client-1" + KEY[8:], VALUE))), lists, "InvalidProof")
    yield Forgery("raw key in place of its hash", listed([(KEY.ljust(32, b"\0"), VALUE)]), lists, "InvalidProof")
    yield Forgery("zero commitment", listed([(path, bytes(32))]), lists, "InvalidProof")
    yield Forgery("another value", listed([(path, VALUE[::-1])]), lists, "InvalidProof")
    for name, at in (("height below", height - 1), ("height above", height + 1)):
        yield Forgery(name, listed([(path, VALUE)], at), "height_is_the_proof_height", "InvalidProof")


def longest_list(chain: AttestedChain, height: int) -> bytes:
    """256 entries with KEY among them: the most that is accepted."""
    rows = sorted((keccak256(number.to_bytes(4, "big")), VALUE) for number in range(255))
    rows = sorted([(keccak256(KEY), VALUE), *rows])
    return signed_data(chain, PACKETS, encode([PACKETS_TUPLE], [(height, rows)]))


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def damaged_abi(data: bytes, sign: Callable[[bytes], bytes] | None = None) -> Iterator[tuple[str, bytes]]:
    """D10: encodings that a lax decoder reads as the same value. `data` is one dynamic tuple of two dynamic fields, or the
    64 bytes of a state."""
    for name, bad in (
        ("a byte after", data + b"\0"),
        ("a word after", data + bytes(32)),
        ("a word before", bytes(32) + data),
        ("a byte less", data[:-1]),
        ("a word less", data[:-32]),
        ("nothing", b""),
        ("its head alone", data[:32]),
        ("first word 2^255", _word(2**255) + data[32:]),
        ("second word 2^255", data[:32] + _word(2**255) + data[64:]),
        ("dirty upper bytes in the second word", data[:32] + b"\x01" + data[33:]),
    ):
        yield name, bad if sign is None else sign(bad)


def damaged_envelopes(honest: bytes) -> Iterator[tuple[str, bytes]]:
    """D10: offsets and lengths of `(bytes data, bytes signatures)`."""
    yield from damaged_abi(honest)
    head, first, second, tails = honest[:32], honest[32:64], honest[64:96], honest[96:]
    length = int.from_bytes(tails[:32], "big")
    yield "both offsets to the first field", head + first + first + tails
    yield "both offsets to the second field", head + second + second + tails
    yield "offset skips a word", head + _word(96) + second + tails
    yield "first offset points into the head", head + _word(0) + second + tails
    yield "fields swapped", head + second + first + tails
    yield "length 2^255", head + first + second + _word(2**255) + tails[32:]
    yield "length 2^256 - 1", head + first + second + _word(2**256 - 1) + tails[32:]
    yield "length reaches into the next field", head + first + second + _word(length + 32) + tails[32:]
    yield "length one less", head + first + second + _word(length - 1) + tails[32:]
    padded = honest[-1:] == b"\0"
    if padded:
        yield "dirty padding", honest[:-1] + b"\x01"


def verifying_keys_do_not_travel(statement: Statement) -> Iterator[Forgery]:
    """A (Wormhole): a message has no place for a verifier, a set or a threshold; what brings one along is malformed."""
    signatures = b"".join(map(statement.sign, STRANGERS[:2]))
    fields = (statement.data, signatures, [address_of(key) for key in STRANGERS[:2]], 1)
    yield Forgery(
        "own set and threshold", encode(["(bytes,bytes,address[],uint32)"], [fields]), "attestation", "MalformedPayload"
    )
    yield Forgery(
        "the public form's tuple",
        encode(["(bytes,bytes[])"], [(statement.data, [statement.sign(key) for key in statement.chain.keys[:2]])]),
        "attestation",
        "MalformedPayload",
    )
