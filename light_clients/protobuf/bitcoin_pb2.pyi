from hutong.light_clients.protobuf import ibc_pb2 as _ibc_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientState(_message.Message):
    __slots__ = ("network", "publisher_script", "confirmation_depth", "trusting_period_s", "latest_height", "best_chainwork", "is_frozen")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_SCRIPT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_DEPTH_FIELD_NUMBER: _ClassVar[int]
    TRUSTING_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    LATEST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BEST_CHAINWORK_FIELD_NUMBER: _ClassVar[int]
    IS_FROZEN_FIELD_NUMBER: _ClassVar[int]
    network: int
    publisher_script: bytes
    confirmation_depth: int
    trusting_period_s: int
    latest_height: _ibc_pb2.Height
    best_chainwork: bytes
    is_frozen: bool
    def __init__(self, network: _Optional[int] = ..., publisher_script: _Optional[bytes] = ..., confirmation_depth: _Optional[int] = ..., trusting_period_s: _Optional[int] = ..., latest_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., best_chainwork: _Optional[bytes] = ..., is_frozen: _Optional[bool] = ...) -> None: ...

class ConsensusState(_message.Message):
    __slots__ = ("height", "block_hash", "chainwork", "bits", "regular_bits", "period_first_bits", "period_first_time_s", "recent_times_s")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
    CHAINWORK_FIELD_NUMBER: _ClassVar[int]
    BITS_FIELD_NUMBER: _ClassVar[int]
    REGULAR_BITS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIRST_BITS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIRST_TIME_S_FIELD_NUMBER: _ClassVar[int]
    RECENT_TIMES_S_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_hash: bytes
    chainwork: bytes
    bits: int
    regular_bits: int
    period_first_bits: int
    period_first_time_s: int
    recent_times_s: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, height: _Optional[int] = ..., block_hash: _Optional[bytes] = ..., chainwork: _Optional[bytes] = ..., bits: _Optional[int] = ..., regular_bits: _Optional[int] = ..., period_first_bits: _Optional[int] = ..., period_first_time_s: _Optional[int] = ..., recent_times_s: _Optional[_Iterable[int]] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("trusted_height", "height", "headers")
    TRUSTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    trusted_height: _ibc_pb2.Height
    height: _ibc_pb2.Height
    headers: bytes
    def __init__(self, trusted_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., headers: _Optional[bytes] = ...) -> None: ...

class Misbehaviour(_message.Message):
    __slots__ = ("header_1", "header_2")
    HEADER_1_FIELD_NUMBER: _ClassVar[int]
    HEADER_2_FIELD_NUMBER: _ClassVar[int]
    header_1: Header
    header_2: Header
    def __init__(self, header_1: _Optional[_Union[Header, _Mapping]] = ..., header_2: _Optional[_Union[Header, _Mapping]] = ...) -> None: ...

class MerkleBranch(_message.Message):
    __slots__ = ("index", "siblings")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SIBLINGS_FIELD_NUMBER: _ClassVar[int]
    index: int
    siblings: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, index: _Optional[int] = ..., siblings: _Optional[_Iterable[bytes]] = ...) -> None: ...

class MembershipProof(_message.Message):
    __slots__ = ("headers", "transaction", "branch", "output_index", "input_index", "funding", "coinbase", "coinbase_siblings")
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_INDEX_FIELD_NUMBER: _ClassVar[int]
    INPUT_INDEX_FIELD_NUMBER: _ClassVar[int]
    FUNDING_FIELD_NUMBER: _ClassVar[int]
    COINBASE_FIELD_NUMBER: _ClassVar[int]
    COINBASE_SIBLINGS_FIELD_NUMBER: _ClassVar[int]
    headers: bytes
    transaction: bytes
    branch: MerkleBranch
    output_index: int
    input_index: int
    funding: bytes
    coinbase: bytes
    coinbase_siblings: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, headers: _Optional[bytes] = ..., transaction: _Optional[bytes] = ..., branch: _Optional[_Union[MerkleBranch, _Mapping]] = ..., output_index: _Optional[int] = ..., input_index: _Optional[int] = ..., funding: _Optional[bytes] = ..., coinbase: _Optional[bytes] = ..., coinbase_siblings: _Optional[_Iterable[bytes]] = ...) -> None: ...
