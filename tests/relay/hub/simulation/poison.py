"""A block of the simulation that some validators cannot execute: their operators sign that it counts as empty, in their own time.

The rules are the code's, `next_skip` and `skip_forbids` over the last-signed record. Liars sign every skip, and vote as they like.
"""

import random
from dataclasses import dataclass, replace
from hashlib import sha256

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.skip_certificate import SkipStatement, skip_digest
from hutong.relay.hub.consensus import signing
from hutong.relay.hub.consensus.signing import LastSigned, SkipRefused
from hutong.relay.hub.consensus.transition import RejectedBlockDecided
from hutong.relay.hub.consensus.types import Decided, HeightStarted
from hutong.relay.hub.consensus.votes import above_two_thirds
from tests.relay.hub.simulation.keys import secret_of
from tests.relay.hub.simulation.liar import Liar
from tests.relay.hub.simulation.network import Network, Violated
from tests.relay.hub.simulation.schedule import MS, SECOND, Schedule
from tests.relay.hub.simulation.validator import CHAIN_ID, Validator

AGAIN_AFTER_NS = 900 * MS
"""From a halt to the next start."""
RUNS_ON_NS = 25 * SECOND
"""After calm."""


class HaltNow(Exception):
    """The block cannot be executed here."""


@dataclass(frozen=True)
class Poison:
    """Of the block at `height`. A validator of `fails` that is in `recovers` can execute it from its second try on."""

    height: int
    fails: frozenset[int]
    recovers: frozenset[int]
    signs_after_ns: tuple[int, ...]
    """By number: from a failure to the operator's signature."""
    heard_after_ns: tuple[int, ...]
    """By number: from the completed certificate to its arrival."""


def poison_of(schedule: Schedule) -> Poison:
    """Drawn from the schedule's seed, beside everything else that happens there."""
    rng = random.Random(schedule.seed ^ 0xBAD)
    members = len(schedule.powers)
    honest = [number for number in range(members) if number not in schedule.liars]
    fails = frozenset(honest if rng.random() < 0.3 else rng.sample(honest, rng.randint(1, len(honest))))
    return Poison(
        rng.randint(1, 4),
        fails,
        frozenset(number for number in fails if rng.random() < 0.4),
        tuple(rng.randint(10, 2_500) * MS for _ in range(members)),
        tuple(rng.randint(1, 1_500) * MS for _ in range(members)),
    )


class Poisoned:
    """Mixed into validators of either kind."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.certificate: SkipStatement | None = None
        self.tries = 0
        self.executed: tuple | None = None
        """The tip before the poisoned block and the block, where it was executed here."""
        self.waiting: Decided | None = None
        self.applies_empty = False

    def apply(self, decided: Decided) -> None:
        poison, height = self.network.poison, decided.block.header.height
        if height == poison.height + 1:
            self.network.decided_above(self)
        if height == poison.height:
            statement = SkipStatement(CHAIN_ID, height, decided.block_id.hash, self.tip.app_hash)
            if self.certificate == statement:
                self.applies_empty = True
            elif self.honest and signing.skip_forbids(self.record, statement):
                self.waiting = decided
                return
            elif self.cannot_execute():
                self.network.failed(self, statement)
                raise HaltNow
            else:
                self.executed = (self.tip, decided)
        super().apply(decided)
        self.applies_empty = False

    def app_hash_after(self, decided: Decided) -> bytes:
        if self.applies_empty:
            return sha256(self.tip.app_hash + b"skipped" + decided.block_id.hash).digest()
        return super().app_hash_after(decided)

    def cannot_execute(self) -> bool:
        self.tries += 1
        poison = self.network.poison
        return self.number in poison.fails and not (self.tries > 1 and self.number in poison.recovers)

    def take_certificate(self, statement: SkipStatement) -> None:
        """A complete one came, by a person or in the next block."""
        self.certificate = statement
        if not self.up:
            return
        if self.waiting is not None:
            decided, self.waiting = self.waiting, None
            self.guarded(lambda: (self.apply(decided), self._drain()))
        elif self.executed is not None and self.tip.height == statement.height:
            self.take_back()

    def take_back(self) -> None:
        """Halt, and start again as `begin_log_anew` and `follow` do."""
        before, decided = self.executed
        self.executed = None
        self.lives += 1
        self.content.clear()
        self.chain.pop()
        self.tip = before
        self.apply(decided)
        self.events.clear()
        height, tip = self.tip.height + 1, self.tip
        self.state = self._before_height()
        round_ = self.record.round + 1 if self.record.height == height else 0
        self.logs, self.abstains_at = True, None
        self.log, self.synced = [], 0
        self.run(HeightStarted(height, tip.validators, tip.time_ns, self.now_ns(), round_))

    def restart(self) -> None:
        self.waiting = None
        self.guarded(super().restart)
        if self.up and self.certificate is not None:
            self.take_certificate(self.certificate)

    def run(self, event) -> None:
        self.guarded(lambda: super(Poisoned, self).run(event))

    def guarded(self, function) -> None:
        try:
            function()
        except HaltNow:
            self.network.halted(self)


class PoisonedValidator(Poisoned, Validator):
    pass


class PoisonedLiar(Poisoned, Liar):
    pass


class PoisonedNetwork(Network):
    """`run_poisoned` says how it ended."""

    def __init__(self, schedule: Schedule, *, signs_anyway: bool = False, **options) -> None:
        self.signs_anyway = signs_anyway
        """Operators do not look whether the block was executed meanwhile, and what the key voted above is not asked."""
        self.poison = poison_of(schedule)
        self.signed_skips: dict[SkipStatement, set[int]] = {}
        self.certificate: SkipStatement | None = None
        self.above: set[bool] = set()
        """Whether honest validators saw a block above the poisoned one decided over the executed state, or over the other."""
        super().__init__(schedule, **options)

    def endpoint(self, place, number, tip, mode):
        if mode is None:
            return PoisonedValidator(self, place, number, tip)
        return PoisonedLiar(self, place, number, tip, mode)

    def failed(self, endpoint: Poisoned, statement: SkipStatement) -> None:
        if endpoint.honest:
            self.after(self.poison.signs_after_ns[endpoint.number], endpoint, self.operator_signs, endpoint, statement)
        # Liars need no failure of their own.
        for number in self.schedule.liars:
            self.collect(number, statement)

    def halted(self, endpoint: Validator) -> None:
        endpoint.crash(log_lost=False)
        self.after(AGAIN_AFTER_NS, endpoint, endpoint.restart)

    def operator_signs(self, endpoint: Poisoned, statement: SkipStatement) -> None:
        """Of a node that stands before the block; it is stopped for it, and started again."""
        if endpoint.number in self.signed_skips.get(statement, ()):
            return
        if endpoint.height != statement.height - 1 and not self.signs_anyway:
            return

        def sign() -> bytes:
            return secp256k1.sign(secret_of(endpoint.number), skip_digest(statement))

        record = LastSigned() if self.signs_anyway else endpoint.record
        try:
            signed, _ = signing.next_skip(record, statement, sign)
        except SkipRefused:
            return
        endpoint.record = replace(endpoint.record, skip=signed.skip)
        self.collect(endpoint.number, statement)
        if endpoint.up and endpoint.executed is None:
            self.halted(endpoint)

    def collect(self, number: int, statement: SkipStatement) -> None:
        signers = self.signed_skips.setdefault(statement, set())
        signers.add(number)
        power = sum(self.schedule.powers[one] for one in signers)
        if self.certificate is None and above_two_thirds(power, sum(self.schedule.powers)):
            self.certificate = statement
            for endpoint in self.endpoints:
                delay_ns = self.poison.heard_after_ns[endpoint.number]
                self.after(delay_ns, endpoint, endpoint.take_certificate, statement)

    def decided_above(self, endpoint: Poisoned) -> None:
        if endpoint.honest:
            self.above.add(endpoint.executed is not None)

    def run_poisoned(self) -> str:
        """`skipped`, `executed` or `stands`. Raises Violated."""
        deadline = self.schedule.calm_ns + RUNS_ON_NS
        while self.queue and self.now <= deadline:
            endpoint = self.queue[0][2]
            try:
                self.next_event()
            except RejectedBlockDecided:
                # Its successor shows that the block counts as empty.
                if self.certificate is None or endpoint.executed is None:
                    raise Violated("an honest validator halted without a certificate") from None
                endpoint.take_certificate(self.certificate)
            self._check()
        self.check_evidence()
        if self.above:
            return "executed" if self.above == {True} else "skipped"
        return "stands"

    def _check(self) -> None:
        if self.certificate is not None and True in self.above:
            raise Violated("a skip certificate beside a commit over the executed state")
        if self.forked_at is not None:
            raise Violated(f"two blocks of height {self.forked_at} were decided")
