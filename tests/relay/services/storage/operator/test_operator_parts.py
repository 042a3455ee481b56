"""Parts signed, the log as the hub has it, placed entries, and answers to probes."""

from dataclasses import replace
from hashlib import sha256

import pytest
import trio

from hutong.light_clients.interface import VERIFY
from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.engines.engine import EngineUnavailable
from hutong.relay.services.storage.operator.answering import NoSuchAudit, ProbeLost
from hutong.relay.services.storage.operator.desk import Bounds
from hutong.relay.services.storage.operator.hub_door import Logged
from hutong.relay.services.storage.operator.hub_work import NotThisHub
from hutong.relay.services.storage.operator.index import ShardKey
from hutong.relay.services.storage.rules.audits.answers import RemovedAnswer, decode_answers
from hutong.relay.services.storage.rules.audits.judging import Removed, judge_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.calls import SUBMIT_ANSWERS
from hutong.relay.services.storage.rules.commitments.entries import (
    BatchPart,
    OperatorSet,
    batch_part,
    decode_log_entry,
    decode_shard_entry,
)
from hutong.relay.services.storage.rules.commitments.placed import decode_placed, judge_placed, shown_set
from hutong.relay.services.storage.rules.lifecycle.signed import (
    OperatorPart,
    ProbeAnswers,
    parts_hash,
    struct_is_signed_by,
)
from hutong.relay.services.storage.rules.operator_api.documents import decode_part
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.batches import BatchRecord, encode_batch_record
from hutong.relay.services.storage.rules.records.rounds import (
    AnsweredRecord,
    ClockRecord,
    Phase,
    encode_answered_record,
    encode_clock_record,
)
from hutong.relay.services.storage.rules.records.values import (
    SeedRecord,
    SetRecord,
    encode_seed_record,
    encode_set_record,
)
from hutong.relay.services.storage.rules.repairing import RepairedPart, part_hashes
from tests.relay.services.storage.operator.running import (
    IDENTITY,
    NOW,
    OTHER,
    REPAIRER,
    WRITER,
    HubOfRecords,
    RunningOperator,
    drawn_shard,
    entry_of,
    path_of,
    running,
    token,
)
from tests.relay.services.storage.operator.test_operator_puts import code_of
from tests.relay.services.storage.rules.held import entries_of, named

pytestmark = pytest.mark.trio
ONE, TWO, THREE = drawn_shard("one", height=2), drawn_shard("two", height=7), drawn_shard("three", height=0)


async def test_attack_S42_a_part_is_signed_when_all_of_it_is_held(tmp_path):
    async with running(tmp_path) as operator:
        await operator.stored(ONE)
        answer = await operator.sign_part(5, ONE, TWO)
        assert code_of(answer) == "conflict" and "entry 1" in answer.json()["detail"]
        await operator.stored(TWO)
        first, again = await operator.sign_part(5, ONE, TWO), await operator.sign_part(5, ONE, TWO)
        assert first.content == again.content
        signed = decode_part(first.content)
        assert (signed.part.sequence, signed.part.writer, signed.part.part.leaves) == (5, WRITER, 4 + 128)
        struct_is_signed_by(signed.part, signed.signature, operator.account)
        assert (await operator.ask("GET", path_of(ONE))).json()["state"] == "signed"


async def test_entries_that_are_not_what_is_held_are_named(tmp_path):
    async with running(tmp_path) as operator:
        await operator.stored(ONE, TWO)
        assert code_of(await operator.sign_part(5, drawn_shard("one", height=2, retain_until_s=9))) == "conflict"
        assert code_of(await operator.sign_part(5, ONE, ONE)) == "bad_request"
        operator.index.mark_damaged(ShardKey(WRITER, TWO.pack, TWO.shard), NOW)
        answer = await operator.sign_part(5, ONE, TWO)
        assert code_of(answer) == "conflict" and "damaged" in answer.json()["detail"]
        operator.token = token(OTHER)
        assert code_of(await operator.sign_part(5, ONE)) == "conflict"


async def test_attack_S42_parts_of_several_batches_do_not_count_a_shard_twice(tmp_path):
    hub = HubOfRecords()
    async with running(tmp_path, hub=hub) as operator:
        await operator.stored(ONE, TWO, THREE)
        first = decode_part((await operator.sign_part(5, ONE, TWO)).content)
        other = await operator.sign_part(5, TWO, THREE)
        assert other.status_code == 200
        assert code_of(await operator.sign_part(6, TWO)) == "conflict"
        hub.store(first.part.part, 5)
        await operator.work.follow()
        states = [(await operator.ask("GET", path_of(one))).json()["state"] for one in (ONE, TWO, THREE)]
        assert states == ["placed", "placed", "pending"]
        assert code_of(await operator.sign_part(6, ONE)) == "conflict"
        assert (await operator.sign_part(6, THREE)).status_code == 200


async def filled(operator: RunningOperator) -> list[int]:
    return [await operator.batched(0, ONE, TWO), await operator.batched(1, THREE)]


async def test_placed_entries_stand_in_the_hubs_set_of_their_time(tmp_path):
    hub = HubOfRecords()
    async with running(tmp_path, hub=hub) as operator:
        await filled(operator)
    # Everything again from the index, as after a start.
    async with running(tmp_path, hub=hub) as operator:
        for size, shard in ((1, TWO), (2, TWO), (2, THREE)):
            answer = await operator.ask("GET", f"{path_of(shard)}/placed?size={size}")
            held = shown_set([one.entry for one in hub.events[:size]])
            entry = judge_placed(VERIFY, held, decode_placed(answer.content, size))
            assert (entry.pack, entry.shard, entry.root) == (shard.pack, shard.shard, entry_of(shard).root)
        assert (await operator.ask("GET", f"{path_of(TWO)}/placed")).status_code == 200
        for size in (0, 1, 3):
            assert code_of(await operator.ask("GET", f"{path_of(THREE)}/placed?size={size}")) == "not_placed"


async def test_the_log_shows_every_entry_of_the_set(tmp_path):
    hub = HubOfRecords()
    async with running(tmp_path, hub=hub) as operator:
        await filled(operator)
        found = (await operator.client.get("/v1/log")).json()
        assert found["size"] == 2
        log = [decode_log_entry(bytes.fromhex(one["log"])) for one in found["entries"]]
        assert shown_set(log) == hub.set
        shards = [decode_shard_entry(bytes.fromhex(one)) for entry in found["entries"] for one in entry["shards"]]
        assert [(one.pack, one.first) for one in shards] == [(ONE.pack, 0), (TWO.pack, 4), (THREE.pack, 0)]
        assert len((await operator.client.get("/v1/log?first=1")).json()["entries"]) == 1
        assert (await operator.client.get("/v1/log?first=9")).json() == {"size": 2, "entries": []}


async def test_repairs_are_the_owners_shards_and_the_repairers_part(tmp_path):
    hub, lost = HubOfRecords(), named("who lost it")
    parts = [OperatorPart(IDENTITY.hub, WRITER, 4, lost, batch_part(entries_of([ONE])))]
    standing = BatchRecord(WRITER, WRITER, 4, 1, 0, parts_hash(parts), 1, 1, 1, NOW)
    hub.records[keys.batch_key(3)] = encode_batch_record(standing)
    repaired = RepairedPart(3, 0, lost, part_hashes(parts))
    async with running(tmp_path, hub=hub) as operator:
        owner = f"owner={WRITER.hex()}"
        refused = await operator.sign_part(0, ONE, repairs=repaired)
        assert code_of(refused) == "bad_request"
        operator.token = token(REPAIRER)
        assert (await operator.put(ONE, query=f"&{owner}")).status_code == 201
        assert code_of(await operator.sign_part(0, ONE, query=f"?{owner}")) == "forbidden"
        unknown = replace(repaired, batch=2)
        assert code_of(await operator.sign_part(0, ONE, query=f"?{owner}", repairs=unknown)) == "wrong_root"
        answer = await operator.sign_part(0, ONE, query=f"?{owner}", repairs=repaired)
        assert answer.status_code == 200, answer.text
        part = decode_part(answer.content)
        assert part.part.writer == REPAIRER
        hub.store(part.part.part, 0, REPAIRER, WRITER)
        await operator.work.follow()
        operator.token = token(WRITER)
        assert (await operator.ask("GET", path_of(ONE))).json()["state"] == "placed"


@pytest.mark.parametrize("change", ["gap", "unsigned", "other"])
async def test_a_log_that_is_not_this_operators_is_refused(tmp_path, change):
    hub = HubOfRecords()
    async with running(tmp_path, hub=hub) as operator:
        await operator.batched(0, ONE)
        if change == "gap":
            hub.events.append(Logged(2, hub.events[0].entry))
        elif change == "unsigned":
            hub.store(BatchPart(4, 1, named("root")), 7)
        else:
            other = HubOfRecords()
            other.store(BatchPart(4, 1, named("root")), 0)
            hub.events = [*hub.events, other.events[0]]
        with pytest.raises(NotThisHub):
            await operator.work.follow()
        assert operator.desk.parts.log.size == 1


def judged(octets: bytes, held: OperatorSet, seed: bytes, probes: int, removals=None):
    challenge = Challenge(seed, IDENTITY.operator, held, probes)
    answers = decode_answers(octets, held.size, probes)
    judge_answers(VERIFY, challenge, 0, answers, removals or {})
    return answers


async def test_anybodys_seed_is_answered_under_the_newest_set(tmp_path):
    hub, seed = HubOfRecords(), named("a seed")
    async with running(tmp_path, hub=hub) as operator:
        asked = b'{"seed":"%s","probes":24,"first":0,"count":24}' % seed.hex().encode()
        assert code_of(await operator.ask("POST", "/v1/probes", asked, content_type="application/json")) == "not_placed"
        await filled(operator)
        found = (await operator.ask("POST", "/v1/probes", asked, content_type="application/json")).content
        held = OperatorSet(found[:32], int.from_bytes(found[32:40], "big"), int.from_bytes(found[40:48], "big"))
        assert held == hub.set
        judged(found[48:], held, seed, 24)


@pytest.mark.parametrize(
    "members",
    [
        '"probes":24,"first":0,"count":24', '"seed":"00","probes":24,"first":0,"count":24',
        '"seed":"%s","probes":24,"first":8,"count":24', '"seed":"%s","probes":4097,"first":0,"count":1',
        '"seed":"%s","probes":24,"first":0,"count":0', '"seed":"%s","probes":24,"first":0,"count":1,"x":1',
    ],
)  # fmt: skip
async def test_rehearsals_out_of_their_bounds_are_refused(tmp_path, members):
    body = ("{" + members.replace("%s", named("s").hex()) + "}").encode()
    async with running(tmp_path) as operator:
        assert code_of(await operator.ask("POST", "/v1/probes", body, content_type="application/json")) == "bad_request"


EPOCH, SEED = 7, named("the seed of an epoch")


def begin_epoch(hub: HubOfRecords, probes: int = 40) -> None:
    assert hub.set is not None
    hub.records[keys.CLOCK_KEY] = encode_clock_record(
        ClockRecord(EPOCH, Phase.ANSWERING, 10, NOW, 26, named("header"), NOW, NOW + 300)
    )
    hub.records[keys.seed_key(EPOCH)] = encode_seed_record(
        SeedRecord(SEED, named("header"), 26, NOW + 300, probes, 1, 1)
    )
    hub.records[keys.set_key(IDENTITY.operator, EPOCH)] = encode_set_record(SetRecord(hub.set, 9))


class JudgingHub(HubOfRecords):
    """Counts what it is sent, as the module does."""

    answered = 0
    answers: bytes = b""

    async def send(self, call: bytes) -> None:
        operator, epoch, first, count, octets, signature = SUBMIT_ANSWERS.decode(call)
        assert (operator, epoch, first) == (IDENTITY.operator, EPOCH, self.answered)
        self.answered += count
        self.answers += octets
        self.records[keys.answered_key(IDENTITY.operator)] = encode_answered_record(
            AnsweredRecord(EPOCH, self.answered, 0)
        )
        assert len(call) < 128 * 1_024 and len(signature) == 65


async def test_an_epoch_of_the_hub_is_answered_whole_and_once(tmp_path):
    hub = JudgingHub()
    async with running(tmp_path, hub=hub) as operator:
        await filled(operator)
        assert await operator.work.answer() is None
        begin_epoch(hub)
        audited = await operator.work.answer()
        assert (audited.epoch, audited.answered, hub.answered) == (EPOCH, 40, 40)
        judged(hub.answers, hub.set, SEED, 40)
        await operator.work.answer()
        assert hub.answered == 40


async def test_answers_of_an_epoch_are_shown_to_anybody_signed(tmp_path):
    hub = JudgingHub()
    async with running(tmp_path, hub=hub) as operator:
        await filled(operator)
        assert code_of(await operator.client.get(f"/v1/answers/{EPOCH}?first=0&count=40")) == "not_found"
        begin_epoch(hub)
        found = (await operator.client.get(f"/v1/answers/{EPOCH}?first=0&count=40")).content
        signature, octets = found[:65], found[65:]
        judged(octets, hub.set, SEED, 40)
        struct = ProbeAnswers(IDENTITY.hub, IDENTITY.operator, EPOCH, 0, 40, sha256(octets).digest())
        struct_is_signed_by(struct, signature, operator.account)
        assert code_of(await operator.client.get(f"/v1/answers/{EPOCH}?first=8&count=40")) == "bad_request"


async def test_attack_S43_a_lost_leaf_is_named_and_nothing_is_signed_over_it(tmp_path):
    hub = JudgingHub()
    async with running(tmp_path, hub=hub) as operator:
        await filled(operator)
        begin_epoch(hub)
        for name in list(operator.engine.names("")):
            if TWO.pack.hex() in name:
                rotten = bytearray(operator.engine.read_back(name))
                rotten[64:] = bytes(len(rotten) - 64)
                operator.engine.replace(name, bytes(rotten))
        with pytest.raises(ProbeLost, match=TWO.pack.hex()):
            await operator.work.answer()
        assert hub.answered == 0
        answer = await operator.client.get(f"/v1/answers/{EPOCH}?first=0&count=40")
        assert code_of(answer) == "lost" and TWO.pack.hex() in answer.json()["detail"]


async def test_removed_shards_are_answered_by_their_removal(tmp_path):
    hub = JudgingHub()
    async with running(tmp_path, hub=hub) as operator:
        first, _ = await filled(operator)
        hub.remove(first, TWO.pack, TWO.shard)
        assert (await operator.ask("DELETE", path_of(TWO))).status_code == 200
        begin_epoch(hub)
        await operator.work.answer()
        answers = judged(hub.answers, hub.set, SEED, 40, {(first, TWO.pack): Removed(1 << TWO.shard, NOW)})
        assert any(isinstance(one, RemovedAnswer) for one in answers)


async def test_attack_S43_no_answer_leaves_that_the_hub_would_fail(tmp_path):
    """A shard that is gone here and whose removal the hub does not know: signed, it would fail the audit at once."""
    hub = JudgingHub()
    async with running(tmp_path, hub=hub) as operator:
        first, _ = await filled(operator)
        hub.remove(first, TWO.pack, TWO.shard)
        await operator.ask("DELETE", path_of(TWO))
        begin_epoch(hub)
        record = hub.records.pop(keys.removal_key(first, TWO.pack))
        with pytest.raises(ProbeLost, match="never removed"):
            await operator.work.answer()
        assert hub.answered == 0
        hub.records[keys.removal_key(first, TWO.pack)] = record
        assert (await operator.work.answer()).answered == 40


async def test_another_set_than_the_logs_is_not_answered(tmp_path):
    hub = JudgingHub()
    async with running(tmp_path, hub=hub) as operator:
        await filled(operator)
        begin_epoch(hub)
        for wrong in (OperatorSet(named("root"), 2, hub.set.leaves), OperatorSet(hub.set.root, 3, hub.set.leaves)):
            hub.records[keys.set_key(IDENTITY.operator, EPOCH)] = encode_set_record(SetRecord(wrong, 9))
            with pytest.raises(NoSuchAudit):
                await operator.work.answer()
        assert hub.answered == 0


@pytest.mark.long
async def test_an_epoch_is_answered_once_the_engine_is_back(tmp_path):
    """Neither an engine that is away nor a fault that nobody foresaw ends the work."""

    class Away(DirectoryEngine):
        failures = 0

        def read(self, name, start, size):
            self.failures += 1
            if self.failures == 1:
                raise EngineUnavailable("s3://shards does not answer: EndpointConnectionError")
            if self.failures == 2:
                raise RuntimeError("nobody foresaw this")
            return super().read(name, start, size)

    hub, engine = JudgingHub(), Away(tmp_path / "shards")
    async with running(tmp_path, engine, hub=hub) as operator:
        await filled(operator)
        begin_epoch(hub)
        with trio.fail_after(120):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(operator.work.keep_working, 0)
                while hub.answered < 40:
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
        assert engine.failures > 2


async def test_what_anybody_may_ask_is_bounded(tmp_path):
    hub = JudgingHub()
    async with running(tmp_path, hub=hub, bounds=Bounds(wait_s=0)) as operator:
        await filled(operator)
        begin_epoch(hub)
        async with operator.desk.showing("one"), operator.desk.showing("another"):
            for path in ("/v1/log", f"/v1/answers/{EPOCH}?first=0&count=40"):
                assert code_of(await operator.client.get(path)) == "busy"
            assert (await operator.ask("GET", path_of(ONE))).status_code == 200
        assert (await operator.client.get("/v1/log")).status_code == 200
