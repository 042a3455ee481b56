"""What `hutong transfer send` checks before it pays: the same code by which the API prepares a transfer."""

from collections.abc import Sequence
from random import Random

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.cosmos.transfer import SentTransfer
from hutong.adapters.ics26.chain import RouterChain
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.relay.administration.cosmos_transfers import send_from_cosmos
from hutong.relay.administration.cosmos_wish import CosmosWish
from hutong.relay.administration.evm.transfers import TransferOrder
from hutong.relay.api.reading.chain_views import router_app
from hutong.relay.api.sending.addresses import check_receiver
from hutong.relay.api.sending.choosing import Choice, choice_of
from hutong.relay.api.sending.cosmos import voucher_denom
from hutong.relay.api.sending.evm import prepare_on_evm
from hutong.relay.api.sending.wishes import Wish, absolute_timeout_s
from hutong.relay.config import Config, CosmosChainConfig, HubChainConfig, PathEnd
from hutong.relay.core.topology.paths import Paths
from hutong.relay.keys import Signer
from hutong.relay.web.problems import ApiProblem, refused_field

UNCHECKED = "--unchecked-receiver"
"""The option of the command that sends without these checks."""


def choice_over(config: Config, chain: str, client: str, next_client: str | None, receiver: str) -> Choice:
    """The one configured way over these clients, at whose end the receiver can be.

    Raises:
        ApiProblem: the receiver is no address there, or the configuration does not say where the clients lead.
    """
    paths = Paths.of(config.paths)
    first = paths.counterparty(chain, client)
    if first is None:
        raise _leads_nowhere("client", chain, client, [end.client for end in paths.opposite if end.chain == chain])
    destination: PathEnd | None = first
    if next_client is not None:
        destination = paths.counterparty(first.chain, next_client)
        if destination is not None and destination.chain == chain:
            raise _leads_back(chain, first.chain, next_client, _beyond(paths, first.chain, chain))
        if destination is None:
            raise _leads_nowhere("next_client", first.chain, next_client, _beyond(paths, first.chain, chain))
    assert destination is not None
    via = None if next_client is None else first.chain
    choice = choice_of(config, paths, chain, destination.chain, via=via, client=client, next_client=next_client)
    exact = tuple(way for way in choice.fitting if way.next_client == next_client)
    check_receiver(config, choice.destination, receiver)
    return Choice(choice.source, choice.destination, exact, choice.every, paths)


def end_on_hub(config: Config, chain: str, client: str) -> str | None:
    """A sentence for who sends without a next client over a hub's client; None where this does not lead to a hub."""
    paths = Paths.of(config.paths)
    first = paths.counterparty(chain, client)
    if first is None or first.chain not in {each.name for each in config.chains if isinstance(each, HubChainConfig)}:
        return None
    beyond = _beyond(paths, first.chain, chain)
    known = f" ({', '.join(beyond)})" if beyond else ""
    return (
        f"this transfer ends on the hub {first.chain}: for a chain beyond it give --next-client, the hub's client of that"
        f" chain{known}"
    )


def _beyond(paths: Paths, hub: str, chain: str) -> list[str]:
    """Clients of `hub` that lead elsewhere than to `chain`, each with the chain that it is for."""
    return sorted(
        f"{end.client} for {other.chain}"
        for end, other in paths.opposite.items()
        if end.chain == hub and other.chain != chain
    )


def _leads_back(chain: str, hub: str, client: str, beyond: Sequence[str]) -> ApiProblem:
    elsewhere = f"{hub} has {', '.join(beyond)}" if beyond else f"{hub} has no client that leads elsewhere"
    return refused_field(
        "next_client", f"{client[:80]!r} leads back to {chain}, which the tokens come from: {elsewhere}"
    )


def _leads_nowhere(field: str, chain: str, client: str, known: Sequence[str]) -> ApiProblem:
    there_are = f"{chain} has {', '.join(sorted(known))} there" if known else f"{chain} has no such client there"
    return refused_field(
        field,
        f"{client[:80]!r} is on no path of the configuration ({there_are}), so nobody can say on which chain the receiver"
        f" is: correct it, add the path, or send with {UNCHECKED}",
    )


async def check_on_evm(
    adapter: RouterChain, transfer: bytes, choice: Choice, sender: str, order: TransferOrder
) -> None:
    """Prepare the same transfer as the API would, and throw it away.

    Args:
        transfer: the Transfer contract that will be called, 20 bytes; it must be the router's.
        sender: the account that will sign.

    Raises:
        ApiProblem: an option cannot be what it is.
        RefusedByChain: the chain would refuse it.
        AdapterError: the chain does not answer.
    """
    found = await router_app(adapter, TRANSFER_PORT)
    if found is None or to_canonical_address(found) != transfer:
        raise refused_field("transfer", f"is {to_checksum_address(transfer)}, and the router's Transfer is {found}")
    wish = Wish(
        choice,
        sender,
        order.receiver,
        absolute_timeout_s(order.timeout_s),
        token=order.token,
        amount=order.amount,
        memo=order.memo,
    )
    await prepare_on_evm(adapter, wish)


async def check_on_cosmos(adapter: CosmosChain, choice: Choice, token: str) -> None:
    """Demand that the way of `choice` is one for the token; all else the chain simulates before it is sent.

    Raises:
        ApiProblem: the token would become a voucher's voucher at its home.
        AdapterError: the chain does not answer.
    """
    denom = await voucher_denom(adapter, token)
    if denom is not None:
        choice.way_for(denom)


async def send_checked_from_cosmos(
    config: Config, cosmos: CosmosChainConfig, signer: Signer, wish: CosmosWish, is_checked: bool, random: Random
) -> tuple[SentTransfer, str]:
    """`send_from_cosmos`, with its way and receiver judged before.

    Args:
        is_checked: False for whoever knows better: neither is judged.

    Raises:
        ApiProblem: an option cannot be what it is.
        MalformedInput, RefusedByChain, AdapterError: as `send_from_cosmos`.
    """
    if not is_checked:
        return await send_from_cosmos(cosmos, signer, wish, None, random)
    choice = choice_over(config, cosmos.name, wish.client, wish.next_client, wish.receiver)
    return await send_from_cosmos(
        cosmos, signer, wish, lambda adapter: check_on_cosmos(adapter, choice, wish.token), random
    )
