"""Seeds, probes and answers: what an operator is asked, and every way not to hold it."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, audit
from hutong.relay.services.storage.rules.audits import answers as answer_rules
from hutong.relay.services.storage.rules.audits.answers import (
    MAX_ANSWER_BYTES,
    LeafAnswer,
    RemovedAnswer,
    decode_answers,
    encode_answer,
    encode_answers,
)
from hutong.relay.services.storage.rules.audits.judging import AuditCount, Removed, judge_answer, judge_answers
from hutong.relay.services.storage.rules.audits.probes import MAX_PROBES, Challenge, probe_leaf
from hutong.relay.services.storage.rules.audits.seed import (
    Auditor,
    epoch_seed,
    hub_id,
    secret_commitment,
    secret_is_the_committed_one,
)
from tests.relay.services.storage.rules.held import drawn_operator, named

HUB = hub_id("hutong-1")
OPERATOR = drawn_operator("audits", [[2, 0, 7], [3], [0, 1, 1], [4]])
OTHER = drawn_operator("other", [[2, 0, 7], [3], [0, 1, 1], [4]])
CHALLENGE = OPERATOR.challenge(named("seed"), 40)
THREE = encode_answers([OPERATOR.answer(CHALLENGE, number) for number in range(3)])


def auditors(count: int, epoch: int = 7) -> tuple[list[Auditor], list[bytes]]:
    pairs = sorted((named(f"auditor {number}"), named(f"secret {number}")) for number in range(count))
    return [Auditor(name, secret_commitment(HUB, name, epoch, secret)) for name, secret in pairs], [
        secret for _, secret in pairs
    ]


def test_a_seed_is_a_hash_over_header_and_secrets():
    committed, secrets = auditors(2)
    seed = epoch_seed(HUB, 7, named("header"), committed, [secrets[0], None])
    tail = b"\x01" + secrets[0] + b"\x00" + committed[1].commitment
    expected = sha256(b"hutong/storage/seed/1" + HUB + (7).to_bytes(8, "big") + named("header") + b"\x02" + tail)
    assert (seed.value, seed.reveals, seed.auditors, seed.is_weak) == (expected.digest(), 1, 2, False)
    assert epoch_seed(HUB, 7, named("header"), committed, [None, None]).is_weak
    assert epoch_seed(HUB, 7, named("header"), [], []).is_weak


def test_a_seed_differs_by_everything_in_it():
    committed, secrets = auditors(3)
    later, _ = auditors(3, 8)
    other = hub_id("hutong-2")
    there = [replace(one, commitment=secret_commitment(other, one.auditor, 7, s)) for one, s in zip(committed, secrets)]
    values = {
        epoch_seed(HUB, 7, named("header"), committed, secrets).value,
        epoch_seed(HUB, 8, named("header"), later, secrets).value,
        epoch_seed(HUB, 7, named("another"), committed, secrets).value,
        epoch_seed(HUB, 7, named("header"), committed[:2], secrets[:2]).value,
        epoch_seed(HUB, 7, named("header"), committed, [*secrets[:2], None]).value,
        epoch_seed(HUB, 7, named("header"), committed, [None, *secrets[1:]]).value,
        epoch_seed(other, 7, named("header"), there, secrets).value,
    }
    assert len(values) == 7


def test_attack_S5_a_secret_that_was_not_committed_to_is_refused():
    committed, secrets = auditors(2)
    secret_is_the_committed_one(HUB, committed[0], 7, secrets[0])
    stolen = Auditor(committed[1].auditor, committed[0].commitment)
    for hub, auditor, epoch, secret in (
        (HUB, committed[0], 7, secrets[1]),
        (HUB, committed[0], 8, secrets[0]),
        (hub_id("hutong-2"), committed[0], 7, secrets[0]),
        (HUB, stolen, 7, secrets[0]),
    ):
        with pytest.raises(PredicateFailed) as refused:
            secret_is_the_committed_one(hub, auditor, epoch, secret)
        assert refused.value.predicate == "secret_is_the_committed_one"
    with pytest.raises(PredicateFailed):
        epoch_seed(HUB, 7, named("header"), committed, [secrets[1], secrets[0]])


def test_attack_S5_auditors_in_another_order_twice_or_too_many_are_refused():
    committed, secrets = auditors(3)
    for wrong, shown in (
        (committed[::-1], secrets[::-1]),
        ([committed[0], committed[0]], [secrets[0]] * 2),
        (committed, secrets[:2]),
        (committed * 6, secrets * 6),
    ):
        with pytest.raises(MalformedInput):
            epoch_seed(HUB, 7, named("header"), wrong, shown)


@pytest.mark.parametrize("chain_id", ["", "x" * 65])
def test_hubs_without_a_name_and_with_a_long_one(chain_id):
    with pytest.raises(MalformedInput):
        hub_id(chain_id)


@pytest.mark.parametrize(("header", "epoch"), [(bytes(31), 7), (bytes(32), -1), (bytes(32), 2**64)])
def test_seeds_of_headers_and_epochs_that_there_are_not(header, epoch):
    with pytest.raises(MalformedInput):
        epoch_seed(HUB, epoch, header, [], [])


def ground(secret: bytes | None) -> int:
    """Tries until a proposer that lost one leaf of every twelve finds a header under which none of 40 probes asks for one."""
    committed, _ = auditors(1)
    for tries in range(1, 3_000):
        header = named(f"header {tries}")
        known = epoch_seed(HUB, 7, header, committed, [None]).value
        asked = epoch_seed(HUB, 7, header, committed, [secret]).value
        if all(probe_leaf(OPERATOR.challenge(known, 40), number) % 12 for number in range(40)):
            return all(probe_leaf(OPERATOR.challenge(asked, 40), number) % 12 for number in range(40))
    raise AssertionError("no header passes")


def test_attack_S5_a_proposer_that_grinds_headers_does_not_know_the_seed():
    """With the secret withheld the header that it chose is the seed's; with the secret revealed it chose nothing."""
    assert ground(None)
    assert not ground(auditors(1)[1][0])


def test_probes_are_drawn_over_leaves_alike():
    challenge = replace(OPERATOR.challenge(named("uniform"), MAX_PROBES))
    counts = [0] * len(OPERATOR.log)
    for number in range(MAX_PROBES):
        batch, _, _ = OPERATOR.place_of(probe_leaf(challenge, number))
        counts[batch] += 1
    for entry, count in zip(OPERATOR.log, counts, strict=True):
        expected = MAX_PROBES * entry.leaves / OPERATOR.set.leaves
        assert abs(count - expected) < 6 * expected**0.5 + 6


def test_probes_differ_by_seed_operator_set_and_number():
    def drawn(challenge: Challenge) -> tuple[int, ...]:
        return tuple(probe_leaf(challenge, number) for number in range(20))

    others = (
        replace(CHALLENGE, seed=named("another")),
        replace(CHALLENGE, operator=OTHER.id),
        replace(CHALLENGE, operator_set=replace(OPERATOR.set, root=OTHER.set.root)),
    )
    assert len({drawn(challenge) for challenge in (CHALLENGE, *others)}) == 4
    assert len(set(drawn(CHALLENGE))) > 10


@pytest.mark.parametrize(("number", "probes"), [(-1, 40), (40, 40), (0, 0), (0, MAX_PROBES + 1)])
def test_probes_that_are_not_asked(number, probes):
    with pytest.raises(PredicateFailed) as refused:
        probe_leaf(OPERATOR.challenge(named("seed"), probes), number)
    assert refused.value.predicate == "probe_is_asked"


def test_an_operator_that_holds_everything_answers_every_probe():
    answers = OPERATOR.answers(CHALLENGE)
    octets = encode_answers(answers)
    assert max(len(encode_answer(answer)) for answer in answers) <= MAX_ANSWER_BYTES
    decoded = decode_answers(octets, OPERATOR.set.size, 40)
    assert list(decoded) == answers
    assert judge_answers(VERIFY, CHALLENGE, 0, decoded, {}) == AuditCount(40, 0)
    assert judge_answers(VERIFY, CHALLENGE, 30, decoded[30:], {}) == AuditCount(10, 0)
    told = audit(judge_answers, CHALLENGE, 0, decoded[:1], {})
    assert all(verdict.held for verdict in told) and told[0].name == "probe 0: batch_stands_in_log"


def refusing(answer, predicate, number=0, challenge=CHALLENGE, removals=None):
    with pytest.raises(PredicateFailed) as refused:
        judge_answer(VERIFY, challenge, number, answer, removals or {})
    assert refused.value.predicate == predicate


def test_attack_S3_leaves_of_other_bytes_paths_and_numbers_are_refused():
    number = next(at for at in range(40) if OPERATOR.answer(CHALLENGE, at).placed.entry.height >= 3)
    answer = OPERATOR.answer(CHALLENGE, number)
    judge_answer(VERIFY, CHALLENGE, number, answer, {})
    entry, index = answer.placed.entry, answer.leaf_index
    neighbour = OPERATOR.answer_leaf(probe_leaf(CHALLENGE, number) + (1 if index + 1 < entry.leaves else -1))
    assert neighbour.placed == answer.placed
    refusing(replace(answer, leaf=bytes(1_024)), "leaf_stands_in_shard", number)
    refusing(replace(answer, leaf=answer.leaf[:-1]), "leaf_stands_in_shard", number)
    refusing(replace(answer, leaf_path=answer.leaf_path[:-1]), "path_is_canonical", number)
    refusing(replace(answer, leaf_path=(*answer.leaf_path, bytes(32))), "path_is_canonical", number)
    refusing(replace(answer, leaf_path=answer.leaf_path[::-1]), "leaf_stands_in_shard", number)
    refusing(neighbour, "answer_is_of_the_leaf", number)
    refusing(replace(neighbour, leaf_index=index), "leaf_stands_in_shard", number)


def test_attack_S3_a_node_shown_as_a_leaf_is_refused():
    """64 bytes of two children are no leaf of 1 024; hashed with another prefix they are no node either."""
    answer = next(OPERATOR.answer(CHALLENGE, at) for at in range(40) if OPERATOR.answer(CHALLENGE, at).leaf_path)
    number = next(at for at in range(40) if OPERATOR.answer(CHALLENGE, at) == answer)
    own = sha256(b"\0" + answer.leaf).digest()
    pair = answer.leaf_path[0] + own if answer.leaf_index & 1 else own + answer.leaf_path[0]
    refusing(replace(answer, leaf=pair, leaf_path=answer.leaf_path[1:]), "leaf_stands_in_shard", number)
    refusing(
        replace(answer, leaf=pair.ljust(1_024, b"\0"), leaf_path=answer.leaf_path[1:]), "path_is_canonical", number
    )


def test_attack_S4_an_answer_out_of_another_shard_or_batch_is_refused():
    places = [OPERATOR.place_of(probe_leaf(CHALLENGE, number)) for number in range(40)]
    asked = next(number for number, place in enumerate(places) if place[0] == 0)
    batch, entry, _ = places[asked]
    for other in range(OPERATOR.set.leaves):
        where = OPERATOR.place_of(other)
        if where[0] != batch:
            refusing(OPERATOR.answer_leaf(other), "batch_holds_the_leaf", asked)
        elif where[1] != entry:
            refusing(OPERATOR.answer_leaf(other), "shard_holds_the_leaf", asked)


def test_attack_S6_answers_to_another_operator_epoch_or_set_are_refused():
    answer = OPERATOR.answer(CHALLENGE, 0)
    judge_answer(VERIFY, CHALLENGE, 0, answer, {})
    refusing(OTHER.answer(OTHER.challenge(named("seed"), 40), 0), "batch_stands_in_log")
    yesterday = next(
        name for name in "abcdef" if probe_leaf(OPERATOR.challenge(named(name), 40), 0) != probe_leaf(CHALLENGE, 0)
    )
    with pytest.raises(PredicateFailed):
        judge_answer(VERIFY, OPERATOR.challenge(named(yesterday), 40), 0, answer, {})
    grown = drawn_operator("audits", [[2, 0, 7], [3], [0, 1, 1], [4], [1]])
    with pytest.raises(PredicateFailed):
        judge_answer(VERIFY, replace(CHALLENGE, operator_set=grown.set), 0, answer, {})


def test_answers_in_another_order_and_one_too_many_are_refused():
    answers = OPERATOR.answers(CHALLENGE)
    swapped = [answers[1], answers[0], *answers[2:]]
    assert answers[0] != answers[1]
    for wrong, predicate in ((swapped, None), ([*answers, answers[0]], "probe_is_asked")):
        with pytest.raises(PredicateFailed) as refused:
            judge_answers(VERIFY, CHALLENGE, 0, wrong, {})
        assert predicate in (None, refused.value.predicate)


def test_attack_S7_a_removed_shard_is_answered_by_its_record_alone():
    answer = OPERATOR.answer(CHALLENGE, 0)
    removed, entry = RemovedAnswer(answer.placed), answer.placed.entry
    octets = encode_answers([removed])
    assert decode_answers(octets, OPERATOR.set.size, 1) == (removed,)
    batch = answer.placed.log_entry.batch
    recorded = {(batch, entry.pack): Removed(1 << entry.shard, 1)}
    assert judge_answers(VERIFY, CHALLENGE, 0, [removed], recorded) == AuditCount(0, 1)
    refusing(removed, "removal_is_recorded")
    every = Removed(2**64 - 1, 2**62)
    others = replace(every, shards=~(1 << entry.shard) & 2**64 - 1)
    refusing(removed, "removal_is_recorded", removals={(batch, entry.pack): others})
    refusing(removed, "removal_is_recorded", removals={(batch, named("other")): every})
    refusing(removed, "removal_is_recorded", removals={(batch + 1, entry.pack): every})
    other = next(
        OPERATOR.answer(CHALLENGE, at) for at in range(40) if OPERATOR.answer(CHALLENGE, at).placed != answer.placed
    )
    with pytest.raises(PredicateFailed):
        place = (other.placed.log_entry.batch, other.placed.entry.pack)
        judge_answer(VERIFY, CHALLENGE, 0, RemovedAnswer(other.placed), {place: every})


def test_attack_S7_a_removal_counts_only_after_the_retention_of_the_probed_entry():
    """A writer makes a second entry of its shard, without retention, and has that removed."""
    retained = drawn_operator("retained", [[2, 0, 7], [3]], retain_until_s=1_900_000_000)
    challenge = retained.challenge(named("seed"), 1)
    answer = RemovedAnswer(retained.answer(challenge, 0).placed)
    place = (answer.placed.log_entry.batch, answer.placed.entry.pack)
    for time_s in (1_800_000_000, 1_900_000_000):
        recorded = {place: Removed(2**64 - 1, time_s)}
        refusing(answer, "removal_is_recorded", challenge=challenge, removals=recorded)
    after = {place: Removed(2**64 - 1, 1_900_000_001)}
    assert judge_answers(VERIFY, challenge, 0, [answer], after) == AuditCount(0, 1)


@settings(max_examples=100)
@given(st.data())
def test_attack_S3_changed_bytes_of_answers_are_refused(data):
    """Cut, changed or lengthened: there is no byte to choose."""
    octets = bytearray(THREE)
    kind = data.draw(st.sampled_from(["change", "cut", "insert", "swap"]))
    at = data.draw(st.integers(0, len(octets) - 1))
    if kind == "change":
        octets[at] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del octets[at : at + data.draw(st.integers(1, 64))]
    elif kind == "insert":
        octets[at:at] = data.draw(st.binary(min_size=1, max_size=64))
    else:
        octets[:] = octets[at:] + octets[:at]
        if at == 0:
            return
    with pytest.raises((MalformedInput, PredicateFailed)):
        judge_answers(VERIFY, CHALLENGE, 0, decode_answers(bytes(octets), OPERATOR.set.size, 3), {})


def test_answers_above_the_bounds_are_refused(monkeypatch):
    octets = encode_answers(OPERATOR.answers(replace(CHALLENGE, probes=2)))
    decode_answers(octets, OPERATOR.set.size, 2)
    for wrong, count in ((octets, 1), (octets, 3), (b"\3" + octets[1:], 2), (octets, -1), (octets * 5, 2)):
        with pytest.raises(MalformedInput):
            decode_answers(wrong, OPERATOR.set.size, count)
    monkeypatch.setattr(answer_rules, "MAX_ANSWERS", 1)
    with pytest.raises(MalformedInput):
        decode_answers(octets, OPERATOR.set.size, 2)


def test_a_leaf_number_above_the_shards_is_malformed():
    answer = OPERATOR.answer(CHALLENGE, 0)
    wrong = encode_answer(replace(answer, leaf_index=answer.placed.entry.leaves))
    with pytest.raises(MalformedInput, match="no such leaf"):
        decode_answers(wrong, OPERATOR.set.size, 1)
    assert isinstance(answer, LeafAnswer)
