"""The last steps of a path with a hub: both clients learn of each other, with whatever delay the chain's admin has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hutong.relay.administration.decision_delay import require_lasting
from hutong.relay.administration.hub.trust import approve
from hutong.relay.administration.path_sides import Begun, Hub, Side
from hutong.relay.administration.submission import new_salt

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.deciding import Pending, Undecided


async def join(side: Side, hub: Hub, begun: Begun) -> str:
    """The chain's identifier of its client of the hub. What is done already is not done again.

    Raises:
        Undecided: the chain's admin has decided and the decisions wait, or they are for another account to send; it
            says how to go on.
        ExpiresBefore: the light client would have expired when the router can take it; nothing was sent.
        RefusedByChain: a chain refuses a step.
        AdapterError: a chain does not answer.
    """
    from hutong.adapters.evm.administration.deciding import Pending
    from hutong.adapters.evm.administration.deploy import add_client
    from hutong.adapters.hub.admin import register_counterparty

    on_chain = await _registered_as(side, begun.light_client)
    waiting: list[Pending] = []
    if on_chain is None:
        await require_lasting(side, hub, begun)
        foreseen = await side.chain.next_client_id()
        prefix = hub.chain.merkle_prefix
        try:
            on_chain = await add_client(side.owning, side.router, begun.light_client, begun.on_hub, prefix)
        except Pending as pending:
            waiting.append(pending)
            waiting += await _listen(side, foreseen)
            raise _undecided(begun, waiting) from None
    if (await hub.chain.client(begun.on_hub)).counterparty_client_id is None:
        action = register_counterparty(new_salt(), begun.on_hub, on_chain, side.chain.merkle_prefix)
        await approve(hub.config, hub.chain, list(hub.admins), action)
    waiting = await _listen(side, on_chain)
    if waiting:
        raise _undecided(begun, waiting)
    return on_chain


async def _listen(side: Side, client_id: str) -> "list[Pending]":
    from hutong.adapters.evm.administration.deciding import Pending
    from hutong.adapters.evm.administration.deploy import set_hub_client
    from hutong.adapters.evm.administration.transfer import hub_client_of

    waiting = []
    for app in side.apps:
        if await hub_client_of(side.chain.execution, app) == client_id:
            continue
        try:
            await set_hub_client(side.owning, app, client_id)
        except Pending as pending:
            waiting.append(pending)
    return waiting


async def _registered_as(side: Side, light_client: bytes) -> str | None:
    """The newest first: it was added a moment or a delay ago."""
    from eth_utils.address import to_canonical_address

    from hutong.adapters.ics26.abi import GET_CLIENT

    newest = int((await side.chain.next_client_id()).removeprefix("client-"))
    for number in range(newest - 1, -1, -1):
        answer = await side.chain.execution.call(side.router, GET_CLIENT.encode(f"client-{number}"))
        if bytes(to_canonical_address(GET_CLIENT.decode(answer)[0])) == light_client:
            return f"client-{number}"
    return None


def _undecided(begun: Begun, waiting: "Sequence[Pending]") -> "Undecided":
    from eth_utils.address import to_checksum_address

    from hutong.adapters.evm.administration.deciding import Undecided

    contract = to_checksum_address(begun.light_client)
    return Undecided(tuple(waiting), f"run the command again with --on-hub {begun.on_hub} --light-client {contract}")
