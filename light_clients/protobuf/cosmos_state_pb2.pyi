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
