"""`city.json` and `city.trust.json`: what they say, and that neither holds a secret."""

import json
import stat

from eth_account import Account

from hutong.adapters.rpc import RpcOptions
from hutong.relay.archive.log_chain import log_chain_id
from hutong.relay.audit.cases.trust import decode_trust
from hutong.relay.cases.city_file import read_city
from hutong.relay.cases.evidence import EvidenceWriter
from hutong.relay.city.document import CityFacts, LeftOut, MemberChain, SignedLog, write_city_files
from hutong.relay.city.home import CityHome
from hutong.relay.city.people import make_people
from hutong.relay.city.plan import PEOPLE, SMALL, Belief, CityPlan
from hutong.relay.config import parse_config
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import chain_table, hub_table, patient, relay_table
from hutong.relay.local.hub import Hub, HubProcesses
from hutong.relay.local.keys import Key
from hutong.relay.local.processes import START_LIMIT_S

ROOT_DID = f"did:hutong:hutong:{'ab' * 32}"
ROUTER, TITLE = "0x" + "03" * 20, "0x" + "04" * 20


def facts(home: CityHome) -> CityFacts:
    key = Key(home.path / "k.json", home.path / "k.password", "0x01")
    hub = Hub(
        DemoChain("hub", "http://127.0.0.1:21", 47_001, "0x02"), (), key, HubProcesses((), (21, 31), (22, 32), ())
    )
    chain = DemoChain("e2", "http://127.0.0.1:23", 7_102, ROUTER, hub_client="client-0", client_on_hub="attestation-0")
    member = MemberChain(chain, Belief.ATTESTED, {"router": ROUTER, "title": TITLE})
    log = SignedLog("l", "http://127.0.0.1:25", "c2sp-tlog-0", {"origin": "log.city/registry", "quorum": 2})
    left_out = (LeftOut("t", "no simd was given"),)
    return CityFacts(CityPlan(SMALL, 20), hub, (member,), None, log, make_people(home.keys), ROOT_DID, left_out)


def test_the_city_says_what_is_where(tmp_path):
    home = CityHome(tmp_path)
    write_city_files(home, facts(home))
    city = json.loads(home.city_file.read_text())
    assert (city["format"], city["version"]) == ("hutong-city", 1)
    assert city["api"] == {"url": "http://127.0.0.1:20", "key_file": "keys/api.key"}
    assert city["hub"]["rpc_urls"] == ["http://127.0.0.1:21", "http://127.0.0.1:31"]
    (chain,) = city["chains"]
    assert (chain["kind"], chain["client_of_hub"], chain["hub_client"]) == ("attestation", "client-0", "attestation-0")
    assert chain["contracts"] == {"router": ROUTER, "title": TITLE}
    assert city["log"]["append"] == "http://127.0.0.1:25/append"
    assert city["identity"] == {"root": ROOT_DID}
    assert city["left_out"] == [{"name": "t", "why": "no simd was given"}]


def test_the_trust_is_what_an_auditor_of_cases_reads(tmp_path):
    home = CityHome(tmp_path)
    write_city_files(home, facts(home))
    city, trust = json.loads(home.city_file.read_text()), decode_trust(home.trust_file.read_bytes())
    assert trust.hub_chain_id == city["hub"]["chain_id"]
    for chain in city["chains"]:
        meant = trust.chain(chain["name"])
        assert (meant.chain_id, meant.hub_client) == (str(chain["chain_id"]), chain["hub_client"])
        assert meant.contracts == {name: bytes.fromhex(text[2:]) for name, text in chain["contracts"].items()}
    assert trust.chain("l").chain_id == log_chain_id("log.city/registry")
    assert (trust.chain("l").hub_client, city["log"]["client_of_hub"]) == ("c2sp-tlog-0", "client-0")
    for name, account in city["accounts"].items():
        assert trust.person(name) == bytes.fromhex(account["address"][2:])


def test_a_case_adds_its_own_to_the_trust_that_the_city_wrote(tmp_path):
    home = CityHome(tmp_path)
    write_city_files(home, facts(home))
    writer = EvidenceWriter("swaps")
    writer.contract("e2", "cash", ROUTER)
    added = decode_trust(json.dumps(writer.trust(read_city(tmp_path, operator=None).trust())).encode())
    written, cash = decode_trust(home.trust_file.read_bytes()), {"cash": bytes.fromhex(ROUTER[2:])}
    assert added.chain("e2").contracts == {**written.chain("e2").contracts, **cash}
    assert added.people == written.people


def test_people_have_one_key_each_in_private_files_that_no_document_holds(tmp_path):
    home = CityHome(tmp_path)
    write_city_files(home, facts(home))
    city = json.loads(home.city_file.read_text())
    assert len(city["accounts"]) == PEOPLE
    for account in city["accounts"].values():
        file = tmp_path / account["key_file"]
        (secret,) = file.read_text().splitlines()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert Account.from_key(bytes.fromhex(secret)).address == account["address"]
        assert secret not in home.city_file.read_text() + home.trust_file.read_text()


def test_the_commands_that_bring_a_city_up_wait_as_long_for_an_answer_as_for_a_process(tmp_path):
    """One silent node on a busy host ended a whole start."""
    home, key = CityHome(tmp_path), Key(tmp_path / "k.json", tmp_path / "k.password", "0x01")
    tables = hub_table("city-1", (21,), (22,), key) + chain_table("e1", 7_101, 23, ROUTER, 1, key)
    config, waits = (
        parse_config((relay_table(home.path) + text).encode(), "c.toml", home.path)
        for text in (tables, patient(tables))
    )
    for one, usual in zip(waits.chains, config.chains, strict=True):
        assert one.endpoints.attempt_timeout_ms * RpcOptions().rounds >= START_LIMIT_S * 1_000
        assert one.model_copy(update={"endpoints": usual.endpoints}) == usual
