"""Organisations over the API, of a hub that runs: what its node tells, and bundles that hold offline."""

import json

import httpx
import pytest

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.audit.records import Asked
from hutong.relay.sdk import Hutong
from hutong.relay.services.identity.rules.records.keys import hub_name
from hutong.relay.verify.credentials.identity_records import DidQuestion, judge_did_file
from tests.adapters.conformance.lane import CHAIN_ID
from tests.relay.api.organisations.identity_hub import identity_api
from tests.relay.hub.application.identity.organisations import SCHEMA

pytestmark = pytest.mark.long
"""Over a hub that makes blocks."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with identity_api(tmp_path_factory.mktemp("identity")) as served:
        yield served


@pytest.fixture
def get(world):
    def ask(path, status=200):
        found = httpx.get(f"{world[0]}/v1/identity/{path}", timeout=60)
        assert found.status_code == status, found.text
        return found

    return ask


def did(organisation):
    return f"did:hutong:{hub_name(CHAIN_ID)}:{organisation.did.hex()}"


def test_lists_have_pages_and_say_what_records_say(world, get):
    organisations = world[2]
    whole = get("organisations").json()["items"]
    assert {one["did"] for one in whole} == {did(one) for one in organisations.values()}
    paged, cursor = [], ""
    while cursor is not None:
        page = get(f"organisations?limit=1{cursor and f'&cursor={cursor}'}").json()
        paged += page["items"]
        cursor = page["next"]
    assert paged == whole
    above = {one["subject"]: one["accreditor"] for one in get("accreditations").json()["items"]}
    names = {name: did(one) for name, one in organisations.items()}
    assert above == {names["ministry"]: None, names["office"]: names["ministry"], names["clinic"]: names["office"]}
    (one,) = get("lists").json()["items"]
    assert one["issuer"] == names["clinic"] and one["token_hash"] == "0x" + "05" * 32 and one["updates"] == 1
    assert one["epoch"] >= 1
    assert get("lists?cursor=0x00", 422).json()["code"] == "invalid_request"


def test_an_organisation_has_its_history_and_each_entry_a_proof(world, get):
    url, _, organisations = world
    found = get(f"organisations/{did(organisations['clinic'])}").json()
    said = [one["what"] for one in found["history"]]
    assert {
        "registered",
        "accredited",
        "key added",
        "key retired",
        "list opened",
        "list updated",
        "log appended",
    } <= set(said)
    assert [one["time"] for one in found["history"]] == sorted((one["time"] for one in found["history"]), reverse=True)
    assert {one["state"] for one in found["keys"]} == {"active", "retired"}
    for address in {one["bundle"] for one in found["history"]}:
        assert json.loads(httpx.get(f"{url}{address}", timeout=60).raise_for_status().content)["format"]
    get(f"organisations/did:hutong:{hub_name(CHAIN_ID)}:{'00' * 32}", 404)
    get(f"organisations/did:hutong:other:{'00' * 32}", 404)


def test_attack_N182_what_the_page_offers_as_proof_is_judged_offline(world, get, tmp_path):
    _, checkpoint, organisations = world
    clinic = organisations["clinic"]
    question = DidQuestion(hub_name(CHAIN_ID), clinic.did, SCHEMA)
    file = tmp_path / "clinic.record.json"
    data = get(f"organisations/{did(clinic)}/bundle?schema=0x{SCHEMA.hex()}").content
    now_ns = checkpoint.time_ns + 60 * NANOSECONDS_PER_SECOND
    file.write_bytes(data)
    report = judge_did_file(file, checkpoint, question, now_ns, Asked())
    assert not report.is_refused and report.proven is not None and len(report.proven.chain) == 3
    for other in (data.replace(b"A", b"B", 1), get(f"organisations/{did(clinic)}/bundle").content):
        file.write_bytes(other)
        assert judge_did_file(file, checkpoint, question, now_ns, Asked()).is_refused


def test_the_sdk_reads_the_same(world):
    url, _, organisations = world
    with Hutong(url) as client:
        clinic = did(organisations["clinic"])
        assert client.organisation(clinic).organisation.did == clinic
        assert clinic in {one.did for one in client.organisations(page_items=1)}
        assert json.loads(client.organisation_bundle(clinic))["format"]
