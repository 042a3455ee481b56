"""Answers of operators, judged in consensus by the rules that auditors use; verdicts, and the ledger that they go into."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, VerificationError
from hutong.relay.hub.application.storage.refusals import AuditIsOver, WrongProbe
from hutong.relay.hub.application.storage.registry import Registry
from hutong.relay.services.storage.rules.audits.answers import MAX_ANSWERS, Answer, RemovedAnswer, decode_answers
from hutong.relay.services.storage.rules.audits.judging import AuditCount, Removals, Removed, judge_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, struct_is_signed_by
from hutong.relay.services.storage.rules.records.rounds import AnsweredRecord, Phase
from hutong.relay.services.storage.rules.records.values import Outcome, SeedRecord, SetRecord, VerdictRecord

UNDECIDED = 0
"""Probes are left."""


@dataclass(frozen=True, slots=True)
class GivenAnswers:
    """What an operator shows: bytes of answers to `count` probes from `first` on, and its signature."""

    operator: bytes
    epoch: int
    first: int
    count: int
    answers: bytes
    signature: bytes


def submit_answers(registry: Registry, hub: bytes, given: GivenAnswers) -> int:
    """Judge answers; wrong ones end the audit at once. Returns the outcome, 0 while probes are left.

    Raises:
        AuditIsOver, WrongProbe, UnknownOperator: as their names say.
        PredicateFailed: `probe_is_asked`, or `struct_is_signed_by`: nothing is recorded that the operator did not sign.
    """
    operator, epoch = given.operator, given.epoch
    set_record, seed = _asked(registry, operator, epoch)
    done = registry.answered(operator, epoch)
    if given.first != done.held + done.removed:
        raise WrongProbe(operator, given.first, done.held + done.removed)
    if not 1 <= given.count <= MAX_ANSWERS:
        raise MalformedInput("answers.count", f"1 to {MAX_ANSWERS}", got=given.count)
    if given.first + given.count > seed.probes:
        raise PredicateFailed("probe_is_asked", "more than are asked", given.first + given.count, seed.probes)
    digest = sha256(given.answers)
    signed = ProbeAnswers(hub, operator, epoch, given.first, given.count, digest)
    struct_is_signed_by(signed, given.signature, registry.operator(operator).account)
    try:
        shown = _judged(registry, given, set_record, seed)
    except VerificationError:
        write_verdict(registry, operator, (epoch, Outcome.FAILED), (set_record, seed), done)
        return Outcome.FAILED
    done = replace(done, held=done.held + shown.held, removed=done.removed + shown.removed)
    registry.put_answered(operator, done)
    if done.held + done.removed < seed.probes:
        return UNDECIDED
    write_verdict(registry, operator, (epoch, Outcome.PASSED), (set_record, seed), done)
    return Outcome.PASSED


def _asked(registry: Registry, operator: bytes, epoch: int) -> tuple[SetRecord, SeedRecord]:
    clock = registry.find_clock()
    is_open = clock is not None and clock.epoch == epoch and clock.phase is Phase.ANSWERING
    set_record = registry.find_set(operator, epoch) if is_open else None
    seed = registry.find_seed(epoch) if set_record is not None else None
    if set_record is None or seed is None or registry.has_verdict(operator, epoch):
        raise AuditIsOver(operator, epoch)
    return set_record, seed


def _judged(registry: Registry, given: GivenAnswers, set_record: SetRecord, seed: SeedRecord) -> AuditCount:
    answers = decode_answers(given.answers, set_record.operator_set.size, given.count)
    challenge = Challenge(seed.seed, given.operator, set_record.operator_set, seed.probes)
    return judge_answers(VERIFY, challenge, given.first, answers, recorded_removals(registry, answers))


def recorded_removals(registry: Registry, answers: Sequence[Answer]) -> Removals:
    """What the hub recorded of the shards that answers call removed."""
    named = {
        (answer.placed.log_entry.batch, answer.placed.entry.pack): None
        for answer in answers
        if isinstance(answer, RemovedAnswer)
    }
    found: dict[tuple[int, bytes], Removed] = {}
    for batch, pack in named:
        record = registry.find_removal(batch, pack)
        if record is not None:
            found[batch, pack] = Removed(record.shards, record.time_s)
    return found


def write_verdict(
    registry: Registry,
    operator: bytes,
    verdict: tuple[int, Outcome],
    asked: tuple[SetRecord, SeedRecord],
    done: AnsweredRecord,
) -> None:
    """The verdict of an epoch, and what it is in the operator's ledger.

    Args:
        verdict: the epoch, and how it ended.
    """
    (epoch, outcome), (set_record, seed) = verdict, asked
    counts = (seed.probes, done.held, done.removed, seed.reveals)
    now, operator_set = registry.now, set_record.operator_set
    record = VerdictRecord(outcome, *counts, seed.seed, operator_set.root, now.height, now.time_s)
    registry.put_verdict(operator, epoch, record)
    ledger = replace(registry.ledger(operator), epoch=epoch)
    if outcome is Outcome.FAILED:
        ledger = replace(ledger, failed=ledger.failed + 1)
    elif outcome is Outcome.MISSED:
        ledger = replace(ledger, missed=ledger.missed + 1)
    elif seed.is_weak:
        ledger = replace(ledger, passed=ledger.passed + 1, weak=ledger.weak + 1)
    else:
        leaves = operator_set.leaves
        priced = ledger.priced + leaves * registry.parameters().price
        ledger = replace(ledger, passed=ledger.passed + 1, proven_leaves=ledger.proven_leaves + leaves, priced=priced)
    registry.put_ledger(operator, ledger)
