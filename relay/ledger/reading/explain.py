"""What a packet waits for and what to do about it, in one sentence each."""

from dataclasses import dataclass

from hutong.relay.ledger.reading.endings import last_refusal, lateness_text, reason_of_refusal, refusal_text
from hutong.relay.ledger.reading.receiver_remedies import remedy_at_receiver
from hutong.relay.ledger.values.life import Cause, Outcome, Step, is_refusal
from hutong.relay.ledger.values.packets import KnownPacket, LifeCycle

SLOW_INCLUSION_NS = 60 * 10**9

_ENDS = {
    Outcome.ACKNOWLEDGED: "it is settled: its acknowledgement is on",
    Outcome.TIMED_OUT: "it is settled: its timeout is proven on",
    Outcome.SETTLED: "it is settled, by another relay or before this ledger began, on",
}
_REMEDIES = {
    Cause.CLIENT_INACTIVE: "find out why the client is not active, then let the chain's admins recover it (docs/recovering-clients.md)",
    Cause.CHAIN_PAUSED: "wait until the chain's admins resume it",
    Cause.NO_BLOCK: "look at the source chain and its endpoints: it makes no blocks",
    Cause.HEADERS_REFUSED: "check the source's endpoints, one of them serves headers that do not verify",
    Cause.PROOF_REFUSED: "check the source's endpoints, one of them serves proofs that do not verify",
    Cause.WOULD_FAIL: "mend what the destination says; nothing was paid for it",
    Cause.FAILED: "mend what the destination says; each attempt costs a fee, so at most one is made in five minutes",
    Cause.FEE_CAP: "wait for lower fees, or raise the chain's fees.max_fee_per_gas_wei and fees.max_fee_wei (on a Cosmos chain max_fee)",
    Cause.WALLET_EMPTY: "send money to the relay's account",
    Cause.POOL_REFUSED: "look at what the node's pool says, and whether something else uses the relay's key",
    Cause.ENDPOINT: "check the chain's endpoints in the configuration",
    Cause.HEIGHT_UNAVAILABLE: "use an endpoint that keeps more history",
    Cause.TOO_LARGE: "raise the chain's batch.bytes or batch.gas if the chain takes more, then hutong relay retry",
    Cause.LOST: "nothing: it is tried again by itself",
    Cause.TURN: "nothing: this relay does it in a moment if nobody else has (docs/deploy/several-relays.md)",
    Cause.SIGNER_AWAY: "start what holds the relay's key, or mend the way to it: nothing is lost meanwhile (docs/keys.md)",
    Cause.SIGNER_REFUSED: "look at the policy of the relay's key, and at the signer that holds it (docs/keys.md)",
    Cause.NOT_FINAL: "nothing: it is done as soon as that block is final",
}
_GOALS = {"receive": "be received on", "acknowledge": "be acknowledged on", "timeout": "be timed out on"}


def remedy_of(cause: str | None) -> str | None:
    """What an operator can do about a wait or failure of that cause; None where there is not one remedy, or no cause.

    Raises:
        ValueError: `cause` is not a `Cause`.
    """
    return None if cause is None else _REMEDIES.get(Cause(cause))


@dataclass(frozen=True, slots=True)
class Explanation:
    """`waits_for` (what happened, of what is settled) and `remedy` (what to do) make the sentence; `settled` where there
    is nothing to wait for.
    """

    waits_for: str
    remedy: str
    settled: bool = False

    def __str__(self) -> str:
        return f"{self.waits_for}; {self.remedy}"


def explain(life: LifeCycle, now_ns: int, leg_2: LifeCycle | None = None) -> Explanation:
    """Why a packet is where it is, in sentences for operators.

    Args:
        now_ns: the host's clock, for ages.
        leg_2: the packet that the hub sent on because of this one.
    """
    packet = life.packet
    if packet is None:
        return Explanation(
            "the ledger knows only its deliveries, not what it waits for",
            "the clearer reads the packet from the chains; ask again after relay.clear_interval_s",
        )
    if packet.outcome is not None:
        refused = any(is_refusal(step.reason) for step in life.steps if step.kind == "acknowledge")
        end = f"{_ENDS[Outcome(packet.outcome)]} {packet.source_chain}"
        if packet.outcome == Outcome.TIMED_OUT:
            end += f"; {lateness_text(packet, life.steps)}, {_undone(packet)}"
        elif refused:
            second = None if leg_2 is None else leg_2.packet
            steps = life.steps if leg_2 is None else (*life.steps, *leg_2.steps)
            end += f"; {refusal_text(packet, second, steps)}, {_undone(packet)}"
            is_unknown = leg_2 is None and reason_of_refusal(packet, steps) is None
            if is_unknown and packet.contents.next_client is not None:
                asked = f'hutong_forwardFailure ["{packet.destination_client}", "{packet.sequence:#x}"]'
                remedy = f"if the hub refused it, {asked} of a node of {packet.destination_chain} says why"
                return Explanation(end, remedy, settled=True)
        return Explanation(end, "nothing to do", settled=True)
    return _explain_open(packet, life, now_ns, leg_2)


def mend_of(packet: KnownPacket) -> str:
    """What can be done about what a packet met last.

    Raises:
        ValueError: its cause is not a `Cause`.
    """
    cause = Cause(packet.cause or Cause.OTHER)
    return remedy_at_receiver(packet) or _REMEDIES.get(cause, "mend the reason")


def _undone(packet: KnownPacket) -> str:
    """What the sending application is told or given. A message carries nothing that could be given back."""
    if packet.contents.app == "transfer":
        return "the sender was given back what it sent"
    return "the sender was told that it failed"


def _explain_open(packet: KnownPacket, life: LifeCycle, now_ns: int, leg_2: LifeCycle | None) -> Explanation:
    where = packet.destination_chain if packet.kind == "receive" else packet.source_chain
    goal = f"it waits to {_GOALS[packet.kind]} {where}"
    step = Step(packet.step)
    for one in life.ignored:
        if one.job == f"{packet.kind}:{packet.packet_id}":
            return Explanation(
                f"{goal}, and is left alone since {age_text(now_ns - one.at_ns)}, as an operator said: {one.reason}",
                f"undo it with: hutong relay ignore --undo {one.job}; it may still time out",
            )
    if step is Step.DEAD:
        return Explanation(
            f"{goal}, failed often ({packet.reason}), and is tried again now and then",
            f"{mend_of(packet)}; to try it at once: hutong relay retry --config relay.toml {packet.kind}:{packet.packet_id}",
        )
    if packet.kind == "receive" and step in (Step.INCLUDED, Step.SUPERSEDED):
        return _explain_received(packet, leg_2, now_ns)
    if step is Step.EXPIRED:
        return Explanation(
            f"it was not received in time ({packet.reason}){last_refusal(packet, life.steps)}; its timeout waits to be proven on {packet.source_chain}",
            "nothing: the relay sends the timeout, and the sender gets back what it sent",
        )
    if life.route is not None and life.route.reason is not None:
        cause = Cause(life.route.cause or Cause.OTHER)
        return Explanation(
            f"{goal}, and the route {life.route.route} waits since {age_text(now_ns - life.route.since_ns)}: {life.route.reason}",
            _REMEDIES.get(cause, "the reason says what: it goes on by itself when that is mended"),
        )
    if step is Step.RETRIED or step is Step.WAITING:
        cause = Cause(packet.cause or Cause.OTHER)
        return Explanation(
            f"{goal}, and is tried again after: {packet.reason}",
            remedy_at_receiver(packet)
            or _REMEDIES.get(cause, "nothing, unless it fails again: it is tried again by itself"),
        )
    if step is Step.SUBMITTED:
        return _explain_submitted(life, goal, now_ns)
    if step is Step.SEEN:
        return Explanation(
            f"{goal}, and the queue has not taken it: it is full or does not answer",
            "look at the queue's server, and at what its routes wait for (hutong pending)",
        )
    return Explanation(
        f"{goal}, in the queue since {age_text(now_ns - packet.at_ns)} with nothing in its way",
        "nothing if that is short; else see whether the relay runs (/healthz) and what its log says",
    )


def _explain_received(packet: KnownPacket, leg_2: LifeCycle | None, now_ns: int) -> Explanation:
    here = f"it is received on {packet.destination_chain}"
    if leg_2 is not None and leg_2.packet is not None and leg_2.packet.outcome is None:
        inner = explain(leg_2, now_ns)
        return Explanation(f"{here} and was sent on as {leg_2.packet_id}: {inner.waits_for}", inner.remedy)
    return Explanation(
        f"{here}, and its acknowledgement is not written or not final yet",
        "nothing: an app that answers later does so when it can, a forwarded packet when its second leg is settled",
    )


def _explain_submitted(life: LifeCycle, goal: str, now_ns: int) -> Explanation:
    sent = life.transaction
    if sent is None:
        return Explanation(f"{goal}, its transaction has ended and is being recorded", "nothing: ask again in a moment")
    age_ns = now_ns - sent.signed_at_ns
    waits = f"{goal}: transaction {sent.hash} (nonce {sent.nonce}) was sent {age_text(age_ns)} ago"
    if age_ns < SLOW_INCLUSION_NS:
        return Explanation(waits, "nothing while the relay runs: it follows it to its end")
    return Explanation(
        waits,
        f"see whether {sent.chain} makes blocks and at which fee; a dearer copy is sent by itself up to the chain's fee cap",
    )


def age_text(duration_ns: int) -> str:
    """A duration in whole days, hours, minutes or seconds: the largest unit of which there is one."""
    seconds = max(0, duration_ns) // 10**9
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
