"""The rules in their order: what makes a block believed from a trusted one, and what a run of headers does to the chain known."""

from enum import Enum

from hutong.light_clients.bitcoin import codec, predicates
from hutong.light_clients.bitcoin.chain import Run, Weighed, judge_run
from hutong.light_clients.bitcoin.networks import parameters_of
from hutong.light_clients.bitcoin.types import ClientState, Header, display
from hutong.light_clients.interface import ConsensusStates, Height, Judge, PredicateFailed, UnknownHeight, cited, rule

CORE_BEST_CHAIN = "Bitcoin Core FindMostWorkChain"


class Standing(Enum):
    """What a run of headers is to the stored blocks."""

    EXTENDS = "extends"
    """It contradicts none, and ends above all."""
    WITHIN = "within"
    """It leads through a stored block that is above the one to believe: it is the chain known."""
    REPLACES = "replaces"
    """It contradicts a stored block, and is heavier than every chain shown before: a reorganisation below the depth."""


@rule("ICS-02")
def trusted_state_known(client: ClientState, header: Header, stored: ConsensusStates) -> Run:
    """The headers on the stored state that the message names.

    Raises:
        UnknownHeight: none is stored there.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    data = stored.get(header.trusted_height)
    if data is None:
        raise UnknownHeight(header.trusted_height, client.latest_height)
    return Run(codec.decode_consensus_state(data), header.headers, parameters_of(client.network))


def judge_update(
    judge: Judge, client: ClientState, header: Header, stored: ConsensusStates, now_ns: int
) -> tuple[Weighed, Standing]:
    """The block at `header.height` is believed. Returns the run, and what it is to the stored blocks.

    Raises:
        ClientExpired, UnknownHeight: the trusted state is not usable.
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    run = _judge_run_of(judge, client, header, stored, now_ns)
    return run, judge(most_work, client, run, header.height, stored)


def judge_evidence(judge: Judge, client: ClientState, header: Header, stored: ConsensusStates, now_ns: int) -> Weighed:
    """As `judge_update`, but whatever is stored: no chain that is known outweighs this one.

    Without this, anybody could freeze a client by mining a few blocks on an old one at leisure.

    Raises:
        VerificationError: as `judge_update`.
    """
    run = _judge_run_of(judge, client, header, stored, now_ns)
    judge(_as_heavy_as_the_best, run.tip.chainwork, client.best_chainwork, header.tip_height)
    return run


_as_heavy_as_the_best = cited(predicates.at_least_as_heavy, CORE_BEST_CHAIN, "most_work")


def _judge_run_of(judge: Judge, client: ClientState, header: Header, stored: ConsensusStates, now_ns: int) -> Weighed:
    run = judge(trusted_state_known, client, header, stored)
    judge(predicates.within_trusting_period, run.trusted.timestamp_ns, client.trusting_period_ns, now_ns)
    judge(predicates.height_in_run, header)
    judge(predicates.confirmation_depth, header.height.revision_height, header.tip_height, client.confirmation_depth)
    return judge_run(judge, run, now_ns)


@rule(CORE_BEST_CHAIN)
def most_work(client: ClientState, run: Weighed, height: Height, stored: ConsensusStates) -> Standing:
    """The most-work rule over what was shown before. Work grows along a chain, so what is heavier was not there before.

    Raises:
        PredicateFailed: the run contradicts a stored block, or extends the chain, without the work that this takes.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    heavier = run.tip.chainwork > client.best_chainwork
    agrees_above = False
    found = stored.after(Height(0, run.trusted.height))
    while found is not None and run.holds(found[0].revision_height):
        at = found[0].revision_height
        if codec.decode_consensus_state(found[1]).block_hash != run.at(at).block_hash:
            return _replaces(run, client, heavier, at)
        agrees_above = agrees_above or found[0] >= height
        found = stored.after(found[0])
    if agrees_above:
        return Standing.WITHIN
    if found is not None:
        # A stored block is above the whole run. Its chain holds less work at the run's height than at its own.
        return _replaces(run, client, heavier, found[0].revision_height)
    predicates.at_least_as_heavy(run.tip.chainwork, client.best_chainwork, run.tip.height)
    return Standing.EXTENDS


def _replaces(run: Weighed, client: ClientState, heavier: bool, at: int) -> Standing:
    if not heavier:
        raise PredicateFailed(
            "most_work",
            f"the chain to {run.tip.height} ({display(run.tip.block_hash)}) does not lead to the stored block at {at}, "
            "and has not more work than the chain known",
            got=f"{run.tip.chainwork:x}",
            expected=f"> {client.best_chainwork:x}",
        )
    return Standing.REPLACES
