"""A pass of a repairer: read what the hub says, find what is lost, rebuild what can be rebuilt."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import trio

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
from hutong.relay.services.storage.repairer.following import followed, known_of
from hutong.relay.services.storage.repairer.ledger import Ledger, LedgerUnusable
from hutong.relay.services.storage.repairer.mending import BatchMending, Mended, Repairer
from hutong.relay.services.storage.repairer.plan import BatchState, Known, states_of, targets_of, unreadable
from hutong.relay.services.storage.repairer.rebuilding import ReadBytes
from hutong.relay.services.storage.repairer.refilling import Damaged, damaged_at, refill
from hutong.relay.services.storage.repairer.siblings import NotMended
from hutong.relay.services.storage.repairer.standing import Standing
from hutong.relay.telemetry import get_logger

JOURNAL: Final = "repairs.jsonl"
MOST_SAID: Final = 100
"""Sentences of a pass that are kept."""

Links = Callable[[bytes, Known], Mapping[bytes, OperatorLink]]
"""Operators by id, asked for an owner's shards."""


@dataclass(slots=True)
class Passed:
    """What a pass found and did."""

    height: int = 0
    batches: int = 0
    degraded: int = 0
    lost_parts: int = 0
    mended: list[Mended] = field(default_factory=list)
    refilled: int = 0
    read: ReadBytes = field(default_factory=ReadBytes)
    not_mended: list[str] = field(default_factory=list)
    left_parts: int = 0
    """Lost still."""
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether all shards are held now, as far as the hub says."""
        return not self.left_parts and not self.not_mended

    def say(self, sentence: str) -> None:
        """Why something was not mended."""
        if len(self.not_mended) < MOST_SAID:
            self.not_mended.append(sentence)

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "height": self.height,
            "batches": self.batches,
            "degraded_batches": self.degraded,
            "lost_parts": self.lost_parts,
            "mended_parts": len(self.mended),
            "mended_shards": sum(one.shards for one in self.mended),
            "mended_bytes": sum(one.octets for one in self.mended),
            "refilled_shards": self.refilled,
            "read_bytes": self.read.octets,
            "refused_reads": self.read.refusals,
            "left_parts": self.left_parts,
            "not_mended": self.not_mended,
            "seconds": round(self.seconds, 3),
        }


class RepairWork:
    """Of one repairer. What the hub does not say is raised, and asked again by whoever calls it."""

    def __init__(
        self,
        who: Repairer,
        ledger: Ledger,
        links: Links,
        repair_roots: Mapping[bytes, bytes],
        misses: int,
        journal: Path,
    ) -> None:
        """`repair_roots`: 32 secret bytes by writer; `journal`: the folder that it lies in."""
        self._who = who
        self._ledger = ledger
        self._links = links
        self._roots = repair_roots
        self._misses = misses
        self._journal = journal / JOURNAL
        self._avoided: dict[tuple[int, int], set[bytes]] = {}
        """By batch and shard: targets that did not take it, until the next start."""
        self._log = get_logger("storage_repairer")

    async def known(self) -> Known:
        """What the hub says now.

        Raises:
            HubSilent: see there.
            LedgerUnusable: the hub is another than the ledger's.
        """
        await followed(self._who.hub, self._ledger, self._who.hub_id)
        return await known_of(self._who.hub, self._ledger, self._misses)

    async def look(self) -> tuple[Known, Passed]:
        """What is lost, and nothing done about it.

        Raises:
            HubSilent, LedgerUnusable: see `known`.
        """
        known = await self.known()
        states = states_of(known)
        lost = [state for state in states if state.lost]
        passed = Passed(self._ledger.followed, len(states), len(lost), sum(len(state.lost) for state in lost))
        passed.left_parts = passed.lost_parts
        for number in unreadable(known):
            passed.say(f"batch {number}: the hub's node does not say its parts or its map")
        return known, passed

    async def mend(self) -> Passed:
        """One pass.

        Raises:
            HubSilent, LedgerUnusable: see `known`.
        """
        began = trio.current_time()
        known, passed = await self.look()
        states = states_of(known)
        for state in states:
            if state.lost:
                await self._mend(state, known, passed)
        await self._refill(states, known, passed)
        passed.seconds = trio.current_time() - began
        return passed

    async def _mend(self, state: BatchState, known: Known, passed: Passed) -> None:
        owner, number = state.batch.record.owner, state.batch.number
        root = self._roots.get(owner)
        if root is None:
            passed.say(f"batch {number}: there is no repair root of writer {owner.hex()[:16]} in the configuration")
            return
        links = self._links(owner, known)
        avoided = {shard: self._avoided.get((number, shard), set()) for shard in range(state.shape.shards)}
        targets = targets_of(state, known.maps[max(known.maps)], known.standings, set(links), avoided)
        for column in state.lost:
            if column.shard not in targets:
                passed.say(
                    f"batch {number}, shard {column.shard}: no operator is left that may hold it: active, trusted, with an"
                    " address, and within what its organisation and site may have"
                )
        if not targets:
            return
        mending = BatchMending(self._who, state, links, targets, root)
        try:
            mended = await mending.mend()
        except (NotMended, HubRefused, SigningFailed) as error:
            passed.say(f"batch {number}: {error}")
            mended = []
        for shard, why in mending.failed.items():
            passed.say(f"batch {number}, shard {shard}: {why}")
            self._avoided.setdefault((number, shard), set()).add(targets[shard])
        self._count(passed, mending.read)
        passed.left_parts -= len(mended)
        passed.mended += mended
        for one in mended:
            await trio.to_thread.run_sync(self._note, one)
            self._log.info("mended", batch=one.batch, shard=one.shard, repair=one.repair, operator=one.operator.hex())

    async def _refill(self, states: list[BatchState], known: Known, passed: Passed) -> None:
        trusted = {operator for operator, standing in known.standings.items() if standing is Standing.TRUSTED}
        for owner, root in self._roots.items():
            links = self._links(owner, known)
            own = [state for state in states if state.batch.record.owner == owner]
            damaged: list[Damaged] = []
            for operator in sorted(trusted & set(links) if own else ()):
                try:
                    damaged += await damaged_at(links[operator])
                except OperatorFailed as error:
                    self._log.warning("an operator does not say what is damaged", reason=str(error))
            if damaged:
                read = ReadBytes()
                done, whys = await refill(own, damaged, links, root, read)
                self._count(passed, read)
                passed.refilled += done
                for why in whys:
                    passed.say(why)

    def _count(self, passed: Passed, read: ReadBytes) -> None:
        passed.read.octets += read.octets
        passed.read.refusals += read.refusals
        if read.first_refusal is not None:
            self._log.warning("shards were refused", refusals=read.refusals, first=read.first_refusal)

    def _note(self, one: Mended) -> None:
        said = {key: value.hex() if isinstance(value, bytes) else value for key, value in asdict(one).items()}
        with self._journal.open("a") as file:
            file.write(json.dumps(said) + "\n")

    async def keep_working(self, interval_s: float) -> None:
        """Pass after pass until cancelled; what fails is said and tried again."""
        said: str | None = None
        while True:
            try:
                passed = await self.mend()
                reason = "; ".join(passed.not_mended[:3]) or None
                if reason != said and reason is not None:
                    self._log.error("not all is mended", left_parts=passed.left_parts, reason=reason)
            except (HubSilent, HubRefused, LedgerUnusable, MalformedInput, PredicateFailed) as error:
                reason = f"{type(error).__name__}: {error}"
                if reason != said:
                    self._log.error("the hub cannot be followed", reason=reason)
            except Exception:  # the daemon goes on; the next pass begins anew from the hub
                reason = "unexpected"
                self._log.exception("a pass failed, for a reason that nobody foresaw")
            said = reason
            await trio.sleep(interval_s)
