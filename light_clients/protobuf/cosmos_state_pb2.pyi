import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CounterpartyInfo(_message.Message):
    __slots__ = ("merkle_prefix", "client_id")
    MERKLE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    merkle_prefix: _containers.RepeatedScalarFieldContainer[bytes]
    client_id: str
    def __init__(self, merkle_prefix: _Optional[_Iterable[bytes]] = ..., client_id: _Optional[str] = ...) -> None: ...

class StakingParams(_message.Message):
    __slots__ = ("unbonding_time",)
    UNBONDING_TIME_FIELD_NUMBER: _ClassVar[int]
    unbonding_time: _duration_pb2.Duration
    def __init__(self, unbonding_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PageRequest(_message.Message):
    __slots__ = ("key", "limit")
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    limit: int
    def __init__(self, key: _Optional[bytes] = ..., limit: _Optional[int] = ...) -> None: ...

class PageResponse(_message.Message):
    __slots__ = ("next_key",)
    NEXT_KEY_FIELD_NUMBER: _ClassVar[int]
    next_key: bytes
    def __init__(self, next_key: _Optional[bytes] = ...) -> None: ...

class PacketCommitmentsRequest(_message.Message):
    __slots__ = ("client_id", "pagination")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    pagination: PageRequest
    def __init__(self, client_id: _Optional[str] = ..., pagination: _Optional[_Union[PageRequest, _Mapping]] = ...) -> None: ...

class PacketState(_message.Message):
    __slots__ = ("client_id", "sequence", "data")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    sequence: int
    data: bytes
    def __init__(self, client_id: _Optional[str] = ..., sequence: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class PacketCommitmentsResponse(_message.Message):
    __slots__ = ("commitments", "pagination")
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    commitments: _containers.RepeatedCompositeFieldContainer[PacketState]
    pagination: PageResponse
    def __init__(self, commitments: _Optional[_Iterable[_Union[PacketState, _Mapping]]] = ..., pagination: _Optional[_Union[PageResponse, _Mapping]] = ...) -> None: ...
