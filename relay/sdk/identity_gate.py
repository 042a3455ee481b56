"""Presents a credential to a contract: builds the acceptance that functions of a `CredentialGate` take first.

What an issuer hands out beside a credential is a seal file (docs/spec/identity-seal.md); the contract judges all of it, so
nothing is judged here. Importing it brings eth-abi, which comes with the SDK's eth-account.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import is_address, to_canonical_address
from eth_utils.crypto import keccak

from hutong.relay.schemas.records import ReaderProof
from hutong.relay.sdk.errors import InvalidArgument
from hutong.relay.sdk.hub_reader import arguments_of
from hutong.relay.sdk.identity import (
    ANY_SCHEMA,
    Key,
    KeyState,
    Purpose,
    accreditation_key,
    decode_accreditation,
    decode_did,
    decode_key,
    did_key,
    epoch_key,
    key_key,
    list_key,
)

__all__ = [
    "ACCEPTANCE",
    "NOT_LOGGED",
    "Gate",
    "LogProof",
    "SealFile",
    "StatusProof",
    "acceptance",
    "encode_sync",
    "needed_records",
    "read_seal_file",
    "status_proof",
]

MAX_FILE_BYTES = 1_048_576
_SEAL = "(bytes32,bytes32,uint64,uint64,uint64,address,bytes32)"
ACCEPTANCE = (
    f"({_SEAL},bytes32,bytes,(bytes32,bytes32,uint8,bytes,bytes32[])[],bytes32,bytes32[],"
    "(bytes32,bytes32,uint64,bytes32[]),uint256,uint64,bytes)"
)
"""ABI type of the first argument."""
_QUERY = "(bytes32,bytes32,bytes32,uint64[])"
_SYNC = [_QUERY, "(bytes,bytes)[]", "uint8[]", "(bytes,bytes32[])", "(uint64,uint64)"]
_SEAL_TYPE = (
    "CredentialSeal(bytes32 schema,bytes32 issuer,uint64 list,uint64 index,uint64 notAfter,address holder,"
    "bytes32 claimsRoot)"
)
_DOMAIN_TYPE = "EIP712Domain(string name,string version)"
_GATE_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_PRESENTATION_TYPE = "SealPresentation(address caller,uint256 nonce,uint64 deadline,bytes32 seal,bytes32 call)"
_KINDS = {"boolean": 1, "integer": 2, "text": 3, "bytes": 4}
_CHUNK_BYTES = 32
_ES256 = 1
_MAX_LEVELS = 5
"""Of a chain of accreditations: a root, and four below it."""


@dataclass(frozen=True, slots=True)
class SealFile:
    """A seal with its claims: `seal` as the ABI struct, each claim as (salt, K(name), kind, bytes) by its name."""

    seal: tuple[Any, ...]
    key: bytes
    signature: bytes
    claims: Mapping[str, tuple[Any, ...]]

    @property
    def digest(self) -> bytes:
        """EIP-712 digest: what names the credential on every chain."""
        struct = keccak(keccak(text=_SEAL_TYPE) + encode([_SEAL], [self.seal]))
        return _typed(_domain(_DOMAIN_TYPE, "hutong credential seal"), struct)


@dataclass(frozen=True, slots=True)
class StatusProof:
    """A chunk of the issuer's status list, and its siblings, the lowest first."""

    chunk: bytes
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LogProof:
    """The seal's entry in the issuance log, for when the issuer's key has ended: key and hash of the credential beside it."""

    credential_key: bytes = bytes(32)
    credential_hash: bytes = bytes(32)
    place: int = 0
    path: tuple[bytes, ...] = ()


NOT_LOGGED = LogProof()
"""While the key is good no entry is needed."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One call of one contract: `function` is the canonical signature, such as `mint(ACCEPTANCE,address)` with the word
    ACCEPTANCE in place of its tuple; `arguments` are those after the acceptance. `caller` sends the transaction."""

    chain_id: int
    address: str
    caller: str
    function: str
    arguments: tuple[Any, ...] = ()

    @property
    def types(self) -> list[str]:
        """Of the arguments after the acceptance.

        Raises:
            InvalidArgument: the function does not take an acceptance first.
        """
        name, opened, rest = self.function.partition("(ACCEPTANCE")
        if not name or not opened or not rest.endswith(")"):
            raise InvalidArgument("gate.function", "must be such as mint(ACCEPTANCE,address)")
        return [part for part in rest[:-1].split(",") if part]

    @property
    def selector(self) -> bytes:
        """First four bytes of the call."""
        return bytes(function_signature_to_4byte_selector(self.function.replace("ACCEPTANCE", ACCEPTANCE)))


def _bytes(field: str, text: Any, size: int | None = None) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise InvalidArgument(field, "must be 0x and hexadecimal digits") from None
    if size is not None and len(data) != size:
        raise InvalidArgument(field, f"must have {size} bytes, got {len(data)}")
    return data


def _domain(kind: str, name: str, *more: Any) -> bytes:
    kinds = ["bytes32", "bytes32", "bytes32", "uint256", "address"][: 3 + len(more)]
    return keccak(encode(kinds, [keccak(text=kind), keccak(text=name), keccak(text="1"), *more]))


def _typed(domain: bytes, struct: bytes) -> bytes:
    return bytes(keccak(b"\x19\x01" + domain + struct))


def read_seal_file(data: bytes) -> SealFile:
    """What the issuer handed out.

    Raises:
        InvalidArgument: another format or version, or a member that is not one.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InvalidArgument("seal file", f"must have at most {MAX_FILE_BYTES} bytes")
    try:
        whole = json.loads(data)
        if (whole["format"], whole["version"]) != ("hutong-seal", 1):
            raise InvalidArgument("seal file", "is of another format or version")
        said = whole["seal"]
        seal = (
            _bytes("schema", said["schema"], 32),
            _bytes("issuer", said["issuer"], 32),
            *(int(said[name]) for name in ("list", "index", "notAfter")),
            _bytes("holder", said["holder"], 20),
            _bytes("claimsRoot", said["claimsRoot"], 32),
        )
        claims = {one["name"]: _claim(one) for one in whole["claims"]}
        return SealFile(seal, _bytes("key", whole["key"], 32), _bytes("signature", whole["signature"]), claims)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, InvalidArgument):
            raise
        raise InvalidArgument("seal file", f"is not one: {error}") from None


def _claim(one: Mapping[str, Any]) -> tuple[Any, ...]:
    kind, value = one["kind"], one["value"]
    if kind == "text":
        data = str(value).encode()
    elif kind == "bytes":
        data = _bytes("claim", value)
    else:
        data = int(value).to_bytes(32, "big", signed=True)
    return (_bytes("salt", one["salt"], 32), keccak(text=one["name"]), _KINDS[kind], data)


def _leaf(claim: tuple[Any, ...]) -> bytes:
    salt, name, kind, data = claim
    return bytes(keccak(b"\x00" + salt + name + bytes([kind]) + data))


def _disclosures(seal: SealFile, names: Sequence[str]) -> list[tuple[Any, ...]]:
    layers = [sorted(_leaf(claim) for claim in seal.claims.values())]
    while len(layers[-1]) > 1:
        below = layers[-1]
        pairs = [sorted(below[at : at + 2]) for at in range(0, len(below), 2)]
        layers.append([bytes(keccak(b"".join(pair))) if len(pair) == 2 else pair[0] for pair in pairs])
    shown = []
    for name in names:
        if name not in seal.claims:
            raise InvalidArgument("names", f"the seal has no claim {name[:80]!r}")
        at, path = layers[0].index(_leaf(seal.claims[name])), []
        for layer in layers[:-1]:
            if at ^ 1 < len(layer):
                path.append(layer[at ^ 1])
            at //= 2
        shown.append((*seal.claims[name], path))
    return shown


def status_proof(octets: bytes, bits: int, index: int) -> StatusProof:
    """The chunk of an index, and its path, from the bytes of a status list (the decoded `lst` of its token).

    Raises:
        InvalidArgument: not a list of the hub's, or one that has no such index.
    """
    chunks = len(octets) // _CHUNK_BYTES
    if bits not in (1, 2, 4, 8) or chunks == 0 or chunks & (chunks - 1) or chunks * _CHUNK_BYTES != len(octets):
        raise InvalidArgument("octets", "a list of the hub has 1, 2, 4 or 8 bits and a power of two of chunks")
    if not 0 <= index < len(octets) * 8 // bits:
        raise InvalidArgument("index", "the list has no such index")
    layer = [octets[at : at + _CHUNK_BYTES] for at in range(0, len(octets), _CHUNK_BYTES)]
    at, siblings = index * bits // (8 * _CHUNK_BYTES), []
    chunk = layer[at]
    while len(layer) > 1:
        siblings.append(layer[at ^ 1])
        layer = [sha256(layer[one] + layer[one + 1]).digest() for one in range(0, len(layer), 2)]
        at //= 2
    return StatusProof(chunk, tuple(siblings))


def acceptance(
    seal: SealFile,
    gate: Gate,
    names: Sequence[str],
    status: StatusProof,
    terms: tuple[int, int],
    sign: Callable[[bytes], bytes],
    log: LogProof = NOT_LOGGED,
) -> bytes:
    """Calldata of the gated call.

    Args:
        names: of the claims to show, in the order that the contract asks for.
        terms: a nonce that this holder has not used at this gate, and the last second (Unix) in which it is accepted.
        sign: by the holder's key over a digest of 32 bytes: 65 bytes r ‖ s ‖ v, v 27 or 28, such as
            `lambda digest: account.unsafe_sign_hash(digest).signature`.

    Raises:
        InvalidArgument: no such claim, or a value that its type does not hold.
    """
    if not (is_address(gate.address) and is_address(gate.caller)):
        raise InvalidArgument("gate", "address and caller must be addresses")
    nonce, deadline_s = terms
    try:
        rest = encode(gate.types, gate.arguments)
        head = ["bytes32", "address", "uint256", "uint64", "bytes32", "bytes32"]
        call = keccak(gate.selector + rest)
        said = [keccak(text=_PRESENTATION_TYPE), gate.caller, nonce, deadline_s, seal.digest, call]
        address = to_canonical_address(gate.address)
        domain = _domain(_GATE_DOMAIN_TYPE, "hutong seal presentation", gate.chain_id, address)
        signature = sign(_typed(domain, keccak(encode(head, said))))
        members = (
            seal.seal,
            seal.key,
            seal.signature,
            _disclosures(seal, names),
            status.chunk,
            list(status.siblings),
            (log.credential_key, log.credential_hash, log.place, list(log.path)),
            nonce,
            deadline_s,
            bytes(signature),
        )
        return gate.selector + encode([ACCEPTANCE, *gate.types], [members, *gate.arguments])
    except EncodingError as error:
        raise InvalidArgument("arguments", f"do not fit their types: {error}") from None


def needed_records(
    query: tuple[bytes, bytes, bytes, Sequence[int]], time_s: int, value_of: Callable[[str], str | None]
) -> list[str]:
    """Keys of the records that `IdentityCache.sync` takes, in its order; `client.reads` then gives them with their proof.

    Args:
        query: as `encode_sync` takes it.
        time_s: of the header under which they will be shown, Unix seconds.
        value_of: what stands under a key, such as `lambda key: client.record(key).value`; None for nothing.

    Raises:
        InvalidArgument: a value that is no record.
    """
    issuer, schema, thumbprint, lists = query
    needed = [did_key(issuer), key_key(issuer, thumbprint), epoch_key(issuer)]
    needed += [list_key(issuer, number) for number in lists]
    did, key = value_of(needed[0]), value_of(needed[1])
    if did is None or key is None or not _counts(did, decode_key(key), time_s):
        return needed
    subject, below = issuer, -1
    for _ in range(_MAX_LEVELS):
        needed.append(accreditation_key(subject, schema))
        raw = value_of(needed[-1])
        found = None if raw is None else decode_accreditation(raw)
        if found is None or found.is_revoked or not found.valid_from_s <= time_s < found.valid_until_s:
            break
        if found.depth <= below or not any(found.accreditor) or found.parent_schema not in (schema, ANY_SCHEMA):
            break
        subject, schema, below = found.accreditor, found.parent_schema, found.depth
        needed.append(did_key(subject))
        above = value_of(needed[-1])
        if above is None or not decode_did(above).is_active:
            break
    return needed


def _counts(did: str, key: Key, time_s: int) -> bool:
    """Whether the walk goes on after the key: one that has ended is judged by its log."""
    purpose = Purpose.SIGNING if key.algorithm == _ES256 else Purpose.CONTRACT
    has_ended = key.state is not KeyState.ACTIVE or not decode_did(did).is_active
    return bool(key.purposes & purpose) and (has_ended or key.valid_from_s <= time_s < key.valid_until_s)


def encode_sync(query: tuple[bytes, bytes, bytes, Sequence[int]], needed: Sequence[str], shown: ReaderProof) -> bytes:
    """Calldata of `IdentityCache.sync`, from what `client.reads` gives of the records.

    Args:
        query: issuer, schema of its accreditation, thumbprint of the key, numbers of lists.
        needed: keys of records in the order of the contract's walk, as `needed_records` gives them.

    Raises:
        InvalidArgument: a record that is needed is not shown, or one too many is.
    """
    given = arguments_of(shown)
    place_of = {f"0x{key.hex()}": place for place, (key, _) in enumerate(given.records)}
    if set(place_of) != set(needed):
        raise InvalidArgument("shown", "has other records than are needed")
    issuer, schema, thumbprint, lists = query
    places = [place_of[key] for key in needed]
    try:
        values = encode(
            _SYNC, [(issuer, schema, thumbprint, lists), given.records, places, given.proof[1], given.height]
        )
    except EncodingError as error:
        raise InvalidArgument("query", f"does not fit its types: {error}") from None
    return bytes(function_signature_to_4byte_selector(f"sync({','.join(_SYNC)})")) + values
