"""Whether a forward may go on: the rules that leg 2 of messages and of tokens have in common (design rules 3 and 4)."""

from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.relay.hub.application.clients import ClientNotActive, NoCounterparty, UnknownClient
from hutong.relay.hub.application.packets.packets import (
    ApplicationRefused,
    InvalidTimeout,
    PacketRouter,
    PassedOnNextChain,
    SequencesExhausted,
)
from hutong.relay.hub.application.packets.quotas import QuotaExceeded


def check_onward(
    router: PacketRouter, kind: str, leg_1: Packet, next_client: str, timeout_s: int, payload: Payload
) -> None:
    """Let pass a forward whose leg 2 can be sent now; `kind` begins the sentence of a refusal.

    Raises:
        ApplicationRefused: it cannot, or it would go back over the client that it came from.
    """
    if next_client == leg_1.destination_client:
        raise ApplicationRefused(f"{kind}: the next client is the one that the packet came from")
    try:
        router.check_sendable(next_client, timeout_s, payload, leg_1.destination_client)
    except PassedOnNextChain as error:
        raise ApplicationRefused(
            f"{kind}: timeout {timeout_s} has passed on the next chain ({error.compared_s})"
        ) from error
    except InvalidTimeout as error:
        raise ApplicationRefused(
            f"{kind}: timeout {timeout_s} must be after {error.compared_s} and within {router.MAX_HORIZON_S} s"
        ) from error
    except (UnknownClient, NoCounterparty) as error:
        missing = "client" if isinstance(error, UnknownClient) else "counterparty of client"
        raise ApplicationRefused(f"{kind}: the hub has no {missing} {next_client}") from error
    except ClientNotActive as error:
        raise ApplicationRefused(f"{kind}: client {next_client} is {error.status}") from error
    except SequencesExhausted as error:
        raise ApplicationRefused(f"{kind}: client {next_client} has used all sequences") from error
    except (MalformedInput, QuotaExceeded, UnsupportedOperation) as error:
        raise ApplicationRefused(f"{kind}: {router.words_of(error)}") from error
