"""Steps of a connector without a network: what is taken, what is refused, and what a person has to say to go on."""

import json
from dataclasses import replace

import pytest
import trio

from hutong.relay.services.directory.dspace.catalogue import CatalogueUnusable, Offering, catalogue_of
from hutong.relay.services.directory.dspace.connector import Asked, Connector, Refused, Unknown
from hutong.relay.services.directory.dspace.deciding import facts_of, next_step, use_is_permitted
from hutong.relay.services.directory.dspace.participants import Participant
from hutong.relay.services.directory.dspace.process import HeldAgreement
from hutong.relay.services.directory.dspace.store import open_store
from hutong.relay.services.directory.rules.dspace.messages import Message
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State
from tests.relay.services.directory.dspace.two_connectors import DATASET, LAB, OFFER, OWNER, TRAFFIC

ENDPOINT = "https://owner.example/dsp"
LAB_AT = Participant(LAB, "https://lab.example/dsp", "", "")
OTHER = Participant("did:web:other.example", "https://other.example/dsp", "", "")
ASKED = {"@id": OFFER, "@type": "Offer", "target": TRAFFIC, "permission": DATASET["hasPolicy"][0]["permission"]}
AGREEMENT = {
    **ASKED,
    "@id": "urn:a:1",
    "@type": "Agreement",
    "assigner": LAB,
    "assignee": OWNER,
    "timestamp": "2026-12-01T00:00:00Z",
}


@pytest.fixture
def connector():
    catalogue = catalogue_of({TRAFFIC: DATASET}, Offering(OWNER, ENDPOINT, 10))
    return Connector(OWNER, ENDPOINT, lambda: catalogue, lambda: 1_796_000_000_000)


@pytest.fixture
def run(tmp_path):
    with open_store(tmp_path) as store:
        yield lambda transaction: trio.run(store.run, transaction)


def requested(connector, run, offer=ASKED):
    first = Message(Kind.REQUEST, "urn:c:1", None, callback=LAB_AT.url, offer=offer)
    return run(lambda rows: connector.receive(rows, LAB_AT, first, None))


def consumed(connector, run, agreement):
    """A negotiation of ours as the consumer that the provider has agreed to."""
    process = run(lambda rows: connector.request(rows, LAB_AT, LAB_AT.url, ASKED))
    message = Message(Kind.AGREEMENT, process.pid, "urn:p:1", agreement=agreement)
    return run(lambda rows: connector.receive(rows, LAB_AT, message, process.pid))


def test_an_agreement_binds_the_published_offer(connector, run):
    process = requested(connector, run)
    assert (process.state, process.judged) == (State.REQUESTED, None)
    agreed = run(lambda rows: connector.step(rows, process.pid, Kind.AGREEMENT, Asked()))
    assert agreed.agreement["permission"] == json.loads(json.dumps(agreed.offer["permission"]))
    assert (agreed.agreement["assigner"], agreed.agreement["assignee"]) == (OWNER, LAB)
    (sent,) = run(lambda rows: rows.first_of_each(9, 9))
    assert (sent.kind, sent.url) == (Kind.AGREEMENT, f"{LAB_AT.url}/negotiations/urn:c:1/agreement")
    assert json.loads(sent.body)["agreement"] == agreed.agreement


def test_a_counter_offer_asks_for_the_same_offer(connector, run):
    process = requested(connector, run)
    offered = run(lambda rows: connector.step(rows, process.pid, Kind.OFFER, Asked()))
    assert (offered.state, offered.offer["assigner"]) == (State.OFFERED, OWNER)
    counter = Message(
        Kind.REQUEST, "urn:c:1", process.pid, offer={**ASKED, "@id": "urn:mine", "permission": [{"action": "use"}]}
    )
    countered = run(lambda rows: connector.receive(rows, LAB_AT, counter, process.pid))
    assert countered.judged.startswith("is_what_was_offered")
    assert next_step(countered)[0] is Kind.TERMINATION
    agreed = run(lambda rows: connector.step(rows, process.pid, Kind.AGREEMENT, Asked()))
    assert agreed.agreement["permission"][0]["constraint"]


def test_finalizing_waits_for_the_record(connector, run):
    process = requested(connector, run)
    run(lambda rows: connector.step(rows, process.pid, Kind.AGREEMENT, Asked()))
    verified = Message(Kind.VERIFICATION, "urn:c:1", process.pid)
    run(lambda rows: connector.receive(rows, LAB_AT, verified, process.pid))
    with pytest.raises(Refused) as early:
        run(lambda rows: connector.step(rows, process.pid, Kind.FINALIZED, Asked()))
    assert early.value.rule == "agreement_is_on_record"
    run(lambda rows: rows.put(replace(rows.process(process.pid), recorded=True)))
    done = run(lambda rows: connector.step(rows, process.pid, Kind.FINALIZED, Asked()))
    held = run(lambda rows: rows.agreement(done.agreement_id))
    assert (held.role, held.participant, held.recorded) == (Role.PROVIDER, LAB, False)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"permission": [{"action": "use"}]}, "permissions_are_offered"),
        ({"target": "urn:ds:other"}, "parties_and_target_are_those_of_the_offer"),
        ({"assigner": "did:web:other.example"}, "parties_and_target_are_those_of_the_offer"),
        ({"assignee": LAB}, "is for"),
    ],
)
def test_a_changed_agreement_is_verified_with_open_eyes_alone(connector, run, change, rule):
    process = consumed(connector, run, {**AGREEMENT, **change})
    assert process.judged.startswith(rule)
    assert next_step(process)[0] is Kind.TERMINATION
    with pytest.raises(Refused):
        run(lambda rows: connector.step(rows, process.pid, Kind.VERIFICATION, Asked()))
    despite = Asked(despite=process.judged.partition(":")[0])
    verified = run(lambda rows: connector.step(rows, process.pid, Kind.VERIFICATION, despite))
    assert verified.state is State.VERIFIED


def test_the_agreement_that_was_asked_for_is_verified(connector, run):
    process = consumed(connector, run, AGREEMENT)
    assert (process.judged, next_step(process)) == (None, (Kind.VERIFICATION, Asked()))


def test_a_process_of_others_is_not_found(connector, run):
    process = requested(connector, run)
    message = Message(Kind.TERMINATION, "urn:c:1", process.pid)
    with pytest.raises(Unknown):
        run(lambda rows: connector.receive(rows, OTHER, message, process.pid))
    with pytest.raises(Refused) as crossed:
        run(lambda rows: connector.receive(rows, LAB_AT, replace(message, consumer_pid="urn:c:2"), process.pid))
    assert crossed.value.rule == "identifiers_are_of_the_process"
    ended = run(lambda rows: connector.receive(rows, LAB_AT, replace(message, reasons=("no",)), process.pid))
    assert (ended.state, ended.note) == (State.TERMINATED, "no")


def test_an_offer_that_is_not_ours_is_not_found(connector, run):
    for offer in ({**ASKED, "@id": "urn:offer:none"}, {**ASKED, "target": "urn:ds:none"}):
        with pytest.raises(Unknown):
            requested(connector, run, offer)
    transfer = Message(Kind.TRANSFER_REQUEST, "urn:c:9", None, callback=LAB_AT.url, agreement_id="urn:none", format="x")
    with pytest.raises(Unknown):
        run(lambda rows: connector.receive(rows, LAB_AT, transfer, None))


def test_an_offer_without_a_target_is_of_one_data_set(run):
    datasets = {name: {**DATASET, "@id": name} for name in (TRAFFIC, "urn:ds:other")}
    open_target = {name: value for name, value in ASKED.items() if name != "target"}
    for names, is_clear in (([TRAFFIC], True), (list(datasets), False)):
        catalogue = catalogue_of({name: datasets[name] for name in names}, Offering(OWNER, ENDPOINT, 10))
        connector = Connector(OWNER, ENDPOINT, lambda catalogue=catalogue: catalogue, lambda: 1_796_000_000_000)
        if is_clear:
            assert requested(connector, run, open_target).judged is None
            continue
        first = Message(Kind.REQUEST, "urn:c:2", None, callback=LAB_AT.url, offer=open_target)
        with pytest.raises(Unknown, match="say the target"):
            run(lambda rows: connector.receive(rows, LAB_AT, first, None))


def test_a_step_that_fails_leaves_nothing(connector, run):
    process = requested(connector, run)
    with pytest.raises(ZeroDivisionError):
        run(lambda rows: (connector.step(rows, process.pid, Kind.AGREEMENT, Asked()), 1 // 0))
    assert run(lambda rows: rows.process(process.pid)).state is State.REQUESTED
    assert run(lambda rows: rows.undelivered()) == 0


def test_a_use_is_permitted_for_what_is_known(connector):
    policy = {**AGREEMENT, "profile": "urn:hutong:odrl:1", "assigner": OWNER, "assignee": LAB}
    held = HeldAgreement("urn:a:1", Role.PROVIDER, LAB, policy, None)
    facts = facts_of(held, LAB)
    use_is_permitted(held, replace(facts, purpose="urn:research"))
    for refused in (
        facts,
        replace(facts, purpose="urn:advertising"),
        replace(facts, purpose="urn:research", party=OWNER),
    ):
        with pytest.raises(Refused):
            use_is_permitted(held, refused)


@pytest.mark.parametrize(
    "change",
    [
        {"hasPolicy": [{**DATASET["hasPolicy"][0], "assigner": LAB}]},
        {"hasPolicy": [{"@id": OFFER, "@type": "Offer", "permission": [{"action": "fly"}]}]},
        {"hasPolicy": [DATASET["hasPolicy"][0], {**DATASET["hasPolicy"][0], "permission": [{"action": "use"}]}]},
        {"distribution": []},
    ],
)
def test_a_catalogue_names_the_data_set_that_it_cannot_serve(change):
    with pytest.raises(CatalogueUnusable, match=TRAFFIC):
        catalogue_of({TRAFFIC: {**DATASET, **change}}, Offering(OWNER, ENDPOINT, 10))


def test_a_first_message_that_comes_again_is_answered_again(connector, run):
    process = requested(connector, run)
    run(lambda rows: connector.step(rows, process.pid, Kind.AGREEMENT, Asked()))
    again = requested(connector, run)
    assert (again.pid, again.state) == (process.pid, State.AGREED)
    with pytest.raises(Refused) as other:
        requested(connector, run, {**ASKED, "permission": [{"action": "read"}]})
    assert other.value.rule == "identifiers_are_used_once"
