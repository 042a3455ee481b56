"""Bringing records of the hub to contracts on EVM chains, so that others there read them without a proof of their own.

What is kept there says what is due; a contract believes the proof and nobody's word, so anybody may push. `Pusher` is how it
is done, and a cargo says what: observations for a HubReader, issuers for an IdentityCache.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar, cast

import trio

from hutong.adapters.evm import EvmChain
from hutong.adapters.interface import PreparedTransaction, UpdateClient
from hutong.light_clients.interface import Height
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.pending import Included, Lost
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.observing.rounds import Pace, Rounds, earlier_calls_ended, left_to_others_s
from hutong.relay.core.route.batch import BatchBuilder
from hutong.relay.core.route.catching_up import in_transactions
from hutong.relay.core.route.following import Following
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.route.slots import take_slot
from hutong.relay.core.route.updating import PaidInVain, submit_updates
from hutong.relay.dispatch import Route
from hutong.relay.ledger import Cause
from hutong.relay.telemetry import KeptMetrics, Logger

LOOK_EVERY_S = 0.25
"""At the earliest: a hub's blocks come two at a time, one with a record and soon after it the header that proves it."""
LOOK_AT_LEAST_EVERY_S = 30.0
"""At the contract too: others push, and may keep what is newer."""
TRANSACTIONS = 2
"""That a push takes: the client's update, then the records. Others are given the time of both."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How long other relays are waited for that may be about to do the same.

    `what` is one text for all of them. `is_ours`: what is kept was brought by us, so nobody is waited for. `is_new`: nothing
    is kept, so nobody can be doing it as a habit. `is_urgent`: we did it before, and what is kept must end: two that pay are
    better than one that is late.
    """

    what: str
    is_ours: bool
    is_new: bool
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is due, nor will be in so many seconds unless the hub's records change."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A call that brings what is due, judged here by the contract's rules, under the hub's header at `height`.

    `header_time_s` is that header's time. The calls prepare it for a sender: simulated on the chain's state, or bounded, where an update comes right before it.
    """

    height: Height
    header_time_s: int
    prepare: Callable[[str], Awaitable[PreparedTransaction]]
    prepare_after_update: Callable[[str], Awaitable[PreparedTransaction]]


class DueThere(Protocol):
    """What is to be brought."""

    @property
    def turn(self) -> Turn:
        """Whose turn it is."""

    @property
    def latest(self) -> Height:
        """Of the chain's client of the hub, as it was seen."""


OnHub = TypeVar("OnHub")
Due = TypeVar("Due", bound=DueThere)
Proven = TypeVar("Proven")


class Cargo(Protocol[OnHub, Due, Proven]):
    """What is brought to one contract."""

    what: str
    """In the log: observations, issuers."""
    address: str
    """Of the contract, EIP-55."""
    metrics: KeptMetrics

    def named(self, log: Logger) -> Logger:
        """The log with the contract's address."""

    async def on_hub(self) -> OnHub:
        """What the hub's newest state says of everything that is pushed; comparable."""

    async def due(self, on_hub: OnHub) -> Due | Rest:
        """What the contract lacks of it.

        Raises:
            RouteBlocked: the chain's client of the hub is not active, or the contract reads through another one.
        """

    async def proven(self, due: Due, height: Height) -> Proven | None:
        """All that is due, under the hub's root at `height`, which is there; None where that is older than what is due."""

    async def shown(self, due: Due, height: Height, proven: Proven, state: bytes) -> Shown:
        """The call, judged under the root of `state`, the client's consensus state at `height`.

        Raises:
            PredicateFailed, MalformedInput: the hub's node proves something else, or the contract would refuse it.
        """

    def failed(self, due: Due) -> None:
        """The call was paid for and reverted."""

    async def ended(self, due: Due, shown: Shown, transaction_hash: bytes, log: Logger) -> None:
        """The call is in a block."""


async def evm_calls_of(context: RouteContext) -> tuple[EvmChain, int]:
    """The destination, which the configuration's check has as an EVM chain, and its EIP-155 id."""
    chain = cast(EvmChain, context.destination.adapter)
    return chain, await chain.eth_chain_id()


def check_reads_through(contract: str, client_id: str, expected: str) -> None:
    """What is pushed over a client is read through the same one.

    Args:
        contract: in a sentence, with its address.

    Raises:
        RouteBlocked: it is not.
    """
    if client_id != expected:
        raise RouteBlocked(
            f"{contract} reads through {client_id}, and the path's client is {expected}: name one of this client"
        )


class Pusher(Generic[OnHub, Due, Proven]):
    """To one contract, over a route from the hub to the contract's chain. `run` it."""

    def __init__(self, context: RouteContext, cargo: Cargo[OnHub, Due, Proven], patience_s: float) -> None:
        """`patience_s`: for how long a push is left to another relay that made the last one."""
        self._context = context
        self._route = context.route
        self._hub = context.source.adapter
        self._destination = context.destination.adapter
        self._accounts = context.accounts
        self._cargo = cargo
        self._patience_s = patience_s
        self._builder = BatchBuilder(context)
        self._pace = Pace(context.source.heads, LOOK_EVERY_S)
        self._nothing_due: tuple[OnHub, float] | None = None
        """For what on the hub nothing was due at the contract, and until when that is so."""
        self._following = Following(context)
        self._log = cargo.named(context.client_log("pusher"))
        count = partial(cargo.metrics.failed, self._route.destination, self._route.client)
        self._rounds = Rounds(cargo.what, self._log, context.relay.services.random, count)

    @property
    def route(self) -> Route:
        """From the hub to its client on the contract's chain."""
        return self._route

    async def run(self) -> None:
        """For ever, as `Observer.run`.

        Raises:
            LedgerUnavailable: a transaction could not be recorded before it was sent. The supervisor calls it again.
        """
        await earlier_calls_ended(self._accounts, self._cargo.address)
        await self._rounds.run(self._round, self._rest)

    async def _rest(self, wait_s: float) -> None:
        await self._pace.rest(wait_s)

    async def _round(self) -> float:
        await self._pace.begin()
        on_hub = await self._cargo.on_hub()
        if (rest_s := self._known_rest_s(on_hub)) is not None:
            return rest_s
        due = await self._cargo.due(on_hub)
        if not isinstance(due, Rest) and not due.turn.is_ours:
            await trio.sleep(self._left_to_others_s(due.turn))
            on_hub = await self._cargo.on_hub()
            due = await self._cargo.due(on_hub)
        if not isinstance(due, Rest):
            return LOOK_EVERY_S if await self._push(due) else LOOK_AT_LEAST_EVERY_S
        rest_s = min(due.seconds, LOOK_AT_LEAST_EVERY_S)
        self._nothing_due = on_hub, trio.current_time() + rest_s
        return rest_s

    def _known_rest_s(self, on_hub: OnHub) -> float | None:
        """While the contract is known to have all of this it need not be asked again at each block of the hub."""
        if self._nothing_due is None:
            return None
        known, until_s = self._nothing_due
        return until_s - trio.current_time() if known == on_hub and trio.current_time() < until_s else None

    def _left_to_others_s(self, turn: Turn) -> float:
        if turn.is_urgent:
            return left_to_others_s(turn.what, self._accounts, self._patience_s, is_new=True)
        return left_to_others_s(turn.what, self._accounts, TRANSACTIONS * self._patience_s, is_new=turn.is_new)

    async def _push(self, due: Due) -> bool:
        """False where nothing was paid: a later block of the hub shows what is due, or another relay was first."""
        slot = await take_slot(self._accounts, self._builder, ())
        try:
            built = await self._built(due)
            if built is None or (not due.turn.is_ours and await self._is_done()):
                return False
            shown, updates = built
            end = await self._pay(slot.account, shown, updates)
            await self._ended_as(end, shown, due)
        finally:
            self._accounts.release(slot)
        return True

    async def _is_done(self) -> bool:
        """Whether another relay was first, while ours was being built."""
        return isinstance(await self._cargo.due(await self._cargo.on_hub()), Rest)

    async def _built(self, due: Due) -> tuple[Shown, tuple[UpdateClient, ...]] | None:
        """Everything that is due, verified: under the root that the chain's client has newest, or else with the header of
        the hub's newest block, or of the next one. None where what all of them prove is older.
        """
        proven = await self._cargo.proven(due, due.latest)
        if proven is not None:
            state = await self._destination.consensus_state(self._route.client, due.latest)
            if state is None:
                raise RouteBlocked(f"client {self._route.name} has no state at {due.latest}")
            return await self._cargo.shown(due, due.latest, proven, state), ()
        head = (await self._context.source.heads.head()).height
        # the header of a block proves the state after the one before it
        newest, following = self._hub.proving_height(head - 1), self._hub.proving_height(head)
        if newest > due.latest:
            proven = await self._cargo.proven(due, newest)
        target = following if proven is None else newest
        batch = await self._builder.refresh(target)
        if batch is None:
            return None
        if proven is None:
            proven = await self._cargo.proven(due, target)
        if proven is None:
            return None
        return await self._cargo.shown(due, target, proven, batch.consensus_state), batch.updates

    async def _pay(self, account: Account, shown: Shown, updates: tuple[UpdateClient, ...]) -> Included | Lost:
        """The end of the call, which follows the client's update at once where one transaction holds that (ADR 27)."""
        parts = list(in_transactions(updates, self._destination.batch_limits))
        if self._following.is_allowed and len(parts) == 1:
            follower = await shown.prepare_after_update(account.address)
            return await self._following.send(account, parts[0], follower)
        for part in parts:
            if await submit_updates(self._context, account, part) is None:
                raise RouteBlocked(f"the update of {self._route.name} came to nothing", Cause.LOST)
        prepared = await shown.prepare(account.address)
        pending = await account.submit(prepared, (None,), ())
        return await pending.wait()

    async def _ended_as(self, end: Included | Lost, shown: Shown, due: Due) -> None:
        if isinstance(end, Lost):
            raise RouteBlocked(f"the transaction of {self._cargo.what} came to nothing: {end.reason}", Cause.LOST)
        if end.outcome.reverted is not None:
            self._cargo.failed(due)
            refused = f"{self._route.destination} refused {self._cargo.what}: {end.outcome.reverted}"
            raise PaidInVain(refused, Cause.FAILED)
        await self._cargo.ended(due, shown, end.outcome.transaction_hash, self._log)
