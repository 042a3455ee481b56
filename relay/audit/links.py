"""The legs of a bundle are one delivery, and a leg that was sent on is not shown as if it were all."""

from hutong.light_clients.ibc.forward import FORWARD_PORT
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT, TRANSFER_PORT
from hutong.light_clients.interface import PredicateFailed, cited, rule
from hutong.relay.archive.bundle import Bundle, ChainKind, Claim, Leg
from hutong.relay.archive.legs import asks_to_forward, check_second_leg
from hutong.relay.audit.blocks import SPEC
from hutong.relay.audit.inquiry import Inquiry

FORWARD = "docs/spec/forward.md"
TRANSFER = "docs/spec/transfer-packets.md"


_stamp_matches = cited(check_second_leg, FORWARD, "stamp_matches")
_tokens_match = cited(check_second_leg, TRANSFER, "tokens_match")


def judge_links(inquiry: Inquiry, bundle: Bundle) -> None:
    """Two legs are one delivery; one leg is not the half of one that pretends to be whole.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    first = bundle.legs[0]
    if len(bundle.legs) == 1:
        kind = next((chain.kind for chain in bundle.chains if chain.chain_id == first.destination_chain_id), None)
        inquiry.about(f"packet {first.packet_id}")(second_leg_present, first, kind)
        return
    second = bundle.legs[1]
    judge = inquiry.about(f"legs {first.packet_id} and {second.packet_id}")
    judge(legs_meet, first, second)
    is_message = first.packet.payloads[0].destination_port == FORWARD_PORT
    judge(_stamp_matches if is_message else _tokens_match, first.packet, second.packet)
    judge(acknowledgement_passed_on, first, second)


@rule(SPEC)
def second_leg_present(leg: Leg, destination: ChainKind | None) -> None:
    """A leg that was sent on with success does not stand alone.

    Only hubs and stock chains send on: to a Solidity router the memo of a transfer is a text like any other.

    Args:
        destination: the kind of the chain that received the leg; None counts as one that sends on.

    Raises:
        PredicateFailed: where it arrived is not in the bundle.
    """
    if destination not in (None, ChainKind.TENDERMINT):
        return
    acknowledgement = leg.acknowledgement
    if acknowledgement is not None and not acknowledgement.is_error and asks_to_forward(leg.packet):
        raise PredicateFailed(
            "second_leg_present", "the packet was sent on with success: where it arrived is not in the bundle"
        )


@rule(SPEC)
def legs_meet(first: Leg, second: Leg) -> None:
    """The second leg starts where the first one arrived.

    Raises:
        PredicateFailed: it starts on another chain, or the first one timed out.
    """
    name = "legs_meet"
    if second.source_chain_id != first.destination_chain_id:
        raise PredicateFailed(
            name, "the second leg starts elsewhere", second.source_chain_id, first.destination_chain_id
        )
    if first.outcome is Claim.TIMED_OUT:
        raise PredicateFailed(name, "the first leg was never received")


@rule(FORWARD)
def acknowledgement_passed_on(first: Leg, second: Leg) -> None:
    """The first leg's acknowledgement is the second's (for tokens: the one success), or the error sentinel where that
    failed or timed out.

    A hub that keeps a refund, because the next chain brought home what it was never sent (`RefundRefused`), is refused
    too: the tokens went neither way, and that is for people to judge.

    Raises:
        PredicateFailed: it is another, or the second leg is not acknowledged yet.
    """
    name = "acknowledgement_passed_on"
    if first.acknowledgement is None:
        return
    if second.outcome is Claim.RECEIVED:
        raise PredicateFailed(name, "the first leg is acknowledged before the second")
    expected = ERROR if second.acknowledgement is None else second.acknowledgement
    if not expected.is_error and first.packet.payloads[0].destination_port == TRANSFER_PORT:
        expected = Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,))
    if first.acknowledgement != expected:
        raise PredicateFailed(
            name,
            "the first leg's acknowledgement is not what the second leg's outcome makes it",
            first.acknowledgement.app_acknowledgements[0],
            expected.app_acknowledgements[0],
        )
