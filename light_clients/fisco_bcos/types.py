"""Values of the fisco-bcos client: states, headers of both generations, evidence and proofs (docs/spec/fisco-bcos-client.md)."""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise
from typing import Self, TypeAlias

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

PUBLIC_KEY_BYTES = 64
LOGS_BLOOM_BYTES = 256
NANOSECONDS_PER_MILLISECOND = 1_000_000
MILLISECONDS_PER_SECOND = 1_000
MAX_SEALERS = 512
"""PBFT exchanges messages of every sealer with every other: chains run some tens. What fits a consensus state of 64 KiB."""
MAX_WEIGHT = 2**63 - 1
"""Of all sealers together: nodes hold weights in 64 bits with a sign."""
MAX_TIMESTAMP_MS = 2**48 - 1
"""Year 10 889. Two leading zero bytes, so that in generation 3 no digit of the gas can be read as part of the time."""
MAX_GAS_DIGITS = 20
MAX_EXTRA_DATA_ITEMS = 64
MAX_EXTRA_DATA_BYTES = 4 * 1024
MAX_CHAIN_ID_CHARS = 64


class Generation(IntEnum):
    """Which line of FISCO BCOS makes the headers."""

    V2 = 2
    V3 = 3


class CryptoSuite(IntEnum):
    """Hash and signature of the chain, chosen when it was founded."""

    ECDSA = 1
    GM = 2


def _uint64(value: int, field: str, least: int = 0) -> None:
    if not least <= value <= MAX_UINT64:
        raise MalformedInput(field, f"must be {least} to {MAX_UINT64}", got=value)


def _sized(data: bytes, field: str, size: int) -> None:
    if len(data) != size:
        raise MalformedInput(field, f"must be {size} bytes", got=data)


@dataclass(frozen=True, slots=True)
class ClientState:
    """Parameters and progress. Everything but `trusting_period_s`, `latest_height` and `is_frozen` never changes."""

    chain_id: str
    generation: Generation
    crypto_suite: CryptoSuite
    router_address: bytes
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: Height
    is_frozen: bool = False

    def __post_init__(self) -> None:
        chars = len(self.chain_id)
        if not 1 <= chars <= MAX_CHAIN_ID_CHARS or not all("!" <= char <= "~" for char in self.chain_id):
            raise MalformedInput(
                "client_state.chain_id", f"1 to {MAX_CHAIN_ID_CHARS} printable ASCII characters", got=self.chain_id
            )
        if len(self.router_address) != ADDRESS_BYTES or not any(self.router_address):
            raise MalformedInput("client_state.router_address", "must be 20 bytes, not zero", got=self.router_address)
        _uint64(self.trusting_period_s, "client_state.trusting_period_s", 1)
        _uint64(self.max_clock_drift_s, "client_state.max_clock_drift_s", 1)
        if self.latest_height.revision_number or not self.latest_height.revision_height:
            raise MalformedInput(
                "client_state.latest_height", "heights are of revision 0 and positive", got=self.latest_height
            )

    @property
    def trusting_period_ns(self) -> int:
        """`trusting_period_s` in the unit of the shared rules."""
        return self.trusting_period_s * NANOSECONDS_PER_SECOND

    @property
    def max_clock_drift_ns(self) -> int:
        """`max_clock_drift_s` in the unit of the shared rules."""
        return self.max_clock_drift_s * NANOSECONDS_PER_SECOND

    def frozen(self) -> Self:
        """A copy with misbehaviour on record: no header or proof is judged under it any more."""
        return replace(self, is_frozen=True)


@dataclass(frozen=True, slots=True, order=True)
class Sealer:
    """A consensus node: its key, x ‖ y, and what its signature weighs (1 in generation 2)."""

    public_key: bytes
    weight: int = 1


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """What a proven header leaves behind. `sealers` ascend by key and are distinct."""

    timestamp_ms: int
    transactions_root: bytes
    receipts_root: bytes
    sealers: tuple[Sealer, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.timestamp_ms <= MAX_TIMESTAMP_MS:
            raise MalformedInput(
                "consensus_state.timestamp_ms", f"must be 1 to {MAX_TIMESTAMP_MS}", got=self.timestamp_ms
            )
        for name in ("transactions_root", "receipts_root"):
            _sized(getattr(self, name), f"consensus_state.{name}", HASH_BYTES)
        check_sealers(self.sealers, "consensus_state.sealers")
        keys = [sealer.public_key for sealer in self.sealers]
        if any(first >= second for first, second in pairwise(keys)):
            raise MalformedInput("consensus_state.sealers", "must be ascending and distinct")

    @property
    def timestamp_ns(self) -> int:
        """`timestamp_ms`, the leader's own milliseconds, in nanoseconds since 1970."""
        return self.timestamp_ms * NANOSECONDS_PER_MILLISECOND


def check_sealers(sealers: tuple[Sealer, ...], field: str) -> None:
    """1 to MAX_SEALERS, keys of 64 bytes, each weight at least 1, together at most MAX_WEIGHT.

    Whether a key is listed twice is not judged here.

    Raises:
        MalformedInput: out of these bounds; `field` names the list.
    """
    if not 0 < len(sealers) <= MAX_SEALERS:
        raise MalformedInput(field, f"must be 1 to {MAX_SEALERS}", got=len(sealers))
    for sealer in sealers:
        _sized(sealer.public_key, field, PUBLIC_KEY_BYTES)
        if sealer.weight < 1:
            raise MalformedInput(field, "a weight is at least 1", got=sealer.weight)
    if total_weight(sealers) > MAX_WEIGHT:
        raise MalformedInput(field, f"weights sum to more than {MAX_WEIGHT}", got=total_weight(sealers))


def total_weight(sealers: tuple[Sealer, ...]) -> int:
    """What quorums are counted of; at most `MAX_WEIGHT` once `check_sealers` has passed."""
    return sum(sealer.weight for sealer in sealers)


@dataclass(frozen=True, slots=True)
class TrustedState:
    """What is believed already: who seals from which height on, and when that was."""

    height: Height
    timestamp_ms: int
    sealers: tuple[Sealer, ...]


@dataclass(frozen=True, slots=True)
class BlockHeaderV2:
    """The thirteen fields of generation 2 in their order.

    Source: FISCO-BCOS v2.9.1 libethcore/BlockHeader.cpp, streamRLPFields.
    """

    parent_hash: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    db_hash: bytes
    logs_bloom: bytes
    number: int
    gas_limit: int
    gas_used: int
    timestamp_ms: int
    extra_data: tuple[bytes, ...]
    sealer: int
    sealer_list: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _check_common(self)
        for name in ("state_root", "db_hash"):
            _sized(getattr(self, name), f"header.{name}", HASH_BYTES)
        _sized(self.logs_bloom, "header.logs_bloom", LOGS_BLOOM_BYTES)
        if len(self.extra_data) > MAX_EXTRA_DATA_ITEMS or sum(map(len, self.extra_data)) > MAX_EXTRA_DATA_BYTES:
            raise MalformedInput(
                "header.extra_data", f"more than {MAX_EXTRA_DATA_ITEMS} items or {MAX_EXTRA_DATA_BYTES} bytes"
            )

    @property
    def sealers(self) -> tuple[Sealer, ...]:
        """`sealer_list` with a weight of 1 each, in the header's order."""
        return tuple(map(Sealer, self.sealer_list))


@dataclass(frozen=True, slots=True)
class BlockHeaderV3:
    """The hashed fields of generation 3 in their order (FISCO-BCOS v3.16 bcos-tars-protocol/impl/TarsHashable.h).

    A header has one parent. It also has extra data, which only the genesis block fills; there is no field for it here,
    since no byte in the hash says where the sealer list ends and extra data begin.
    """

    version: int
    parent_number: int
    parent_hash: bytes
    transactions_root: bytes
    receipts_root: bytes
    state_root: bytes
    number: int
    gas_used: int
    timestamp_ms: int
    sealer: int
    sealers: tuple[Sealer, ...]

    def __post_init__(self) -> None:
        _check_common(self)
        _sized(self.state_root, "header.state_root", HASH_BYTES)
        if not 0 <= self.gas_used < 10**MAX_GAS_DIGITS:
            raise MalformedInput("header.gas_used", f"more than {MAX_GAS_DIGITS} digits", got=self.gas_used)
        if not 0 <= self.version < 2**32:
            raise MalformedInput("header.version", "is no uint32", got=self.version)
        if self.parent_number != self.number - 1:
            raise MalformedInput(
                "header.parent_number", "is not the height below", got=self.parent_number, expected=self.number - 1
            )


BlockHeader: TypeAlias = BlockHeaderV2 | BlockHeaderV3


def _check_common(header: BlockHeader) -> None:
    for name in ("parent_hash", "transactions_root", "receipts_root"):
        _sized(getattr(header, name), f"header.{name}", HASH_BYTES)
    if not 1 <= header.number < 2**63:
        raise MalformedInput(
            "header.number", "must be 1 to 2^63 - 1: the genesis block has no signatures", header.number
        )
    if not 0 <= header.sealer < 2**63:
        raise MalformedInput("header.sealer", "must be 0 to 2^63 - 1", got=header.sealer)
    if not 1 <= header.timestamp_ms <= MAX_TIMESTAMP_MS:
        raise MalformedInput("header.timestamp_ms", f"must be 1 to {MAX_TIMESTAMP_MS}", got=header.timestamp_ms)


@dataclass(frozen=True, slots=True)
class SealSignature:
    """A sealer's signature over the block hash, by its position in the header's own list."""

    sealer_index: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """An update: a block header as it is hashed, its signatures, and the height that vouches for it.

    `encoded` are the bytes under the block hash, `block` is what they say.
    """

    trusted_height: Height
    encoded: bytes
    block: BlockHeader
    signatures: tuple[SealSignature, ...]

    @property
    def height(self) -> Height:
        """The block number, of revision 0."""
        return Height(0, self.block.number)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two sealed headers of one height with different block hashes."""

    header_1: Header
    header_2: Header


@dataclass(frozen=True, slots=True)
class MerkleStep:
    """The siblings of a node, in order, on its left and on its right."""

    left: tuple[bytes, ...]
    right: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EventProof:
    """A log in a receipt under a header's receipts root (generation 2)."""

    transaction_index: int
    receipt_rlp: bytes
    steps: tuple[MerkleStep, ...]
    log_index: int
