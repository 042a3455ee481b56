"""One run: endpoints, messages under way, the clock, and what must never happen."""

import heapq
import random
from collections.abc import Callable
from itertools import combinations
from typing import Any

from hutong.light_clients.tendermint.types import BlockId, BlockIdFlag, Commit, SignedMessageType
from hutong.relay.hub.consensus.blocks import ChainTip, ConsensusParams, RevisionStart, genesis_tip
from hutong.relay.hub.consensus.signing import DoubleSignRefused
from hutong.relay.hub.consensus.transition import RejectedBlockDecided
from hutong.relay.hub.consensus.types import NIL, Decided, Step, Vote
from hutong.relay.hub.consensus.validators import advance_proposer, genesis_validators
from tests.relay.hub.simulation.keys import public_key_of
from tests.relay.hub.simulation.liar import Liar
from tests.relay.hub.simulation.messages import Message, Offer
from tests.relay.hub.simulation.schedule import MS, SECOND, Crash, Mode, Schedule
from tests.relay.hub.simulation.validator import CHAIN_ID, Validator

START_NS = 1_700_000_000 * SECOND
GOSSIP_NS = 400 * MS
CALM_DELAY_NS = 40 * MS
PATIENCE_NS = 60 * SECOND
"""After calm: rounds that grew long before it are over by then."""
HEIGHTS_AFTER_CALM = 2
HIDDEN_LOSS = 0.95


class Violated(AssertionError):
    """What must never happen, happened."""


class Network:
    def __init__(self, schedule: Schedule, *, forgets_records: bool = False) -> None:
        self.schedule, self.forgets_records = schedule, forgets_records
        self.rng = random.Random(schedule.seed ^ 0x5EED)
        self.now = 0
        self.queue: list[tuple[int, int, Validator, Callable[..., None], tuple[Any, ...]]] = []
        self.count = 0
        self.steps = 0
        self.verdicts: dict[tuple[tuple[BlockId, bytes], BlockId], bool] = {}
        self.blocks: dict[int, dict[BlockId, Decided]] = {}
        self.signatures: dict[tuple[int, int, int, Step], BlockId] = {}
        self.forked_at: int | None = None
        members = [(public_key_of(number), power) for number, power in enumerate(schedule.powers)]
        validators = genesis_validators(members)
        tip = genesis_tip(
            RevisionStart(CHAIN_ID, START_NS, ConsensusParams(), 1),
            b"\x01" * 32,
            validators,
            advance_proposer(validators, 1),
        )
        self.endpoints: list[Validator] = []
        sides: list[int | None] = []
        for number in range(len(schedule.powers)):
            mode = schedule.liars.get(number)
            for side in (0, 1) if mode is Mode.TWINS else (None,):
                place = len(self.endpoints)
                self.endpoints.append(self.endpoint(place, number, tip, mode))
                sides.append(side)
        for one in self.endpoints:
            one.peers = [
                other.place
                for other in self.endpoints
                if other.number != one.number and self._knows(sides, one, other) and self._knows(sides, other, one)
            ]
        self.honest = [endpoint for endpoint in self.endpoints if endpoint.honest]
        for endpoint in self.endpoints:
            self.after(0, endpoint, endpoint.start)
            self.after(self.rng.randrange(GOSSIP_NS), endpoint, self.gossip, endpoint)
        for crash in schedule.crashes:
            endpoint = next(endpoint for endpoint in self.honest if endpoint.number == crash.number)
            self.after(crash.at_ns, endpoint, self.begin_crash, endpoint, crash)

    def endpoint(self, place: int, number: int, tip: ChainTip, mode: Mode | None) -> Validator:
        return Validator(self, place, number, tip) if mode is None else Liar(self, place, number, tip, mode)

    def _knows(self, sides: list[int | None], one: Validator, other: Validator) -> bool:
        side = sides[other.place]
        own = sides[one.place]
        return side is None or side == (self.schedule.sides[one.number] if own is None else own)

    # --- clock and messages

    def host_time_ns(self, number: int) -> int:
        return START_NS + self.now + self.schedule.skews_ns[number]

    def after(self, delay_ns: int, endpoint: Validator, action: Callable[..., None], *arguments: Any) -> None:
        self.count += 1
        heapq.heappush(self.queue, (self.now + delay_ns, self.count, endpoint, action, arguments))

    @property
    def calm(self) -> bool:
        return self.now >= self.schedule.calm_ns

    def send(self, sender: Validator, place: int, message: Message) -> None:
        schedule = self.schedule
        if self.calm:
            delay_ns = self.rng.randrange(CALM_DELAY_NS)
        else:
            one, other = sender.number, self.endpoints[place].number
            apart = any(
                part.start_ns <= self.now < part.end_ns and part.group_of[one] != part.group_of[other]
                for part in schedule.partitions
            )
            twin = not sender.honest or not self.endpoints[place].honest
            if apart and not (
                twin and len(schedule.partitions) == 1 and schedule.partitions[0].group_of is schedule.sides
            ):
                return
            hidden = schedule.mutes_one and self._is_hidden(sender, place, message)
            if self.rng.random() < (HIDDEN_LOSS if hidden else schedule.loss):
                return
            delay_ns = self.rng.randrange(schedule.max_delay_ns)
        self.after(delay_ns, self.endpoints[place], self.deliver, sender.place, place, message)

    def _is_hidden(self, sender: Validator, place: int, message: Message) -> bool:
        """The muted one is that of the lowest height that others are at, whether or not it has left that already."""
        members = len(self.endpoints)
        height = min(endpoint.height for endpoint in self.honest if endpoint is not sender) + 1
        if sender.place == height % members:
            prevotes = isinstance(message, Vote) and message.message_type is SignedMessageType.PREVOTE
            return not isinstance(message, Offer) and not prevotes
        return (
            isinstance(message, Vote)
            and (message.round, message.message_type) == (0, SignedMessageType.PREVOTE)
            and message.block_id != NIL
            and place == (height + 1) % members
        )

    def broadcast(self, sender: Validator, message: Message) -> None:
        for place in sender.peers:
            self.send(sender, place, message)

    def deliver(self, sender: int, place: int, message: Message) -> None:
        endpoint = self.endpoints[place]
        if endpoint.up:
            endpoint.receive(sender, message)

    def gossip(self, endpoint: Validator) -> None:
        if endpoint.up:
            self.broadcast(endpoint, endpoint.status())
        self.after(GOSSIP_NS + self.rng.randrange(50 * MS), endpoint, self.gossip, endpoint)

    # --- crashes

    def begin_crash(self, endpoint: Validator, crash: Crash) -> None:
        if not endpoint.up:
            return
        endpoint.crash_at_signature = crash.at_signature
        endpoint.pending_crash = crash
        if crash.at_signature == 0:
            self.crash(endpoint)

    def crash(self, endpoint: Validator) -> None:
        crash = endpoint.pending_crash
        endpoint.crash(log_lost=crash.log_lost)
        self.after(crash.down_ns, endpoint, endpoint.restart)

    # --- what must never happen

    def decided(self, endpoint: Validator, decided: Decided) -> None:
        if not endpoint.honest:
            return
        height = decided.block.header.height
        blocks = self.blocks.setdefault(height, {})
        blocks.setdefault(decided.block_id, decided)
        if len(blocks) > 1 and self.forked_at is None:
            self.forked_at = height

    def signed(self, endpoint: Validator, height: int, round_: int, at: Step, block_id: BlockId) -> None:
        """Called for every signature of an honest validator, also of one that is made again after a crash."""
        if self.signatures.setdefault((endpoint.number, height, round_, at), block_id) != block_id:
            raise Violated(f"validator {endpoint.number} signed twice: height {height} round {round_} {at.name}")

    def check_evidence(self) -> None:
        for endpoint in self.honest:
            for item in endpoint.accused:
                guilty = {public_key_of(number).address for number in self.schedule.liars}
                if item.first.validator_address not in guilty:
                    raise Violated(f"an honest validator is accused: {item.first.validator_address.hex()}")

    def named_by_commits(self) -> set[bytes]:
        """Who precommitted both blocks of a fork in one round: the two commits are the proof."""
        found: set[bytes] = set()
        for blocks in self.blocks.values():
            for one, other in combinations(blocks.values(), 2):
                if one.commit.round == other.commit.round:
                    found |= _signers(one.commit) & _signers(other.commit)
        return found

    # --- runs

    def run(self) -> None:
        """Until all honest ones have gone on after calm, or nothing can go on. Raises Violated."""
        target = None
        deadline = self.schedule.calm_ns + PATIENCE_NS
        while self.queue:
            if self.calm and target is None:
                target = max(endpoint.height for endpoint in self.honest) + HEIGHTS_AFTER_CALM
            if target is not None and min(endpoint.height for endpoint in self.honest) >= target:
                break
            if self.now > deadline:
                heights = [endpoint.height for endpoint in self.honest]
                raise Violated(f"no progress: heights {heights}, wanted {target}")
            try:
                self.next_event()
            except (DoubleSignRefused, RejectedBlockDecided) as error:
                raise Violated(f"an honest validator halted: {error}") from error
            if self.forked_at is not None:
                raise Violated(f"two blocks of height {self.forked_at} were decided")
        self.check_evidence()

    def run_with_too_many_liars(self) -> bool:
        """Whether honest validators decided two blocks; what they saw then accuses only liars. Raises Violated."""
        deadline = self.schedule.calm_ns + 5 * SECOND
        while self.queue and self.now <= deadline:
            endpoint = self.queue[0][2]
            try:
                self.next_event()
            except RejectedBlockDecided:
                # A halted node, as its rules want where more than a third lie.
                endpoint.up = False
        self.check_evidence()
        return self.forked_at is not None

    def next_event(self) -> None:
        self.now, _, _, action, arguments = heapq.heappop(self.queue)
        self.steps += 1
        action(*arguments)


def _signers(commit: Commit) -> set[bytes]:
    return {entry.validator_address for entry in commit.signatures if entry.block_id_flag is BlockIdFlag.COMMIT}
