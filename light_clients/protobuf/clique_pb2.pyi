from hutong.light_clients.protobuf import ibc_pb2 as _ibc_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientState(_message.Message):
    __slots__ = ("chain_id", "router_address", "period_s", "epoch_length", "confirmations", "trusting_period_s", "max_clock_drift_s", "latest_height", "is_frozen", "head_total_difficulty", "head_hash")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    ROUTER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    EPOCH_LENGTH_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATIONS_FIELD_NUMBER: _ClassVar[int]
    TRUSTING_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    MAX_CLOCK_DRIFT_S_FIELD_NUMBER: _ClassVar[int]
    LATEST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    IS_FROZEN_FIELD_NUMBER: _ClassVar[int]
    HEAD_TOTAL_DIFFICULTY_FIELD_NUMBER: _ClassVar[int]
    HEAD_HASH_FIELD_NUMBER: _ClassVar[int]
    chain_id: int
    router_address: bytes
    period_s: int
    epoch_length: int
    confirmations: int
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: _ibc_pb2.Height
    is_frozen: bool
    head_total_difficulty: int
    head_hash: bytes
    def __init__(self, chain_id: _Optional[int] = ..., router_address: _Optional[bytes] = ..., period_s: _Optional[int] = ..., epoch_length: _Optional[int] = ..., confirmations: _Optional[int] = ..., trusting_period_s: _Optional[int] = ..., max_clock_drift_s: _Optional[int] = ..., latest_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., is_frozen: _Optional[bool] = ..., head_total_difficulty: _Optional[int] = ..., head_hash: _Optional[bytes] = ...) -> None: ...

class ConsensusState(_message.Message):
    __slots__ = ("number", "timestamp_s", "storage_root", "block_hash", "total_difficulty", "signers", "recents", "votes")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_S_FIELD_NUMBER: _ClassVar[int]
    STORAGE_ROOT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DIFFICULTY_FIELD_NUMBER: _ClassVar[int]
    SIGNERS_FIELD_NUMBER: _ClassVar[int]
    RECENTS_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    number: int
    timestamp_s: int
    storage_root: bytes
    block_hash: bytes
    total_difficulty: int
    signers: _containers.RepeatedScalarFieldContainer[bytes]
    recents: _containers.RepeatedScalarFieldContainer[bytes]
    votes: _containers.RepeatedCompositeFieldContainer[Vote]
    def __init__(self, number: _Optional[int] = ..., timestamp_s: _Optional[int] = ..., storage_root: _Optional[bytes] = ..., block_hash: _Optional[bytes] = ..., total_difficulty: _Optional[int] = ..., signers: _Optional[_Iterable[bytes]] = ..., recents: _Optional[_Iterable[bytes]] = ..., votes: _Optional[_Iterable[_Union[Vote, _Mapping]]] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("candidate", "signer")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    candidate: bytes
    signer: bytes
    def __init__(self, candidate: _Optional[bytes] = ..., signer: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("trusted_height", "number", "headers_rlp", "account_proof")
    TRUSTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    HEADERS_RLP_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_PROOF_FIELD_NUMBER: _ClassVar[int]
    trusted_height: _ibc_pb2.Height
    number: int
    headers_rlp: _containers.RepeatedScalarFieldContainer[bytes]
    account_proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, trusted_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., number: _Optional[int] = ..., headers_rlp: _Optional[_Iterable[bytes]] = ..., account_proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Misbehaviour(_message.Message):
    __slots__ = ("header_1", "header_2")
    HEADER_1_FIELD_NUMBER: _ClassVar[int]
    HEADER_2_FIELD_NUMBER: _ClassVar[int]
    header_1: Header
    header_2: Header
    def __init__(self, header_1: _Optional[_Union[Header, _Mapping]] = ..., header_2: _Optional[_Union[Header, _Mapping]] = ...) -> None: ...
