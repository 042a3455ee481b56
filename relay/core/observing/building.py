"""Making one call of `observe`: at which height, with which client updates before it; all of it verified here first."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.interface import ClientInfo, ObserveCall, PlaceValues, UpdateClient
from hutong.adapters.rpc import all_of
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientStatus,
    Height,
    LightClient,
    UnknownHeight,
    VerificationError,
)
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.light_clients.records import Place
from hutong.light_clients.table import light_client
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.observing.looking import Sight, newest_block, observed_chain
from hutong.relay.core.observing.verification import claims_of, verify_observations
from hutong.relay.core.route.local_verification import VerifiedClient, verification_time_ns, verify_update
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.ledger import Cause

FRESH_NS = 10 * NANOSECONDS_PER_SECOND
"""A state of the client that is at most so much older than the source's head is used as it is: packets brought it."""
REMEMBERED_HEIGHTS = 8
_BFT_EVM = "bft-evm"
"""Clients of this type are shown the state root from a lower height that they have (ADR 21)."""


@dataclass(frozen=True, slots=True)
class BuiltCall:
    """Updates first, then the call; both were verified in this order. `values` in the order of the call's places."""

    updates: tuple[UpdateClient, ...]
    call: ObserveCall
    values: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class _Base:
    """Where the call stands: `states` are of the client as it is now, `trusted` is below `height`."""

    info: ClientInfo
    height: Height
    trusted: Height | None
    headers: tuple[bytes, ...]
    states: MemoryConsensusStates


class CallBuilder:
    """For one client. Remembers heights that the client has, which is a cache: without it the client is updated."""

    def __init__(self, context: RouteContext) -> None:
        self._context = context
        self._route = context.route
        self._source = context.source.adapter
        self._hub = context.destination.adapter
        self._known: list[Height] = []

    def saw(self, info: ClientInfo) -> bool:
        """Remember the client's newest height. True if somebody else brought it there since the last look."""
        is_known = info.latest_height in self._known
        had_some = bool(self._known)
        self.remember(info.latest_height)
        return had_some and not is_known

    def remember(self, height: Height) -> None:
        """A height that the client has, such as one that an update of ours brought it to."""
        if height not in self._known:
            self._known = [*self._known, height][-REMEMBERED_HEIGHTS:]

    async def build(self, group: Sequence[Sight], info: ClientInfo | None = None) -> BuiltCall | None:
        """The call for 1 to MAX_ITEMS sights, ascending by key. None where the next block of the source has to come first.

        Args:
            info: of the client as it was a moment ago; None: it is asked for.

        Raises:
            RouteBlocked: the client is not active or too far behind, or headers or values do not verify.
            VerificationError: what is shown does not prove the values, or a slot is of an account without code.
            AdapterError: a chain does not answer, or not with what was asked for.
        """
        if info is None:
            info = await self._hub.client(self._route.client)
            self.saw(info)
        check_active(self._route.name, info)
        base = await self._base(info, group)
        if base is None:
            return None
        places = tuple(sight.watched.place for sight in group)
        read, shown = await self._shown(base, places)
        call = ObserveCall(self._route.client, base.height, shown, read.nodes, places, claims_of(read, places))
        await self._verify(base, call, read)
        return BuiltCall(tuple(UpdateClient(self._route.client, one) for one in base.headers), call, read.values)

    async def _shown(self, base: _Base, places: Sequence[Place]) -> tuple[PlaceValues, bytes]:
        """The values with their proofs, and what leads to the state root, asked for together."""
        source, info = observed_chain(self._source), base.info
        read: list[PlaceValues] = []
        shown: list[bytes] = []

        async def read_places(height: Height) -> None:
            read.append(await source.read_places(places, height))

        async def show(height: Height) -> None:
            shown.append(await source.show_state_root(info.client_type, info.client_state, base.trusted, height))

        await all_of([(read_places, base.height), (show, base.height)])
        return read[0], shown[0]

    async def _base(self, info: ClientInfo, group: Sequence[Sight]) -> _Base | None:
        head = await self._context.source.heads.head()
        newest = newest_block(self._source, head).height
        as_it_is = await self._as_it_is(info, head.time_ns, group)
        if as_it_is is not None or newest <= info.latest_height:
            return as_it_is
        reach = self._source.blocks_per_update
        if reach is not None and newest.revision_height > info.latest_height.revision_height + reach:
            self._context.catching_up.ask(self._route.name)
            raise RouteBlocked(
                f"client {self._route.name} is at {info.latest_height}, too far below {newest} for one transaction:"
                " the relay brings it up first",
                Cause.HEADERS_REFUSED,
            )
        states: list[bytes] = []
        headers: list[bytes] = []

        async def read_state(height: Height) -> None:
            states.append(await self._state(info, height))

        async def read_headers(trusted: Height) -> None:
            headers.extend(await self._source.client_messages(info.client_type, info.client_state, trusted, newest))

        latest = info.latest_height
        await all_of([(read_state, latest), (read_headers, latest)])
        return _Base(info, newest, latest, tuple(headers), MemoryConsensusStates({latest: states[0]}))

    async def _as_it_is(self, info: ClientInfo, head_ns: int, group: Sequence[Sight]) -> _Base | None:
        """Without an update, where the client's newest state is as good: fresh, newer than the records, the same values."""
        latest = info.latest_height
        if head_ns - info.latest_timestamp_ns > self._fresh_ns(group):
            return None
        if any(sight.record is not None and sight.record.height >= latest for sight in group):
            return None
        trusted = next((height for height in reversed(self._known) if height < latest), None)
        if trusted is None and info.client_type == _BFT_EVM:
            return None
        places = [sight.watched.place for sight in group]
        read = await observed_chain(self._source).read_places(places, latest)
        if any(
            sight.value is not None and sight.value.word != value
            for sight, value in zip(group, read.values, strict=True)
        ):
            return None
        heights = [latest] if trusted is None else [trusted, latest]
        states = {height: await self._state(info, height) for height in heights}
        return _Base(info, latest, trusted, (), MemoryConsensusStates(states))

    @staticmethod
    def _fresh_ns(group: Sequence[Sight]) -> int:
        """Never more than a quarter of an interval, so that a record does not become due as soon as it is written."""
        quarters = [sight.watched.interval_ns // 4 for sight in group if sight.watched.interval_ns is not None]
        return min([FRESH_NS, *quarters])

    async def _state(self, info: ClientInfo, height: Height) -> bytes:
        state = await self._hub.consensus_state(self._route.client, height)
        if state is None:
            self._known = [one for one in self._known if one != height]
            raise RouteBlocked(
                f"client {self._route.name} has no state at {height}, with its newest {info.latest_height}"
            )
        return state

    async def _verify(self, base: _Base, call: ObserveCall, read: PlaceValues) -> None:
        info = base.info
        judge = light_client(info.client_type)
        hub_head = await self._context.destination.heads.head()
        now_ns = verification_time_ns(hub_head.time_ns, self._context.relay.services.now_ns())

        def verify() -> None:
            client = _as_after(base, judge, now_ns)
            verify_observations(judge, client, call, read.values, now_ns)

        try:
            await self._context.relay.services.run(verify)
        except VerificationError as error:
            self._source.distrust(str(error))
            raise


def _as_after(base: _Base, judge: LightClient, now_ns: int) -> VerifiedClient:
    """The client as it will be after the headers.

    Raises:
        VerificationError: one of them would be refused.
    """
    info = base.info
    if not base.headers:
        state = base.states.get(base.height)
        if state is None:
            raise UnknownHeight(base.height, info.latest_height)
        return VerifiedClient(info.client_state, state, base.height, base.states)
    trusted = base.states.get(info.latest_height)
    if trusted is None:
        raise UnknownHeight(info.latest_height, info.latest_height)
    return verify_update(judge, info.client_state, info.latest_height, trusted, base.headers, base.height, now_ns)


def check_active(name: str, info: ClientInfo) -> None:
    """Nothing is paid over a client that the hub would not hear.

    Raises:
        RouteBlocked: it is frozen or expired.
    """
    if info.status is not ClientStatus.ACTIVE:
        raise RouteBlocked(
            f"client {name} is {info.status}: nothing is observed over it until it is recovered", Cause.CLIENT_INACTIVE
        )
