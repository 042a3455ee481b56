"""What a module logs about an executed action."""

from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import ActionKind, Executed
from hutong.relay.hub.application.module import emit


def emit_executed(call: NativeCall, done: Executed) -> None:
    """Log what an executed action did, under the module's own address.

    An admitted validator is logged by its module.
    """
    match done.kind:
        case ActionKind.CREATE_CLIENT:
            emit(call, abi.CLIENT_CREATED_EVENT, (), (done.subject,))
        case ActionKind.REGISTER_COUNTERPARTY:
            emit(call, abi.COUNTERPARTY_REGISTERED_EVENT, (), (done.subject, done.other, list(done.prefix)))
        case ActionKind.RECOVER_CLIENT:
            emit(call, abi.CLIENT_RECOVERED_EVENT, (), (done.subject, done.other))
        case ActionKind.SET_PAUSED:
            emit(call, abi.PAUSED_EVENT, (), (done.paused,))
        case ActionKind.SET_QUOTA:
            emit(call, abi.QUOTA_SET_EVENT, (), (done.subject, done.quota.packets, done.quota.payload_bytes))
        case ActionKind.SET_VALIDATOR:
            emit(call, abi.VALIDATOR_SET_EVENT, (), done.validator)
        case ActionKind.SET_PARAMETER:
            emit(call, abi.PARAMETER_SET_EVENT, (), (done.subject, done.number))
        case ActionKind.SCHEDULE_RULES:
            emit(call, abi.RULES_SCHEDULED_EVENT, (), (done.number, done.height))
        case ActionKind.END_REVISION:
            emit(call, abi.REVISION_END_EVENT, (), (done.height,))
        case ActionKind.SET_CODE_OPEN:
            emit(call, abi.CODE_OPEN_SET_EVENT, (), (done.allowed,))
        case ActionKind.NAME_DEPLOYER:
            emit(call, abi.DEPLOYER_NAMED_EVENT, (done.account,), (done.allowed,))
        case ActionKind.NAME_CONTRACT:
            emit(call, abi.CONTRACT_NAMED_EVENT, (done.account,), (done.allowed,))
        case ActionKind.NAME_WRITER:
            emit(call, abi.OBSERVATION_WRITER_SET_EVENT, (done.account,), (done.number,))
        case ActionKind.SET_OBSERVATIONS_OPEN:
            emit(call, abi.OBSERVATIONS_OPEN_SET_EVENT, (), (done.allowed,))
        case ActionKind.ACCREDIT_ROOT:
            did, schema, depth, until_s = done.root
            emit(call, abi.IDENTITY_ROOT_SET_EVENT, (did,), (schema, depth, until_s))
        case ActionKind.SET_IDENTITY:
            emit(call, abi.IDENTITY_SET_EVENT, (), done.identity)
        case ActionKind.NAME_STORAGE_OPERATOR:
            operator, account, *_, weight = done.storage
            emit(call, abi.STORAGE_OPERATOR_NAMED_EVENT, (operator,), (account, weight))
        case ActionKind.SET_STORAGE_OPERATOR_STATE:
            operator, state = done.storage
            emit(call, abi.STORAGE_OPERATOR_STATE_SET_EVENT, (operator,), (state,))
        case ActionKind.NAME_STORAGE_PARTY:
            role, party, account = done.storage
            emit(call, abi.STORAGE_PARTY_NAMED_EVENT, (party,), (role, account))
        case ActionKind.SET_STORAGE:
            emit(call, abi.STORAGE_SET_EVENT, (), done.storage)
        case ActionKind.NAME_DIRECTORY_PUBLISHER:
            publisher, account, records = done.directory
            emit(call, abi.DIRECTORY_PUBLISHER_NAMED_EVENT, (publisher,), (account, records))
        case ActionKind.SET_DIRECTORY:
            emit(call, abi.DIRECTORY_SET_EVENT, (), done.directory)
