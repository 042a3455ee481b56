"""What the hub's admins decide in the demo, many actions in a few blocks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hutong.adapters.hub import HubChain
from hutong.adapters.hub.admin import encode_approve, encode_execute
from hutong.adapters.hub.settings import CLIENT_MANAGER_ADDRESS
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.rpc import all_of
from hutong.relay.demo.identity.ground import Running
from hutong.relay.hub.application.admin import action_hash
from hutong.relay.keys import Signer
from hutong.relay.local.hub import CHAIN_ID
from hutong.relay.services.hub_access import open_service_hub


@dataclass(frozen=True, slots=True)
class Governance:
    """The admins, each with its account."""

    chain: HubChain
    admins: Sequence[Transactor]

    async def decide(self, *actions: bytes) -> None:
        """All approve all of them, and the first executes: none may need another's effect.

        Raises:
            RefusedByChain: the hub refuses one.
        """
        approvals = [(CLIENT_MANAGER_ADDRESS, encode_approve(action_hash(CHAIN_ID, action))) for action in actions]
        await all_of([(admin.send_all, approvals) for admin in self.admins])
        await self.admins[0].send_all([(CLIENT_MANAGER_ADDRESS, encode_execute(action)) for action in actions])


@asynccontextmanager
async def open_governance(running: Running) -> AsyncIterator[Governance]:
    """The hub of the demo and its admins, while the block lasts."""
    async with open_service_hub(CHAIN_ID, (running.hub_url,), (running.consensus_url,)) as chain:
        number = await chain.eth_chain_id()
        signers = [Signer.in_memory(bytes(admin.account().key)) for admin in running.hub.admins]
        yield Governance(chain, [Transactor(chain.execution, number, signer) for signer in signers])
