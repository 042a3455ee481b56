"""ABI of the native modules (docs/spec/hub-modules.md): functions by selector, events, custom errors.

The router answers in the words of `ICS26Router`, so that a contract or tool that knows one knows the hub.
"""

from collections.abc import Sequence
from typing import Any, Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import HEIGHT_TUPLE, PACKET_TUPLE, PAYLOAD_TUPLE, decode_canonical, encode_abi
from hutong.relay.evm.vm.native import NativeRevert

MAX_CALL_BYTES = 1024 * 1024
"""Calldata of one call to a native module; a transaction carries at most 128 KiB, a contract could build more."""

COUNTERPARTY_TUPLE = "(string,bytes[])"
BATCH_CALL_TUPLE = "(uint64,bytes)"


class Function:
    """A function's name, argument types and result types."""

    def __init__(self, name: str, arguments: Sequence[str], results: Sequence[str] = ()) -> None:
        self.name = name
        self.arguments = list(arguments)
        self.results = list(results)
        self.signature = f"{name}({','.join(arguments)})"
        self.selector = keccak256(self.signature.encode())[:4]

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """The arguments of calldata of at most MAX_CALL_BYTES, whose selector the caller has matched.

        Raises:
            MalformedInput: the calldata is anything that `call` would not write.
        """
        return decode_canonical(self.arguments, data[4:], f"call.{self.name}", MAX_CALL_BYTES)

    def call(self, *values: Any) -> bytes:
        """Calldata: the selector, then `values` in the order of the argument types."""
        return self.selector + encode_abi(self.arguments, values)

    def answer(self, *values: Any) -> bytes:
        """Return data: `values` in the order of the result types."""
        return encode_abi(self.results, values)


class Event:
    """An event; indexed strings become the hash of their bytes."""

    def __init__(
        self, name: str, indexed: Sequence[str], data: Sequence[str], order: Sequence[str] | None = None
    ) -> None:
        self.name = name
        self.indexed = list(indexed)
        self.data_types = list(data)
        self.signature = f"{name}({','.join(order or [*indexed, *data])})"
        self.topic = keccak256(self.signature.encode())

    def topics(self, *values: Any) -> tuple[bytes, ...]:
        """The signature's hash, then one topic of 32 bytes for each indexed value; of strings it is the Keccak-256."""
        encoded = [
            keccak256(value.encode()) if kind == "string" else encode_abi([kind], [value])
            for kind, value in zip(self.indexed, values, strict=True)
        ]
        return (self.topic, *encoded)

    def data(self, *values: Any) -> bytes:
        """ABI encoding of the values that are not indexed, in the order of `data_types`."""
        return encode_abi(self.data_types, values)


class Error:
    """A custom error."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        self.arguments = list(arguments)
        self.signature = f"{name}({','.join(arguments)})"
        self.selector = keccak256(self.signature.encode())[:4]

    def revert(self, *values: Any) -> NativeRevert:
        """The exception to raise, with the error's selector and `values` in the order of its arguments."""
        return NativeRevert(self.selector + encode_abi(self.arguments, values))


SEND_PACKET: Final = Function("sendPacket", [f"(string,uint64,{PAYLOAD_TUPLE})"], ["uint64"])
RECV_PACKET: Final = Function("recvPacket", [f"({PACKET_TUPLE},bytes,{HEIGHT_TUPLE})"])
ACK_PACKET: Final = Function("ackPacket", [f"({PACKET_TUPLE},bytes,bytes,{HEIGHT_TUPLE})"])
TIMEOUT_PACKET: Final = Function("timeoutPacket", [f"({PACKET_TUPLE},bytes,{HEIGHT_TUPLE})"])
UPDATE_CLIENT: Final = Function("updateClient", ["string", "bytes"], ["uint8"])
SUBMIT_MISBEHAVIOUR: Final = Function("submitMisbehaviour", ["string", "bytes"])
UPGRADE_CLIENT: Final = Function("upgradeClient", ["string", "bytes"], [HEIGHT_TUPLE])
RELAY_BATCH: Final = Function("relayBatch", [f"{BATCH_CALL_TUPLE}[]"], ["bool[]"])
GET_COUNTERPARTY: Final = Function("getCounterparty", ["string"], [COUNTERPARTY_TUPLE])
GET_COMMITMENT: Final = Function("getCommitment", ["bytes32"], ["bytes32"])
GET_IBC_APP: Final = Function("getIBCApp", ["string"], ["address"])
GET_CLIENT: Final = Function("getClient", ["string"], ["address"])
GET_NEXT_SEQUENCE: Final = Function("getNextSequenceSend", ["string"], ["uint64"])
PAUSED: Final = Function("paused", [], ["bool"])
ADD_IBC_APP: Final = Function("addIBCApp", ["address"])
ADD_NAMED_IBC_APP: Final = Function("addIBCApp", ["string", "address"])

APPROVE: Final = Function("approve", ["bytes32"])
EXECUTE: Final = Function("execute", ["bytes"])
GET_CLIENT_STATE: Final = Function("getClientState", ["string"], ["bytes"])
GET_CONSENSUS_STATE: Final = Function("getConsensusState", ["string", HEIGHT_TUPLE], ["bytes"])
GET_CLIENT_STATUS: Final = Function("getClientStatus", ["string"], ["string"])
GET_LATEST_HEIGHT: Final = Function("getLatestHeight", ["string"], [HEIGHT_TUPLE])
GET_APPROVALS: Final = Function("getApprovals", ["bytes32"], ["address[]", "bool"])
GET_ADMINS: Final = Function("getAdmins", [], ["address[]", "uint32"])
GET_QUOTA: Final = Function("getQuota", ["string"], ["uint64", "uint64", "uint64", "uint64"])
"""(packets, payload bytes) that may be in flight over a client, and that are."""
GET_VALIDATORS: Final = Function("getValidators", [], ["(bytes,uint64)[]"])
"""(compressed public key, power) of the set that signs two blocks on, in its canonical order."""

GET_PENDING_FORWARD: Final = Function("getPendingForward", ["string", "uint64"], ["bytes"])
GET_FORWARD_FAILURE: Final = Function("getForwardFailure", ["string", "uint64"], ["string"])

_PACKET_EVENT = ("string", "uint256")
SEND_PACKET_EVENT: Final = Event("SendPacket", _PACKET_EVENT, [PACKET_TUPLE])
WRITE_ACKNOWLEDGEMENT_EVENT: Final = Event("WriteAcknowledgement", _PACKET_EVENT, [PACKET_TUPLE, "bytes[]"])
ACK_PACKET_EVENT: Final = Event("AckPacket", _PACKET_EVENT, [PACKET_TUPLE, "bytes"])
TIMEOUT_PACKET_EVENT: Final = Event("TimeoutPacket", _PACKET_EVENT, [PACKET_TUPLE])
NOOP_EVENT: Final = Event("Noop", [], [])
APP_CALLBACK_ERROR_EVENT: Final = Event("IBCAppRecvPacketCallbackError", [], ["bytes"])
BATCH_CALL_FAILED_EVENT: Final = Event("BatchCallFailed", ["uint256"], ["bytes"])
CLIENT_UPDATED_EVENT: Final = Event("ICS02ClientUpdated", [], ["string", "uint8"])
CLIENT_UPGRADED_EVENT: Final = Event("ICS02ClientUpgraded", [], ["string", HEIGHT_TUPLE])
MISBEHAVIOUR_EVENT: Final = Event("ICS02MisbehaviourSubmitted", [], ["string"])

ACTION_APPROVED_EVENT: Final = Event("ActionApproved", ["bytes32", "address"], ["uint32"])
ACTION_EXECUTED_EVENT: Final = Event("ActionExecuted", ["bytes32"], ["uint8"])
CLIENT_CREATED_EVENT: Final = Event("ClientCreated", [], ["string"])
COUNTERPARTY_REGISTERED_EVENT: Final = Event("CounterpartyRegistered", [], ["string", "string", "bytes[]"])
CLIENT_RECOVERED_EVENT: Final = Event("ClientRecovered", [], ["string", "string"])
PAUSED_EVENT: Final = Event("PausedSet", [], ["bool"])
QUOTA_SET_EVENT: Final = Event("QuotaSet", [], ["string", "uint64", "uint64"])
VALIDATOR_SET_EVENT: Final = Event("ValidatorPowerSet", [], ["bytes", "uint64"])
PARAMETER_SET_EVENT: Final = Event("ParameterSet", [], ["string", "uint64"])
RULES_SCHEDULED_EVENT: Final = Event("RulesScheduled", [], ["uint32", "uint64"])
REVISION_END_EVENT: Final = Event("RevisionEndSet", [], ["uint64"])
CODE_OPEN_SET_EVENT: Final = Event("CodeOpenSet", [], ["bool"])
DEPLOYER_NAMED_EVENT: Final = Event("DeployerNamed", ["address"], ["bool"])
CONTRACT_NAMED_EVENT: Final = Event("ContractNamed", ["address"], ["bool"])
OBSERVATION_WRITER_SET_EVENT: Final = Event("ObservationWriterSet", ["address"], ["uint64"])
OBSERVATIONS_OPEN_SET_EVENT: Final = Event("ObservationsOpenSet", [], ["bool"])
IDENTITY_ROOT_SET_EVENT: Final = Event("IdentityRootSet", ["bytes32"], ["bytes32", "uint8", "uint64"])
IDENTITY_SET_EVENT: Final = Event("IdentitySet", [], ["bool", "uint64", "uint64"])
STORAGE_OPERATOR_NAMED_EVENT: Final = Event("StorageOperatorNamed", ["bytes32"], ["address", "uint32"])
STORAGE_OPERATOR_STATE_SET_EVENT: Final = Event("StorageOperatorStateSet", ["bytes32"], ["uint8"])
STORAGE_PARTY_NAMED_EVENT: Final = Event("StoragePartyNamed", ["bytes32"], ["uint8", "address"])
DIRECTORY_PUBLISHER_NAMED_EVENT: Final = Event("DirectoryPublisherNamed", ["bytes32"], ["address", "uint64"])
DIRECTORY_SET_EVENT: Final = Event("DirectorySet", [], ["uint32", "uint32"])
STORAGE_SET_EVENT: Final = Event(
    "StorageSet",
    [],
    ["uint64", "uint32", "uint64", "uint64", "uint32", "uint32", "uint32", "uint8", "uint8", "uint64"],
)

INVALID_TIMEOUT_TIMESTAMP: Final = Error("IBCInvalidTimeoutTimestamp", "uint256", "uint256")
INVALID_COUNTERPARTY: Final = Error("IBCInvalidCounterparty", "string", "string")
MULTI_PAYLOAD: Final = Error("IBCMultiPayloadPacketNotSupported")
APP_NOT_FOUND: Final = Error("IBCAppNotFound", "string")
CLIENT_NOT_FOUND: Final = Error("IBCClientNotFound", "string")
CLIENT_NOT_ACTIVE: Final = Error("IBCClientNotActive", "string")
COUNTERPARTY_NOT_FOUND: Final = Error("IBCCounterpartyClientNotFound", "string")
COMMITMENT_MISMATCH: Final = Error("IBCPacketCommitmentMismatch", "bytes32", "bytes32")
INSUFFICIENT_BATCH_GAS: Final = Error("InsufficientBatchGas", "uint256", "uint256", "uint256")
BATCH_SELECTOR_NOT_ALLOWED: Final = Error("BatchSelectorNotAllowed", "uint256", "bytes4")
QUOTA_EXCEEDED: Final = Error("QuotaExceeded", "string", "string")
ENFORCED_PAUSE: Final = Error("EnforcedPause")

VERIFICATION_FAILED: Final = Error("VerificationFailed", "string", "string")
"""(name of the predicate or malformed field, sentence): every typed error of a light client or decoder."""
NOT_SUPPORTED: Final = Error("NotSupported", "string")
UNKNOWN_FUNCTION: Final = Error("UnknownFunction", "bytes4")
NOT_AN_ADMIN: Final = Error("NotAnAdmin", "address")
ACTION_REFUSED: Final = Error("ActionRefused", "bytes32", "string")

BATCH_SELECTORS: Final = frozenset(
    function.selector for function in (UPDATE_CLIENT, RECV_PACKET, ACK_PACKET, TIMEOUT_PACKET, SUBMIT_MISBEHAVIOUR)
)
