"""The rules in their order: what makes a block believed from a trusted one, and what a run of headers does to the chain known."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial

from light_clients.bitcoin import codec, predicates
from light_clients.bitcoin.chain import Run, run_checks_of
from light_clients.bitcoin.networks import parameters_of
from light_clients.bitcoin.types import ClientState, ConsensusState, Header, display
from light_clients.interface import Check, ConsensusStates, Height, PredicateFailed, UnknownHeight

SPEC = "docs/spec/bitcoin-client.md"


class Standing(Enum):
    """What a run of headers is to the stored blocks."""

    EXTENDS = "extends"
    """It contradicts none, and ends above all."""
    WITHIN = "within"
    """It leads through a stored block that is above the one to believe: it is the chain known."""
    REPLACES = "replaces"
    """It contradicts a stored block, and is heavier than every chain shown before: a reorganisation below the depth."""


@dataclass(slots=True)
class Update:
    """A run with the block to believe, and what the rules found of it."""

    client: ClientState
    header: Header
    trusted_states: ConsensusStates
    run: Run | None = None
    standing: Standing | None = None

    def trust(self) -> None:
        """Take the stored state that the message names."""
        data = self.trusted_states.get(self.header.trusted_height)
        if data is None:
            raise UnknownHeight(self.header.trusted_height, self.client.latest_height)
        self.run = Run(codec.decode_consensus_state(data), self.header.headers, parameters_of(self.client.network))

    @property
    def linked(self) -> Run:
        if self.run is None:
            raise RuntimeError("a check was run before the one that it stands on")
        return self.run

    @property
    def state(self) -> ConsensusState:
        """Of the block to believe."""
        return self.linked.at(self.header.height.revision_height)

    def stand(self) -> None:
        """Compare with the stored blocks; PredicateFailed `most_work` where a known chain is heavier."""
        self.standing = _standing(self.client, self.linked, self.header.height, self.trusted_states)


def update_checks(update: Update, now_ns: int) -> Iterator[Check]:
    """The block at `header.height` is believed. The last rule sets `update.standing`."""
    yield from _standing_checks(update, now_ns)
    yield Check("most_work", "Bitcoin Core FindMostWorkChain", update.stand)


def evidence_checks(update: Update, now_ns: int) -> Iterator[Check]:
    """As `update_checks`, but whatever is stored: no chain that is known outweighs this one.

    Without this, anybody could freeze a client by mining a few blocks on an old one at leisure.
    """
    yield from _standing_checks(update, now_ns)
    yield Check(
        "most_work",
        "Bitcoin Core FindMostWorkChain",
        lambda: predicates.at_least_as_heavy(
            update.linked.tip.chainwork, update.client.best_chainwork, update.header.tip_height
        ),
    )


def _standing_checks(update: Update, now_ns: int) -> Iterator[Check]:
    client, header = update.client, update.header
    yield Check("trusted_state_known", "ICS-02", update.trust)
    yield Check(
        "within_trusting_period",
        SPEC,
        partial(predicates.within_trusting_period, update.linked.trusted, client.trusting_period_s, now_ns),
    )
    yield Check("height_in_run", SPEC, partial(predicates.height_in_run, header))
    yield Check(
        "confirmation_depth",
        "Bitcoin white paper, section 11",
        partial(predicates.confirmed, header.height.revision_height, header.tip_height, client.confirmation_depth),
    )
    yield from run_checks_of(update.linked, now_ns)


def _standing(client: ClientState, run: Run, height: Height, stored: ConsensusStates) -> Standing:
    """The most-work rule over what was shown before. Work grows along a chain, so what is heavier was not there before."""
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


def _replaces(run: Run, client: ClientState, heavier: bool, at: int) -> Standing:
    if not heavier:
        raise PredicateFailed(
            "most_work",
            f"the chain to {run.tip.height} ({display(run.tip.block_hash)}) does not lead to the stored block at {at}, "
            "and has not more work than the chain known",
            got=f"{run.tip.chainwork:x}",
            expected=f"> {client.best_chainwork:x}",
        )
    return Standing.REPLACES
