"""The ground that cases stand on: sizes, checks, reports, and evidence as they write it."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from hutong.light_clients.interface import Height
from hutong.light_clients.proofs import merkle
from hutong.light_clients.records import ObservationKey, SlotPlace, StorePlace, encode_observation
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.cases import decode_evidence, decode_trust
from hutong.relay.audit.cases.rules import RULES
from hutong.relay.audit.cases.statements import Fate
from hutong.relay.cases import registry
from hutong.relay.cases.case import CaseReport, CaseRun, Check, Sizes
from hutong.relay.cases.city_file import CityUnreadable, read_city, says_the_end
from hutong.relay.cases.cosmos_token import CosmosToken
from hutong.relay.cases.evidence import EvidenceWriter
from hutong.relay.cases.registry import CASES, NoSuchCase, chosen
from hutong.relay.city.operating import WantedPlace
from hutong.relay.config.records.observations import ObservationConfig
from tests.light_clients.records.observed_state import WORD
from tests.relay.audit.records.shown_records import (
    ACCOUNT,
    CLIENT,
    PLACE,
    SOURCE_AGE_S,
    Hub,
    bft_evm,
    hub,
    hub_time_s,
    observation,
)
from tests.relay.audit.test_recorded_bundles import bundle_of, data_of

SOURCES = Path(registry.__file__).parent
MAX_LINES = 150


def test_a_small_size_says_why():
    assert Sizes("trades", 25, 500).why == ""
    assert Sizes("trades", 5, 500, "each takes a minute").ci == 5
    for unfit in ((5, 500), (0, 10), (11, 10)):
        with pytest.raises(ValueError, match="trades"):
            Sizes("trades", *unfit)


def test_every_case_has_a_rule_a_name_and_few_lines():
    assert [case.number for case in CASES] == sorted({case.number for case in CASES})
    for case in CASES:
        assert case.name in RULES
        source = Path(case.run.__code__.co_filename)
        assert source.stem == case.name.replace("-", "_") and source.is_relative_to(SOURCES)
        assert len(source.read_text().splitlines()) <= MAX_LINES, source.name


def test_cases_are_chosen_by_name_or_number():
    assert chosen([]) == CASES
    assert chosen(["11"]) == chosen(["swaps"]) == chosen(["swaps", "11"])
    with pytest.raises(NoSuchCase, match="11 swaps"):
        chosen(["swap"])


def test_a_key_of_a_cosmos_chain_is_observed_stated_and_not_asked_for_twice():
    token = CosmosToken("t", "http://127.0.0.1:1", "07-tendermint-0", "courtyard")
    place = StorePlace(b"bank", b"\0courtyard")
    assert token.record_key == ObservationKey.of("07-tendermint-0", place).to_bytes()
    wanted = WantedPlace("supply", "t", (("store", "bank"), ("key", f"0x{token.supply_key.hex()}")), 10, ())
    (entry,) = tomllib.loads(wanted.toml)["observations"]
    assert ObservationConfig.model_validate(entry).place() == place
    assert wanted.is_there(entry) and not wanted.is_there(entry | {"key": "0x01"})
    shown = Hub({token.record_key: encode_observation(observation(hub_time_s(), value=b"1000"))})
    writer, bundle = EvidenceWriter("reserves"), encode_record_bundle(shown.bundle(token.record_key))
    at = (token.store, token.supply_key)
    assert writer.observed_key("supply-t", token.hub_client, token.record_key, at, bundle) == b"1000"
    (statement,) = decode_evidence(writer.encoded()).statements
    assert (statement.what, statement.value, statement.client) == (place, b"1000", "07-tendermint-0")


def test_checks_are_said_as_they_are_made():
    said = []
    run = CaseRun(said.append, EvidenceWriter("swaps"))
    run.check("the sum is right", True)
    run.refused("a stranger", False, "it was let in")
    run.paid({"gasUsed": 5}, {"gasUsed": 7})
    assert said == ["ok     the sum is right", "FAILED refused: a stranger (it was let in)"]
    assert (run.transactions, run.gas) == (2, 12)


def report(*checks: Check, failure: str = "") -> CaseReport:
    return CaseReport(11, "swaps", "", "trades", 1, checks, 0.0, 0, 0, 0, 0, failure)


def test_a_good_report_has_positive_and_two_negative_checks():
    good, bad = Check("so", held=True, negative=False), Check("not so", held=True, negative=True)
    assert report(good, bad, bad).good
    assert not report(good, bad).good
    assert not report(bad, bad).good
    assert not report(good, bad, replace(bad, held=False)).good
    assert not report(good, bad, bad, failure="it broke off").good


def test_written_evidence_is_what_the_audit_reads():
    writer = EvidenceWriter("swaps")
    writer.message("sale", data_of("message-delivered"), "delivered")
    shown = hub()
    number = writer.observed_slot("root", CLIENT, f"0x{ACCOUNT.hex()}", PLACE.slot, encode_record_bundle(shown.bundle))
    storage = bft_evm()
    place = next(one for one in storage.bundle.statements if isinstance(one.what, SlotPlace) and one.value)
    own = encode_record_bundle(storage.bundle)
    writer.own_slot("own", f"0x{place.what.account.hex()}", place.what.slot, own, lambda height: height * 10)
    paths = [merkle.prove([b"one", b"two"], at).aunts for at in range(2)]
    writer.entries("leaf", [b"one", b"two"], paths, "root", 0)
    writer.conclusion = {"sold": 1}
    evidence = decode_evidence(writer.encoded())
    by_id = {one.id: one for one in evidence.statements}
    assert by_id["sale"].packet == bundle_of("message-delivered").packet_id
    assert by_id["sale"].fate is Fate.DELIVERED
    assert by_id["root"].value == WORD == number.to_bytes(32, "big")
    assert (by_id["root"].height, by_id["root"].time_s) == (Height(0, 7), hub_time_s() - SOURCE_AGE_S)
    assert (by_id["own"].value, by_id["own"].time_s) == (place.value, by_id["own"].height.revision_height * 10)
    assert (by_id["leaf-0001"].under, by_id["leaf-0001"].index, by_id["leaf-0001"].size) == ("root", 1, 2)
    assert writer.proof_bytes == sum(map(len, evidence.bundles.values()))
    with pytest.raises(ValueError, match="called sale"):
        writer.message("sale", data_of("message-delivered"), "delivered")


def test_one_bundle_of_several_statements_is_kept_once():
    writer, bundle = EvidenceWriter("swaps"), encode_record_bundle(bft_evm().bundle)
    for statement in bft_evm().bundle.statements:
        if isinstance(statement.what, SlotPlace):
            account = f"0x{statement.what.account.hex()}"
            writer.own_slot(f"s{len(writer.encoded())}", account, statement.what.slot, bundle, lambda height: height)
    evidence = decode_evidence(writer.encoded())
    assert len(evidence.statements) == 2
    assert len(evidence.bundles) == 1
    with pytest.raises(ValueError, match="says nothing"):
        writer.own_slot("other", "0x" + "00" * 20, bytes(32), bundle, lambda height: height)
    with pytest.raises(ValueError, match="has not observed"):
        writer.observed_slot("none", "bft-evm-7", "0x" + "00" * 20, bytes(32), encode_record_bundle(hub().bundle))


CONTRACTS = {"swap": "0x" + "11" * 20}
CITY_TRUST = {
    "format": "hutong-case-trust",
    "version": 1,
    "hub_chain_id": "hutong-1",
    "chains": [{"name": "e1", "chain_id": "7101", "hub_client": "bft-evm-0", "contracts": CONTRACTS}],
    "people": {"person-0": "0x" + "22" * 20},
    "values": {},
}
CITY = {
    "format": "hutong-city",
    "version": 1,
    "api": {"url": "http://127.0.0.1:1", "key_file": "keys/api.key"},
    "hub": {"name": "hub"},
    "chains": [
        {
            "name": "e1",
            "kind": "bft-evm",
            "rpc_url": "http://127.0.0.1:2",
            "chain_id": 7101,
            "client_of_hub": "client-0",
            "hub_client": "bft-evm-0",
            "contracts": CONTRACTS,
        }
    ],
    "accounts": {"person-0": {"address": "0x" + "22" * 20, "key_file": "keys/person-0.key"}},
    "left_out": [{"name": "t", "why": "no simd was given"}],
}


def written(home, city=CITY):
    (home / "city.json").write_text(json.dumps(city))
    (home / "city.trust.json").write_text(json.dumps(CITY_TRUST))
    (home / "keys").mkdir()
    (home / "keys" / "person-0.key").write_text("11" * 32 + "\n")
    return home


def test_a_city_is_read_and_its_trust_given_to_the_auditor(tmp_path):
    city = read_city(written(tmp_path), operator=None)
    assert city.chain("e1").hub_client == "bft-evm-0"
    assert city.person(0).address == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    with pytest.raises(CityUnreadable, match="no simd was given"):
        city.chain("t")
    writer = EvidenceWriter("swaps")
    writer.contract("e1", "cash", "0x" + "33" * 20)
    writer.people["maker"] = "0x" + "44" * 20
    writer.values["feed"] = "0x01"
    trust = decode_trust(json.dumps(writer.trust(city.trust())).encode())
    assert trust.chain("e1").contract("cash") == bytes([0x33]) * 20
    assert trust.chain("e1").contract("swap") == bytes([0x11]) * 20
    assert trust.chain("e1").chain_id == "7101"
    assert (trust.person("maker"), trust.value("feed")) == (bytes([0x44]) * 20, "0x01")


@pytest.mark.parametrize(
    ("name", "ended"),
    (
        ("message-delivered", True),
        ("message-refused-by-the-hub", True),
        ("timeout-leg-1", True),
        ("timeout-leg-2", True),
        ("received-on-the-hub", False),
    ),
)
def test_a_bundle_says_the_end_once_its_sender_can_know_it(name, ended):
    assert says_the_end(data_of(name)) is ended


@pytest.mark.parametrize("change", ({"format": "x"}, {"version": 2}, {"chains": [{}]}, {"left_out": 1}))
def test_another_file_is_no_city(tmp_path, change):
    with pytest.raises(CityUnreadable):
        read_city(written(tmp_path, CITY | change), operator=None)


def test_without_a_city_one_sentence_says_how_to_start_it(tmp_path):
    with pytest.raises(CityUnreadable, match="hutong city up"):
        read_city(tmp_path, operator=None)


def test_a_wanted_slot_is_an_entry_of_the_relays_configuration():
    place = (("contract", "0x" + "11" * 20), ("slot", f"0x{2:064x}"))
    wanted = WantedPlace('supply of "X"', "e1", place, 10, (("e2", "0x" + "22" * 20),))
    (entry,) = tomllib.loads(wanted.toml)["observations"]
    read = ObservationConfig.model_validate(entry)
    assert (read.name, read.chain, read.interval_s, read.on_change) == ('supply of "X"', "e1", 10, True)
    assert read.place().slot == bytes(31) + b"\x02"
    assert [(one.chain, one.reader.lower()) for one in read.push_to] == [("e2", "0x" + "22" * 20)]
