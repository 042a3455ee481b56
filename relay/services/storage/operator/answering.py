"""Answers to probes, out of the engine: of an epoch of the hub, signed; or of anybody's seed, as a rehearsal."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from hutong.light_clients.interface import VERIFY, MalformedInput, VerificationError
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.operator.hub_door import HubDoor
from hutong.relay.services.storage.operator.index import Holding, ShardIndex, ShardKey
from hutong.relay.services.storage.operator.operator_log import OperatorLog
from hutong.relay.services.storage.operator.shelf import BytesLost, Shelf
from hutong.relay.services.storage.rules.audits.answers import Answer, LeafAnswer, RemovedAnswer
from hutong.relay.services.storage.rules.audits.judging import Removals, Removed, judge_answer
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers
from hutong.relay.services.storage.rules.records.keys import removal_key, seed_key, set_key
from hutong.relay.services.storage.rules.records.values import (
    SeedRecord,
    decode_removal_record,
    decode_seed_record,
    decode_set_record,
)


class ProbeLost(Exception):
    """A probe that cannot be answered: its number, pack and shard, and why, in a sentence."""


class NoSuchAudit(Exception):
    """The hub asks nothing of this operator in this epoch, or the log here is behind. One sentence."""


@dataclass(frozen=True, slots=True)
class EpochAudit:
    """What the hub asks this operator in an epoch."""

    epoch: int
    seed: SeedRecord
    challenge: Challenge


class Answering:
    """Answers of one operator. Calls of the hub are awaited; `answers` blocks."""

    def __init__(self, operator: bytes, log: OperatorLog, index: ShardIndex, shelf: Shelf) -> None:
        self._operator = operator
        self._log = log
        self._index = index
        self._shelf = shelf

    def newest(self, seed: bytes, probes: int) -> Challenge:
        """A challenge of anybody's seed under all of the log.

        Raises:
            NoSuchAudit: the log is empty.
        """
        if not self._log.size:
            raise NoSuchAudit("no batch of the hub has a shard of this operator yet")
        return Challenge(seed, self._operator, self._log.set_of(self._log.size), probes)

    async def audit(self, hub: HubDoor, epoch: int) -> EpochAudit:
        """What the hub's records ask in an epoch.

        Raises:
            NoSuchAudit: there is no seed, or no set of this operator, or the set is not that of the log here.
            HubSilent: see there.
        """
        seed = await hub.record(seed_key(epoch))
        held = await hub.record(set_key(self._operator, epoch))
        if seed is None or held is None:
            raise NoSuchAudit(f"epoch {epoch} has no {'seed' if held else 'set of this operator'} on the hub")
        try:
            seed_record, set_record = decode_seed_record(seed), decode_set_record(held)
        except MalformedInput as error:
            raise HubSilent(str(error)) from None
        asked = set_record.operator_set
        if asked.size > self._log.size:
            raise NoSuchAudit(
                f"the set of epoch {epoch} has {asked.size} batches, and {self._log.size} were read so far"
            )
        if self._log.set_of(asked.size) != asked:
            raise NoSuchAudit(
                f"the set of epoch {epoch} has another root than the log here: its index is not of this hub"
            )
        return EpochAudit(epoch, seed_record, Challenge(seed_record.seed, self._operator, asked, seed_record.probes))

    async def removals(self, hub: HubDoor, challenge: Challenge, numbers: Sequence[int]) -> Removals:
        """What the hub recorded of the shards that were removed here and that these probes ask for.

        Raises:
            HubSilent: see there.
        """
        found: dict[tuple[int, bytes], Removed] = {}
        for number in numbers:
            placed, owner, _ = self._log.place_of_leaf(challenge.operator_set.size, probe_leaf(challenge, number))
            place = (placed.log_entry.batch, placed.entry.pack)
            if place in found or not self._is_gone(owner, placed.entry.pack, placed.entry.shard, placed.entry.root):
                continue
            value = await hub.record(removal_key(*place))
            if value is not None:
                record = decode_removal_record(value)
                found[place] = Removed(record.shards, record.time_s)
        return found

    def answers(self, challenge: Challenge, first: int, count: int, removals: Removals) -> list[Answer]:
        """Answers to probes `first` to `first` + `count` - 1, each judged as the hub will.

        Raises:
            ProbeLost: one cannot be shown.
            EngineUnavailable: the engine does not answer.
        """
        return [self._answer(challenge, number, removals) for number in range(first, first + count)]

    def _answer(self, challenge: Challenge, number: int, removals: Removals) -> Answer:
        leaf = probe_leaf(challenge, number)
        placed, owner, at = self._log.place_of_leaf(challenge.operator_set.size, leaf)
        entry = placed.entry
        answer: Answer
        if self._is_gone(owner, entry.pack, entry.shard, entry.root):
            answer = RemovedAnswer(placed)
        else:
            held = self._index.shard(ShardKey(owner, entry.pack, entry.shard))
            try:
                if held is None:
                    raise BytesLost("the index does not have it")
                shown = self._shelf.leaf(held, at)
            except BytesLost as error:
                raise ProbeLost(f"probe {number}, shard {entry.shard} of pack {entry.pack.hex()}: {error}") from None
            answer = LeafAnswer(placed, at, shown.octets, shown.path)
        try:
            judge_answer(VERIFY, challenge, number, answer, removals)
        except VerificationError as error:
            raise ProbeLost(f"probe {number}, shard {entry.shard} of pack {entry.pack.hex()}: {error}") from None
        return answer

    def _is_gone(self, owner: bytes, pack: bytes, shard: int, root: bytes) -> bool:
        """Whether what is held under this name is not what the entry is of: it was removed, whatever came after."""
        held = self._index.shard(ShardKey(owner, pack, shard))
        return held is not None and (held.holding is Holding.REMOVED or held.root != root)


def answers_struct(hub: bytes, audit: EpochAudit, first: int, count: int, octets: bytes) -> ProbeAnswers:
    """What is signed under encoded answers."""
    return ProbeAnswers(hub, audit.challenge.operator, audit.epoch, first, count, sha256(octets).digest())
