from hutong.light_clients.protobuf import ibc_pb2 as _ibc_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientState(_message.Message):
    __slots__ = ("chain_id", "generation", "crypto_suite", "router_address", "trusting_period_s", "max_clock_drift_s", "latest_height", "is_frozen")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    CRYPTO_SUITE_FIELD_NUMBER: _ClassVar[int]
    ROUTER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRUSTING_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    MAX_CLOCK_DRIFT_S_FIELD_NUMBER: _ClassVar[int]
    LATEST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    IS_FROZEN_FIELD_NUMBER: _ClassVar[int]
    chain_id: str
    generation: int
    crypto_suite: int
    router_address: bytes
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: _ibc_pb2.Height
    is_frozen: bool
    def __init__(self, chain_id: _Optional[str] = ..., generation: _Optional[int] = ..., crypto_suite: _Optional[int] = ..., router_address: _Optional[bytes] = ..., trusting_period_s: _Optional[int] = ..., max_clock_drift_s: _Optional[int] = ..., latest_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., is_frozen: _Optional[bool] = ...) -> None: ...

class Sealer(_message.Message):
    __slots__ = ("public_key", "weight")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    weight: int
    def __init__(self, public_key: _Optional[bytes] = ..., weight: _Optional[int] = ...) -> None: ...

class ConsensusState(_message.Message):
    __slots__ = ("timestamp_ms", "transactions_root", "receipts_root", "sealers")
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONS_ROOT_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_ROOT_FIELD_NUMBER: _ClassVar[int]
    SEALERS_FIELD_NUMBER: _ClassVar[int]
    timestamp_ms: int
    transactions_root: bytes
    receipts_root: bytes
    sealers: _containers.RepeatedCompositeFieldContainer[Sealer]
    def __init__(self, timestamp_ms: _Optional[int] = ..., transactions_root: _Optional[bytes] = ..., receipts_root: _Optional[bytes] = ..., sealers: _Optional[_Iterable[_Union[Sealer, _Mapping]]] = ...) -> None: ...

class SealSignature(_message.Message):
    __slots__ = ("sealer_index", "signature")
    SEALER_INDEX_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    sealer_index: int
    signature: bytes
    def __init__(self, sealer_index: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("trusted_height", "block_header", "signatures")
    TRUSTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEADER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    trusted_height: _ibc_pb2.Height
    block_header: bytes
    signatures: _containers.RepeatedCompositeFieldContainer[SealSignature]
    def __init__(self, trusted_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., block_header: _Optional[bytes] = ..., signatures: _Optional[_Iterable[_Union[SealSignature, _Mapping]]] = ...) -> None: ...

class Misbehaviour(_message.Message):
    __slots__ = ("header_1", "header_2")
    HEADER_1_FIELD_NUMBER: _ClassVar[int]
    HEADER_2_FIELD_NUMBER: _ClassVar[int]
    header_1: Header
    header_2: Header
    def __init__(self, header_1: _Optional[_Union[Header, _Mapping]] = ..., header_2: _Optional[_Union[Header, _Mapping]] = ...) -> None: ...

class MerkleStep(_message.Message):
    __slots__ = ("left", "right")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    left: _containers.RepeatedScalarFieldContainer[bytes]
    right: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, left: _Optional[_Iterable[bytes]] = ..., right: _Optional[_Iterable[bytes]] = ...) -> None: ...

class EventProof(_message.Message):
    __slots__ = ("transaction_index", "receipt_rlp", "steps", "log_index")
    TRANSACTION_INDEX_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_RLP_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    transaction_index: int
    receipt_rlp: bytes
    steps: _containers.RepeatedCompositeFieldContainer[MerkleStep]
    log_index: int
    def __init__(self, transaction_index: _Optional[int] = ..., receipt_rlp: _Optional[bytes] = ..., steps: _Optional[_Iterable[_Union[MerkleStep, _Mapping]]] = ..., log_index: _Optional[int] = ...) -> None: ...
