from hutong.light_clients.protobuf import ibc_pb2 as _ibc_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ForkActivation(_message.Message):
    __slots__ = ("fork", "version", "epoch")
    FORK_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    fork: int
    version: bytes
    epoch: int
    def __init__(self, fork: _Optional[int] = ..., version: _Optional[bytes] = ..., epoch: _Optional[int] = ...) -> None: ...

class Preset(_message.Message):
    __slots__ = ("slots_per_epoch", "epochs_per_sync_committee_period", "sync_committee_size")
    SLOTS_PER_EPOCH_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_PER_SYNC_COMMITTEE_PERIOD_FIELD_NUMBER: _ClassVar[int]
    SYNC_COMMITTEE_SIZE_FIELD_NUMBER: _ClassVar[int]
    slots_per_epoch: int
    epochs_per_sync_committee_period: int
    sync_committee_size: int
    def __init__(self, slots_per_epoch: _Optional[int] = ..., epochs_per_sync_committee_period: _Optional[int] = ..., sync_committee_size: _Optional[int] = ...) -> None: ...

class ClientState(_message.Message):
    __slots__ = ("chain_id", "genesis_validators_root", "genesis_time_s", "seconds_per_slot", "preset", "forks", "router_address", "min_participants", "trusting_period_s", "max_clock_drift_s", "latest_height", "current_sync_committee_root", "next_sync_committee_root", "is_frozen")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    GENESIS_VALIDATORS_ROOT_FIELD_NUMBER: _ClassVar[int]
    GENESIS_TIME_S_FIELD_NUMBER: _ClassVar[int]
    SECONDS_PER_SLOT_FIELD_NUMBER: _ClassVar[int]
    PRESET_FIELD_NUMBER: _ClassVar[int]
    FORKS_FIELD_NUMBER: _ClassVar[int]
    ROUTER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MIN_PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    TRUSTING_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    MAX_CLOCK_DRIFT_S_FIELD_NUMBER: _ClassVar[int]
    LATEST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_SYNC_COMMITTEE_ROOT_FIELD_NUMBER: _ClassVar[int]
    NEXT_SYNC_COMMITTEE_ROOT_FIELD_NUMBER: _ClassVar[int]
    IS_FROZEN_FIELD_NUMBER: _ClassVar[int]
    chain_id: int
    genesis_validators_root: bytes
    genesis_time_s: int
    seconds_per_slot: int
    preset: Preset
    forks: _containers.RepeatedCompositeFieldContainer[ForkActivation]
    router_address: bytes
    min_participants: int
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: _ibc_pb2.Height
    current_sync_committee_root: bytes
    next_sync_committee_root: bytes
    is_frozen: bool
    def __init__(self, chain_id: _Optional[int] = ..., genesis_validators_root: _Optional[bytes] = ..., genesis_time_s: _Optional[int] = ..., seconds_per_slot: _Optional[int] = ..., preset: _Optional[_Union[Preset, _Mapping]] = ..., forks: _Optional[_Iterable[_Union[ForkActivation, _Mapping]]] = ..., router_address: _Optional[bytes] = ..., min_participants: _Optional[int] = ..., trusting_period_s: _Optional[int] = ..., max_clock_drift_s: _Optional[int] = ..., latest_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., current_sync_committee_root: _Optional[bytes] = ..., next_sync_committee_root: _Optional[bytes] = ..., is_frozen: _Optional[bool] = ...) -> None: ...

class ConsensusState(_message.Message):
    __slots__ = ("timestamp_s", "storage_root", "state_root", "block_number", "beacon_root")
    TIMESTAMP_S_FIELD_NUMBER: _ClassVar[int]
    STORAGE_ROOT_FIELD_NUMBER: _ClassVar[int]
    STATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    BEACON_ROOT_FIELD_NUMBER: _ClassVar[int]
    timestamp_s: int
    storage_root: bytes
    state_root: bytes
    block_number: int
    beacon_root: bytes
    def __init__(self, timestamp_s: _Optional[int] = ..., storage_root: _Optional[bytes] = ..., state_root: _Optional[bytes] = ..., block_number: _Optional[int] = ..., beacon_root: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("fork", "update", "finality_update", "sync_committee", "account_proof")
    FORK_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    FINALITY_UPDATE_FIELD_NUMBER: _ClassVar[int]
    SYNC_COMMITTEE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_PROOF_FIELD_NUMBER: _ClassVar[int]
    fork: int
    update: bytes
    finality_update: bytes
    sync_committee: bytes
    account_proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, fork: _Optional[int] = ..., update: _Optional[bytes] = ..., finality_update: _Optional[bytes] = ..., sync_committee: _Optional[bytes] = ..., account_proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Misbehaviour(_message.Message):
    __slots__ = ("header_1", "header_2")
    HEADER_1_FIELD_NUMBER: _ClassVar[int]
    HEADER_2_FIELD_NUMBER: _ClassVar[int]
    header_1: Header
    header_2: Header
    def __init__(self, header_1: _Optional[_Union[Header, _Mapping]] = ..., header_2: _Optional[_Union[Header, _Mapping]] = ...) -> None: ...
