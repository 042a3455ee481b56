"""StorageAudit.sol: verdicts by one record, probes judged on the chain, and what of both is refused."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.rules.audits.answers import RemovedAnswer, encode_answers
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import Outcome, RemovalRecord, encode_removal_record
from tests.contracts.evm import Reverted
from tests.contracts.storage.audit_lane import (
    ANSWERS,
    CHALLENGE,
    EPOCH,
    MAX_AGE_S,
    OPERATOR,
    PEER,
    PROBES,
    SEED,
    SEED_KEY,
    TERMS,
    VERDICT_KEY,
    ready,
)
from tests.relay.services.storage.rules.held import drawn_operator, named


def refused(call, name):
    with pytest.raises(Reverted) as caught:
        call()
    assert caught.value.name == name, str(caught.value)
    return caught.value.arguments


@pytest.fixture
def world():
    return ready()


def test_a_verdict_is_accepted_by_one_record(world):
    verdict = world.verdict()
    shown = world.show_verdict(verdict)
    said = (1, PROBES, PROBES, 0, 2, SEED.seed, OPERATOR.set.root, 510, verdict.time_s)
    assert world.accept(shown) == said == world.read(shown)
    assert world.audit.call("hubReader") == world.hub.reader.text
    removed = world.show_verdict(world.verdict(held=PROBES - 2, removed=2))
    assert world.accept(removed)[2:4] == (PROBES - 2, 2)


def test_attack_S30_a_failed_or_missed_verdict_is_refused_and_can_be_read(world):
    for outcome in (Outcome.FAILED, Outcome.MISSED):
        shown = world.show_verdict(world.verdict(outcome, held=PROBES - 1))
        assert refused(lambda shown=shown: world.accept(shown), "AuditNotPassed") == (outcome, PROBES, PROBES - 1, 0)
        assert world.read(shown)[0] == outcome


def test_attack_S30_a_weak_verdict_is_refused(world):
    weak = world.show_verdict(world.verdict(reveals=0))
    assert refused(lambda: world.accept(weak), "WeakSeed") == (0, 1)
    refused(lambda: world.accept(weak, replace(TERMS, min_reveals=0)), "WeakTerms")
    one = world.show_verdict(world.verdict(reveals=1))
    assert world.accept(one)[4] == 1
    assert refused(lambda: world.accept(one, replace(TERMS, min_reveals=2)), "WeakSeed") == (1, 2)
    assert refused(lambda: world.accept(one, replace(TERMS, min_probes=PROBES + 1)), "TooFewProbes") == (
        PROBES,
        PROBES + 1,
    )


def test_attack_S30_a_stale_verdict_is_refused(world):
    verdict = world.verdict()
    shown = world.show_verdict(verdict)
    age_s = world.hub.now_s - verdict.time_s
    assert world.accept(shown, replace(TERMS, max_age_s=age_s + 1))
    assert refused(lambda: world.accept(shown, replace(TERMS, max_age_s=age_s)), "StaleVerdict")[:2] == (
        verdict.time_s,
        age_s,
    )
    later = world.hub.now_s + MAX_AGE_S
    with world.evm.at(later):
        refused(lambda: world.accept(shown), "StaleHeader")
        refused(lambda: world.read(shown), "StaleHeader")
    renewed = world.hub.shown([VERDICT_KEY], world.hub.publish(), epochs=())
    with world.evm.at(verdict.time_s + MAX_AGE_S):
        refused(lambda: world.accept(renewed), "StaleVerdict")


def test_attack_S30_a_verdict_of_another_operator_epoch_or_hub_is_refused(world):
    shown = world.show_verdict()
    for other in ({"operator": PEER.id}, {"epoch": EPOCH + 1}):
        assert refused(lambda other=other: world.accept(shown, **other), "InvalidProof") == ("root_matches",)
    others_key = keys.verdict_key(PEER.id, EPOCH)
    theirs = world.show_verdict(key=others_key)
    refused(lambda: world.accept(theirs), "InvalidProof")
    assert world.accept(theirs, operator=PEER.id)
    foreign = ready()
    foreign.hub.publish({b"of another hub": b"\1"})
    elsewhere = foreign.show_verdict()
    assert elsewhere.height == theirs.height, "a height that this chain's client knows, of another state"
    assert refused(lambda: world.accept(elsewhere), "InvalidProof") == ("root_matches",)
    nothing = world.hub.shown([keys.verdict_key(OPERATOR.id, EPOCH + 1)], world.hub.publish(), epochs=())
    assert refused(lambda: world.accept(nothing, epoch=EPOCH + 1), "NotRecorded") == (
        keys.verdict_key(OPERATOR.id, EPOCH + 1),
    )


def test_attack_S30_a_record_that_is_no_verdict_is_refused(world):
    good = world.show_verdict().records[0].value
    for wrong in (
        b"\2" + good[1:],
        good + bytes(32),
        good[:-1],
        good[:32] + b"\4" + good[33:],
        good[:32] + b"\2" + good[33:],
    ):
        shown = world.hub.show({VERDICT_KEY: wrong}, epochs=())
        refused(lambda shown=shown: world.accept(shown), "MalformedStorageRecord")


def test_answers_to_probes_are_judged_on_the_chain(world):
    shown = world.show_epoch()
    assert world.probe(shown) == (PROBES, 0, PROBES)
    assert world.probe(shown, ANSWERS[3:5], first=3) == (2, 0, PROBES)
    entry = ANSWERS[0].placed.entry
    key = keys.removal_key(ANSWERS[0].placed.log_entry.batch, entry.pack)
    shown = world.show_epoch(removals={key: encode_removal_record(RemovalRecord(1 << entry.shard, 470, 1))})
    assert world.probe(shown, [RemovedAnswer(ANSWERS[0].placed), *ANSWERS[1:]]) == (PROBES - 1, 1, PROBES)


def test_attack_S31_answers_that_are_not_those_to_the_probes_are_refused(world):
    shown = world.show_epoch()
    peers = [PEER.answer(CHALLENGE, number) for number in range(PROBES)]
    assert refused(lambda: world.probe(shown, peers), "AnswerRefused") == (0, "batch_stands_in_log")
    free = replace(ANSWERS[4], leaf=peers[4].leaf, leaf_path=peers[4].leaf_path)
    assert refused(lambda: world.probe(shown, [*ANSWERS[:4], free, *ANSWERS[5:]]), "AnswerRefused") == (
        4,
        "leaf_stands_in_shard",
    )
    refused(lambda: world.probe(shown, ANSWERS[:4], first=1), "AnswerRefused")
    assert refused(lambda: world.probe(shown, ANSWERS[:1], first=PROBES), "AnswerRefused")[1] == "probe_is_asked"
    removed = [RemovedAnswer(ANSWERS[0].placed)]
    assert refused(lambda: world.probe(shown, removed), "AnswerRefused") == (0, "removal_is_recorded")
    octets = encode_answers(ANSWERS[:2])
    for wrong, count in ((octets, 1), (octets, 3), (octets[:-1], 2), (octets + b"\0", 2), (octets, 1_025), (octets, 0)):
        refused(lambda wrong=wrong, count=count: world.probe(shown, wrong, count=count), "MalformedAnswer")


def test_attack_S31_a_removal_of_another_shard_pack_or_batch_or_before_its_retention_is_no_answer(world):
    entry, batch = ANSWERS[0].placed.entry, ANSWERS[0].placed.log_entry.batch
    for at, pack, shards in (
        (batch, entry.pack, 1 << (entry.shard + 1)),
        (batch, named("another pack"), 1 << entry.shard),
        (batch + 1, entry.pack, 1 << entry.shard),
    ):
        record = encode_removal_record(RemovalRecord(shards, 470, 1))
        shown = world.show_epoch(removals={keys.removal_key(at, pack): record})
        refusal = refused(lambda shown=shown: world.probe(shown, [RemovedAnswer(ANSWERS[0].placed)]), "AnswerRefused")
        assert refusal == (0, "removal_is_recorded")
    retained = drawn_operator("retained", [[2, 0], [3]], retain_until_s=1_000)
    answer = RemovedAnswer(retained.answer(retained.challenge(SEED.seed, PROBES), 0).placed)
    key = keys.removal_key(answer.placed.log_entry.batch, answer.placed.entry.pack)
    for time_s in (1_000, 1_001):
        record = encode_removal_record(RemovalRecord(1 << answer.placed.entry.shard, 470, time_s))
        shown = world.show_retained(retained, {key: record})
        if time_s > 1_000:
            assert world.probe(shown, [answer], operator=retained.id) == (0, 1, PROBES)
        else:
            refused(lambda shown=shown: world.probe(shown, [answer], operator=retained.id), "AnswerRefused")


def test_attack_S31_a_weak_seed_late_answers_and_a_set_for_the_probes_are_refused(world):
    for changed, name in (({"reveals": 0}, "WeakSeed"), ({"due_s": world.hub.now_s - 5}, "AnswersLate")):
        shown = world.show_epoch(world.seed_record(**changed))
        refused(lambda shown=shown: world.probe(shown), name)
    for height in (500, 501):
        shown = world.show_epoch(set_height=height)
        assert refused(lambda shown=shown: world.probe(shown), "SetNotOlder") == (height, 500)
    shown = world.show_epoch(set_height=499)
    assert world.probe(shown)
    refused(lambda: world.probe(shown, terms=replace(TERMS, min_probes=PROBES + 1)), "TooFewProbes")
    refused(lambda: world.probe(shown, terms=replace(TERMS, min_reveals=0)), "WeakTerms")


def test_attack_S31_probes_of_another_operator_seed_or_without_records_are_refused(world):
    shown = world.show_epoch()
    refused(lambda: world.probe(shown, operator=PEER.id), "NotRecorded")
    alone = world.hub.shown([SEED_KEY], shown.height.revision_height, epochs=())
    refused(lambda: world.probe(alone), "NotRecorded")
    theirs = world.show_epoch(operator_set=PEER.set)
    assert refused(lambda: world.probe(theirs), "AnswerRefused")[1] == "batch_stands_in_log"
    another = world.show_epoch(world.seed_record(seed=named("another seed")))
    refused(lambda: world.probe(another), "AnswerRefused")
    with world.evm.at(world.hub.now_s + MAX_AGE_S):
        refused(lambda: world.probe(another), "StaleHeader")


def test_a_contract_that_is_no_reader_is_refused(world):
    for address in (world.token.address, b"\x01" * 20):
        with pytest.raises(Reverted):
            world.evm.deploy("StorageAudit", address)


def test_calls_take_one_verdict(world):
    shown = world.show_epoch()
    with pytest.raises(MalformedInput, match="a verdict is one record"):
        world.accept(shown)
