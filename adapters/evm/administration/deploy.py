"""Deployment of the contracts, their roles and peers, and of clients of the hub."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.access_manager import EXECUTE, HAS_ROLE, MULTICALL
from hutong.adapters.evm.administration.rights import ARTIFACTS, BRIDGE, MANAGER
from hutong.adapters.evm.administration.role_plan import RolePlan
from hutong.adapters.evm.hub_client import constructor_arguments
from hutong.adapters.evm.kinds import CLIENT_STATE_TUPLE, CONSENSUS_STATE_TUPLE
from hutong.adapters.ics26.abi import ADD_CLIENT, COUNTERPARTY_TUPLE, Function
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Call, Transactor, creation_address
from hutong.adapters.interface import BadAnswer, InitialStates, RefusedByChain
from hutong.contracts.apps import App
from hutong.contracts.artifacts import load_artifact
from hutong.contracts.roles import MIGRATOR_ROLE
from hutong.light_clients.attestation import codec as attestation
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.tendermint.codec import decode_client_state, decode_consensus_state

ADD_NAMED_APP = Function("addIBCApp", ("string", "address"))
SET_HUB_CLIENT = Function("setHubClient", ("string",))
SET_FORWARDED_PEER = Function("setForwardedPeer", ("string", "string"))
FORWARDED_PEER = Function("forwardedPeer", ("string",), ("string",))
SET_DIRECT_PEER = Function("setDirectPeer", ("string", "string"))

Address = TypeVar("Address", str, bytes)

CLIENT_ADDED_TOPIC = keccak256(f"ICS02ClientAdded(string,{COUNTERPARTY_TUPLE},address)".encode())
_CLIENT_ADDED = Function("ICS02ClientAdded", (), ("string", COUNTERPARTY_TUPLE, "address"))


@dataclass(frozen=True, slots=True)
class Deployment:
    """EIP-55 addresses; `height` is the block of the first contract, below which the router has no history.

    `apps`: the applications that were asked for, by their names.
    """

    access_manager: str
    router: str
    mailbox: str
    transfer: str
    height: int
    apps: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, str | int]:
        """All of it side by side, applications before the height, as the command line prints it."""
        fields = {name: getattr(self, name) for name in BRIDGE}
        return {**fields, **self.apps, "height": self.height}


def _created(receipt: Receipt) -> bytes:
    if receipt.contract_address is None:
        raise BadAnswer("eth_getTransactionReceipt", "contractAddress", "is missing after a creation")
    return receipt.contract_address


def _creation(name: str, types: Sequence[str], arguments: Sequence[Any]) -> Call:
    return None, load_artifact(name).bytecode + encode(types, arguments)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Of a deployment: the deployer's nonce, which fixes the addresses, and the first height that a contract can be at."""

    nonce: int
    height: int

    @classmethod
    async def now(cls, transactor: Transactor) -> "Beginning":
        """The account's next nonce, once its pool is empty, and the height after the newest block.

        Take it before the first creation and keep it, so that an interrupted deployment goes on. The caller's deadline
        bounds the wait.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
        return cls(await transactor.settled_nonce(), (await transactor.execution.latest_block()).height + 1)


def addresses_from(deployer: bytes, first_nonce: int, apps: Sequence[App] = ()) -> dict[str, bytes]:
    """Where the contracts stand that `deployer` creates from this nonce on, by the names of `rights.BRIDGE` and of `apps`.

    Args:
        deployer: address of 20 bytes, as are those that are returned.
        apps: in the order of their creation.
    """
    names = [*BRIDGE, *(app.value for app in apps)]
    return {name: creation_address(deployer, first_nonce + index) for index, name in enumerate(names)}


def managed(addresses: Mapping[str, Address]) -> dict[str, Address]:
    """Those of the contracts that ask the manager, which alone have rights to give."""
    return {name: address for name, address in addresses.items() if name in ARTIFACTS}


@dataclass(frozen=True, slots=True)
class ContractOrder:
    """Which contracts shall stand with which roles.

    `forward_margin_s`: seconds between the timeouts of both legs of what is forwarded. `apps` in the order of creation.
    """

    forward_margin_s: int
    plan: RolePlan
    apps: tuple[App, ...] = ()


async def deploy(transactor: Transactor, *, forward_margin_s: int, open_relaying: bool) -> Deployment:
    """As `deploy_with_roles` for development chains: the sender keeps every role, without a delay.

    Args:
        forward_margin_s: seconds between the timeouts of both legs of what is forwarded.
        open_relaying: everyone may relay; else the sender alone.

    Raises:
        As `deploy_with_roles`.
    """
    plan = RolePlan.of_developer(to_checksum_address(transactor.signer.address), open_relaying=open_relaying)
    return await deploy_with_roles(transactor, ContractOrder(forward_margin_s, plan), await Beginning.now(transactor))


async def deploy_with_roles(
    transactor: Transactor,
    order: ContractOrder,
    beginning: Beginning,
    tell: Callable[[str], None] = lambda _: None,
) -> Deployment:
    """AccessManager, Router, Mailbox on `gmpport`, Transfer on `transfer`, applications on their ports, and every role
    where the plan wants it.

    The creations, then one transaction for ports, roles, delays and the deployer's renunciation: either all of it
    stands or the deployer is still the only one who may do anything. Called again with the same arguments it goes on
    where it was left.

    Args:
        beginning: as it was before the first of these calls.
        tell: hears sentences about what stands.

    Raises:
        RefusedByChain: the account was used for something else since the beginning, or a transaction reverts.
        BadAnswer: a receipt names another address than sender and nonce give.
    """
    deployer = bytes(to_canonical_address(transactor.signer.address))
    first_nonce = beginning.nonce
    addresses = addresses_from(deployer, first_nonce, order.apps)
    nonce = await transactor.settled_nonce()
    standing = [name for name, address in addresses.items() if await transactor.execution.code(address)]
    if standing != list(addresses)[: max(0, nonce - first_nonce)]:
        raise RefusedByChain(
            "another use",
            f"nonces {first_nonce} to {nonce - 1} of {transactor.signer.address} made {', '.join(standing) or 'nothing'}:"
            " the account was used for something else in the meantime; start over",
        )
    which = f" ({', '.join(standing)})" if standing else ""
    tell(
        f"begun: {len(standing)} of {len(addresses)} contracts stand{which}{'' if len(standing) == len(addresses) else '; the others are created now'}"
    )
    creations = _creations(addresses, deployer, order)
    receipts = await transactor.send_all(creations[len(standing) :], nonce) if len(standing) < len(creations) else ()
    for receipt, (name, address) in zip(receipts, list(addresses.items())[len(standing) :], strict=True):
        if _created(receipt) != address:
            raise BadAnswer(
                "eth_getTransactionReceipt", "contractAddress", f"of {name} does not follow from sender and nonce"
            )
    manager = addresses[MANAGER]
    if await _handed_over(transactor, manager, order.plan):
        tell("ports and roles stand: the hand-over was done")
    else:
        tell("contracts created; ports and roles are set now: nobody but the deployer may do anything yet")
        calls = [*_ports(addresses, order.apps), *order.plan.calls(managed(addresses), deployer)]
        receipts = (*receipts, await transactor.send(manager, MULTICALL.encode(calls)))
        tell("done: ports and roles stand")
    return Deployment(
        access_manager=to_checksum_address(manager),
        router=to_checksum_address(addresses["router"]),
        mailbox=to_checksum_address(addresses["mailbox"]),
        transfer=to_checksum_address(addresses["transfer"]),
        height=beginning.height if standing else receipts[0].height,
        apps={app.value: to_checksum_address(addresses[app.value]) for app in order.apps},
    )


def _creations(addresses: Mapping[str, bytes], deployer: bytes, order: ContractOrder) -> list[Call]:
    manager, router = addresses[MANAGER], addresses["router"]
    app_types, app_arguments = ["address", "address", "uint64"], [router, manager, order.forward_margin_s]
    return [
        _creation("AccessManager", ["address"], [deployer]),
        _creation("Router", ["address"], [manager]),
        _creation("Mailbox", app_types, app_arguments),
        _creation("Transfer", app_types, app_arguments),
        *(
            _creation(app.artifact, app_types, app_arguments) if app.has_port else _creation(app.artifact, [], [])
            for app in order.apps
        ),
    ]


def _ports(addresses: Mapping[str, bytes], apps: Sequence[App]) -> list[bytes]:
    """Through the manager, so that they stand or fall with the roles."""
    named = [(GMP_PORT, addresses["mailbox"]), (TRANSFER_PORT, addresses["transfer"])]
    named += [(app.value, addresses[app.value]) for app in apps if app.has_port]
    return [EXECUTE.encode(addresses["router"], ADD_NAMED_APP.encode(port, app)) for port, app in named]


async def _handed_over(transactor: Transactor, manager: bytes, plan: RolePlan) -> bool:
    """All of it is one transaction, so that one grant tells of all."""
    call = HAS_ROLE.encode(MIGRATOR_ROLE, to_canonical_address(plan.migrators[0]))
    is_member, _ = HAS_ROLE.decode(await transactor.execution.call(manager, call))
    return bool(is_member)


async def deploy_hub_client(transactor: Transactor, states: InitialStates) -> bytes:
    """Deploy a HubClient that trusts `states`, as `initial_states` of the hub's adapter read them.

    Returns:
        Its address, 20 bytes.

    Raises:
        RefusedByChain: the contract does not take them.
    """
    arguments = constructor_arguments(
        decode_client_state(states.client_state), decode_consensus_state(states.consensus_state)
    )
    types = [CLIENT_STATE_TUPLE, CONSENSUS_STATE_TUPLE]
    return _created(await transactor.send(*_creation("HubClient", types, arguments)))


async def deploy_attestation_client(transactor: Transactor, states: InitialStates) -> bytes:
    """Deploy an AttestationClient that trusts what the states say.

    Args:
        states: their scope names the router and the identifier that the contract will have.

    Returns:
        Its address, 20 bytes.

    Raises:
        RefusedByChain: the contract does not take them.
    """
    client = attestation.client_state_value(attestation.decode_client_state(states.client_state))
    trusted = attestation.decode_state(states.consensus_state)
    types = [attestation.CLIENT_STATE_TUPLE, attestation.STATE_TUPLE]
    arguments = [client, (trusted.height, trusted.timestamp_s)]
    return _created(await transactor.send(*_creation("AttestationClient", types, arguments)))


def add_client_call(light_client: bytes, counterparty_id: str, prefix: tuple[bytes, ...]) -> bytes:
    """Calldata for the router of `add_client`.

    Raises:
        MalformedInput: `counterparty_id` is not an identifier.
    """
    return ADD_CLIENT.encode((check_client_id(counterparty_id), list(prefix)), light_client)


async def add_client(
    transactor: Transactor, router: bytes, light_client: bytes, counterparty_id: str, prefix: tuple[bytes, ...]
) -> str:
    """Register a deployed light client under the router's next `client-n`, and return that identifier.

    Args:
        router, light_client: addresses of 20 bytes.
        counterparty_id: the other chain's client of this chain.
        prefix: Merkle prefix of the other chain's store.

    Raises:
        MalformedInput: `counterparty_id` is not an identifier.
        RefusedByChain: the sender may not add clients, or the contract does not serve this router.
        BadAnswer: the receipt has no ICS02ClientAdded event.
    """
    receipt = await transactor.send(router, add_client_call(light_client, counterparty_id, prefix))
    for log in receipt.logs:
        if log.address == router and log.topics[:1] == (CLIENT_ADDED_TOPIC,):
            client_id, _, _ = _CLIENT_ADDED.decode(log.data)
            return check_client_id(client_id)
    raise BadAnswer("eth_getTransactionReceipt", "logs", "have no ICS02ClientAdded event")


async def require_contract(transactor: Transactor, address: bytes) -> None:
    """Check that an address of 20 bytes has code: a call to one without would succeed and do nothing.

    Raises:
        RefusedByChain: no contract is there.
    """
    if not await transactor.execution.code(address):
        raise RefusedByChain("no contract", f"no contract is at {to_checksum_address(address)}; correct the address")


async def set_hub_client(transactor: Transactor, app: bytes, client_id: str) -> Receipt:
    """Set the one client over which a Mailbox accepts forwarded messages, or a Transfer sends forwarded tokens.

    Args:
        app: address of the Mailbox or Transfer, 20 bytes.

    Raises:
        RefusedByChain: the sender may not, or there is no contract.
    """
    await require_contract(transactor, app)
    return await transactor.send(app, SET_HUB_CLIENT.encode(check_client_id(client_id)))


async def set_forwarded_peer(transactor: Transactor, mailbox: bytes, origin_client_id: str, chain: str) -> Receipt:
    """Name the chain behind one of the hub's clients; an empty name removes it.

    Args:
        mailbox: address of 20 bytes.
        origin_client_id: of the hub.

    Raises:
        RefusedByChain: the sender may not, or there is no contract.
    """
    await require_contract(transactor, mailbox)
    return await transactor.send(mailbox, SET_FORWARDED_PEER.encode(check_client_id(origin_client_id), chain))


async def forwarded_peer(execution: ExecutionRpc, mailbox: bytes, origin_client_id: str) -> str:
    """The name that a Mailbox (20 bytes) has for the chain behind one of its hub's clients; empty if it has none.

    Raises:
        RefusedByChain, BadAnswer: no Mailbox is there.
    """
    answer = await execution.call(mailbox, FORWARDED_PEER.encode(origin_client_id))
    return str(FORWARDED_PEER.decode(answer)[0])


async def set_direct_peer(transactor: Transactor, mailbox: bytes, client_id: str, chain: str) -> Receipt:
    """Name the chain behind a client of this router; an empty name removes it.

    Args:
        mailbox: address of 20 bytes.
        client_id: of this chain's router.

    Raises:
        RefusedByChain: the sender may not, or there is no contract.
    """
    await require_contract(transactor, mailbox)
    return await transactor.send(mailbox, SET_DIRECT_PEER.encode(check_client_id(client_id), chain))
