"""Connectors of the Dataspace Protocol with one another, by their real ports."""

import json
from urllib.parse import quote

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.light_clients.proofs.merkle import RangeProof
from hutong.relay.config import ConfigError
from hutong.relay.services.directory.dspace.settings import load_connector_config
from hutong.relay.services.directory.rules.dspace.vocabulary import CONTEXT, PAGE
from hutong.relay.services.directory.rules.entries.pages import CatalogueHead, CataloguePage, judge_page
from tests.relay.services.directory.dspace.two_connectors import (
    DATASET,
    LAB,
    OFFER,
    OWNER,
    TRAFFIC,
    asked,
    dataset,
    pair,
    reaches,
    served,
    shown_offer,
)

pytestmark = pytest.mark.long
REQUEST = {"@context": [CONTEXT], "@type": "CatalogRequestMessage"}
ADDRESS = {"@type": "DataAddress", "endpointType": "urn:http", "endpoint": "https://owner.example/traffic"}


async def test_connectors_agree_without_an_operator(tmp_path):
    owner, lab = pair(tmp_path, decisions="automatic")
    async with served(owner, lab):
        await asked(lab, "/negotiations", {"participant": OWNER, "offer": await shown_offer(owner)})
        ours = await reaches(lab, "negotiations", "FINALIZED")
        theirs = await reaches(owner, "negotiations", "FINALIZED")
        assert (ours["agreement"], ours["their_pid"]) == (theirs["agreement"], theirs["pid"])
        assert (ours["agreement"]["assigner"], ours["agreement"]["assignee"]) == (OWNER, LAB)
        assert not ours["record"] and not theirs["record"]
        async with owner.operator() as client:
            held = (await client.get(f"/agreements/{ours['agreement_id']}")).json()
        assert (held["role"], held["recorded"], held["policy"]) == ("provider", False, theirs["agreement"])


async def test_other_terms_than_those_offered_end_a_negotiation(tmp_path):
    owner, lab = pair(tmp_path, decisions="automatic")
    async with served(owner, lab):
        wider = {**await shown_offer(owner), "permission": [{"action": "use"}]}
        await asked(lab, "/negotiations", {"participant": OWNER, "offer": wider})
        ended = await reaches(lab, "negotiations", "TERMINATED")
        assert "is_what_was_offered" in ended["note"]


async def test_a_transfer_runs_and_states_what_it_is_for(tmp_path):
    owner, lab = pair(tmp_path)
    async with served(owner, lab):
        await asked(lab, "/negotiations", {"participant": OWNER, "offer": await shown_offer(owner)})
        theirs = await reaches(owner, "negotiations", "REQUESTED")
        await asked(owner, f"/negotiations/{theirs['pid']}/agree")
        ours = await reaches(lab, "negotiations", "AGREED")
        await asked(lab, f"/negotiations/{ours['pid']}/verify")
        await reaches(owner, "negotiations", "VERIFIED", recorded=True)
        await asked(owner, f"/negotiations/{theirs['pid']}/finalize")
        agreement = (await reaches(lab, "negotiations", "FINALIZED"))["agreement_id"]
        await asked(lab, "/transfers", {"participant": OWNER, "agreement": agreement, "format": "HTTP-PULL"})
        transfer = (await reaches(owner, "transfers", "REQUESTED"))["pid"]
        async with owner.operator() as client:
            for stated in ({}, {"purpose": "urn:advertising"}):
                refused = await client.post(f"/transfers/{transfer}/start", json={"dataAddress": ADDRESS, **stated})
                assert (refused.status_code, "request_is_permitted" in refused.text) == (422, True)
        await asked(owner, f"/transfers/{transfer}/start", {"dataAddress": ADDRESS, "purpose": "urn:research"})
        assert (await reaches(lab, "transfers", "STARTED"))["data_address"] == ADDRESS
        await asked(owner, f"/transfers/{transfer}/suspend")
        await reaches(lab, "transfers", "SUSPENDED")
        async with owner.operator() as client:
            again = await client.post(f"/transfers/{transfer}/start", json={"dataAddress": ADDRESS})
            assert (again.status_code, "request_is_permitted" in again.text) == (422, True)
        await asked(owner, f"/transfers/{transfer}/start", {"dataAddress": ADDRESS, "purpose": "urn:research"})
        await reaches(lab, "transfers", "STARTED")
        async with lab.operator() as client:
            listed = (await client.get("/transfers")).json()["transfers"]
            assert "data_address" not in listed[0]
            await client.post(f"/transfers/{listed[0]['pid']}/complete", json={})
        await reaches(owner, "transfers", "COMPLETED")


async def test_a_message_waits_for_a_counterparty_that_is_down(tmp_path):
    owner, lab = pair(tmp_path, decisions="automatic")
    async with served(owner):
        offer = await shown_offer(owner)
    async with served(lab):
        await asked(lab, "/negotiations", {"participant": OWNER, "offer": offer})
    async with served(lab, owner):
        await reaches(lab, "negotiations", "FINALIZED")
        await reaches(owner, "negotiations", "FINALIZED")


async def test_pages_are_linked_whole_and_proven(tmp_path):
    owner, _ = pair(tmp_path)
    odd = {**dataset(9), "@id": "urn:ds:a%2Fb/c?d"}
    entries = [dataset(number) for number in range(4)] + [DATASET, odd]
    (tmp_path / "owner" / "datasets.json").write_text(json.dumps(entries))
    async with served(owner), owner.stranger() as client:
        seen, path = [], "/catalog/request"
        while path:
            answer = await client.post(path, json=REQUEST)
            page = answer.json()
            place, found = page[PAGE], page["dataset"]
            nodes = tuple(bytes.fromhex(node) for node in place["nodes"])
            proof = RangeProof(place["total"], place["first"], len(found), nodes)
            head = CatalogueHead(len(entries), bytes.fromhex(place["root"]))
            judge_page(VERIFY, CataloguePage(tuple(found), proof), head)
            changed = ({**found[0], "title": "another"}, *found[1:])
            with pytest.raises(PredicateFailed):
                judge_page(VERIFY, CataloguePage(changed, proof), head)
            seen += [one["@id"] for one in found]
            path = answer.links.get("next", {}).get("url")
        assert seen == sorted(one["@id"] for one in entries)
        shown = await client.get(f"/catalog/datasets/{quote(odd['@id'], safe='')}")
        assert (shown.status_code, shown.json()["@id"]) == (200, odd["@id"])
        assert (await client.post("/catalog/request?page=9", json=REQUEST)).status_code == 404
        filtered = await client.post("/catalog/request", json={**REQUEST, "filter": ["x"]})
        assert (filtered.status_code, filtered.json()["@type"]) == (400, "CatalogError")


async def test_a_stranger_reads_the_versions_alone(tmp_path):
    owner, _ = pair(tmp_path)
    async with served(owner), owner.stranger("another-token-that-nobody-has") as client:
        versions = await client.get(f"{owner.base}/.well-known/dspace-version")
        assert versions.json()["protocolVersions"][0]["version"] == "2025-1"
        for method, path in (
            ("POST", "/catalog/request"),
            ("GET", f"/catalog/datasets/{TRAFFIC}"),
            ("GET", "/transfers/x"),
        ):
            assert (await client.request(method, path, json=REQUEST)).status_code == 401
        for path in ("/v1/negotiations", "/v1/agreements"):
            assert (await client.get(f"{owner.base}{path}")).status_code == 401


@pytest.mark.parametrize("callback", ["http://127.0.0.1:1/dsp", "{own}.evil/dsp", "{own}/../v1", "{own}@evil"])
async def test_nothing_is_sent_to_an_address_of_others(tmp_path, callback):
    owner, lab = pair(tmp_path)
    own = f"{lab.base}/dsp"
    body = {
        "@context": [CONTEXT],
        "@type": "ContractRequestMessage",
        "consumerPid": "urn:c:1",
        "offer": {"@id": OFFER, "@type": "Offer", "target": TRAFFIC, "permission": [{"action": "use"}]},
    }
    async with served(owner), owner.stranger() as client:
        refused = await client.post("/negotiations/request", json={**body, "callbackAddress": callback.format(own=own)})
        assert (refused.status_code, refused.json()["code"]) == (400, "address_is_of_the_participant")
        taken = await client.post("/negotiations/request", json={**body, "callbackAddress": own})
        again = await client.post("/negotiations/request", json={**body, "callbackAddress": own})
        assert (taken.status_code, taken.json()) == (201, again.json())
        other = {**body, "callbackAddress": own, "offer": {**body["offer"], "permission": [{"action": "read"}]}}
        twice = await client.post("/negotiations/request", json=other)
        assert (twice.status_code, twice.json()["code"]) == (400, "identifiers_are_used_once")


async def test_messages_out_of_order_are_refused_by_rule(tmp_path):
    owner, lab = pair(tmp_path)
    async with served(owner, lab):
        await asked(lab, "/negotiations", {"participant": OWNER, "offer": await shown_offer(owner)})
        theirs = await reaches(owner, "negotiations", "REQUESTED")
        pids = {"@context": [CONTEXT], "consumerPid": theirs["their_pid"], "providerPid": theirs["pid"]}
        async with owner.stranger() as client:
            at = f"/negotiations/{theirs['pid']}"
            early = await client.post(
                f"{at}/events", json={**pids, "@type": "ContractNegotiationEventMessage", "eventType": "ACCEPTED"}
            )
            assert (early.status_code, early.json()["code"]) == (400, "message_fits_the_state")
            verification = {**pids, "@type": "ContractAgreementVerificationMessage"}
            crossed = await client.post(
                f"{at}/agreement/verification", json={**verification, "consumerPid": "urn:other"}
            )
            assert crossed.json()["code"] == "identifiers_are_of_the_process" or crossed.status_code == 400
            assert (
                await client.post(
                    "/negotiations/urn:none/termination",
                    json={**pids, "@type": "ContractNegotiationTerminationMessage"},
                )
            ).status_code == 404
            assert (await client.get(at)).json()["state"] == "REQUESTED"
        async with owner.operator() as client:
            refused = await client.post(f"{at}/finalize", json={})
            assert (refused.status_code, "message_fits_the_state" in refused.text) == (422, True)


def test_a_hub_is_not_supported_yet_and_says_so(tmp_path):
    pair(tmp_path)
    config = tmp_path / "owner" / "connector.toml"
    config.write_text(config.read_text() + '\n[hub]\nrpc = ["http://127.0.0.1:8545"]\n')
    with pytest.raises(ConfigError) as refused:
        load_connector_config(config)
    assert "not supported" in str(refused.value)
