"""Deployment of the contracts, their roles and peers, and of clients of the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address

from adapters.evm.hub_client import constructor_arguments
from adapters.evm.kinds import CLIENT_STATE_TUPLE, CONSENSUS_STATE_TUPLE
from adapters.ics26.abi import ADD_CLIENT, COUNTERPARTY_TUPLE, Function
from adapters.ics26.execution import Receipt
from adapters.ics26.transactor import Call, Transactor, creation_address
from adapters.interface import BadAnswer, InitialStates, RefusedByChain
from contracts.artifacts import load_artifact
from contracts.roles import (
    LIMITER_ROLE,
    MIGRATOR_ROLE,
    PAUSER_ROLE,
    UNPAUSER_ROLE,
    router_function_roles,
    transfer_function_roles,
)
from light_clients.attestation import codec as attestation
from light_clients.crypto.hashes import keccak256
from light_clients.ibc.gmp import GMP_PORT
from light_clients.ibc.identifiers import check_client_id
from light_clients.ibc.transfer import TRANSFER_PORT
from light_clients.tendermint.codec import decode_client_state, decode_consensus_state

SET_TARGET_FUNCTION_ROLE = Function("setTargetFunctionRole", ("address", "bytes4[]", "uint64"))
GRANT_ROLE = Function("grantRole", ("uint64", "address", "uint32"))
SET_ROLE_GUARDIAN = Function("setRoleGuardian", ("uint64", "uint64"))
SET_GRANT_DELAY = Function("setGrantDelay", ("uint64", "uint32"))
SET_TARGET_ADMIN_DELAY = Function("setTargetAdminDelay", ("address", "uint32"))
MULTICALL = Function("multicall", ("bytes[]",))
ADD_NAMED_APP = Function("addIBCApp", ("string", "address"))
SET_HUB_CLIENT = Function("setHubClient", ("string",))
SET_FORWARDED_PEER = Function("setForwardedPeer", ("string", "string"))
SET_DIRECT_PEER = Function("setDirectPeer", ("string", "string"))

CLIENT_ADDED_TOPIC = keccak256(f"ICS02ClientAdded(string,{COUNTERPARTY_TUPLE},address)".encode())
_CLIENT_ADDED = Function("ICS02ClientAdded", (), ("string", COUNTERPARTY_TUPLE, "address"))


@dataclass(frozen=True, slots=True)
class Deployment:
    """EIP-55 addresses; `height` is the block of the first contract, below which the router has no history."""

    access_manager: str
    router: str
    mailbox: str
    transfer: str
    height: int


def _created(receipt: Receipt) -> bytes:
    if receipt.contract_address is None:
        raise BadAnswer("eth_getTransactionReceipt", "contractAddress", "is missing after a creation")
    return receipt.contract_address


def _creation(name: str, types: Sequence[str], arguments: Sequence[Any]) -> Call:
    return None, load_artifact(name).bytecode + encode(types, arguments)


async def deploy(
    transactor: Transactor, *, forward_margin_s: int, open_relaying: bool, migration_delay_s: int = 0
) -> Deployment:
    """AccessManager (administered by the sender), Router with its roles, Mailbox on `gmpport`, Transfer on `transfer`.

    The sender also holds the roles that pause, unpause, limit and migrate clients, the last with `migration_delay_s`
    between decision and effect. With `open_relaying` everyone may relay, else holders of the relayer role.
    """
    sender = bytes(to_canonical_address(transactor.signer.address))
    nonce = await transactor.next_nonce()
    manager, router, mailbox, transfer = (creation_address(sender, nonce + index) for index in range(4))
    app_types, app_arguments = ["address", "address", "uint64"], [router, manager, forward_margin_s]
    receipts = await transactor.send_all(
        [
            _creation("AccessManager", ["address"], [sender]),
            _creation("Router", ["address"], [manager]),
            _creation("Mailbox", app_types, app_arguments),
            _creation("Transfer", app_types, app_arguments),
        ],
        nonce,
    )
    created = [_created(receipt) for receipt in receipts]
    if created != [manager, router, mailbox, transfer]:
        raise BadAnswer(
            "eth_getTransactionReceipt", "contractAddress", "does not follow from sender and nonce", created
        )
    function_roles = [
        *((router, function_role) for function_role in router_function_roles(open_relaying=open_relaying)),
        *((transfer, function_role) for function_role in transfer_function_roles()),
    ]
    roles = [
        SET_TARGET_FUNCTION_ROLE.encode(target, list(function_role.selectors), function_role.role)
        for target, function_role in function_roles
    ]
    roles += [GRANT_ROLE.encode(role, sender, 0) for role in (PAUSER_ROLE, UNPAUSER_ROLE, LIMITER_ROLE)]
    roles += [
        GRANT_ROLE.encode(MIGRATOR_ROLE, sender, migration_delay_s),
        SET_ROLE_GUARDIAN.encode(MIGRATOR_ROLE, PAUSER_ROLE),
    ]
    if migration_delay_s:
        # or the administrator could give itself the role without a delay, or the function another role
        roles += [
            SET_GRANT_DELAY.encode(MIGRATOR_ROLE, migration_delay_s),
            SET_TARGET_ADMIN_DELAY.encode(router, migration_delay_s),
        ]
    await transactor.send_all(
        [
            (manager, MULTICALL.encode(roles)),
            (router, ADD_NAMED_APP.encode(GMP_PORT, mailbox)),
            (router, ADD_NAMED_APP.encode(TRANSFER_PORT, transfer)),
        ]
    )
    return Deployment(
        access_manager=to_checksum_address(manager),
        router=to_checksum_address(router),
        mailbox=to_checksum_address(mailbox),
        transfer=to_checksum_address(transfer),
        height=receipts[0].height,
    )


async def deploy_hub_client(transactor: Transactor, states: InitialStates) -> bytes:
    """A HubClient that trusts what `initial_states` of the hub's adapter read; returns its address."""
    arguments = constructor_arguments(
        decode_client_state(states.client_state), decode_consensus_state(states.consensus_state)
    )
    types = [CLIENT_STATE_TUPLE, CONSENSUS_STATE_TUPLE]
    return _created(await transactor.send(*_creation("HubClient", types, arguments)))


async def deploy_attestation_client(transactor: Transactor, states: InitialStates) -> bytes:
    """An AttestationClient that trusts what the states say, whose scope names the router and the identifier that it will
    stand behind; returns its address."""
    client = attestation.client_state_value(attestation.decode_client_state(states.client_state))
    trusted = attestation.decode_state(states.consensus_state)
    types = [attestation.CLIENT_STATE_TUPLE, attestation.STATE_TUPLE]
    arguments = [client, (trusted.height, trusted.timestamp_s)]
    return _created(await transactor.send(*_creation("AttestationClient", types, arguments)))


async def add_client(
    transactor: Transactor, router: bytes, light_client: bytes, counterparty_id: str, prefix: tuple[bytes, ...]
) -> str:
    """Register a deployed light client under the next `client-n`, with the counterparty's client of this chain."""
    info = (check_client_id(counterparty_id), list(prefix))
    receipt = await transactor.send(router, ADD_CLIENT.encode(info, light_client))
    for log in receipt.logs:
        if log.address == router and log.topics[:1] == (CLIENT_ADDED_TOPIC,):
            client_id, _, _ = _CLIENT_ADDED.decode(log.data)
            return check_client_id(client_id)
    raise BadAnswer("eth_getTransactionReceipt", "logs", "have no ICS02ClientAdded event")


async def require_contract(transactor: Transactor, address: bytes) -> None:
    """Raises RefusedByChain where no code is: a call there would succeed and do nothing."""
    if not await transactor.execution.code(address):
        raise RefusedByChain("no contract", f"no contract is at {to_checksum_address(address)}; correct the address")


async def set_hub_client(transactor: Transactor, app: bytes, client_id: str) -> Receipt:
    """The one client over which a Mailbox accepts forwarded messages, or a Transfer sends forwarded tokens."""
    await require_contract(transactor, app)
    return await transactor.send(app, SET_HUB_CLIENT.encode(check_client_id(client_id)))


async def set_forwarded_peer(transactor: Transactor, mailbox: bytes, origin_client_id: str, chain: str) -> Receipt:
    """Name the chain behind one of the hub's clients; an empty name removes it."""
    await require_contract(transactor, mailbox)
    return await transactor.send(mailbox, SET_FORWARDED_PEER.encode(check_client_id(origin_client_id), chain))


async def set_direct_peer(transactor: Transactor, mailbox: bytes, client_id: str, chain: str) -> Receipt:
    """Name the chain behind a client of this router; an empty name removes it."""
    await require_contract(transactor, mailbox)
    return await transactor.send(mailbox, SET_DIRECT_PEER.encode(check_client_id(client_id), chain))
