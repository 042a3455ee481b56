"""Answers judged in consensus: right ones pass, wrong ones fail at once, and nobody makes another fail."""

from dataclasses import replace
from random import Random

import pytest

from hutong.light_clients.crypto import sha256
from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.rules.audits.answers import RemovedAnswer, encode_answers
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, signing_digest
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.rounds import Phase, decode_answered_record
from hutong.relay.services.storage.rules.records.values import Outcome
from tests.relay.hub.application.identity.organisations import signature_of
from tests.relay.hub.application.storage.storage_hub import HUB, OUTSIDER, TABLE, StorageHub
from tests.relay.hub.application.storage.test_storage_batches import refused, reverts


@pytest.fixture
def world() -> StorageHub:
    made = StorageHub()
    assert made.store(made.batch(0, heights=(2, 0, 1))).ok
    made.seeded()
    return made


def asked(world) -> list:
    return [one for one in world.operators.values() if world.set_of(one.id) is not None]


def test_right_answers_pass_and_go_into_the_ledger(world):
    one = asked(world)[0]
    done = world.answer(one)
    assert done.ok and int.from_bytes(done.data, "big") == Outcome.PASSED
    verdict, leaves = world.verdict(one.id), world.set_of(one.id).operator_set.leaves
    assert (verdict.outcome, verdict.asked, verdict.held, verdict.removed) == (Outcome.PASSED, 8, 8, 0)
    assert (verdict.seed, verdict.reveals) == (world.seed().seed, 3)
    assert (verdict.height, verdict.time_s) == (
        world.hub.height,
        world.hub.application.block_time_ns(world.hub.height) // 10**9,
    )
    ledger = world.ledger(one.id)
    assert (ledger.passed, ledger.proven_leaves, ledger.priced) == (1, leaves, leaves * TABLE["price"])
    reverts(world.answer(one), interface.AUDIT_IS_OVER)


def test_answers_come_in_parts_and_in_order(world):
    one = asked(world)[0]
    answers = world.answers(one)
    first = world.answer(one, answers=answers[:3])
    assert first.ok and int.from_bytes(first.data, "big") == 0 and world.verdict(one.id) is None
    progress = decode_answered_record(world.get(keys.answered_key(one.id)))
    assert (progress.epoch, progress.held, progress.removed) == (1, 3, 0)
    assert reverts(world.answer(one, answers=answers[:3]), interface.WRONG_PROBE) == (one.id, 0, 3)
    assert reverts(world.answer(one, first=4), interface.WRONG_PROBE) == (one.id, 4, 3)
    refused(world.answer(one, first=3, answers=[*answers[3:], answers[0]]), "probe_is_asked")
    none = world.send(interface.SUBMIT_ANSWERS, one.id, 1, 3, 0, b"", bytes(65))
    refused(none, "answers.count")
    assert world.answer(one, first=3).ok and world.verdict(one.id).outcome is Outcome.PASSED


def test_attack_S3_wrong_answers_fail_at_once_and_for_good(world):
    first, second, third, *_ = asked(world)
    answers = world.answers(first)
    forged = replace(answers[5], leaf=bytes(1_024))
    done = world.answer(first, answers=[*answers[:5], forged, *answers[6:]])
    assert done.ok and int.from_bytes(done.data, "big") == Outcome.FAILED
    verdict = world.verdict(first.id)
    assert (verdict.outcome, verdict.held) == (Outcome.FAILED, 0)
    assert (world.ledger(first.id).failed, world.ledger(first.id).proven_leaves) == (1, 0)
    reverts(world.answer(first), interface.AUDIT_IS_OVER)
    honest = world.answers(second)
    assert world.answer(second, answers=honest[:4]).ok
    assert world.answer(second, first=4, octets=encode_answers(honest[4:])[:-1], count=4).ok
    assert (world.verdict(second.id).outcome, world.verdict(second.id).held) == (Outcome.FAILED, 4)
    unrecorded = [RemovedAnswer(answer.placed) for answer in world.answers(third)]
    assert world.answer(third, answers=unrecorded).ok and world.verdict(third.id).outcome is Outcome.FAILED


def test_attack_S2_an_operator_that_answers_with_a_peers_shards_fails(world):
    one, peer, *_ = asked(world)
    assert world.answer(one, answers=[peer.answer(world.challenge(peer), at) for at in range(8)]).ok
    assert world.verdict(one.id).outcome is Outcome.FAILED
    assert world.answer(peer).ok and world.verdict(peer.id).outcome is Outcome.PASSED


def test_attack_S6_nobody_makes_an_operator_fail_or_pass(world):
    """Junk under another's signature, and an operator's own statement about something else, change nothing."""
    one, other, *_ = asked(world)
    refused(world.answer(one, octets=b"\1", signer=OUTSIDER), "struct_is_signed_by")
    refused(world.answer(one, octets=b"\1", signer=other.account), "struct_is_signed_by")
    octets = encode_answers(world.answers(one))
    for struct in (
        ProbeAnswers(HUB, one.id, 2, 0, 8, sha256(octets)),
        ProbeAnswers(HUB, one.id, 1, 0, 7, sha256(octets)),
        ProbeAnswers(HUB, other.id, 1, 0, 8, sha256(octets)),
        ProbeAnswers(sha256(b"another hub"), one.id, 1, 0, 8, sha256(octets)),
        ProbeAnswers(HUB, one.id, 1, 0, 8, sha256(octets[:-1])),
    ):
        signature = signature_of(one.account, signing_digest(struct))
        sent = world.send(interface.SUBMIT_ANSWERS, one.id, 1, 0, 8, octets, signature)
        refused(sent, "struct_is_signed_by")
    assert world.verdict(one.id) is None and world.answer(one).ok


def test_answers_after_the_time_before_the_seed_and_of_other_epochs_are_not_taken():
    made = StorageHub()
    assert made.store(made.batch(0)).ok
    made.until(Phase.COMMITTING)
    one = asked(made)[0]
    early = made.send(interface.SUBMIT_ANSWERS, one.id, 1, 0, 1, b"\1", bytes(65))
    assert reverts(early, interface.AUDIT_IS_OVER) == (one.id, 1)
    made.seeded()
    reverts(made.send(interface.SUBMIT_ANSWERS, one.id, 2, 0, 1, b"\1", bytes(65)), interface.AUDIT_IS_OVER)
    unasked = next(operator for operator in made.operators if made.set_of(operator) is None)
    reverts(made.send(interface.SUBMIT_ANSWERS, unasked, 1, 0, 1, b"\1", bytes(65)), interface.AUDIT_IS_OVER)
    late = encode_answers(made.answers(one))
    made.until(Phase.CLOSED)
    signature = signature_of(one.account, signing_digest(ProbeAnswers(HUB, one.id, 1, 0, 8, sha256(late))))
    reverts(made.send(interface.SUBMIT_ANSWERS, one.id, 1, 0, 8, late, signature), interface.AUDIT_IS_OVER)
    assert made.verdict(one.id).outcome is Outcome.MISSED and made.ledger(one.id).missed == 1


def test_a_pass_under_a_weak_seed_proves_nothing():
    made = StorageHub()
    assert made.store(made.batch(0)).ok
    made.until(Phase.ANSWERING)
    one = asked(made)[0]
    assert made.answer(one).ok
    assert made.verdict(one.id).outcome is Outcome.PASSED and made.verdict(one.id).reveals == 0
    ledger = made.ledger(one.id)
    assert (ledger.passed, ledger.weak, ledger.proven_leaves, ledger.priced) == (1, 1, 0, 0)


def test_whoever_is_drained_is_asked_on_and_whoever_left_is_not(world):
    one, other, *_ = asked(world)
    assert all(done.ok for done in world.decide(world.state(one.id, 3), world.state(other.id, 3)))
    assert world.decide(world.state(other.id, 4))[0].ok
    assert world.answer(one).ok
    world.until(Phase.COMMITTING, 2)
    assert world.set_of(one.id, 2) is not None and world.set_of(other.id, 2) is None


def test_random_signed_answers_never_pass_and_never_halt(world):
    random = Random(5)
    for one in asked(world)[:3]:
        octets = bytearray(encode_answers(world.answers(one)))
        for _ in range(3):
            octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
        assert world.answer(one, octets=bytes(octets), count=8).ok
        assert world.verdict(one.id).outcome is Outcome.FAILED
