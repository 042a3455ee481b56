"""ABI of the identity module (docs/spec/identity-records.md); its errors stand here."""

from typing import Final

from hutong.relay.hub.application.abi import Error, Event, Function
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.records.policy_record import STRUCT as POLICY_TUPLE

APPROVAL_TUPLE = "(bytes32,uint64,bytes[])"
"""DID, its sequence, and signatures of its controllers."""
KEY_TUPLE = "(uint8,bytes32,bytes32,bytes32,uint8,uint64,uint64,bytes32)"
"""Algorithm, x, y, x5t#S256, purposes, valid from, valid until, thumbprint of the next key."""
WRITER_TUPLE = calls.WRITER_TUPLE

REGISTER: Final = Function("register", ["bytes32", POLICY_TUPLE, "bytes32", f"{KEY_TUPLE}[]"], ["bytes32"])
REGISTER_ACCREDITED: Final = Function(
    "registerAccredited", ["bytes32", POLICY_TUPLE, "bytes32", f"{KEY_TUPLE}[]", "bytes32"], ["bytes32"]
)
ADD_KEY: Final = Function("addKey", [APPROVAL_TUPLE, KEY_TUPLE], ["bytes32"])
ROTATE_KEY: Final = Function("rotateKey", [APPROVAL_TUPLE, "bytes32", KEY_TUPLE], ["bytes32"])
RETIRE_KEY: Final = Function("retireKey", [APPROVAL_TUPLE, "bytes32"])
COMPROMISE_KEY: Final = Function("compromiseKey", [APPROVAL_TUPLE, "bytes32", "uint64"])
CHANGE_CONTROLLERS: Final = Function("changeControllers", [APPROVAL_TUPLE, POLICY_TUPLE, "bytes32"])
SET_DOCUMENT: Final = Function("setDocument", [APPROVAL_TUPLE, "bytes32"])
ANCHOR_WEBVH: Final = Function("anchorWebvh", [APPROVAL_TUPLE, "uint64", "bytes32"])
DEACTIVATE: Final = Function("deactivate", [APPROVAL_TUPLE])
START_RECOVERY: Final = Function("startRecovery", [APPROVAL_TUPLE, POLICY_TUPLE])
CANCEL_RECOVERY: Final = Function("cancelRecovery", [APPROVAL_TUPLE])
COMPLETE_RECOVERY: Final = Function("completeRecovery", ["bytes32"])
GRANT_ACCREDITATION: Final = Function(
    "grantAccreditation", [APPROVAL_TUPLE, "bytes32", "bytes32", "bytes32", "uint8", "uint64", "uint64"]
)
REVOKE_ACCREDITATION: Final = Function("revokeAccreditation", [APPROVAL_TUPLE, "bytes32", "bytes32"])
REGISTER_SCHEMA: Final = Function("registerSchema", [APPROVAL_TUPLE, "bytes32", "bytes32"])
OPEN_LIST: Final = Function("openList", [WRITER_TUPLE, "bytes32", "bytes32", "bytes32", "uint8", "uint64"], ["uint64"])
UPDATE_LIST: Final = Function("updateList", [WRITER_TUPLE, "uint64", "bytes", "bytes32"], ["bytes32"])
SEAL_LIST: Final = Function("sealList", [WRITER_TUPLE, "uint64"])
APPEND_LOG: Final = Function("appendLog", [WRITER_TUPLE, "uint64", "bytes32", "bytes32[]"])

REGISTER_PERSONS: Final = Function(calls.REGISTER_PERSONS.name, calls.REGISTER_PERSONS.arguments, ["bytes32"])
CHANGE_PERSONS: Final = Function(calls.CHANGE_PERSONS.name, calls.CHANGE_PERSONS.arguments, ["bytes32"])
CHANGE_PERSON: Final = Function(calls.CHANGE_PERSON.name, calls.CHANGE_PERSON.arguments, ["bytes32"])
START_PERSON_RECOVERY: Final = Function(calls.START_RECOVERY.name, calls.START_RECOVERY.arguments, ["uint64"])
START_PERSON_RECOVERY_AS_REGISTRAR: Final = Function(
    calls.START_RECOVERY_AS_REGISTRAR.name, calls.START_RECOVERY_AS_REGISTRAR.arguments, ["uint64"]
)
CANCEL_PERSON_RECOVERY: Final = Function(calls.CANCEL_RECOVERY.name, calls.CANCEL_RECOVERY.arguments)
COMPLETE_PERSON_RECOVERY: Final = Function(calls.COMPLETE_RECOVERY.name, calls.COMPLETE_RECOVERY.arguments, ["bytes32"])
CLEAR_PERSON_RECOVERY: Final = Function(calls.CLEAR_RECOVERY.name, calls.CLEAR_RECOVERY.arguments)

GET_RECORD: Final = Function("getRecord", ["bytes"], ["bytes"])
DID_OF: Final = Function("didOf", ["address", "bytes32"], ["bytes32"])
IS_ACCREDITED: Final = Function("isAccredited", ["bytes32", "bytes32"], ["bool", "uint8"])
OPERATION_DIGEST: Final = Function("operationDigest", ["bytes32", "bytes32"], ["bytes32"])
GET_PARAMETERS: Final = Function("getParameters", [], ["bool", "uint64", "uint64"])

RECORDED_EVENT: Final = Event("IdentityRecorded", ["bytes32"], ["bytes", "bytes"])
"""A DID or schema; key and value of a record that is written, or no value where it is gone."""

UNKNOWN_DID: Final = Error("UnknownDid", "bytes32")
DID_EXISTS: Final = Error("DidExists", "bytes32")
DID_DEACTIVATED: Final = Error("DidDeactivated", "bytes32")
STRANGERS_LANE_FULL: Final = Error("StrangersLaneFull", "uint64")
NOT_APPROVED: Final = Error("NotApproved", "bytes32", "uint64", "uint64")
WRONG_SEQUENCE: Final = Error("WrongSequence", "bytes32", "uint64", "uint64")
UNKNOWN_KEY: Final = Error("UnknownKey", "bytes32", "bytes32")
KEY_EXISTS: Final = Error("KeyExists", "bytes32", "bytes32")
KEY_DOES_NOT_COUNT: Final = Error("KeyDoesNotCount", "bytes32", "bytes32")
KEY_LACKS_PURPOSE: Final = Error("KeyLacksPurpose", "bytes32", "bytes32", "uint8")
NOT_THE_ACCOUNT_OF_THE_KEY: Final = Error("NotTheAccountOfTheKey", "address", "address")
KEYS_ARE_ACTIVE: Final = Error("KeysAreActive", "bytes32", "uint64")
TOO_MANY_RECORDS: Final = Error("TooManyRecords", "bytes32", "string", "uint64")
RECOVERY_PENDING: Final = Error("RecoveryPending", "bytes32")
NO_RECOVERY: Final = Error("NoRecovery", "bytes32")
NO_GUARDIANS: Final = Error("NoGuardians", "bytes32")
NOT_ACCREDITED: Final = Error("NotAccredited", "bytes32", "bytes32", "string")
UNKNOWN_ACCREDITATION: Final = Error("UnknownAccreditation", "bytes32", "bytes32")
SCHEMA_EXISTS: Final = Error("SchemaExists", "bytes32")
UNKNOWN_LIST: Final = Error("UnknownList", "bytes32", "uint64")
LIST_SEALED: Final = Error("ListSealed", "bytes32", "uint64")
PERSONS_ARE_OFF: Final = Error("PersonsAreOff")
UNKNOWN_SHARD: Final = Error("UnknownShard", "bytes32", "uint64")
SHARD_HAS_ROOM: Final = Error("ShardHasRoom", "bytes32", "uint64")
NO_PERSON_RECOVERY: Final = Error("NoPersonRecovery", "bytes32", "uint64", "uint64")
NOT_A_TRANSACTION: Final = Error("NotATransaction")
