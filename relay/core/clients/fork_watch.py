"""Looking whether a client was shown another history than its chain's, and freezing it if so (attack list G11).

Who controls enough validators can bring a client to a block that the chain never had. The evidence against it is the
chain's own block of that height: a light client that stores another one freezes when it is given it. So nothing is ever
submitted but honest headers, each verified here first; an endpoint that lies can cost a fee and cannot freeze a client.

Compared are the states that a client gained since the last look, among its newest `SEARCHED_HEIGHTS`, and at the relay's
start its latest; of an `ethereum` client always the latest alone. A state that is added afterwards below a height that
was compared is not seen.
"""

from dataclasses import dataclass
from enum import StrEnum

import trio

from hutong.adapters.interface import (
    AdapterError,
    Batch,
    ClientInfo,
    Destination,
    HeightUnavailable,
    Source,
    UpdateClient,
)
from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.interface import (
    ClientStatus,
    Height,
    LightClient,
    Misbehaved,
    NotEnoughTrust,
    PredicateFailed,
    UnknownHeight,
    Updated,
    VerificationError,
)
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.light_clients.table import light_client
from hutong.relay.core.account.pending import Included, Lost
from hutong.relay.core.clients.evidence import stored_heights, trusted_below
from hutong.relay.core.errors import SubmissionRefused
from hutong.relay.core.route.local_verification import verification_time_ns
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.dispatch import Backoff, Route
from hutong.relay.ledger import Cause

LOOK_EVERY_S = 5.0
LOOK_AT_BLOCKS_S = 1.0
"""A new block of the client's chain is a reason to look before LOOK_EVERY_S, so long after the last look: evidence then stands two
blocks after what it is against."""
SEARCHED_HEIGHTS = 128
_AGAIN = Backoff(base_s=5.0, cap_s=300.0)


class Sight(StrEnum):
    """What came of the last look: `hutong_fork_watch` has a series for each."""

    COMPARED = "compared"
    """Everything that the client gained is of its chain."""
    ATTESTED = "attested"
    """Left out: an attested client stores what attestors said, and its chain proves nothing to compare with."""
    INACTIVE = "inactive"
    """Left out: the client is frozen or expired."""
    BEHIND = "behind"
    """The source's endpoints have not got to the height that the client stores."""
    PASSED_OVER = "passed_over"
    """A state that the client stores cannot be compared any more: endpoints have pruned what proves its chain's own."""
    ENDPOINT = "endpoint"
    """An endpoint of source or destination does not answer, or not as it should."""
    HEADER = "header"
    """The source's headers do not verify from what the client stores."""
    EVIDENCE = "evidence"
    """A fork was found, and the evidence could not be submitted."""


@dataclass(frozen=True, slots=True)
class Fork:
    """The client stores what the chain never had: it freezes at the last of these headers, the chain's own."""

    headers: tuple[bytes, ...]
    reason: str


class ForkWatch:
    """Of the client of one route: it lives on the route's destination and follows its source. `run` it."""

    def __init__(self, context: RouteContext) -> None:
        self._route = context.route
        self._source: Source = context.source.adapter
        self._destination: Destination = context.destination.adapter
        self._heads = context.destination.heads
        self._metrics = context.destination.metrics
        self._accounts = context.accounts
        self._now_ns = context.relay.services.now_ns
        self._run = context.relay.services.run
        self._random = context.relay.services.random
        self._honest: Height | None = None
        self.sight: Sight | None = None
        self._log = context.client_log("forks")

    @property
    def route(self) -> Route:
        """The route whose destination hosts the watched client, and whose source it follows."""
        return self._route

    async def run(self) -> None:
        """For ever. What fails is tried again with growing delays, and is said by `sight` and its metric.

        Raises:
            LedgerUnavailable: evidence could not be recorded before it was sent. The supervisor calls it again.
        """
        failures = 0
        # A watch that never compares is as blind as one that stopped: the time of the last look begins here.
        self._metrics.forks_compared(*self._client, self._now_ns() / 1e9)
        while True:
            began_s, height = trio.current_time(), self._heads.height
            try:
                await self.look()
                failures = 0
            except (AdapterError, VerificationError, SubmissionRefused) as error:
                failures += 1
                self._see(_blinded_by(error))
                self._log.warning("the client cannot be compared now", reason=str(error), failures=failures)
            delay_s = _AGAIN.delay_s(failures, self._random) if failures else LOOK_EVERY_S
            with trio.move_on_after(delay_s * (0.75 + 0.5 * self._random.random())):
                if failures:
                    await trio.sleep_forever()
                await trio.sleep_until(began_s + LOOK_AT_BLOCKS_S)
                await self._heads.wait_for_height(height + 1)

    async def look(self) -> bool:
        """Compare what the client gained since the last look. True if it was found forked and a transaction said so.

        Raises:
            AdapterError, VerificationError, SubmissionRefused: it could not be done; the next look starts where this
                did.
            LedgerUnavailable: as `Account.submit`.
        """
        info = await self._destination.client(self._route.client)
        if info.client_type == AttestationClient.client_type:
            self._see(Sight.ATTESTED)
            return False  # attestors who contradict the chain are the attested adapter's to notice
        if info.status is not ClientStatus.ACTIVE:
            self._see(Sight.INACTIVE)
            return False
        latest = info.latest_height
        if self._honest is None or self._honest > latest:
            self._honest = await self._first(info)
        if self._honest == latest:
            self._see(Sight.COMPARED)
            return False
        source_head = await self._source.head()
        if source_head.height >= latest.revision_height:
            heights = await self._gained(info)
        elif source_head.time_ns >= info.latest_timestamp_ns:
            # A block that is still to come cannot be older than one that is there.
            heights = [self._source.proving_height(source_head.height - 1)]
        else:
            self._see(Sight.BEHIND)
            return False
        sight = Sight.COMPARED
        for height in heights:
            if height <= self._honest:
                continue
            try:
                fork = await self._compare(info, self._honest, height)
            except HeightUnavailable as error:
                self._log.warning("a state cannot be compared any more", height=str(height), reason=str(error))
                self._metrics.fork_watch_passed_over(*self._client)
                sight, fork = Sight.PASSED_OVER, None
            if fork is not None:
                self._log.error("the client was shown a history that its chain does not have", reason=fork.reason)
                await self._freeze(fork)
                self._honest = latest
                self._see(Sight.COMPARED)
                return True
            if height < latest or source_head.height >= latest.revision_height:
                self._honest = height
        self._see(sight)
        return False

    @property
    def _client(self) -> tuple[str, str]:
        return self._route.destination, self._route.client

    def _see(self, sight: Sight) -> None:
        self.sight = sight
        self._metrics.fork_watch(*self._client, sight)
        if sight is Sight.COMPARED:
            self._metrics.forks_compared(*self._client, self._now_ns() / 1e9)

    async def _first(self, info: ClientInfo) -> Height:
        """From where the first comparison goes: a state below the latest, else the latest unseen."""
        try:
            return await trusted_below(self._destination, info, info.latest_height, SEARCHED_HEIGHTS)
        except UnknownHeight:
            return info.latest_height

    async def _gained(self, info: ClientInfo) -> list[Height]:
        latest, known = info.latest_height, self._honest
        if info.client_type == EthereumClient.client_type:
            return [latest]  # it believes nothing that committees before the newest two have signed
        if known is None or known.revision_number != latest.revision_number:
            return [latest]
        first = max(known.revision_height + 1, latest.revision_height - SEARCHED_HEIGHTS)
        between = range(first, latest.revision_height)
        return [*await stored_heights(self._destination, info, between), latest]

    async def _compare(self, info: ClientInfo, trusted: Height, height: Height) -> Fork | None:
        """The source's own headers from `trusted` to `height`, judged by a client that stores what this one does."""
        headers = await self._source.client_messages(info.client_type, info.client_state, trusted, height)
        states = {}
        for at in {trusted, height, info.latest_height}:
            state = await self._destination.consensus_state(info.client_id, at)
            if state is not None:
                states[at] = state
        now_ns = verification_time_ns((await self._heads.head()).time_ns, self._now_ns())
        judge, stored = light_client(info.client_type), MemoryConsensusStates(states)
        try:
            fork: Fork | None = await self._run(lambda: _fork(judge, info.client_state, stored, headers, now_ns))
        except VerificationError as error:
            self._source.distrust(str(error))
            raise
        return fork

    async def _freeze(self, fork: Fork) -> None:
        updates = tuple(UpdateClient(self._route.client, header) for header in fork.headers)
        slot = await self._accounts.acquire()
        try:
            prepared = await self._destination.prepare(Batch(updates), slot.account.address)
            if not all(prepared.expected):
                raise PredicateFailed("evidence_is_taken", f"{self._route.name} would refuse its chain's own header")
            pending = await slot.account.submit(prepared, tuple(None for _ in updates), ())
            self._metrics.hermes.misbehaviour_submitted(self._route.destination, self._route.client)
            end = await pending.wait()
        finally:
            self._accounts.release(slot)
        status = (await self._destination.client(self._route.client)).status
        failure = _failure(end, len(updates))
        if status is not ClientStatus.FROZEN and failure is not None:
            raise SubmissionRefused(f"evidence against {self._route.name} came to nothing: {failure}", Cause.LOST)
        if status is ClientStatus.FROZEN:
            self._log.error(
                "the client is frozen: its chain's validators signed two histories",
                transaction=pending.variants[-1].hash,
            )
        else:
            said = f"{self._route.name} is {status} after its chain's own header"
            self._destination.distrust(said)
            self._log.warning("an endpoint told of a state that the client does not have", reason=said)


def _blinded_by(error: AdapterError | VerificationError | SubmissionRefused) -> Sight:
    if isinstance(error, SubmissionRefused):
        return Sight.EVIDENCE
    return Sight.HEADER if isinstance(error, VerificationError) else Sight.ENDPOINT


def _failure(end: Included | Lost, updates: int) -> str | None:
    """Why not all of a transaction's updates were executed."""
    if isinstance(end, Lost):
        return end.reason
    return next((why for index in range(updates) if (why := end.outcome.failure_of(index)) is not None), None)


def _fork(
    judge: LightClient, client_state: bytes, states: MemoryConsensusStates, headers: tuple[bytes, ...], now_ns: int
) -> Fork | None:
    for count, header in enumerate(headers, 1):
        verdict = judge.verify_header(client_state, states, header, now_ns)
        if isinstance(verdict, Misbehaved):
            return Fork(headers[:count], verdict.reason)
        if isinstance(verdict, NotEnoughTrust):
            raise PredicateFailed(
                "enough_trust", "too little of the trusted power signed", verdict.signed_power, verdict.needed_power
            )
        if isinstance(verdict, Updated):
            client_state, states = verdict.client_state, states.with_state(verdict.height, verdict.consensus_state)
    return None
