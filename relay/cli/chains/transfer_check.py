"""What `hutong transfer send` checks before it pays: the same code by which the API prepares a transfer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hutong.relay.config import Config, PathEnd

if TYPE_CHECKING:
    from hutong.adapters.cosmos.chain import CosmosChain
    from hutong.adapters.ics26.chain import RouterChain
    from hutong.relay.api.problems import ApiProblem
    from hutong.relay.api.sending.choosing import Choice

UNCHECKED = "--unchecked-receiver"


@dataclass(frozen=True, slots=True)
class Order:
    """A send as the options say it, over a known client. `token` is an address, a denomination or a trace."""

    client: str
    token: str
    amount: int
    receiver: str
    next_client: str | None
    memo: str
    timeout_s: int


def choice_over(config: Config, chain: str, client: str, next_client: str | None, receiver: str) -> "Choice":
    """The one configured way over these clients, at whose end the receiver can be.

    Raises:
        ApiProblem: the receiver is no address there, or the configuration does not say where the clients lead.
    """
    from hutong.relay.api.sending.addresses import check_receiver
    from hutong.relay.api.sending.choosing import Choice, choice_of
    from hutong.relay.core.topology.paths import Paths

    paths = Paths.of(config.paths)
    first = paths.counterparty(chain, client)
    if first is None:
        raise _leads_nowhere("client", chain, client, [end.client for end in paths.opposite if end.chain == chain])
    destination: PathEnd | None = first
    if next_client is not None:
        destination = paths.counterparty(first.chain, next_client)
        if destination is None or destination.chain == chain:
            others = [
                end.client for end, other in paths.opposite.items() if end.chain == first.chain and other.chain != chain
            ]
            raise _leads_nowhere("next_client", first.chain, next_client, others)
    assert destination is not None
    via = None if next_client is None else first.chain
    choice = choice_of(config, paths, chain, destination.chain, via=via, client=client, next_client=next_client)
    exact = tuple(way for way in choice.fitting if way.next_client == next_client)
    check_receiver(config, choice.destination, receiver)
    return Choice(choice.source, choice.destination, exact, choice.every, paths)


def _leads_nowhere(field: str, chain: str, client: str, known: Sequence[str]) -> "ApiProblem":
    from hutong.relay.api.problems import refused_field

    there_are = f"{chain} has {', '.join(sorted(known))} there" if known else f"{chain} has no such client there"
    return refused_field(
        field,
        f"{client[:80]!r} is on no path of the configuration ({there_are}), so nobody can say on which chain the receiver"
        f" is: correct it, add the path, or send with {UNCHECKED}",
    )


async def check_on_evm(adapter: "RouterChain", transfer: bytes, choice: "Choice", sender: str, order: Order) -> None:
    """Prepare the same transfer as the API would, and throw it away.

    Args:
        transfer: the Transfer contract that will be called, 20 bytes; it must be the router's.
        sender: the account that will sign.

    Raises:
        ApiProblem: an option cannot be what it is.
        RefusedByChain: the chain would refuse it.
        AdapterError: the chain does not answer.
    """
    from eth_utils.address import to_canonical_address, to_checksum_address

    from hutong.light_clients.ibc.transfer import TRANSFER_PORT
    from hutong.relay.api.problems import refused_field
    from hutong.relay.api.reading.chain_views import router_app
    from hutong.relay.api.sending.evm import prepare_on_evm
    from hutong.relay.api.sending.wishes import Wish, absolute_timeout_s

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


async def check_on_cosmos(adapter: "CosmosChain", choice: "Choice", token: str) -> None:
    """Demand that the way of `choice` is one for the token; all else the chain simulates before it is sent.

    Raises:
        ApiProblem: the token would become a voucher's voucher at its home.
        AdapterError: the chain does not answer.
    """
    from hutong.relay.api.sending.cosmos import voucher_denom

    denom = await voucher_denom(adapter, token)
    if denom is not None:
        choice.way_for(denom)
