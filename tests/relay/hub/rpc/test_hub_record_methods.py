"""`hutong_observations`, `hutong_observationWriters` and `hutong_record`: what stands in the state, page by page, with proofs."""

import pytest
import trio

from hutong.adapters.hub.observations import observation_writers, observed_places
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.light_clients.records import decode_observation, epoch_key
from hutong.relay.evm.rpc.json_errors import INVALID_PARAMS, SERVER_ERROR, JsonRpcError
from hutong.relay.evm.rpc.json_params import Params
from hutong.relay.hub.rpc import record_rows
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from tests.relay.hub.application.observations.observed_chains import (
    NOBODY,
    NONCE,
    WORD,
    WRITER,
    ObservedAttested,
    ObservedBft,
    ObservedTendermint,
    key_of,
    observing_hub,
)
from tests.relay.hub.simulated_hub import address_of


def ask(hub, method: str, *params):
    return trio.run(HutongMethods(hub.application).methods()[method], Params(list(params)))


@pytest.fixture(scope="module")
def hub():
    hub = observing_hub()
    hub.bft, hub.attested, hub.cosmos = ObservedBft(hub), ObservedAttested(hub), ObservedTendermint(hub)
    for chain, places in (
        (hub.bft, (hub.bft.place, hub.bft.absent, NONCE, NOBODY)),
        (hub.attested, (hub.attested.place,)),
        (hub.cosmos, (hub.cosmos.place,)),
    ):
        assert chain.observe(chain.put(), places).ok
    return hub


def test_every_observation_is_listed_in_the_order_of_its_key(hub):
    rows = ask(hub, "hutong_observations")
    assert len(rows) == 6
    assert [row["key"] for row in rows] == sorted(row["key"] for row in rows)
    by_key = {row["key"]: row for row in rows}
    slot = by_key[f"0x{key_of(hub.bft.client, hub.bft.place).hex()}"]
    assert slot["kind"] == "slot" and slot["value"] == f"0x{WORD.hex()}"
    assert slot["account"] == f"0x{hub.bft.place.account.hex()}" and slot["slot"] == f"0x{hub.bft.place.slot.hex()}"
    assert (slot["trust"], slot["threshold"], slot["epoch"], slot["isCurrent"]) == ("proven", 0, 1, True)
    assert slot["openedBy"] == WRITER.address.lower()
    assert by_key[f"0x{key_of(hub.bft.client, NOBODY).hex()}"]["value"] is None
    assert by_key[f"0x{key_of(hub.bft.client, NONCE).hex()}"]["field"] == "nonce"
    attested = by_key[f"0x{key_of(hub.attested.client, hub.attested.place).hex()}"]
    assert (attested["trust"], attested["threshold"], attested["attestors"]) == ("attested", 2, 3)
    assert by_key[f"0x{key_of(hub.cosmos.client, hub.cosmos.place).hex()}"]["kind"] == "store"


def test_pages_go_on_after_the_last_key(hub, monkeypatch):
    rows = ask(hub, "hutong_observations")
    for index, row in enumerate(rows):
        assert ask(hub, "hutong_observations", row["key"]) == rows[index + 1 :]
    assert ask(hub, "hutong_observations", "0xff") == []
    monkeypatch.setattr(record_rows, "MAX_VALUE_BYTES", 80)
    assert ask(hub, "hutong_observations") == rows[:2]


def test_a_frozen_clients_rows_are_not_current(hub):
    other = ObservedBft(hub, salt=7)
    assert other.observe(other.put()).ok
    key = f"0x{key_of(other.client, other.place).hex()}"

    def row():
        return next(row for row in ask(hub, "hutong_observations") if row["key"] == key)

    assert row()["isCurrent"] is True
    other.remote.freeze()
    assert row()["isCurrent"] is False


def test_writers_are_listed_with_what_they_have_open(hub):
    found = ask(hub, "hutong_observationWriters")
    assert found["open"] is False
    (only,) = found["writers"]
    assert only["address"] == WRITER.address.lower() and only["limit"] == "0x64"
    assert int(only["keys"], 16) >= 6
    assert ask(hub, "hutong_observationWriters", f"0x{address_of(WRITER).hex()}")["writers"] == []


@pytest.mark.parametrize("name", ["observation", "epoch", "absent"])
def test_a_record_comes_with_a_proof_under_its_header(hub, name):
    key = {
        "observation": key_of(hub.bft.client, hub.bft.place),
        "epoch": epoch_key(hub.bft.client),
        "absent": epoch_key("bft-evm-99"),
    }[name]
    hub.advance()
    height = hub.height - 1
    found = ask(hub, "hutong_record", f"0x{key.hex()}", hex(height))
    assert (found["height"], found["headerHeight"]) == (hex(height), hex(height + 1))
    root = hub.ledger.records.block(height + 1).block.header.app_hash
    value = None if found["value"] is None else bytes.fromhex(found["value"][2:])
    assert (value is None) == (name == "absent")
    verify_chained((SMT_SPEC,), bytes.fromhex(found["proof"][2:]), root, (key,), value)
    newest = ask(hub, "hutong_record", f"0x{key.hex()}")
    assert newest["height"] == hex(hub.height)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ((), INVALID_PARAMS),
        (("0x",), INVALID_PARAMS),
        (("observation",), INVALID_PARAMS),
        (("0x" + "11" * 201,), INVALID_PARAMS),
        (("0x11", "7"), INVALID_PARAMS),
        (("0x11", "0xffff"), SERVER_ERROR),
        (("0x11", "0x1", "0x1"), INVALID_PARAMS),
    ],
)
def test_questions_of_another_form_are_refused(hub, params, code):
    with pytest.raises(JsonRpcError) as refused:
        ask(hub, "hutong_record", *params)
    assert refused.value.code == code


class AskedHub:
    """What the adapter asks through, with the hub's methods at the other end."""

    def __init__(self, hub) -> None:
        self.client = self
        self._methods = HutongMethods(hub.application).methods()

    async def call(self, method: str, params: list, decode):
        return decode(Fields(method, await self._methods[method](Params(params))))


async def test_the_adapter_reads_places_and_writers_page_by_page(hub, monkeypatch):
    everything = await observed_places(AskedHub(hub))
    assert everything.is_complete and len(everything.observed) >= 6
    for one in everything.observed:
        stored = hub.view().get(one.key.to_bytes())
        assert one.observation == decode_observation(stored)
    monkeypatch.setattr(record_rows, "MAX_VALUE_BYTES", 80)
    assert await observed_places(AskedHub(hub)) == everything
    writers = await observation_writers(AskedHub(hub))
    assert [one.address for one in writers.writers] == [address_of(WRITER)]
    assert (writers.is_open, writers.is_complete, writers.writers[0].limit) == (False, True, 100)


async def test_a_node_whose_record_does_not_fit_its_key_is_refused(hub):
    class Liar(AskedHub):
        async def call(self, method: str, params: list, decode):
            (first, *_) = await self._methods[method](Params([]))
            return decode(Fields(method, [first | {"record": first["record"][:-2]}]))

    with pytest.raises(BadAnswer, match="hutong_observations"):
        await observed_places(Liar(hub))
