"""Whom a chain's Mailbox listens to: read with what is decided about it, and changed."""

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.access_manager import AUTHORITY
from hutong.adapters.evm.administration.decisions import Decision, decision_of, function_of
from hutong.adapters.evm.administration.deploy import forwarded_peer, require_contract, set_forwarded_peer
from hutong.adapters.evm.administration.peers import Peer, read_peers
from hutong.adapters.evm.administration.rights_reading import application_of, scheduled_calls
from hutong.adapters.evm.administration.transfer import hub_client_of
from hutong.adapters.interface import RefusedByChain, UnknownClient
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.evm.access import Decider, open_evm
from hutong.relay.administration.evm.pending import decision_document
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.config import EvmChainConfig, HubChainConfig

PEER_FUNCTIONS = ("setHubClient", "setForwardedPeer", "setDirectPeer")
MAX_SHOWN = 32


@dataclass(frozen=True, slots=True)
class Listening:
    """Of a chain's Mailbox and Transfer, EIP-55 addresses; clients are empty where there is none."""

    mailbox: str
    hub_client: str
    transfer: str | None
    transfer_hub_client: str
    peers: tuple[Peer, ...]
    decisions: tuple[Decision, ...]
    now_s: int

    def as_dict(self, chain: str) -> dict[str, Any]:
        """The fields that `--json` prints; `pending` are the decisions."""
        pending = [decision_document(each, self.now_s) for each in self.decisions]
        fields = asdict(self) | {"chain": chain, "pending": pending}
        del fields["decisions"]
        return fields


@dataclass(frozen=True, slots=True)
class PeerChange:
    """What `mailbox` (20 bytes) of a chain shall call messages from behind the hub's client; an empty name is no peer."""

    evm: EvmChainConfig
    mailbox: bytes
    hub_client: str
    name: str


async def read_listening(evm: EvmChainConfig, random: Random) -> Listening:
    """Whom the Mailbox of the chain's router listens to, and which changes of that are pending.

    Raises:
        RefusedByChain: the router has no Mailbox.
        AdapterError: the chain does not answer.
    """
    router = address_of(evm.router, "router")
    async with open_evm(evm, random) as chain:
        execution = chain.execution
        mailbox = await application_of(execution, router, GMP_PORT)
        transfer = await application_of(execution, router, TRANSFER_PORT)
        if mailbox is None:
            raise RefusedByChain("no Mailbox", f"the router {evm.router} has no application on the port {GMP_PORT}")
        manager = to_canonical_address(AUTHORITY.decode(await execution.call(mailbox, AUTHORITY.encode()))[0])
        now_s, calls = await scheduled_calls(execution, bytes(manager), evm.start_height)
        names = {str(to_checksum_address(mailbox)): "mailbox"}
        if transfer is not None:
            names[str(to_checksum_address(transfer))] = "transfer"
        head = await execution.latest_block()
        return Listening(
            mailbox=str(to_checksum_address(mailbox)),
            hub_client=await hub_client_of(execution, mailbox),
            transfer=None if transfer is None else str(to_checksum_address(transfer)),
            transfer_hub_client="" if transfer is None else await hub_client_of(execution, transfer),
            peers=await read_peers(execution, mailbox, range(evm.start_height, head.height + 1)),
            decisions=tuple(
                decision_of(call, names)
                for call in sorted(calls, key=lambda each: each.ready_at_s)
                if call.target in names and function_of(call) in PEER_FUNCTIONS
            ),
            now_s=now_s,
        )


async def set_peer(change: PeerChange, hub: HubChainConfig | None, decider: Decider, random: Random) -> bool:
    """Make the change; False where the Mailbox has it so already, whoever made the call: a multisig sends its own.

    Args:
        hub: must have the client; None: nobody is asked.

    Raises:
        RefusedByChain: the hub has no such client, the Mailbox has no client of a hub yet, or the chain refuses it.
        Undecided: the calls are for another account to send, or wait.
        MalformedInput: the hub's client is no identifier.
        AdapterError: a chain does not answer.
    """
    check_client_id(change.hub_client)
    if hub is not None and change.name:
        await _require_client(hub, change.hub_client, random)
    async with open_evm(change.evm, random) as chain:
        transactor = decider.on(chain, change.evm)
        await require_contract(transactor, change.mailbox)
        if not await hub_client_of(chain.execution, change.mailbox):
            mailbox = to_checksum_address(change.mailbox)
            raise RefusedByChain(
                "NotHubClient",
                f"the Mailbox {mailbox} has no client of a hub yet: run hutong path create --chain {change.evm.name}"
                f" --mailbox {mailbox} first, and this command once what that decided has taken effect",
            )
        if await forwarded_peer(chain.execution, change.mailbox, change.hub_client) == change.name:
            if hub is not None and not change.name:  # what is listened to is removed, whatever the hub knows of it
                await _require_client(hub, change.hub_client, random)
            return False
        await set_forwarded_peer(transactor, change.mailbox, change.hub_client, change.name)
        return True


async def _require_client(config: HubChainConfig, client_id: str, random: Random) -> None:
    """A Mailbox would listen to any identifier: to nobody, or to whoever gets it later."""
    async with open_hub(config, random) as hub:
        try:
            await hub.client(client_id)
        except UnknownClient:
            known = await hub.client_ids()
            shown = ", ".join(known[:MAX_SHOWN]) + (
                f" and {len(known) - MAX_SHOWN} more" if len(known) > MAX_SHOWN else ""
            )
            raise RefusedByChain(
                "UnknownClient",
                f"{config.name} has no client {client_id}; it has {shown or 'none'}. Take the one that hutong path create of"
                " the remote chain printed",
            ) from None
