from hutong.light_clients.protobuf import ibc_pb2 as _ibc_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Key(_message.Message):
    __slots__ = ("name", "public_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    public_key: bytes
    def __init__(self, name: _Optional[str] = ..., public_key: _Optional[bytes] = ...) -> None: ...

class ClientState(_message.Message):
    __slots__ = ("origin", "log_key", "witnesses", "quorum", "publisher_key", "trusting_period_s", "max_clock_drift_s", "latest_height", "is_frozen")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LOG_KEY_FIELD_NUMBER: _ClassVar[int]
    WITNESSES_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_KEY_FIELD_NUMBER: _ClassVar[int]
    TRUSTING_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    MAX_CLOCK_DRIFT_S_FIELD_NUMBER: _ClassVar[int]
    LATEST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    IS_FROZEN_FIELD_NUMBER: _ClassVar[int]
    origin: str
    log_key: Key
    witnesses: _containers.RepeatedCompositeFieldContainer[Key]
    quorum: int
    publisher_key: bytes
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: _ibc_pb2.Height
    is_frozen: bool
    def __init__(self, origin: _Optional[str] = ..., log_key: _Optional[_Union[Key, _Mapping]] = ..., witnesses: _Optional[_Iterable[_Union[Key, _Mapping]]] = ..., quorum: _Optional[int] = ..., publisher_key: _Optional[bytes] = ..., trusting_period_s: _Optional[int] = ..., max_clock_drift_s: _Optional[int] = ..., latest_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., is_frozen: _Optional[bool] = ...) -> None: ...

class ConsensusState(_message.Message):
    __slots__ = ("size", "root", "timestamp_s")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_S_FIELD_NUMBER: _ClassVar[int]
    size: int
    root: bytes
    timestamp_s: int
    def __init__(self, size: _Optional[int] = ..., root: _Optional[bytes] = ..., timestamp_s: _Optional[int] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("trusted_height", "checkpoint", "first_root", "nodes")
    TRUSTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    FIRST_ROOT_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    trusted_height: _ibc_pb2.Height
    checkpoint: bytes
    first_root: bytes
    nodes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, trusted_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., checkpoint: _Optional[bytes] = ..., first_root: _Optional[bytes] = ..., nodes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Misbehaviour(_message.Message):
    __slots__ = ("checkpoint_1", "stored_height", "checkpoint_2", "first_root", "nodes")
    CHECKPOINT_1_FIELD_NUMBER: _ClassVar[int]
    STORED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_2_FIELD_NUMBER: _ClassVar[int]
    FIRST_ROOT_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    checkpoint_1: bytes
    stored_height: _ibc_pb2.Height
    checkpoint_2: bytes
    first_root: bytes
    nodes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, checkpoint_1: _Optional[bytes] = ..., stored_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., checkpoint_2: _Optional[bytes] = ..., first_root: _Optional[bytes] = ..., nodes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class MembershipProof(_message.Message):
    __slots__ = ("index", "siblings", "signature")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SIBLINGS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    index: int
    siblings: _containers.RepeatedScalarFieldContainer[bytes]
    signature: bytes
    def __init__(self, index: _Optional[int] = ..., siblings: _Optional[_Iterable[bytes]] = ..., signature: _Optional[bytes] = ...) -> None: ...
