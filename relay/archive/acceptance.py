"""One acceptance of a credential or a seal as bytes (docs/spec/identity-acceptance.md): what a reader with a checkpoint of the hub judges.

RLP, so that one acceptance has one form and hex doubles nothing. Every byte is read by a rule of `hutong.relay.audit.identity`
or refused; nothing is verified here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rlp.codec import encode_raw

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.proofs.mpt.rlp import RlpItem, decode_rlp, decode_uint
from hutong.light_clients.records.multiproof import Claim, Multiproof
from hutong.relay.archive.bundle import CHAIN_ID, ChainHeaders, ChainKind, HeaderEntry

ACCEPTANCE_FORMAT: Final = b"hutong-acceptance"
ACCEPTANCE_VERSION: Final = 1
ACCEPTANCE_SUFFIX: Final = ".acceptance"
MAX_ACCEPTANCE_BYTES: Final = 512 * 1024
MAX_HEADERS: Final = 64
MAX_CLAIMS: Final = 256
MAX_SIBLINGS: Final = 64
"""Of a chunk's or a log entry's path."""
MAX_TEXT_BYTES: Final = 262_144
MAX_NAME_BYTES: Final = 4_096
MAX_SIGNATURE_BYTES: Final = 65
SEAL_WORDS: Final = 7
HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
_VALUE_VERSION_BYTES: Final = 1


@dataclass(frozen=True, slots=True)
class ShownPresentation:
    """What a wallet sent for whom: an SD-JWT VC in its compact form, the verifier's name and its nonce."""

    text: str
    audience: str
    nonce: str


@dataclass(frozen=True, slots=True)
class SealedClaim:
    """A claim of a seal as a contract's call has it: its name hashed, the path lowest first."""

    salt: bytes
    name_hash: bytes
    kind: int
    value: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HolderCall:
    """What the seal's holder signed: for which gate on which chain, who may send it, which nonce and call, until when."""

    chain_id: int
    gate: bytes
    caller: bytes
    nonce: int
    deadline_s: int
    call_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ShownSeal:
    """`members` are the seven words of the seal's struct, 32 bytes each (docs/spec/identity-seal.md)."""

    members: tuple[bytes, ...]
    signature: bytes
    claims: tuple[SealedClaim, ...]
    call: HolderCall


Shown: TypeAlias = ShownPresentation | ShownSeal


@dataclass(frozen=True, slots=True)
class ShownChunk:
    """The 32 bytes of a status list in which a status stands, and the siblings on their way up."""

    chunk: bytes
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry of the issuer's log, its place, and its RFC 6962 path."""

    entry: bytes
    index: int
    aunts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Records of `issuer` and of whoever accredits it, proven together under the header at `height`, and what was accepted.

    `claims` ascend by H(key), and each holds a value. `entry` is None where the key that signed has not ended.
    """

    chain: ChainHeaders
    height: Height
    issuer: bytes
    claims: tuple[Claim, ...]
    proof: Multiproof
    shown: Shown
    chunk: ShownChunk
    entry: ShownEntry | None = None


def encode_acceptance(acceptance: Acceptance) -> bytes:
    """The one encoding. Nothing is checked but what has no encoding.

    Raises:
        MalformedInput: a value of a record that is not a version and whole words.
    """
    chain, proof, entry = acceptance.chain, acceptance.proof, acceptance.entry
    headers = [[one.header] if one.commit is None else [one.header, one.commit] for one in chain.headers]
    encoded: bytes = encode_raw(
        [
            ACCEPTANCE_FORMAT,
            _uint(ACCEPTANCE_VERSION),
            [chain.chain_id.encode(), headers, list(chain.validator_sets)],
            [_uint(acceptance.height.revision_number), _uint(acceptance.height.revision_height)],
            acceptance.issuer,
            [[one.key, _packed(one.value, "claim")] for one in acceptance.claims],
            [proof.terminals, b"".join(proof.siblings)],
            _shown_items(acceptance.shown),
            [acceptance.chunk.chunk, b"".join(acceptance.chunk.siblings)],
            [] if entry is None else [_packed(entry.entry, "entry"), _uint(entry.index), b"".join(entry.aunts)],
        ]
    )
    return encoded


def decode_acceptance(data: bytes) -> Acceptance:
    """Inverse of `encode_acceptance`.

    Raises:
        MalformedInput: anything else than the one encoding of version 1, or out of bounds.
    """
    items = _items(decode_rlp(data, "acceptance", MAX_ACCEPTANCE_BYTES), "acceptance", 10)
    name, version = (
        _bytes(items[0], "acceptance.format", MAX_NAME_BYTES),
        decode_uint(items[1], "acceptance.version", 8),
    )
    if (name, version) != (ACCEPTANCE_FORMAT, ACCEPTANCE_VERSION):
        raise MalformedInput("acceptance.format", "another format or version", got=(name, version))
    revision, number = (decode_uint(one, "acceptance.height", 8) for one in _items(items[3], "acceptance.height", 2))
    claims = tuple(_claim(one) for one in _some(items[5], "acceptance.claims", MAX_CLAIMS, least=1))
    terminals, siblings = _items(items[6], "acceptance.proof", 2)
    return Acceptance(
        _chain(items[2]),
        Height(revision, number),
        _fixed(items[4], "acceptance.issuer", HASH_BYTES),
        claims,
        Multiproof(
            _bytes(terminals, "acceptance.proof.terminals", MAX_ACCEPTANCE_BYTES),
            _hashes(siblings, "acceptance.proof.siblings", MAX_ACCEPTANCE_BYTES // HASH_BYTES),
        ),
        _shown(items[7]),
        _chunk(items[8]),
        _entry(items[9]),
    )


def _uint(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _packed(value: bytes, field: str) -> list[bytes]:
    """A record's value: its version, then each word of its ABI encoding without leading zeros."""
    version, words = value[:_VALUE_VERSION_BYTES], value[_VALUE_VERSION_BYTES:]
    if len(version) != _VALUE_VERSION_BYTES or len(words) % HASH_BYTES:
        raise MalformedInput(f"{field}.value", "is not a version and whole words", got=len(value))
    cut = (words[at : at + HASH_BYTES].lstrip(b"\0") for at in range(0, len(words), HASH_BYTES))
    return [version, *cut]


def _unpacked(item: RlpItem, field: str) -> bytes:
    version, *words = _some(item, field, MAX_ACCEPTANCE_BYTES, least=1)
    return _fixed(version, field, _VALUE_VERSION_BYTES) + b"".join(_words(words, field))


def _words(items: Sequence[RlpItem], field: str) -> tuple[bytes, ...]:
    """Words of an ABI encoding, 32 bytes each."""
    words = []
    for item in items:
        if not isinstance(item, bytes) or len(item) > HASH_BYTES or item[:1] == b"\0":
            raise MalformedInput(field, "has a word that is not up to 32 bytes without leading zeros")
        words.append(item.rjust(HASH_BYTES, b"\0"))
    return tuple(words)


def _shown_items(shown: Shown) -> list[Any]:
    if isinstance(shown, ShownPresentation):
        return [b"\x01", shown.text.encode(), shown.audience.encode(), shown.nonce.encode()]
    call = shown.call
    signed = [_uint(call.chain_id), call.gate, call.caller, _uint(call.nonce), _uint(call.deadline_s)]
    return [
        b"\x02",
        [word.lstrip(b"\0") for word in shown.members],
        shown.signature,
        [[one.salt, one.name_hash, _uint(one.kind), one.value, b"".join(one.path)] for one in shown.claims],
        [*signed, call.call_hash, call.signature],
    ]


def _shown(item: RlpItem) -> Shown:
    field = "acceptance.shown"
    kind, *rest = _some(item, field, 5, least=1)
    if kind == b"\x01" and len(rest) == 3:
        bounds = (MAX_TEXT_BYTES, MAX_NAME_BYTES, MAX_NAME_BYTES)
        return ShownPresentation(*(_text(one, field, most) for one, most in zip(rest, bounds, strict=True)))
    if kind == b"\x02" and len(rest) == 4:
        members = _words(_items(rest[0], f"{field}.seal", SEAL_WORDS), f"{field}.seal")
        claims = tuple(_sealed_claim(one) for one in _some(rest[2], f"{field}.claims", MAX_CLAIMS, least=0))
        return ShownSeal(members, _bytes(rest[1], f"{field}.signature", MAX_SIGNATURE_BYTES), claims, _call(rest[3]))
    raise MalformedInput(field, "is neither a presentation (1) nor a seal (2)", got=kind)


def _sealed_claim(item: RlpItem) -> SealedClaim:
    field = "acceptance.shown.claims"
    salt, name_hash, kind, value, path = _items(item, field, 5)
    return SealedClaim(
        _fixed(salt, field, HASH_BYTES),
        _fixed(name_hash, field, HASH_BYTES),
        decode_uint(kind, field, 1),
        _bytes(value, field, MAX_NAME_BYTES),
        _hashes(path, field, MAX_SIBLINGS),
    )


def _call(item: RlpItem) -> HolderCall:
    field = "acceptance.shown.call"
    chain_id, gate, caller, nonce, deadline_s, call_hash, signature = _items(item, field, 7)
    return HolderCall(
        decode_uint(chain_id, field),
        _fixed(gate, field, ADDRESS_BYTES),
        _fixed(caller, field, ADDRESS_BYTES),
        decode_uint(nonce, field),
        decode_uint(deadline_s, field, 8),
        _fixed(call_hash, field, HASH_BYTES),
        _bytes(signature, field, MAX_SIGNATURE_BYTES),
    )


def _chain(item: RlpItem) -> ChainHeaders:
    field = "acceptance.chain"
    chain_id, headers, sets = _items(item, field, 3)
    name = _text(chain_id, f"{field}.chain_id", MAX_NAME_BYTES)
    if CHAIN_ID.fullmatch(name) is None:
        raise MalformedInput(f"{field}.chain_id", "is not a chain id", got=name)
    entries = []
    for header in _some(headers, f"{field}.headers", MAX_HEADERS, least=0):
        parts = _some(header, f"{field}.headers", 2, least=1)
        read = [_bytes(part, f"{field}.headers", MAX_ACCEPTANCE_BYTES) for part in parts]
        entries.append(HeaderEntry(read[0], read[1] if len(read) > 1 else None))
    found = _some(sets, f"{field}.validator_sets", 2 * MAX_HEADERS, least=0)
    validator_sets = tuple(_bytes(one, f"{field}.validator_sets", MAX_ACCEPTANCE_BYTES) for one in found)
    return ChainHeaders(name, ChainKind.TENDERMINT, tuple(entries), validator_sets)


def _claim(item: RlpItem) -> Claim:
    key, value = _items(item, "acceptance.claims", 2)
    return Claim(_bytes(key, "acceptance.claims.key", MAX_NAME_BYTES), _unpacked(value, "acceptance.claims.value"))


def _chunk(item: RlpItem) -> ShownChunk:
    field = "acceptance.chunk"
    chunk, siblings = _items(item, field, 2)
    return ShownChunk(_fixed(chunk, field, HASH_BYTES), _hashes(siblings, field, MAX_SIBLINGS))


def _entry(item: RlpItem) -> ShownEntry | None:
    field = "acceptance.entry"
    if item == ():
        return None
    entry, index, aunts = _items(item, field, 3)
    return ShownEntry(_unpacked(entry, field), decode_uint(index, field, 8), _hashes(aunts, field, MAX_SIBLINGS))


def _some(item: RlpItem, field: str, most: int, *, least: int) -> tuple[RlpItem, ...]:
    if isinstance(item, bytes) or not least <= len(item) <= most:
        got = "bytes" if isinstance(item, bytes) else len(item)
        raise MalformedInput(field, f"is not a list of {least} to {most}", got=got)
    return item


def _items(item: RlpItem, field: str, count: int) -> tuple[RlpItem, ...]:
    return _some(item, field, count, least=count)


def _bytes(item: RlpItem, field: str, most: int) -> bytes:
    if not isinstance(item, bytes) or len(item) > most:
        raise MalformedInput(field, f"is not at most {most} bytes")
    return item


def _fixed(item: RlpItem, field: str, size: int) -> bytes:
    if not isinstance(item, bytes) or len(item) != size:
        raise MalformedInput(field, f"is not {size} bytes")
    return item


def _text(item: RlpItem, field: str, most: int) -> str:
    try:
        return _bytes(item, field, most).decode()
    except UnicodeDecodeError:
        raise MalformedInput(field, "is not UTF-8") from None


def _hashes(item: RlpItem, field: str, most: int) -> tuple[bytes, ...]:
    joined = _bytes(item, field, most * HASH_BYTES)
    if len(joined) % HASH_BYTES:
        raise MalformedInput(field, "is not whole hashes", got=len(joined))
    return tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))
