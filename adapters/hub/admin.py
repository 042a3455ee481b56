"""Actions that genesis admins approve and execute on the hub's client manager (docs/spec/hub-modules.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_abi.abi import encode

from hutong.adapters.hub.actions.directory import DIRECTORY_TYPES, PUBLISHER_TYPES, directory_in_words
from hutong.adapters.hub.actions.storage import (
    OPERATOR_TYPES,
    PARAMETER_TYPES,
    PARTY_TYPES,
    STATE_TYPES,
    storage_in_words,
)
from hutong.adapters.hub.governance import propose_and_vote
from hutong.adapters.hub.proven_proposals import ProvenProposals
from hutong.adapters.hub.settings import CLIENT_MANAGER_ADDRESS, GOVERNANCE_ADDRESS
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields, all_of
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput

ACTION_TUPLE = "(uint8,uint64,bytes)"
ACTION_DOMAIN = "hutong/admin/1"
MAX_ACTION_BYTES = 1024 * 1024
MAX_PERIOD_S = 100 * 365 * 86_400

APPROVE = Function("approve", ("bytes32",))
EXECUTE = Function("execute", ("bytes",))
GET_APPROVALS = Function("getApprovals", ("bytes32",), ("address[]", "bool"))
GET_ADMINS = Function("getAdmins", (), ("address[]", "uint32"))
GET_QUOTA = Function("getQuota", ("string",), ("uint64", "uint64", "uint64", "uint64"))
CLIENT_CREATED_TOPIC = keccak256(b"ClientCreated(string)")
_CLIENT_CREATED = Function("ClientCreated", (), ("string",))


class ActionKind(IntEnum):
    CREATE_CLIENT = 1
    REGISTER_COUNTERPARTY = 2
    RECOVER_CLIENT = 3
    SET_PAUSED = 4
    SET_QUOTA = 5
    SET_VALIDATOR = 6
    ADMIT_VALIDATOR = 7
    SET_PARAMETER = 8
    SCHEDULE_RULES = 9
    END_REVISION = 10
    SET_CODE_OPEN = 11
    NAME_DEPLOYER = 12
    NAME_CONTRACT = 13
    NAME_WRITER = 14
    SET_OBSERVATIONS_OPEN = 15
    ACCREDIT_ROOT = 16
    SET_IDENTITY = 17
    NAME_STORAGE_OPERATOR = 18
    SET_STORAGE_OPERATOR_STATE = 19
    NAME_STORAGE_PARTY = 20
    SET_STORAGE = 21
    NAME_DIRECTORY_PUBLISHER = 22
    SET_DIRECTORY = 23


@dataclass(frozen=True, slots=True)
class Quota:
    """What may be in flight over a client of the hub, and what is: packets, and bytes of their payloads."""

    packet_limit: int
    byte_limit: int
    packets_in_flight: int
    bytes_in_flight: int


def _action(kind: ActionKind, salt: int, types: list[str], values: list[object]) -> bytes:
    """`abi.encode((uint8 kind, uint64 salt, bytes data))`; another salt lets the same act be done again."""
    return encode([ACTION_TUPLE], [(int(kind), salt, encode(types, values))])


def create_client(salt: int, client_type: str, client_state: bytes, consensus_state: bytes) -> bytes:
    """The action that creates a client on the hub: what `execute` takes and `action_hash` is of.

    Args:
        salt: another one lets the same act be done again.
        client_type: one that the hub offers, such as `07-tendermint`.
        client_state, consensus_state: in the Python light client's encoding.
    """
    return _action(
        ActionKind.CREATE_CLIENT, salt, ["string", "bytes", "bytes"], [client_type, client_state, consensus_state]
    )


def register_counterparty(salt: int, client_id: str, counterparty_id: str, prefix: Sequence[bytes]) -> bytes:
    """The action that names a client's counterparty, which is done once for each client.

    Args:
        counterparty_id: of the other chain's client that follows the hub.
        prefix: Merkle prefix of the other chain's store.

    Raises:
        MalformedInput: an identifier that ICS-24 does not allow.
    """
    values: list[object] = [check_client_id(client_id), check_client_id(counterparty_id), list(prefix)]
    return _action(ActionKind.REGISTER_COUNTERPARTY, salt, ["string", "string", "bytes[]"], values)


def recover_client(salt: int, subject: str, substitute: str) -> bytes:
    """The action by which `substitute` takes the place of the frozen or expired `subject`, both clients of the hub.

    Raises:
        MalformedInput: one of them is not an identifier.
    """
    values: list[object] = [check_client_id(subject), check_client_id(substitute)]
    return _action(ActionKind.RECOVER_CLIENT, salt, ["string", "string"], values)


def set_paused(salt: int, paused: bool) -> bytes:
    """The action that stops packets on the hub, or lets them go on."""
    return _action(ActionKind.SET_PAUSED, salt, ["bool"], [paused])


def set_quota(salt: int, client_id: str, packets: int, payload_bytes: int) -> bytes:
    """The action that sets how many packets and payload bytes may be in flight over a client of the hub.

    Raises:
        MalformedInput: `client_id` is not an identifier.
    """
    values: list[object] = [check_client_id(client_id), packets, payload_bytes]
    return _action(ActionKind.SET_QUOTA, salt, ["string", "uint64", "uint64"], values)


def set_validator(salt: int, public_key: bytes, power: int) -> bytes:
    """The action that sets a validator's power.

    Args:
        public_key: compressed secp256k1, 33 bytes.
        power: 0 removes. The set changes two blocks after the one that executes the action.
    """
    return _action(ActionKind.SET_VALIDATOR, salt, ["bytes", "uint64"], [public_key, power])


def admit_validator(salt: int, public_key: bytes, power: int, operator: bytes, proof: bytes) -> bytes:
    """The action by which validators take in a new one with its operator.

    Args:
        public_key: compressed secp256k1, 33 bytes.
        operator: address of 20 bytes that proposes and votes for it.
        proof: the new key's signature over `possession_digest`, for this operator and hub.
    """
    values: list[object] = [public_key, power, operator, proof]
    return _action(ActionKind.ADMIT_VALIDATOR, salt, ["bytes", "uint64", "address", "bytes"], values)


def set_parameter(salt: int, name: str, value: int) -> bytes:
    """The action that sets a parameter of the hub. Its name and bounds are in docs/spec/hub-rules.md."""
    return _action(ActionKind.SET_PARAMETER, salt, ["string", "uint64"], [name, value])


def schedule_rules(salt: int, version: int, height: int) -> bytes:
    """The action by which a rules version takes effect at a block; `height` 0 withdraws what is scheduled."""
    return _action(ActionKind.SCHEDULE_RULES, salt, ["uint32", "uint64"], [version, height])


def end_revision(salt: int, height: int) -> bytes:
    """The action that names the revision's last block; `height` 0 withdraws it."""
    return _action(ActionKind.END_REVISION, salt, ["uint64"], [height])


def set_code_open(salt: int, is_open: bool) -> bytes:
    """The action that says who may create and call contracts on the hub.

    Args:
        is_open: everybody; else named accounts and contracts alone.
    """
    return _action(ActionKind.SET_CODE_OPEN, salt, ["bool"], [is_open])


def name_deployer(salt: int, account: bytes, named: bool) -> bytes:
    """The action that lets an account (20 bytes) create contracts, or with `named` False no more."""
    return _action(ActionKind.NAME_DEPLOYER, salt, ["address", "bool"], [account, named])


def name_contract(salt: int, contract: bytes, named: bool) -> bytes:
    """The action that lets a contract (20 bytes) be called, or with `named` False no more."""
    return _action(ActionKind.NAME_CONTRACT, salt, ["address", "bool"], [contract, named])


def name_writer(salt: int, account: bytes, keys: int) -> bytes:
    """The action that lets an account (20 bytes) have up to `keys` keys of observations open; 0 takes its name away."""
    return _action(ActionKind.NAME_WRITER, salt, ["address", "uint64"], [account, keys])


def set_observations_open(salt: int, is_open: bool) -> bytes:
    """The action that says who opens keys of observations on the hub.

    Args:
        is_open: everybody; else named writers alone.
    """
    return _action(ActionKind.SET_OBSERVATIONS_OPEN, salt, ["bool"], [is_open])


def accredit_root(salt: int, did: bytes, schema: bytes, depth: int, window_s: tuple[int, int]) -> bytes:
    """The action that makes a DID (32 bytes) a root of accreditation; from rules version 5 on.

    Args:
        schema: its SHA-256; 32 zero bytes for all schemas.
        depth: levels that may follow below it, 0 to 4.
        window_s: from and until, Unix seconds; (0, 0) revokes what stands.
    """
    return _action(
        ActionKind.ACCREDIT_ROOT,
        salt,
        ["bytes32", "bytes32", "uint8", "uint64", "uint64"],
        [did, schema, depth, *window_s],
    )


def set_identity(salt: int, persons: bool, strangers: int, stranger_life_s: int) -> bytes:
    """The action that sets the parameters of identity; from rules version 5 on.

    Args:
        strangers: places for DIDs that nobody has accredited.
        stranger_life_s: seconds after which one of them may be evicted.
    """
    return _action(ActionKind.SET_IDENTITY, salt, ["bool", "uint64", "uint64"], [persons, strangers, stranger_life_s])


def name_storage_operator(
    salt: int, operator: bytes, account: str, labels: tuple[bytes, bytes, bytes, bytes], weight: int
) -> bytes:
    """The action that registers an operator of storage (32 bytes), or changes one; from rules version 7 on.

    Args:
        account: 0x address that signs for it.
        labels: organisation, site, region and engine, each 32 bytes.
        weight: its share in placement, 1 to 65 535.
    """
    return _action(ActionKind.NAME_STORAGE_OPERATOR, salt, OPERATOR_TYPES, [operator, account, *labels, weight])


def set_storage_operator_state(salt: int, operator: bytes, state: int) -> bytes:
    """The action that activates (2) or drains (3) an operator of storage, or lets it leave (4)."""
    return _action(ActionKind.SET_STORAGE_OPERATOR_STATE, salt, STATE_TYPES, [operator, state])


def name_storage_party(salt: int, role: int, party: bytes, account: str) -> bytes:
    """The action that names a writer (1), auditor (2), holder (3) or repairer (4) of storage, with account 0 no longer."""
    return _action(ActionKind.NAME_STORAGE_PARTY, salt, PARTY_TYPES, [role, party, account])


def set_storage(salt: int, values: Sequence[int]) -> bytes:
    """The action that sets the parameters of storage, in the order of their record."""
    return _action(ActionKind.SET_STORAGE, salt, PARAMETER_TYPES, list(values))


def name_directory_publisher(salt: int, publisher: bytes, account: str, records: int) -> bytes:
    """The action that names a publisher of the directory (32 bytes), with account 0 no longer; from rules version 8 on.

    Args:
        account: 0x address that publishes for it.
        records: entries, and values of facets that nobody had before, that it may bring into the state.
    """
    return _action(ActionKind.NAME_DIRECTORY_PUBLISHER, salt, PUBLISHER_TYPES, [publisher, account, records])


def set_directory(salt: int, call_operations: int, block_operations: int) -> bytes:
    """The action that sets how many operations a call has, and a publisher in one block."""
    return _action(ActionKind.SET_DIRECTORY, salt, DIRECTORY_TYPES, [call_operations, block_operations])


def action_hash(chain_id: str, action: bytes) -> bytes:
    """The 32 bytes that admins approve: Keccak-256 of a domain, the hub's chain id (`name-N`) and the action."""
    return keccak256(encode(["string", "string", "bytes"], [ACTION_DOMAIN, chain_id, action]))


def encode_approve(hashed: bytes) -> bytes:
    """Calldata for the client manager by which an admin approves the action of this hash (32 bytes)."""
    return APPROVE.encode(hashed)


def encode_execute(action: bytes) -> bytes:
    """Calldata for the client manager that executes an action, once enough admins have approved its hash."""
    return EXECUTE.encode(action)


async def admins(execution: ExecutionRpc) -> tuple[tuple[str, ...], int]:
    """(admin addresses as lower-case text, approvals needed) by a node's word. 0 are needed if validators govern.

    Raises:
        EndpointUnavailable: no endpoint answers.
        BadAnswer, RefusedByChain: no client manager is there.
    """
    returned = await execution.call(CLIENT_MANAGER_ADDRESS, GET_ADMINS.encode())
    addresses, threshold = GET_ADMINS.decode(returned)
    return tuple(addresses), threshold


async def genesis_periods(execution: ExecutionRpc) -> tuple[int, int]:
    """(trusting period of clients of the hub, for how long removed validators stay accountable), in seconds.

    It is a node's word: whoever creates a client compares it with the genesis that they trust.

    Raises:
        BadAnswer: not 0 < trusting period < the other, or above MAX_PERIOD_S.
        EndpointUnavailable, RpcRefused: no endpoint answers.
    """

    def decode(fields: Fields) -> tuple[int, int]:
        periods = fields.at("trustingPeriod").decimal(MAX_PERIOD_S), fields.at("unbondingPeriod").decimal(MAX_PERIOD_S)
        if not 0 < periods[0] < periods[1]:
            raise fields.at("trustingPeriod").bad("is not above 0 and below the unbonding period")
        return periods

    return await execution.client.call("hutong_chain", [], decode)


async def approvals(execution: ExecutionRpc, hashed: bytes) -> tuple[tuple[str, ...], bool]:
    """(lower-case addresses that approved the action of this hash, whether it was executed), by a node's word.

    An unknown hash (32 bytes) has no approvals.

    Raises:
        EndpointUnavailable: no endpoint answers.
    """
    returned = await execution.call(CLIENT_MANAGER_ADDRESS, GET_APPROVALS.encode(hashed))
    addresses, executed = GET_APPROVALS.decode(returned)
    return tuple(addresses), executed


async def quota(execution: ExecutionRpc, client_id: str) -> Quota:
    """What may be and what is in flight over a client of the hub, on the node's newest state.

    Raises:
        RefusedByChain: the hub has no such client.
        MalformedInput: `client_id` is not an identifier.
    """
    returned = await execution.call(CLIENT_MANAGER_ADDRESS, GET_QUOTA.encode(check_client_id(client_id)))
    return Quota(*GET_QUOTA.decode(returned))


def created_client(receipt: Receipt) -> str:
    """Identifier of the client that an executed CREATE_CLIENT action made.

    Raises:
        BadAnswer: the receipt has no ClientCreated event of the client manager or of governance.
        MalformedInput: the event's identifier is not one.
    """
    for log in receipt.logs:
        if log.address in (CLIENT_MANAGER_ADDRESS, GOVERNANCE_ADDRESS) and log.topics[:1] == (CLIENT_CREATED_TOPIC,):
            (client_id,) = _CLIENT_CREATED.decode(log.data)
            return check_client_id(client_id)
    raise BadAnswer("eth_getTransactionReceipt", "logs", "have no ClientCreated event")


async def approve_and_execute(
    transactors: Sequence[Transactor], chain_id: str, action: bytes, proven: ProvenProposals | None = None
) -> Receipt:
    """Let each of these admins approve, as far as still needed, and the first execute; returns the execution's receipt.

    Where the validators govern, the first of these operators proposes it and the others vote for what `proven` shows.

    Raises:
        RefusedByChain: not an admin, too few approvals, executed already, or the action itself was refused.
        NothingTrusted, ProposalDiffers, NoSuchProposal, VerificationError: as `propose_and_vote`.
    """
    first = transactors[0]
    hashed = action_hash(chain_id, action)
    _, needed = await admins(first.execution)
    if needed == 0:
        return await propose_and_vote(transactors, action, proven=proven)
    approved, _ = await approvals(first.execution, hashed)
    missing = max(0, needed - len(approved))
    approving = [admin for admin in transactors if admin.signer.address.lower() not in approved][:missing]

    async def approve(admin: Transactor) -> None:
        await admin.send(CLIENT_MANAGER_ADDRESS, encode_approve(hashed))

    await all_of([(approve, admin) for admin in approving])
    return await first.send(CLIENT_MANAGER_ADDRESS, encode_execute(action))


def describe_action(action: bytes) -> str:
    """An action in words, for the person who approves it. Whether the hub would take it is not checked.

    Raises:
        MalformedInput: not ABI data of an action, or of an unknown kind.
    """
    ((number, _, data),) = decode_canonical([ACTION_TUPLE], action, "action", MAX_ACTION_BYTES)

    def fields(*types: str) -> tuple[Any, ...]:
        return decode_canonical(list(types), data, "action.data", MAX_ACTION_BYTES)

    try:
        kind = ActionKind(number)
    except ValueError as error:
        raise MalformedInput("action.kind", "unknown", got=number) from error
    match kind:
        case ActionKind.CREATE_CLIENT:
            client_type, _, _ = fields("string", "bytes", "bytes")
            return f"create a client of type {client_type}"
        case ActionKind.REGISTER_COUNTERPARTY:
            subject, other, _ = fields("string", "string", "bytes[]")
            return f"register {other} as the counterparty of {subject}"
        case ActionKind.RECOVER_CLIENT:
            subject, substitute = fields("string", "string")
            return f"recover {subject} from {substitute}"
        case ActionKind.SET_PAUSED:
            return "pause packets" if fields("bool")[0] else "let packets go on"
        case ActionKind.SET_QUOTA:
            subject, packets, payload_bytes = fields("string", "uint64", "uint64")
            return f"at most {packets} packets and {payload_bytes} bytes in flight over {subject}"
        case ActionKind.SET_VALIDATOR:
            key, power = fields("bytes", "uint64")
            return f"power {power} for validator {key.hex()}" if power else f"remove validator {key.hex()}"
        case ActionKind.ADMIT_VALIDATOR:
            key, power, operator, _ = fields("bytes", "uint64", "address", "bytes")
            return f"admit validator {key.hex()} of {operator} with power {power}"
        case ActionKind.SET_PARAMETER:
            return "set {} to {}".format(*fields("string", "uint64"))
        case ActionKind.SCHEDULE_RULES:
            version, height = fields("uint32", "uint64")
            return f"rules version {version} from block {height} on" if height else "withdraw the coming rules version"
        case ActionKind.END_REVISION:
            (height,) = fields("uint64")
            return f"end the revision after block {height}" if height else "withdraw the revision's end"
        case ActionKind.SET_CODE_OPEN:
            return "let everybody run code" if fields("bool")[0] else "let named accounts and contracts alone run code"
        case ActionKind.NAME_DEPLOYER:
            return _describe_named("{} create contracts", *fields("address", "bool"))
        case ActionKind.NAME_CONTRACT:
            return _describe_named("contract {} be called", *fields("address", "bool"))
        case ActionKind.NAME_WRITER:
            return _describe_writer(*fields("address", "uint64"))
        case ActionKind.SET_OBSERVATIONS_OPEN:
            return "let everybody open keys of observations" if fields("bool")[0] else "let named writers alone observe"
        case ActionKind.ACCREDIT_ROOT:
            return _describe_root(*fields("bytes32", "bytes32", "uint8", "uint64", "uint64"))
        case ActionKind.SET_IDENTITY:
            return _describe_identity(*fields("bool", "uint64", "uint64"))
        case _:
            return (storage_in_words if kind <= ActionKind.SET_STORAGE else directory_in_words)(kind, fields)


def _describe_named(what: str, account: str, named: bool) -> str:
    return f"{'let' if named else 'no longer let'} {what.format(account)}"


def _describe_writer(account: str, keys: int) -> str:
    return f"let {account} have {keys} keys of observations open" if keys else f"no longer let {account} observe"


def _describe_root(did: bytes, schema: bytes, depth: int, _valid_from_s: int, valid_until_s: int) -> str:
    whom = f"DID {did.hex()} for {f'schema {schema.hex()}' if any(schema) else 'all schemas'}"
    return f"accredit {whom}, {depth} levels below it" if valid_until_s else f"no longer accredit {whom}"


def _describe_identity(persons: bool, strangers: int, stranger_life_s: int) -> str:
    who = "organisations and persons" if persons else "organisations only"
    return f"register {who}, {strangers} places for strangers for {stranger_life_s} s"
