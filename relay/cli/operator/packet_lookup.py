"""What `hutong show` and `why` share: the packet that is meant, and what is told of it."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hutong.relay.administration.packets.looking_up import LookedUp
    from hutong.relay.config import Config

PacketName = Annotated[
    str, typer.Argument(metavar="ID", help="chain/client/sequence, a message id or a transaction hash (0x…).")
]


def looked_up(packet: str, config: "Config") -> "LookedUp":
    """What is told of a packet. A chain that cannot be asked is named on standard error: the ledger's answer stands.

    Raises:
        Unusable: as `look_up`.
    """
    from hutong.relay.administration.packets.looking_up import look_up

    told = look_up(packet, config, time.time_ns())
    if told.silent is not None:
        typer.echo(f"whether an amount is held for its owner is not known: {told.silent}", err=True)
    return told
