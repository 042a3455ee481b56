"""Records for a HubReader over HTTP and through the SDK: what comes is read by the real contract, under its own client's root."""

import json
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.evm import hub_reader as adapter_form
from hutong.light_clients.records import epoch_key
from hutong.relay.schemas.records import ReaderProof, ShownEpoch, ShownRecord
from hutong.relay.sdk import ApiProblem, Hutong, InvalidArgument, TrioHutong
from hutong.sdk.hub_reader import (
    Answer,
    Presence,
    arguments_of,
    decode_answer,
    decode_answers,
    encode_keep,
    encode_read,
    encode_read_cached,
    encode_read_many,
)
from tests.contracts.evm import Reverted
from tests.contracts.records.reader_lane import SOURCE, slot_key
from tests.relay.api.api_world import api_under_trio, config_of, simulated_adapters
from tests.relay.api.reading.test_cases import report, written
from tests.relay.core.observing.reader_world import HubSource, ReaderChain, ReaderWorld

KEYS = (slot_key(1), slot_key(2), slot_key(3))
WORD = (42).to_bytes(32, "big")


class OnTop:
    """A simulated chain, whose clients or state are those of the reader's world."""

    def __init__(self, below, above, *names):
        self._below, self._above, self._names = below, above, names

    def __getattr__(self, name):
        return getattr(self._above if name in self._names else self._below, name)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A reader on beta; the hub has observed a value under the first key, nothing under the second, and never the third."""
    world = ReaderWorld(tmp_path_factory.mktemp("reads"))
    world.lane.publish({KEYS[0]: world.lane.observed(WORD), KEYS[1]: world.lane.observed(None)})
    return world


@pytest.fixture
def adapters(world):
    below = simulated_adapters()
    return below | {
        "beta": OnTop(below["beta"], ReaderChain(world), "client", "consensus_state"),
        "hub": OnTop(below["hub"], HubSource(world), "prove_all"),
    }


def hexed(*keys):
    return [f"0x{key.hex()}" for key in keys]


async def test_what_the_sdk_is_given_the_contract_reads(tmp_path, world, adapters):
    lane = world.lane
    async with api_under_trio(config_of(tmp_path), adapters) as (url, _), TrioHutong(url, timeout_s=60) as sdk:
        one = await sdk.reads("beta", hexed(KEYS[0]))
        many = await sdk.reads("beta", hexed(*KEYS), client="client-0")
        answer = decode_answer(lane.call(encode_read(one, max_age_s=60)))
        height = lane.lane.chain.latest.header.height
        header_s = lane.lane.chain.latest.header.time_ns // 10**9
        assert (one.hub, one.client, one.height, int(one.time.timestamp())) == (
            "hub",
            "client-0",
            f"1-{height}",
            header_s,
        )
        assert answer == Answer(Presence.PRESENT, WORD, header_s, answer.source_time_s, (0, 9), 0, 0)
        by_key = dict(zip(many.records, decode_answers(lane.call(encode_read_many(many, max_age_s=60))), strict=True))
        presences = {record.key: found.presence for record, found in by_key.items()}
        expected = (Presence.PRESENT, Presence.ABSENT, Presence.UNWRITTEN)
        assert presences == dict(zip(hexed(*KEYS), expected, strict=True))
        assert [found.value for found in by_key.values() if found.presence is Presence.PRESENT] == [WORD]
        lane.call(encode_keep(many), keep=True)
        (kept,) = decode_answers(lane.call(encode_read_cached(tuple(hexed(KEYS[0])), max_age_s=60)))
        assert kept == answer
        with pytest.raises(Reverted, match="StaleHeader"), lane.evm.at(lane.now_s + 60):
            lane.call(encode_read(one, max_age_s=60))
        forged = replace(one, records=(replace(one.records[0], value=one.records[0].value[:-2] + "2b"),))
        with pytest.raises(Reverted, match="InvalidProof"):
            lane.call(encode_read(forged, max_age_s=60))


async def test_refusals_of_reads_name_the_field(tmp_path, world, adapters):
    (key,) = hexed(KEYS[0])
    async with (
        api_under_trio(config_of(tmp_path), adapters) as (url, _),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http,
    ):
        for query, field in (
            (f"chain=beta&keys={key}&client=client-9", "chain"),
            (f"chain=gamma&keys={key}", "chain"),
            (f"chain=hub&keys={key}", "chain"),
            ("chain=beta&keys=0x", "keys"),
            ("chain=beta&keys=" + ",".join([key] * 17), "keys"),
            (f"chain=beta&keys=0x{b'observation/slot/short'.hex()}", "keys"),
        ):
            refused = await http.get(f"/v1/reads?{query}")
            assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
        async with TrioHutong(url, timeout_s=60) as sdk:
            assert len((await sdk.reads("beta", [key, key])).records) == 1


async def test_attack_G1_a_nodes_lie_about_what_a_reader_is_shown(tmp_path, world, adapters):
    """A hub's node that proves another value than the root that beta has: refused before anybody pays for it."""

    class Liar(HubSource):
        async def prove_all(self, paths, height, client_state=b""):
            proofs = await super().prove_all(paths, height)
            return tuple(replace(proof, proof=proof.proof.replace(WORD, WORD[::-1])) for proof in proofs)

    (key,) = hexed(KEYS[0])
    lying = adapters | {"hub": OnTop(adapters["hub"], Liar(world), "prove_all")}
    async with api_under_trio(config_of(tmp_path), lying) as (url, _), TrioHutong(url, timeout_s=60) as sdk:
        with pytest.raises(ApiProblem) as caught:
            await sdk.reads("beta", [key])
        assert caught.value.code == "not_exportable"
        (epoch,) = hexed(epoch_key(SOURCE))
        assert (await sdk.reads("beta", [epoch])).epochs[0].client == SOURCE


async def test_cases_and_their_evidence_through_the_sdk(tmp_path):
    written(tmp_path, "food-lots", report())
    (tmp_path / "evidence" / "food-lots.json").write_bytes(b'{"a":1}')
    async with (
        api_under_trio(config_of(tmp_path, cases_folder=str(tmp_path))) as (url, _),
        TrioHutong(url, timeout_s=60) as sdk,
    ):
        (run,) = await sdk.cases()
        assert (run.number, run.name, run.good, run.checks[1].negative) == (22, "food-lots", True, True)
        assert json.loads(await sdk.case_evidence("food-lots")) == {"a": 1}
        with pytest.raises(ApiProblem, match="not_found"):
            await sdk.case_evidence("swaps")


def test_calls_are_those_of_the_adapter(world):
    """The SDK has an encoding of its own, since it imports nothing of hutong's: both say the same bytes."""
    shown = world.lane.shown(KEYS, world.lane.lane.chain.latest.header.height)
    own = as_served(shown)
    single = world.lane.shown(KEYS[:1], world.lane.lane.chain.latest.header.height)
    assert encode_read_many(own, max_age_s=7, min_trust=2) == adapter_form.encode_read_many(shown, 7, 2)
    assert encode_keep(own) == adapter_form.encode_keep(shown)
    assert encode_read(as_served(single), max_age_s=7, min_trust=0) == adapter_form.encode_read(single, 7, 0)
    cached = encode_read_cached(tuple(hexed(*KEYS)), max_age_s=0)
    assert cached == adapter_form.encode_read_cached(KEYS, 0, 255)
    given = arguments_of(own)
    assert (list(given.records), given.height) == (shown.record_fields, shown.height_fields)
    nowhere = "http://127.0.0.1:1"
    for field, call in (
        ("shown.records", lambda: encode_read(own, max_age_s=1)),
        ("max_age_s", lambda: encode_read_many(own, max_age_s=-1)),
        ("max_age_s", lambda: encode_read_many(own, max_age_s=1.5)),
        ("min_trust", lambda: encode_read_many(own, max_age_s=1, min_trust=65)),
        ("shown.height", lambda: encode_keep(replace(own, height="1"))),
        ("shown.siblings", lambda: encode_keep(replace(own, siblings=("0x00",)))),
        ("shown", lambda: encode_keep(replace(own, terminals="0xzz"))),
        ("keys", lambda: Hutong(nowhere).reads("beta", [])),
        ("key", lambda: Hutong(nowhere).reads("beta", ["12"])),
        ("name", lambda: Hutong(nowhere).case_evidence("../x")),
    ):
        with pytest.raises(InvalidArgument) as caught:
            call()
        assert caught.value.field == field


def as_served(shown):
    """`ReaderProof` of what a lane shows."""
    return ReaderProof(
        "hub", "beta", "client-0", str(shown.height), None,
        tuple(ShownRecord(f"0x{one.key.hex()}", f"0x{one.value.hex()}" if one.value else None) for one in shown.records),
        tuple(ShownEpoch(one.key.removeprefix(b"observation/client/").decode(), f"0x{one.value.hex()}") for one in shown.epochs),
        f"0x{shown.proof.terminals.hex()}", tuple(f"0x{one.hex()}" for one in shown.proof.siblings),
    )  # fmt: skip


@given(st.binary(max_size=400))
def test_any_bytes_are_an_answer_or_a_typed_error(data):
    for decoder, again in ((decode_answer, adapter_form.decode_answer), (decode_answers, adapter_form.decode_answers)):
        try:
            found = decoder(data)
        except InvalidArgument as error:
            assert error.field == "data"
        else:
            assert again(data), found
