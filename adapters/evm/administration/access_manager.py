"""Calls and events of OpenZeppelin's AccessManager, which says who may call what on a router and its applications."""

from hutong.adapters.ics26.abi import Function
from hutong.light_clients.crypto.hashes import keccak256

AUTHORITY = Function("authority", (), ("address",))
CAN_CALL = Function("canCall", ("address", "address", "bytes4"), ("bool", "uint32"))
HAS_ROLE = Function("hasRole", ("uint64", "address"), ("bool", "uint32"))
GET_ACCESS = Function("getAccess", ("uint64", "address"), ("uint48", "uint32", "uint32", "uint48"))
GET_ROLE_ADMIN = Function("getRoleAdmin", ("uint64",), ("uint64",))
GET_ROLE_GUARDIAN = Function("getRoleGuardian", ("uint64",), ("uint64",))
GET_ROLE_GRANT_DELAY = Function("getRoleGrantDelay", ("uint64",), ("uint32",))
GET_TARGET_FUNCTION_ROLE = Function("getTargetFunctionRole", ("address", "bytes4"), ("uint64",))
GET_TARGET_ADMIN_DELAY = Function("getTargetAdminDelay", ("address",), ("uint32",))
IS_TARGET_CLOSED = Function("isTargetClosed", ("address",), ("bool",))

SET_TARGET_FUNCTION_ROLE = Function("setTargetFunctionRole", ("address", "bytes4[]", "uint64"))
GRANT_ROLE = Function("grantRole", ("uint64", "address", "uint32"))
RENOUNCE_ROLE = Function("renounceRole", ("uint64", "address"))
SET_ROLE_GUARDIAN = Function("setRoleGuardian", ("uint64", "uint64"))
SET_GRANT_DELAY = Function("setGrantDelay", ("uint64", "uint32"))
SET_TARGET_ADMIN_DELAY = Function("setTargetAdminDelay", ("address", "uint32"))
EXECUTE = Function("execute", ("address", "bytes"))
MULTICALL = Function("multicall", ("bytes[]",), ("bytes[]",))

HASH_OPERATION = Function("hashOperation", ("address", "address", "bytes"), ("bytes32",))
GET_SCHEDULE = Function("getSchedule", ("bytes32",), ("uint48",))
SCHEDULE = Function("schedule", ("address", "bytes", "uint48"))
CANCEL = Function("cancel", ("address", "address", "bytes"))

OPERATION_SCHEDULED = keccak256(b"OperationScheduled(bytes32,uint32,uint48,address,address,bytes)")
OPERATION_EXECUTED = keccak256(b"OperationExecuted(bytes32,uint32)")
OPERATION_CANCELED = keccak256(b"OperationCanceled(bytes32,uint32)")

ROLE_GRANTED = keccak256(b"RoleGranted(uint64,address,uint32,uint48,bool)")
ROLE_REVOKED = keccak256(b"RoleRevoked(uint64,address)")
ROLE_ADMIN_CHANGED = keccak256(b"RoleAdminChanged(uint64,uint64)")
ROLE_GUARDIAN_CHANGED = keccak256(b"RoleGuardianChanged(uint64,uint64)")
ROLE_GRANT_DELAY_CHANGED = keccak256(b"RoleGrantDelayChanged(uint64,uint32,uint48)")
TARGET_CLOSED = keccak256(b"TargetClosed(address,bool)")
TARGET_FUNCTION_ROLE_UPDATED = keccak256(b"TargetFunctionRoleUpdated(address,bytes4,uint64)")
TARGET_ADMIN_DELAY_UPDATED = keccak256(b"TargetAdminDelayUpdated(address,uint32,uint48)")
