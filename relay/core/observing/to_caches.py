"""Issuers of credentials for an IdentityCache: at each change of what the hub says of them, and at an interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.cache_calls import CacheCalls, CachedList, SyncShape
from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.identity_cache import encode_sync
from hutong.adapters.interface import ClientInfo, Proof, RefusedByChain
from hutong.adapters.rpc import all_of
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, PredicateFailed
from hutong.light_clients.records.gathering import gather_under
from hutong.light_clients.tendermint.codec import decode_consensus_state
from hutong.relay.core.observing.building import check_active
from hutong.relay.core.observing.issuers import (
    CacheReason,
    IssuerState,
    PushedIssuer,
    cache_due_in_s,
    state_of,
    why_cache_is_due,
)
from hutong.relay.core.observing.looking_at_issuers import IssuersOnHub, kept_of, keys_of, look_at_issuers
from hutong.relay.core.observing.pushing import (
    LOOK_AT_LEAST_EVERY_S,
    LOOK_EVERY_S,
    Rest,
    Shown,
    Turn,
    check_reads_through,
    evm_calls_of,
)
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.telemetry import KeptMetrics, Logger


@dataclass(frozen=True, slots=True)
class IssuerDue:
    """`state` as the hub said it. Without news a header has to be younger than `not_before_s`, or it is worth no call."""

    state: IssuerState
    reason: CacheReason
    turn: Turn
    latest: Height
    """Of the chain's client of the hub."""
    latest_time_s: int
    hub_time_s: int
    not_before_s: int


class CacheCargo:
    """See `Cargo`."""

    what = "issuers"

    def __init__(self, context: RouteContext, cache: bytes, pushed: Sequence[PushedIssuer]) -> None:
        """`cache`: 20 bytes."""
        self._context = context
        self._route = context.route
        self._hub = context.source.adapter
        self._destination = context.destination.adapter
        self._cache = cache
        self._pushed = tuple(pushed)
        self._brought: dict[tuple[bytes, int], int] = {}
        """By issuer and list, the hub's height under which it was last kept by us."""
        self._keys: tuple[bytes, ...] = ()
        """Of the records that were needed last."""
        self._reads_through: str | None = None
        """The client that the cache was deployed with, once it was asked."""
        self._due_since_ns: dict[str, int] = {}
        self._unopened: dict[str, tuple[int, ...]] = {}
        self._log = context.client_log("pusher")
        self.address: str = to_checksum_address(cache)
        self.metrics: KeptMetrics = context.destination.metrics.cached_issuers
        for one in self._pushed:
            self.metrics.watch(self._route.destination, one.name, one.interval_s, lambda: self._now_ns() / 1e9)

    def _now_ns(self) -> int:
        return self._context.relay.services.now_ns()

    def named(self, log: Logger) -> Logger:
        """See `Cargo`."""
        return log.bind(cache=self.address)

    async def _calls(self) -> CacheCalls:
        chain, chain_id = await evm_calls_of(self._context)
        return CacheCalls(chain.execution, chain_id, self._cache, self._destination.batch_limits)

    async def _hub_time_s(self) -> int:
        return (await self._context.source.heads.head()).time_ns // NANOSECONDS_PER_SECOND

    async def on_hub(self) -> IssuersOnHub:
        """See `Cargo`. Records that were needed last are read at once; others as the walk comes to them."""
        seen = await look_at_issuers(self._hub, self._pushed, await self._hub_time_s(), self._keys)
        self._keys = keys_of(self._pushed, seen)
        self._tell_unopened(dict(seen.unopened))
        return seen

    def _tell_unopened(self, unopened: dict[str, tuple[int, ...]]) -> None:
        log = self.named(self._log)
        for name, numbers in unopened.items():
            if self._unopened.get(name) != numbers:
                reason = "the issuer has not opened them: they are brought when it does"
                log.warning("lists are not there", issuer=name, lists=list(numbers), reason=reason)
        self._unopened = unopened

    async def _at_cache(self, states: Sequence[IssuerState]) -> tuple[ClientInfo, list[list[CachedList | None]]]:
        """The chain's client of the hub, and what is kept of the lists of each state. Raises as `Cargo.due`."""
        calls = await self._calls()
        infos: list[ClientInfo] = []
        kept: list[list[list[CachedList | None]]] = []
        refused: list[RefusedByChain] = []

        async def read_client(client_id: str) -> None:
            infos.append(await self._destination.client(client_id))

        async def read_kept(states: Sequence[IssuerState]) -> None:
            try:
                if self._reads_through is None:
                    self._reads_through = await calls.client_id()
                kept.append(await kept_of(calls, states))
            except RefusedByChain as error:  # by a client that is not active, which is the better reason
                refused.append(error)

        await all_of([(read_client, self._route.client), (read_kept, states)])
        check_active(self._route.name, infos[0])
        if refused:
            raise refused[0]
        check_reads_through(f"the cache {self.address}", self._reads_through or "", self._route.client)
        return infos[0], kept[0]

    async def due(self, on_hub: IssuersOnHub) -> IssuerDue | Rest:
        """See `Cargo`: one call's worth, news before what has grown old."""
        info, kept = await self._at_cache(on_hub.states)
        time_s = await self._hub_time_s()
        reasons = [why_cache_is_due(one, there, time_s) for one, there in zip(on_hub.states, kept, strict=True)]
        self._note(on_hub.states, kept, reasons)
        found = [(reason is CacheReason.INTERVAL, place) for place, reason in enumerate(reasons) if reason is not None]
        if not found:
            waits = [cache_due_in_s(one, there, time_s) for one, there in zip(on_hub.states, kept, strict=True)]
            soonest = min([LOOK_AT_LEAST_EVERY_S, *(one for one in waits if one is not None)])
            return Rest(max(LOOK_EVERY_S, soonest))
        _, place = min(found)
        state, there, reason = on_hub.states[place], kept[place], reasons[place]
        if reason is None:
            raise RuntimeError("what is due has a reason")
        return self._due(state, there, reason, info, time_s)

    def _due(
        self, state: IssuerState, kept: Sequence[CachedList | None], reason: CacheReason, info: ClientInfo, time_s: int
    ) -> IssuerDue:
        issuer, interval_s = state.query.issuer, state.pushed.interval_s
        numbers = [number for number, _ in state.said.roots]
        is_ours = all(
            one is not None and self._brought.get((issuer, number)) == one.height
            for number, one in zip(numbers, kept, strict=True)
        )
        turn = Turn(
            f"{issuer.hex()} {numbers[0]} {self._cache.hex()}",
            is_ours,
            is_new=all(one is None for one in kept),
            # presenters synchronise too: who brought it before them goes on with less delay than one that never did
            is_urgent=bool(self._brought) and reason in (CacheReason.EPOCH, CacheReason.CHANGED),
        )
        latest_time_s = info.latest_timestamp_ns // NANOSECONDS_PER_SECOND
        # a header that packets brought a moment ago is as good as a newer one; half the interval is left of it then
        not_before_s = 0 if interval_s is None else time_s - interval_s // 2
        return IssuerDue(state, reason, turn, info.latest_height, latest_time_s, time_s, not_before_s)

    def _note(
        self,
        states: Sequence[IssuerState],
        kept: Sequence[Sequence[CachedList | None]],
        reasons: Sequence[CacheReason | None],
    ) -> None:
        """For the metrics: the oldest of what is kept of each issuer, and since when it is due."""
        for pushed in self._pushed:
            own = [place for place, state in enumerate(states) if state.pushed == pushed]
            lists = [one for place in own for one in kept[place]]
            times = [one.header_time_s for one in lists if one is not None]
            if all(reasons[place] is None for place in own):
                self._due_since_ns.pop(pushed.name, None)
            else:
                self._due_since_ns.setdefault(pushed.name, self._now_ns())
            due_ns = self._due_since_ns.get(pushed.name)
            self.metrics.stands(
                self._route.destination,
                pushed.name,
                None if not times or len(times) < len(lists) else float(min(times)),
                None if due_ns is None else due_ns / 1e9,
            )

    async def proven(self, due: IssuerDue, height: Height) -> Mapping[bytes, Proof] | None:
        """See `Cargo`; by key. None also where the chain's newest header is too old to be worth a call."""
        if height.revision_height <= due.state.said.raised_height:
            return None  # no node need be asked: the header of a block proves the state before it
        if height == due.latest and due.latest_time_s < due.not_before_s:
            return None
        state, proofs = await self._walked(due, height, {}, due.hub_time_s)
        is_newer = state.said.epoch > due.state.said.epoch
        return proofs if is_newer or state.said == due.state.said else None

    async def _walked(
        self, due: IssuerDue, height: Height, known: Mapping[bytes, Proof], time_s: int
    ) -> tuple[IssuerState, dict[bytes, Proof]]:
        """What is proven under a root whose header has this time, with what `known` lacks asked for."""
        proofs = dict(known)
        missing: Sequence[bytes] = [key for key in dict.fromkeys(due.state.needed) if key not in proofs]
        while True:
            if missing:
                found = await self._hub.prove_all([(key,) for key in missing], height)
                proofs |= zip(missing, found, strict=True)
            state = state_of(due.state.pushed, due.state.query, {key: one.value for key, one in proofs.items()}, time_s)
            if isinstance(state, IssuerState):
                return state, {key: proofs[key] for key in state.needed}
            missing = [state]

    async def shown(self, due: IssuerDue, height: Height, proven: Mapping[bytes, Proof], state: bytes) -> Shown:
        """See `Cargo`: one multiproof of the records that the contract's walk needs under that header."""
        header = decode_consensus_state(state)
        time_s = header.timestamp_ns // NANOSECONDS_PER_SECOND
        _, proofs = await self._walked(due, height, proven, time_s)
        claims, multiproof = gather_under(header.root, list(proofs), [one.proof for one in proofs.values()])
        judged = {claim.key: claim.value or None for claim in claims}
        found = state_of(due.state.pushed, due.state.query, judged, time_s)
        issuer = due.state.query.issuer
        if not isinstance(found, IssuerState):
            raise PredicateFailed("records_are_all_shown", "a record that is needed is not proven", got=found)
        if judged[keys.did_key(issuer)] is not None and judged[keys.epoch_key(issuer)] is None:
            raise PredicateFailed("epoch_is_shown", "a registered issuer has an epoch", got=issuer)
        query = due.state.query
        fields = (query.issuer, query.schema, query.thumbprint, list(query.lists))
        data = encode_sync(fields, found.needed, ShownRecords.of(height, claims, multiproof))
        shape = SyncShape(len(query.lists), len(claims), len(multiproof.siblings))
        calls = await self._calls()
        return Shown(
            height,
            time_s,
            partial(calls.prepare_sync, data),
            partial(calls.prepare_sync_after_update, data, shape),
        )

    def failed(self, due: IssuerDue) -> None:
        """See `Cargo`."""
        self.metrics.ended(self._route.destination, self._route.client, "failed", 1)

    async def ended(self, due: IssuerDue, shown: Shown, transaction_hash: bytes, log: Logger) -> None:
        """See `Cargo`."""
        is_first = await (await self._calls()).synced_in(transaction_hash)
        if is_first:
            for number in due.state.query.lists:
                self._brought[due.state.query.issuer, number] = shown.height.revision_height
        outcome = "written" if is_first else "superseded"
        self.metrics.ended(self._route.destination, self._route.client, outcome, 1)
        log.info(
            "issuer pushed",
            issuer=due.state.pushed.name,
            lists=list(due.state.query.lists),
            because=str(due.reason),
            epoch=due.state.said.epoch,
            standing="good" if due.state.said.flaw == 0 else due.state.said.flaw.name.lower(),
            superseded=not is_first,
            height=str(shown.height),
            transaction=transaction_hash,
        )
