"""ABI of the storage module (docs/spec/storage-calls.md): its calls are those of the service's rules; its errors stand here."""

from typing import Final

from hutong.relay.hub.application.abi import Error, Event, Function
from hutong.relay.services.storage.rules import calls


def _function(call: calls.StorageCall) -> Function:
    return Function(call.name, call.arguments, call.results)


STORE_BATCH: Final = _function(calls.STORE_BATCH)
REPAIR_BATCH: Final = _function(calls.REPAIR_BATCH)
SIGN_PART: Final = _function(calls.SIGN_PART)
COMMIT_SECRET: Final = _function(calls.COMMIT_SECRET)
REVEAL_SECRET: Final = _function(calls.REVEAL_SECRET)
SUBMIT_ANSWERS: Final = _function(calls.SUBMIT_ANSWERS)
REMOVE_SHARDS: Final = _function(calls.REMOVE_SHARDS)
HOLD_PACK: Final = _function(calls.HOLD_PACK)
DRAIN: Final = _function(calls.DRAIN)
GET_RECORD: Final = _function(calls.GET_RECORD)
PLACEMENT: Final = _function(calls.PLACEMENT)
GROUP_OF: Final = _function(calls.GROUP_OF)

RECORDED_EVENT: Final = Event("StorageRecorded", ["bytes32"], ["bytes", "bytes"])
"""An operator, party, pack, or a number in 32 bytes; key and value of a record that is written, or no value where it is gone."""
LOGGED_EVENT: Final = Event("StorageLogged", ["bytes32"], ["uint64", "bytes"])
"""Operator; number in its log, and the log entry of 61 bytes: from these an operator's whole log is read."""

UNKNOWN_OPERATOR: Final = Error("UnknownOperator", "bytes32")
UNKNOWN_PARTY: Final = Error("UnknownParty", "uint8", "bytes32")
NOT_THE_NAMED_ACCOUNT: Final = Error("NotTheNamedAccount", "address", "address")
OPERATOR_STATE_FORBIDS: Final = Error("OperatorStateForbids", "bytes32", "uint8")
BATCH_EXISTS: Final = Error("BatchExists", "bytes32", "uint64", "uint64")
UNKNOWN_BATCH: Final = Error("UnknownBatch", "uint64")
UNKNOWN_MAP: Final = Error("UnknownMap", "uint64")
UNKNOWN_EPOCH: Final = Error("UnknownEpoch", "uint64")
UNKNOWN_SECRET: Final = Error("UnknownSecret", "bytes32", "uint64")
AUDIT_IS_OVER: Final = Error("AuditIsOver", "bytes32", "uint64")
WRONG_PROBE: Final = Error("WrongProbe", "bytes32", "uint32", "uint32")
PART_IS_SIGNED: Final = Error("PartIsSigned", "uint64", "uint32")
TOO_MANY_STORAGE_RECORDS: Final = Error("TooManyStorageRecords", "string", "uint64")
