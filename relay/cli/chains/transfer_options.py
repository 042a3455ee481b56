"""Options of `hutong transfer`, by concern."""

from dataclasses import dataclass
from typing import Annotated

import typer

from hutong.relay.cli.chains.cosmos_transfer import FORWARD_MARGIN_S, CosmosWish
from hutong.relay.cli.chains.transfer_check import UNCHECKED, Order

_MAX_UINT256 = 2**256 - 1

WHAT_IS_SENT = (
    "Address of the ERC-20 or voucher; on a Cosmos chain its denomination; or a voucher's trace (transfer/…)."
)
Cap = Annotated[int | None, typer.Option(help="Smallest units in a window; without it there is no such bound.", min=0)]


@dataclass(frozen=True, slots=True)
class SendOptions:
    """What is sent, to whom, and over which clients."""

    token: Annotated[str, typer.Option(help=WHAT_IS_SENT)]
    amount: Annotated[int, typer.Option(help="In the token's smallest unit.", min=1, max=_MAX_UINT256)]
    receiver: Annotated[str, typer.Option(help="Receiver on the destination chain.")]
    next_client: Annotated[
        str | None, typer.Option(help="The hub's client of the destination chain: send over the hub to it.")
    ] = None
    client: Annotated[
        str | None, typer.Option(help="This chain's client to send over; the hub's client unless given.")
    ] = None
    memo: Annotated[str, typer.Option(help="Remark for the receiver; not with --next-client.")] = ""
    timeout_s: Annotated[int, typer.Option(help="Seconds until the transfer is void and refunded.", min=1)] = 3600
    forward_margin_s: Annotated[
        int,
        typer.Option(min=1, help="From a Cosmos chain with --next-client: so much sooner ends the first leg's time."),
    ] = FORWARD_MARGIN_S
    unchecked: Annotated[
        bool,
        typer.Option(
            UNCHECKED,
            help="Send where no configured path says on which chain the receiver is: nobody notices a mistyped one.",
        ),
    ] = False

    def from_cosmos(self, client: str) -> CosmosWish:
        """The same as a Cosmos chain sends it over `client`."""
        return CosmosWish(
            client,
            self.token,
            self.amount,
            self.receiver,
            self.next_client,
            self.memo,
            self.timeout_s,
            self.forward_margin_s,
        )

    def from_evm(self) -> Order:
        """The same as an EVM chain's Transfer sends it; an empty client is the chain's client of the hub."""
        return Order(
            self.client or "", self.token, self.amount, self.receiver, self.next_client, self.memo, self.timeout_s
        )


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """The limit to set."""

    send_cap: Cap = None
    receive_cap: Cap = None
    delay_above: Annotated[int | None, typer.Option(help="A receive of more than this waits.", min=0)] = None
    delay_s: Annotated[int, typer.Option(help="How long it waits; at most 7 days.", min=0)] = 0
    window_s: Annotated[int, typer.Option(help="Length of a window; 0 removes the limit.", min=0)] = 3600
