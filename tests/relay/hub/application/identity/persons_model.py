"""Persons of one shard as a model knows them, beside the module: each step says first what must come of it.

Whoever draws the steps (Hypothesis, or a seed) draws numbers; here they become calls, right ones and wrong ones.

    python -m tests.relay.hub.application.identity.persons_model --histories 10000 --seed 1
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import VerificationError
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.identity import persons
from hutong.relay.hub.application.identity.governing import accredit_root, set_identity
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.state import GENESIS_KEY, VersionedState
from hutong.relay.services.identity.rules.persons.person import Person, Place, leaf_of
from hutong.relay.services.identity.rules.persons.recovering import Demand, Shown
from hutong.relay.services.identity.rules.persons.recovery_policy import encode_person_policy
from hutong.relay.services.identity.rules.persons.registering import encode_registrations
from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from hutong.relay.services.identity.rules.persons.signed import cancel_digest, recovery_digest
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import Moment
from tests.relay.services.identity.rules.persons.people import (
    DID,
    HUB,
    SHARD,
    Tree,
    change,
    control,
    guardians_sign,
    policy,
    registration,
    salt,
    signed,
)

START_S, DELAY_S, DAY_S, KEPT_S, WEEK_S = 1_700_000_000, 7_200, 86_400, 2_592_000, 604_800
GUARDIANS = ("guardian 1", "guardian 2", "guardian 3")
POLICIES = (None, policy(GUARDIANS, 2, delay_s=DELAY_S), policy(GUARDIANS[:1], 1, registrar_may=True, delay_s=DELAY_S))
NEEDED = (0, 2, 1)
PAUSES_S = (1, 1, DELAY_S - 1, DELAY_S, DAY_S - 1, DAY_S, WEEK_S, KEPT_S + 1)
KEYS = 24
"""Names of keys: few, so that people meet, and a person comes back to a key that it had."""


def name(number: int) -> str:
    return f"key {number % KEYS}"


@dataclass
class Known:
    """A person by names."""

    key: int
    following: int | None
    policy: int
    salt: bytes
    sequence: int = 0
    own_s: int = 0

    def person(self) -> Person:
        return Person(self.control(), self.salt, self.sequence, self.own_s)

    def control(self):
        following = None if self.following is None else name(self.following)
        return control(name(self.key), following, POLICIES[self.policy])


@dataclass
class Waiting:
    """A recovery as the model knows it."""

    sequence: int
    """Of the person when it began: any change since ends it."""
    account_key: int
    to: Known
    effective_s: int
    expires_s: int
    cancelled: bool = False

    def is_over(self, now_s: int) -> bool:
        if self.cancelled:
            return now_s > self.expires_s
        return now_s > max(self.effective_s + KEPT_S, self.expires_s)


class PersonsModel:
    """One registrar, one shard, time that goes on."""

    def __init__(self) -> None:
        self.view = VersionedState(MemoryStore()).view_at(0)
        self.view.set(GENESIS_KEY, b"\x01")
        self.now = Moment(1, START_S)
        self.people: list[Known] = []
        self.waiting: dict[int, Waiting] = {}
        self.old: list[tuple[int, object]] = []
        """Changes that were taken, to be shown again."""
        self.approvals: list[tuple[int, Shown, Demand, tuple[bytes, ...]]] = []
        self.refused = self.done = 0
        accredit_root(self.registry, (DID, PERSONS_SCHEMA), 0, (0, 2**40))
        set_identity(self.registry, True, 64, 604_800)

    @property
    def registry(self) -> Registry:
        return Registry(self.view, self.now)

    @property
    def tree(self) -> Tree:
        return Tree([leaf_of(known.person()) for known in self.people])

    def attempt(self, expected: bool, act: Callable[[Registry], object]) -> bool:
        """As a call does: as a whole or not at all."""
        mark = self.view.snapshot()
        try:
            act(self.registry)
        except (VerificationError, Refusal) as error:
            self.view.revert(mark)
            assert not expected, error
            self.refused += 1
            return False
        self.view.commit(mark)
        assert expected
        self.done += 1
        return True

    # --- what may happen

    def let_time_pass(self, which: int) -> None:
        pause_s = PAUSES_S[which % len(PAUSES_S)]
        self.now = Moment(self.now.height + 1, self.now.time_s + pause_s)

    def register(self, people: Sequence[tuple[int, int, int]], liar: int) -> None:
        """(key, next key or above all keys for none, policy) of each; `liar` is the number of who signs by another key."""
        drawn = [
            Known(key % KEYS, following if following < KEYS else None, which % 3, salt(f"{len(self.people) + number}"))
            for number, (key, following, which) in enumerate(people)
        ]
        signers = [name(known.key + (number == liar)) for number, known in enumerate(drawn)]
        entries = [registration(known.person(), signer) for known, signer in zip(drawn, signers, strict=True)]
        expected = liar >= len(drawn) and len({known.key for known in drawn}) == len(drawn)
        batch = (self.tree.edge(), encode_registrations(entries))
        if self.attempt(expected, lambda registry: persons.register(registry, HUB, SHARD, batch)):
            self.people += drawn

    def change(self, indices: Sequence[int], key: int, following: int, who: int, is_own: bool) -> None:
        """Of some people to a key (their committed one where `who` is even), signed by whom it takes or by another."""
        chosen = sorted({index % len(self.people) for index in indices}) if self.people else []
        chosen = chosen[:1] if is_own else chosen
        if not chosen:
            return
        entries, afters, expected = [], [], True
        for index in chosen:
            known = self.people[index]
            to = known.following if known.following is not None and who % 2 == 0 else key % KEYS
            decides = known.key if known.following is None else to
            signer = decides if who % 3 else (known.key + 1) % KEYS
            after = replace(
                known,
                key=to,
                following=following if following < KEYS else None,
                sequence=known.sequence + 1,
                own_s=self.now.time_s if is_own else known.own_s,
            )
            may = (known.following is None or to == known.following) and signer == decides
            expected &= may and not (is_own and known.own_s and self.now.time_s < known.own_s + DAY_S)
            entries.append(change(index, known.person(), after.control(), name(signer)))
            afters.append(after)
        batch = (self.tree.siblings(chosen), entries)
        if self.attempt(expected, lambda registry: persons.change(registry, HUB, SHARD, batch, is_own=is_own)):
            for index, after, entry in zip(chosen, afters, entries, strict=True):
                self.people[index] = after
                self.old.append((index, entry))

    def show_again(self, which: int) -> None:
        """A change that was taken, or approvals that were shown: never a second time."""
        if self.old and which % 2:
            index, entry = self.old[which % len(self.old)]
            for before in (entry.before, self.people[index].person()):
                batch = (self.tree.path(index), [replace(entry, before=before)])
                self.attempt(
                    False, lambda registry, batch=batch: persons.change(registry, HUB, SHARD, batch, is_own=False)
                )
        elif self.approvals:
            index, shown, demand, signatures = self.approvals[which % len(self.approvals)]
            said = (Shown(shown.person, self.tree.path(index)), demand)
            place = Place(*SHARD, index)
            waiting, known = self.waiting.get(index), self.people[index]
            if shown.person == known.person() and (waiting is None or waiting.is_over(self.now.time_s)):
                if self.now.time_s <= demand.expires_s:
                    return
            self.attempt(False, lambda registry: persons.start_recovery(registry, HUB, place, said, signatures))

    def start(self, index: int, key: int, signers: int, life_s: int) -> None:
        """By as many guardians, or by the registrar where `signers` is 4 or more."""
        if not self.people:
            return
        index %= len(self.people)
        known, place, by_registrar = self.people[index], Place(*SHARD, index), signers >= 4
        after = Known(key % KEYS, None, known.policy, known.salt, known.sequence + 1, known.own_s)
        life_s = 0 if by_registrar else life_s % (WEEK_S + 2)
        expires_s = self.now.time_s + life_s
        digest = recovery_digest(HUB, place, leaf_of(known.person()), after.control(), expires_s)
        said = POLICIES[known.policy] or POLICIES[1]
        signatures = None if by_registrar else guardians_sign(GUARDIANS[: signers % 4], digest)
        standing = self.waiting.get(index)
        is_free = (
            standing is None
            or standing.sequence != known.sequence
            or standing.is_over(self.now.time_s)
            or (standing.cancelled and (by_registrar or expires_s > standing.expires_s))
        )
        approved = known.policy == 2 if by_registrar else 0 < NEEDED[known.policy] <= self._guardians(known, signers)
        expected = bool(known.policy) and approved and life_s <= WEEK_S and is_free
        shown = Shown(known.person(), self.tree.path(index))
        demand = Demand(after.control(), encode_person_policy(said), expires_s)
        if self.attempt(
            expected, lambda registry: persons.start_recovery(registry, HUB, place, (shown, demand), signatures)
        ):
            kept_s = standing.expires_s if standing is not None and standing.sequence == known.sequence else 0
            self.waiting[index] = Waiting(
                known.sequence, known.key, after, self.now.time_s + DELAY_S, max(expires_s, kept_s)
            )
            if signatures is not None:
                self.approvals.append((index, shown, demand, signatures))

    def _guardians(self, known: Known, signers: int) -> int:
        return min(signers % 4, 3 if known.policy == 1 else 1)

    def cancel(self, index: int, by_another: bool) -> None:
        index = index % len(self.people) if self.people else 0
        waiting, key = self.waiting.get(index), keys.person_recovery_key(*SHARD, index)
        raw = self.view.get(key)
        assert (raw is None) == (waiting is None)
        signer = 0 if waiting is None else waiting.account_key + by_another
        digest = cancel_digest(HUB, Place(*SHARD, index), sha256(raw or b""))
        expected = (
            waiting is not None and not waiting.cancelled and self.now.time_s < waiting.effective_s and not by_another
        )
        signature = signed(name(signer), digest)
        if self.attempt(
            expected, lambda registry: persons.cancel_recovery(registry, HUB, Place(*SHARD, index), signature)
        ):
            self.waiting[index].cancelled = True

    def complete(self, index: int) -> None:
        if not self.people:
            return
        index %= len(self.people)
        known, waiting = self.people[index], self.waiting.get(index)
        shown = Shown(known.person(), self.tree.path(index))
        expected = (
            waiting is not None
            and not waiting.cancelled
            and self.now.time_s >= waiting.effective_s
            and waiting.sequence == known.sequence
        )
        if self.attempt(expected, lambda registry: persons.complete_recovery(registry, Place(*SHARD, index), shown)):
            self.people[index] = self.waiting.pop(index).to

    def clear(self, index: int) -> None:
        index = index % len(self.people) if self.people else 0
        waiting = self.waiting.get(index)
        expected = waiting is not None and waiting.is_over(self.now.time_s)
        if self.attempt(expected, lambda registry: persons.clear_recovery(registry, Place(*SHARD, index))):
            del self.waiting[index]

    # --- what holds at every step

    def check(self) -> None:
        record = persons.find_shard(self.registry, SHARD)
        if record is None:
            assert not self.people
            return
        tree = self.tree
        assert (record.root, record.count) == (tree.root(), len(self.people))
        counts = [int.from_bytes(self.view.get(keys.person_recoveries_key(DID, by)) or b"", "big") for by in (1, 2)]
        assert sum(counts) == len(self.waiting)
        stored = {key for key, _ in self.view.with_prefix(b"identity/person-recovery/")}
        assert stored == {keys.person_recovery_key(*SHARD, index) for index in self.waiting}


def run_history(random: Random, steps: int) -> PersonsModel:
    """One history by a source of numbers."""
    model = PersonsModel()
    draw = random.randrange
    for _ in range(steps):
        match draw(12):
            case 0 | 1:
                drawn = [(draw(KEYS), draw(2 * KEYS), draw(3)) for _ in range(draw(1, 4))]
                model.register(drawn, draw(12))
            case 2 | 3 | 4:
                model.change([draw(40) for _ in range(draw(1, 4))], draw(KEYS), draw(2 * KEYS), draw(6), draw(3) == 0)
            case 5 | 6:
                model.start(draw(40), draw(KEYS), draw(1, 6), draw(2 * WEEK_S))
            case 7:
                model.cancel(draw(40), draw(4) == 0)
            case 8:
                model.complete(draw(40))
            case 9:
                model.clear(draw(40))
            case 10:
                model.show_again(draw(1_000))
            case _:
                model.let_time_pass(draw(len(PAUSES_S)))
        model.check()
    return model


def main() -> None:
    """As many histories as asked, from one seed; the number of the one that fails is printed with its steps."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=24)
    arguments = parser.parse_args()
    started, done, refused = time.process_time(), 0, 0
    for number in range(arguments.first, arguments.first + arguments.histories):
        try:
            model = run_history(Random(f"{arguments.seed} {number}"), arguments.steps)
        except AssertionError:
            print(f"history {number} of seed {arguments.seed} fails: --first {number} --histories 1")
            raise
        done, refused = done + model.done, refused + model.refused
    took_s = time.process_time() - started
    print(
        f"{arguments.histories:,} histories hold: {done:,} operations done, {refused:,} refused, {took_s:,.0f} s of CPU"
    )


if __name__ == "__main__":
    main()
