"""SSZ bytes of the light client containers, Altair through Fulu, canonical both ways.

Everything but a header's extra data has a fixed size, so each fork has one layout; an offset that is not the canonical one,
or a byte too much, is refused. Sources: consensus-specs ssz/simple-serialize.md, `specs/*/light-client/sync-protocol.md`.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Any

from hutong.light_clients.crypto.bls import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from hutong.light_clients.ethereum.forks import (
    EXECUTION_PAYLOAD_GINDEX,
    NEWEST_FORK,
    NEWEST_OFFERED,
    Fork,
    Preset,
    state_indices,
)
from hutong.light_clients.ethereum.types import (
    LOGS_BLOOM_BYTES,
    MAX_EXTRA_DATA_BYTES,
    BeaconBlockHeader,
    Bootstrap,
    ExecutionPayloadHeader,
    LightClientHeader,
    SyncAggregate,
    SyncCommittee,
    Update,
)
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.proofs.ssz import ZERO_CHUNK, depth_of

MAX_SSZ_BYTES = 64 * 1024
"""A mainnet update with a committee has 27 KB."""

_BEACON = Struct("<QQ32s32s32s")
_EXECUTION_HEAD = Struct("<32s20s32s32s256s32sQQQQI32s32s32s32s")
_BLOB_GAS = Struct("<QQ")
_OFFSET = Struct("<I")
_SLOT = Struct("<Q")
_EXECUTION_DEPTH = depth_of(EXECUTION_PAYLOAD_GINDEX)

EMPTY_BEACON = BeaconBlockHeader(0, 0, ZERO_CHUNK, ZERO_CHUNK, ZERO_CHUNK)
EMPTY_EXECUTION = ExecutionPayloadHeader(
    parent_hash=ZERO_CHUNK,
    fee_recipient=bytes(20),
    state_root=ZERO_CHUNK,
    receipts_root=ZERO_CHUNK,
    logs_bloom=bytes(LOGS_BLOOM_BYTES),
    prev_randao=ZERO_CHUNK,
    block_number=0,
    gas_limit=0,
    gas_used=0,
    timestamp_s=0,
    extra_data=b"",
    base_fee_per_gas_wei=0,
    block_hash=ZERO_CHUNK,
    transactions_root=ZERO_CHUNK,
    withdrawals_root=ZERO_CHUNK,
)


EMPTY_HEADER = LightClientHeader(EMPTY_BEACON)
"""LightClientHeader(), in the containers of any fork: what stands for "nothing"."""


def header_of_container(
    beacon: BeaconBlockHeader, execution: ExecutionPayloadHeader, branch: tuple[bytes, ...]
) -> LightClientHeader:
    """A header in containers from Capella on, where default values stand for a payload that is not there."""
    if execution == EMPTY_EXECUTION and not any(map(any, branch)):
        return LightClientHeader(beacon)
    return LightClientHeader(beacon, execution, branch)


@dataclass(slots=True)
class _Reader:
    """Takes fixed pieces off the front; `field` names what is read in errors."""

    data: bytes
    field: str
    at: int = 0

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise MalformedInput(self.field, "is too short", got=len(self.data), expected=f">= {self.at + size}")
        self.at += size
        return piece

    def offset(self) -> int:
        value: int = _OFFSET.unpack(self.take(4))[0]
        return value

    def slot(self) -> int:
        value: int = _SLOT.unpack(self.take(8))[0]
        return value

    def branch(self, depth: int) -> tuple[bytes, ...]:
        data = self.take(32 * depth)
        return tuple(data[at : at + 32] for at in range(0, len(data), 32))

    def committee(self, preset: Preset) -> SyncCommittee:
        keys = self.take(PUBLIC_KEY_BYTES * preset.sync_committee_size)
        return SyncCommittee(keys, self.take(PUBLIC_KEY_BYTES))

    def aggregate(self, preset: Preset) -> SyncAggregate:
        bits = self.take(preset.sync_committee_size // 8)
        return SyncAggregate(bits, self.take(SIGNATURE_BYTES))

    def parts(self, *offsets: int) -> tuple[bytes, ...]:
        """The variable parts, which must begin where the fixed part ends and follow each other."""
        if offsets[0] != self.at:
            raise MalformedInput(self.field, "first offset", got=offsets[0], expected=self.at)
        ends = (*offsets[1:], len(self.data))
        for start, end in zip(offsets, ends, strict=True):
            if start > end:
                raise MalformedInput(self.field, "offset beyond what follows", got=start, expected=f"<= {end}")
        return tuple(self.data[start:end] for start, end in zip(offsets, ends, strict=True))

    def end(self) -> None:
        if self.at != len(self.data):
            raise MalformedInput(self.field, "bytes after the value", got=len(self.data), expected=self.at)


def _bounded(data: bytes, field: str, fork: Fork) -> _Reader:
    if not Fork.ALTAIR <= fork <= NEWEST_FORK:
        raise UnsupportedOperation(f"light client containers of {fork.name}", NEWEST_OFFERED)
    if len(data) > MAX_SSZ_BYTES:
        raise MalformedInput(field, f"more than {MAX_SSZ_BYTES} bytes", got=len(data))
    return _Reader(bytes(data), field)


def _beacon(data: bytes) -> BeaconBlockHeader:
    return BeaconBlockHeader(*_BEACON.unpack(data))


def _execution(data: bytes, fork: Fork, field: str) -> ExecutionPayloadHeader:
    reader = _Reader(data, field)
    head = _EXECUTION_HEAD.unpack(reader.take(_EXECUTION_HEAD.size))
    blob_gas: tuple[int, ...] = (0, 0)
    if fork >= Fork.DENEB:
        blob_gas = _BLOB_GAS.unpack(reader.take(_BLOB_GAS.size))
    (extra_data,) = reader.parts(head[10])
    if len(extra_data) > MAX_EXTRA_DATA_BYTES:
        raise MalformedInput(f"{field}.extra_data", f"more than {MAX_EXTRA_DATA_BYTES} bytes", got=len(extra_data))
    base_fee_wei = int.from_bytes(head[11], "little")
    fields: tuple[Any, ...] = (*head[:10], extra_data, base_fee_wei, *head[12:], *blob_gas)
    return ExecutionPayloadHeader(*fields)


def _encode_execution(header: ExecutionPayloadHeader, fork: Fork) -> bytes:
    blob_gas = _BLOB_GAS.pack(header.blob_gas_used, header.excess_blob_gas) if fork >= Fork.DENEB else b""
    head = _EXECUTION_HEAD.pack(
        header.parent_hash,
        header.fee_recipient,
        header.state_root,
        header.receipts_root,
        header.logs_bloom,
        header.prev_randao,
        header.block_number,
        header.gas_limit,
        header.gas_used,
        header.timestamp_s,
        _EXECUTION_HEAD.size + len(blob_gas),
        header.base_fee_per_gas_wei.to_bytes(32, "little"),
        header.block_hash,
        header.transactions_root,
        header.withdrawals_root,
    )
    return head + blob_gas + header.extra_data


def decode_light_client_header(data: bytes, fork: Fork, field: str = "header") -> LightClientHeader:
    """A LightClientHeader in the layout of `fork`, at most `MAX_SSZ_BYTES`.

    Raises:
        MalformedInput: another size, an offset that is not canonical, or extra data of more than 32 bytes.
        UnsupportedOperation: a fork without light client containers that are read.
    """
    reader = _bounded(data, field, fork)
    beacon = _beacon(reader.take(_BEACON.size))
    if fork < Fork.CAPELLA:
        reader.end()
        return LightClientHeader(beacon)
    offset = reader.offset()
    branch = reader.branch(_EXECUTION_DEPTH)
    (execution,) = reader.parts(offset)
    return header_of_container(beacon, _execution(execution, fork, f"{field}.execution"), branch)


def encode_light_client_header(header: LightClientHeader, fork: Fork) -> bytes:
    """Inverse of `decode_light_client_header`; from Capella on a missing payload is written as default values."""
    beacon = header.beacon
    head = _BEACON.pack(beacon.slot, beacon.proposer_index, beacon.parent_root, beacon.state_root, beacon.body_root)
    if fork < Fork.CAPELLA:
        return head
    branch = b"".join(header.execution_branch) if header.execution is not None else bytes(32 * _EXECUTION_DEPTH)
    execution = _encode_execution(header.execution or EMPTY_EXECUTION, fork)
    return head + _OFFSET.pack(len(head) + 4 + len(branch)) + branch + execution


def decode_sync_committee(data: bytes, preset: Preset, field: str = "sync_committee") -> SyncCommittee:
    """The keys of a committee of the preset's size, then their aggregate; 48 bytes each.

    Raises:
        MalformedInput: another size.
    """
    reader = _Reader(bytes(data), field)
    committee = reader.committee(preset)
    reader.end()
    return committee


def encode_sync_committee(committee: SyncCommittee) -> bytes:
    """Inverse of `decode_sync_committee`."""
    return committee.pubkeys + committee.aggregate_pubkey


def decode_bootstrap(data: bytes, fork: Fork, preset: Preset) -> Bootstrap:
    """A LightClientBootstrap of a network of `preset`, in the layout of `fork`.

    Raises:
        MalformedInput: another size, or an offset that is not canonical.
        UnsupportedOperation: a fork without light client containers that are read.
    """
    reader = _bounded(data, "bootstrap", fork)
    depth = depth_of(state_indices(fork).current_sync_committee)
    if fork < Fork.CAPELLA:
        header_bytes = reader.take(_BEACON.size)
        committee, branch = reader.committee(preset), reader.branch(depth)
        reader.end()
    else:
        offset = reader.offset()
        committee, branch = reader.committee(preset), reader.branch(depth)
        (header_bytes,) = reader.parts(offset)
    return Bootstrap(decode_light_client_header(header_bytes, fork, "bootstrap.header"), committee, branch)


def encode_bootstrap(bootstrap: Bootstrap, fork: Fork) -> bytes:
    """Inverse of `decode_bootstrap`."""
    header = encode_light_client_header(bootstrap.header, fork)
    tail = encode_sync_committee(bootstrap.current_sync_committee) + b"".join(bootstrap.current_sync_committee_branch)
    return header + tail if fork < Fork.CAPELLA else _OFFSET.pack(4 + len(tail)) + tail + header


def decode_update(data: bytes, fork: Fork, preset: Preset) -> Update:
    """A LightClientUpdate of a network of `preset`, in the layout of `fork`.

    Raises:
        MalformedInput: another size, an offset that is not canonical, or a committee or header without its branch.
        UnsupportedOperation: a fork without light client containers that are read.
    """
    reader = _bounded(data, "update", fork)
    indices = state_indices(fork)
    fixed = fork < Fork.CAPELLA
    attested = reader.take(_BEACON.size) if fixed else b""
    offsets = [] if fixed else [reader.offset()]
    committee = reader.committee(preset)
    committee_branch = reader.branch(depth_of(indices.next_sync_committee))
    finalized = reader.take(_BEACON.size) if fixed else b""
    offsets += [] if fixed else [reader.offset()]
    finality_branch = reader.branch(depth_of(indices.finalized_root))
    aggregate, signature_slot = reader.aggregate(preset), reader.slot()
    if fixed:
        reader.end()
    else:
        attested, finalized = reader.parts(*offsets)
    return update_of_containers(
        decode_light_client_header(attested, fork, "update.attested_header"),
        decode_light_client_header(finalized, fork, "update.finalized_header"),
        finality_branch,
        aggregate,
        signature_slot,
        committee,
        committee_branch,
    )


def encode_update(update: Update, fork: Fork, preset: Preset) -> bytes:
    """Inverse of `decode_update`; parts that the update does not bring are written as default values."""
    indices = state_indices(fork)
    committee = (
        bytes(PUBLIC_KEY_BYTES * (preset.sync_committee_size + 1))
        if update.next_sync_committee is None
        else encode_sync_committee(update.next_sync_committee)
    )
    committee_branch = _encode_branch(update.next_sync_committee_branch, indices.next_sync_committee)
    attested = encode_light_client_header(update.attested_header, fork)
    finality = _encode_finality(update, fork)
    tail = _encode_tail(update)
    if fork < Fork.CAPELLA:
        return attested + committee + committee_branch + finality[0] + finality[1] + tail
    size = 8 + len(committee) + len(committee_branch) + len(finality[1]) + len(tail)
    return b"".join(
        (
            _OFFSET.pack(size),
            committee,
            committee_branch,
            _OFFSET.pack(size + len(attested)),
            finality[1],
            tail,
            attested,
            finality[0],
        )
    )


def decode_finality_update(data: bytes, fork: Fork, preset: Preset) -> Update:
    """A LightClientFinalityUpdate of a network of `preset`, in the layout of `fork`.

    Raises:
        MalformedInput: another size, an offset that is not canonical, or a header without its branch.
        UnsupportedOperation: a fork without light client containers that are read.
    """
    reader = _bounded(data, "finality_update", fork)
    depth = depth_of(state_indices(fork).finalized_root)
    if fork < Fork.CAPELLA:
        attested, finalized = reader.take(_BEACON.size), reader.take(_BEACON.size)
        branch, aggregate, signature_slot = reader.branch(depth), reader.aggregate(preset), reader.slot()
        reader.end()
    else:
        offsets = reader.offset(), reader.offset()
        branch, aggregate, signature_slot = reader.branch(depth), reader.aggregate(preset), reader.slot()
        attested, finalized = reader.parts(*offsets)
    return update_of_containers(
        decode_light_client_header(attested, fork, "finality_update.attested_header"),
        decode_light_client_header(finalized, fork, "finality_update.finalized_header"),
        branch,
        aggregate,
        signature_slot,
    )


def encode_finality_update(update: Update, fork: Fork) -> bytes:
    """Inverse of `decode_finality_update`; a next committee is left out."""
    attested = encode_light_client_header(update.attested_header, fork)
    finalized, branch = _encode_finality(update, fork)
    tail = branch + _encode_tail(update)
    if fork < Fork.CAPELLA:
        return attested + finalized + tail
    size = 8 + len(tail)
    return _OFFSET.pack(size) + _OFFSET.pack(size + len(attested)) + tail + attested + finalized


def decode_optimistic_update(data: bytes, fork: Fork, preset: Preset) -> Update:
    """A LightClientOptimisticUpdate of a network of `preset`, in the layout of `fork`. It shows no finality.

    Raises:
        MalformedInput: another size, or an offset that is not canonical.
        UnsupportedOperation: a fork without light client containers that are read.
    """
    reader = _bounded(data, "optimistic_update", fork)
    if fork < Fork.CAPELLA:
        attested = reader.take(_BEACON.size)
        aggregate, signature_slot = reader.aggregate(preset), reader.slot()
        reader.end()
    else:
        offset = reader.offset()
        aggregate, signature_slot = reader.aggregate(preset), reader.slot()
        (attested,) = reader.parts(offset)
    header = decode_light_client_header(attested, fork, "optimistic_update.attested_header")
    return Update(header, aggregate, signature_slot)


def encode_optimistic_update(update: Update, fork: Fork) -> bytes:
    """Inverse of `decode_optimistic_update`; finality and a next committee are left out."""
    attested = encode_light_client_header(update.attested_header, fork)
    tail = _encode_tail(update)
    return attested + tail if fork < Fork.CAPELLA else _OFFSET.pack(4 + len(tail)) + tail + attested


def update_of_containers(
    attested_header: LightClientHeader,
    finalized_header: LightClientHeader,
    finality_branch: tuple[bytes, ...],
    sync_aggregate: SyncAggregate,
    signature_slot: int,
    next_sync_committee: SyncCommittee | None = None,
    next_sync_committee_branch: tuple[bytes, ...] = (),
) -> Update:
    """The update of a container, whose default values say "nothing" (is_finality_update, is_sync_committee_update).

    Raises:
        MalformedInput: a header or a committee without a branch; a header of the genesis slot that is not the default.
    """
    committee = next_sync_committee
    if committee is not None and not any(map(any, next_sync_committee_branch)):
        if any(committee.pubkeys) or any(committee.aggregate_pubkey):
            raise MalformedInput("update.next_sync_committee", "stands without its branch")
        committee = None
    shows_finality = any(map(any, finality_branch))
    finalized: LightClientHeader | None = finalized_header
    if finalized_header.beacon.slot == 0 or not shows_finality:
        if finalized_header != EMPTY_HEADER:
            raise MalformedInput("update.finalized_header", "stands without its branch, or is of the genesis slot")
        finalized = None
    return Update(
        attested_header,
        sync_aggregate,
        signature_slot,
        finalized,
        finality_branch if shows_finality else (),
        committee,
        next_sync_committee_branch if committee is not None else (),
    )


def _encode_branch(branch: tuple[bytes, ...], generalized_index: int) -> bytes:
    return b"".join(branch) if branch else bytes(32 * depth_of(generalized_index))


def _encode_finality(update: Update, fork: Fork) -> tuple[bytes, bytes]:
    header = update.finalized_header or EMPTY_HEADER
    branch = _encode_branch(update.finality_branch, state_indices(fork).finalized_root)
    return encode_light_client_header(header, fork), branch


def _encode_tail(update: Update) -> bytes:
    return update.sync_aggregate.bits + update.sync_aggregate.signature + _SLOT.pack(update.signature_slot)
