"""What chains keep of a message for its owner, asked within a short time: no reader waits for a chain that is away."""

from collections.abc import Sequence

from hutong.relay.administration.packets.held import Kept
from hutong.relay.administration.packets.told_by_chains import Questions, Told
from hutong.relay.api.models.instants import instant
from hutong.relay.api.reading.backend import Backend, Chains
from hutong.relay.config import Config
from hutong.relay.ledger import LifeCycle
from hutong.relay.schemas.messages import HeldTokens
from hutong.relay.web.problems import ApiProblem

HELD_LIMIT_S = 2.0


async def told_of_lives(config: Config, backend: Backend, lives: Sequence[LifeCycle]) -> tuple[Told, ...] | None:
    """What the chains know of these packets and no ledger; None where one of them does not say it in time.

    Chains that did not answer when they were last read are not asked.
    """
    questions = Questions.of(config, lives)
    if not questions.chains:
        return ()
    if any(view.name in questions.chains and view.error is not None for view in backend.views.chains):
        return None

    async def ask(chains: Chains) -> tuple[Told, ...]:
        return await questions.ask(chains.adapters)

    try:
        return await backend.ask(ask, HELD_LIMIT_S)
    except ApiProblem:
        return None


def held_tokens(told: Sequence[Told]) -> tuple[HeldTokens, ...]:
    """The amounts among it, as an answer names them."""
    return tuple(_held(one) for one in told if isinstance(one, Kept))


def _held(kept: Kept) -> HeldTokens:
    place, amount = kept.place, kept.amount
    return HeldTokens(
        packet_id=place.packet_id,
        kind="refund" if place.refund else "receive",
        chain=place.chain,
        transfer=kept.transfer,
        client=place.client,
        sequence=place.sequence,
        token=amount.token,
        owner=amount.owner,
        amount=amount.amount,
        releasable_at=instant(amount.releasable_at_s * 10**9),
    )
