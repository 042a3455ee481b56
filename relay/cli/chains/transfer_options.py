"""Options of `hutong transfer`, by concern."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.cosmos_wish import FORWARD_MARGIN_S, CosmosWish
from hutong.relay.cli.common.refusal import UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.light_clients.ibc.denom import Denom
    from hutong.relay.administration.evm.limits import LimitChange
    from hutong.relay.administration.evm.transfers import TransferOrder
    from hutong.relay.administration.hub.transfers import HubWish

_MAX_UINT256 = 2**256 - 1
_UINT128_DIGITS = 39

WHAT_IS_SENT = (
    "Address of the ERC-20 or voucher; on a Cosmos chain its denomination; or a voucher's trace (transfer/…), on a hub"
    " that alone."
)
Cap = Annotated[str | None, typer.Option(metavar="AMOUNT|any", help="Smallest units in a window; any lifts the bound.")]


@dataclass(frozen=True, slots=True)
class SendOptions:
    """What is sent, to whom, and over which clients."""

    token: Annotated[str, typer.Option(help=WHAT_IS_SENT)]
    amount: Annotated[int, typer.Option(help="In the token's smallest unit.", min=1, max=_MAX_UINT256)]
    receiver: Annotated[str, typer.Option(help="Receiver on the destination chain.")]
    next_client: Annotated[
        str | None, typer.Option(help="The hub's client of the destination chain: send over the hub to it.")
    ] = None
    stay_on_hub: Annotated[
        bool, typer.Option("--stay-on-hub", help="Without --next-client: leave the tokens on the hub, at the receiver.")
    ] = False
    client: Annotated[
        str | None,
        typer.Option(help="This chain's client to send over; unless given the hub's client, from a hub the way home."),
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
            "--unchecked-receiver",
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

    def from_hub(self, client: str, denom: "Denom") -> "HubWish":
        """The same as a hub sends it over its `client`."""
        from hutong.relay.administration.hub.transfers import HubWish

        return HubWish(client, denom, self.amount, self.receiver, self.memo, self.timeout_s)

    def from_evm(self) -> "TransferOrder":
        """The same as an EVM chain's Transfer sends it; an empty client is the chain's client of the hub."""
        from hutong.relay.administration.evm.transfers import TransferOrder

        return TransferOrder(
            self.client or "", self.token, self.amount, self.receiver, self.next_client, self.memo, self.timeout_s
        )


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """What to change of a limit; what is not named stays as it is."""

    send_cap: Cap = None
    receive_cap: Cap = None
    delay_above: Annotated[
        str | None, typer.Option(metavar="AMOUNT|any", help="A receive of more than this waits; any: none does.")
    ] = None
    delay_s: Annotated[int | None, typer.Option(help="How long it waits; at most 7 days.", min=0)] = None
    window_s: Annotated[
        int | None,
        typer.Option(help="Length of a window, 3600 in a limit that is new; 0 removes the whole limit.", min=0),
    ] = None

    def change(self) -> "LimitChange":
        """The same as it is made on a Transfer's limit.

        Raises:
            Refused: code 2, nothing is named, or an amount is neither a number that fits nor `any`.
        """
        from hutong.relay.administration.evm.limits import LimitChange

        named = (self.send_cap, self.receive_cap, self.delay_above, self.delay_s, self.window_s)
        if all(one is None for one in named):
            raise Refused(
                "name what to change: --send-cap, --receive-cap, --delay-above, --delay-s or --window-s", UNUSABLE
            )
        return LimitChange(
            _amount(self.send_cap, "--send-cap"),
            _amount(self.receive_cap, "--receive-cap"),
            _amount(self.delay_above, "--delay-above"),
            self.delay_s,
            self.window_s,
        )


def _amount(text: str | None, option: str) -> int | None:
    """A bound in smallest units, UNLIMITED for `any`, None where the option is not given."""
    from hutong.adapters.evm.administration.transfer import UNLIMITED

    if text is None:
        return None
    if text == "any":
        return UNLIMITED
    if len(text) <= _UINT128_DIGITS and text.isascii() and text.isdecimal() and int(text) < UNLIMITED:
        return int(text)
    raise Refused(f"{option} is a whole number below 2^128 - 1, or any; got {text[:64]!r}", UNUSABLE)
