from hutong.light_clients.protobuf import evm_router_pb2 as _evm_router_pb2
from hutong.light_clients.protobuf import ibc_pb2 as _ibc_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientState(_message.Message):
    __slots__ = ("chain_id", "consensus", "router_address", "trusting_period_s", "max_clock_drift_s", "latest_height", "is_frozen", "quorum_rule", "validator_contract")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    ROUTER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRUSTING_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    MAX_CLOCK_DRIFT_S_FIELD_NUMBER: _ClassVar[int]
    LATEST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    IS_FROZEN_FIELD_NUMBER: _ClassVar[int]
    QUORUM_RULE_FIELD_NUMBER: _ClassVar[int]
    VALIDATOR_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    chain_id: int
    consensus: int
    router_address: bytes
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: _ibc_pb2.Height
    is_frozen: bool
    quorum_rule: int
    validator_contract: ValidatorContract
    def __init__(self, chain_id: _Optional[int] = ..., consensus: _Optional[int] = ..., router_address: _Optional[bytes] = ..., trusting_period_s: _Optional[int] = ..., max_clock_drift_s: _Optional[int] = ..., latest_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., is_frozen: _Optional[bool] = ..., quorum_rule: _Optional[int] = ..., validator_contract: _Optional[_Union[ValidatorContract, _Mapping]] = ...) -> None: ...

class ValidatorContract(_message.Message):
    __slots__ = ("address", "slot")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    slot: bytes
    def __init__(self, address: _Optional[bytes] = ..., slot: _Optional[bytes] = ...) -> None: ...

class ConsensusState(_message.Message):
    __slots__ = ("timestamp_s", "storage_root", "validators")
    TIMESTAMP_S_FIELD_NUMBER: _ClassVar[int]
    STORAGE_ROOT_FIELD_NUMBER: _ClassVar[int]
    VALIDATORS_FIELD_NUMBER: _ClassVar[int]
    timestamp_s: int
    storage_root: bytes
    validators: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, timestamp_s: _Optional[int] = ..., storage_root: _Optional[bytes] = ..., validators: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("trusted_height", "header_rlp", "account_proof", "parent_header_rlp", "validators_proof")
    TRUSTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEADER_RLP_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_PROOF_FIELD_NUMBER: _ClassVar[int]
    PARENT_HEADER_RLP_FIELD_NUMBER: _ClassVar[int]
    VALIDATORS_PROOF_FIELD_NUMBER: _ClassVar[int]
    trusted_height: _ibc_pb2.Height
    header_rlp: bytes
    account_proof: _containers.RepeatedScalarFieldContainer[bytes]
    parent_header_rlp: bytes
    validators_proof: ValidatorsProof
    def __init__(self, trusted_height: _Optional[_Union[_ibc_pb2.Height, _Mapping]] = ..., header_rlp: _Optional[bytes] = ..., account_proof: _Optional[_Iterable[bytes]] = ..., parent_header_rlp: _Optional[bytes] = ..., validators_proof: _Optional[_Union[ValidatorsProof, _Mapping]] = ...) -> None: ...

class ValidatorsProof(_message.Message):
    __slots__ = ("account_proof", "slots")
    ACCOUNT_PROOF_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    account_proof: _containers.RepeatedScalarFieldContainer[bytes]
    slots: _containers.RepeatedCompositeFieldContainer[_evm_router_pb2.StorageProof]
    def __init__(self, account_proof: _Optional[_Iterable[bytes]] = ..., slots: _Optional[_Iterable[_Union[_evm_router_pb2.StorageProof, _Mapping]]] = ...) -> None: ...

class Misbehaviour(_message.Message):
    __slots__ = ("header_1", "header_2")
    HEADER_1_FIELD_NUMBER: _ClassVar[int]
    HEADER_2_FIELD_NUMBER: _ClassVar[int]
    header_1: Header
    header_2: Header
    def __init__(self, header_1: _Optional[_Union[Header, _Mapping]] = ..., header_2: _Optional[_Union[Header, _Mapping]] = ...) -> None: ...
