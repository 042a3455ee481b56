"""Messages of the Dataspace Protocol: what its schemas take is read, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.dspace.messages import (
    MAX_MESSAGE_BYTES,
    read_catalog_request,
    read_dataset_request,
    read_error,
    read_message,
    read_process,
)
from hutong.relay.services.directory.rules.dspace.vocabulary import CONTEXT, RECORD, Kind, Role, State
from hutong.relay.services.directory.rules.dspace.writing import (
    catalog_error,
    encode,
    message,
    pids_of,
    process,
    process_error,
)
from tests.relay.services.directory.rules.dspace.dspace_messages import (
    AGREEMENT,
    CALLBACK,
    MEMBERS,
    OFFER,
    PIDS,
    body_of,
    fields_of,
)

ADDRESS = {
    "@type": "DataAddress",
    "endpointType": "urn:http",
    "endpoint": "https://owner.example/data",
    "endpointProperties": [{"@type": "EndpointProperty", "name": "authorization", "value": "secret"}],
}


@pytest.mark.parametrize("kind", Kind)
def test_a_message_of_each_kind_is_read(kind):
    read = read_message(body_of(kind), kind)
    members = fields_of(kind)
    assert read.kind is kind
    assert (read.consumer_pid, read.provider_pid) == (members.get("consumerPid"), members.get("providerPid"))
    assert (read.callback, read.offer) == (members.get("callbackAddress"), members.get("offer"))
    assert (read.agreement, read.agreement_id) == (members.get("agreement"), members.get("agreementId"))


@pytest.mark.parametrize("kind", Kind)
def test_what_we_write_we_read_again(kind):
    stated = dict(MEMBERS.get(kind, PIDS))
    stated.pop("eventType", None)
    pids = (stated.pop("consumerPid", None), stated.pop("providerPid", None))
    assert json.loads(encode(message(kind, *pids, **stated))) == fields_of(kind)


@pytest.mark.parametrize("kind", Kind)
def test_a_message_is_refused_where_another_belongs(kind):
    others = [other for other in Kind if other is not kind]
    with pytest.raises(MalformedInput) as refused:
        read_message(body_of(kind), *others)
    assert refused.value.field == "message.@type"


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (Kind.VERIFICATION, {"@context": CONTEXT}, "@context"),
        (Kind.VERIFICATION, {"@context": ["https://evil.example/context.jsonld"]}, "@context"),
        (Kind.VERIFICATION, {"@context": [{"@vocab": "urn:evil:"}, CONTEXT]}, "@context"),
        (Kind.VERIFICATION, {"consumerPid": None}, "consumerPid"),
        (Kind.VERIFICATION, {"providerPid": 7}, "providerPid"),
        (Kind.VERIFICATION, {"providerPid": "x" * 513}, "providerPid"),
        (Kind.ACCEPTED, {"eventType": "AGREED"}, "eventType"),
        (Kind.TERMINATION, {"reason": []}, "reason"),
        (Kind.TERMINATION, {"reason": ["x"] * 17}, "reason"),
        (Kind.TERMINATION, {"code": 7}, "code"),
        (Kind.REQUEST, {"providerPid": "urn:p"}, "message"),
        (Kind.REQUEST, {"callbackAddress": None}, "message"),
        (Kind.REQUEST, {"offer": None}, "offer"),
        (Kind.REQUEST, {"offer": {**OFFER, "@type": "Agreement"}}, "offer.@type"),
        (Kind.REQUEST, {"offer": {**OFFER, "permission": []}}, "offer.permission"),
        (Kind.REQUEST, {"offer": {**OFFER, "permission": [{"action": "use"}] * 65}}, "offer.permission"),
        (Kind.REQUEST, {"offer": {"@id": "urn:o", "@type": "Offer"}}, "offer"),
        (Kind.OFFER, {"offer": {name: OFFER[name] for name in OFFER if name != "target"}}, "offer.target"),
        (Kind.AGREEMENT, {"agreement": {**AGREEMENT, "assignee": None}}, "agreement.assignee"),
        (Kind.AGREEMENT, {"agreement": {**AGREEMENT, "timestamp": "yesterday"}}, "agreement.timestamp"),
        (Kind.TRANSFER_REQUEST, {"format": None}, "format"),
        (Kind.TRANSFER_START, {"dataAddress": {**ADDRESS, "@type": "Address"}}, "dataAddress.@type"),
        (Kind.TRANSFER_START, {"dataAddress": {**ADDRESS, "endpointProperties": []}}, "endpointProperties"),
    ],
)
def test_what_no_schema_takes_is_refused_by_name(kind, changes, field):
    with pytest.raises(MalformedInput) as refused:
        read_message(body_of(kind, **changes), kind)
    assert refused.value.field.endswith(field)


@pytest.mark.parametrize(
    "constraint",
    [
        {"leftOperand": "count", "operator": "less", "rightOperand": ["1"]},
        {"leftOperand": "count", "operator": "lteq", "rightOperand": 1},
        {"leftOperand": "count", "operator": "lteq"},
        {"and": [], "or": []},
        {"and": [{"leftOperand": "count", "operator": "lteq"}]},
        ["count"],
    ],
)
def test_constraints_have_the_shape_of_the_schema(constraint):
    offer = {**OFFER, "permission": [{"action": "use", "constraint": [constraint]}]}
    with pytest.raises(MalformedInput):
        read_message(body_of(Kind.REQUEST, offer=offer), Kind.REQUEST)


def test_a_long_or_a_deep_body_is_refused_before_it_is_parsed():
    long = body_of(Kind.VERIFICATION, note="x" * MAX_MESSAGE_BYTES)
    deep = body_of(Kind.VERIFICATION)[:-1] + b',"a":' + b"[" * 40 + b"]" * 40 + b"}"
    for body in (long, deep, b"", b"[]", b'{"a":1,"a":2}'):
        with pytest.raises(MalformedInput):
            read_message(body, Kind.VERIFICATION)


def test_members_of_a_message_that_move_nothing_are_kept():
    started = read_message(body_of(Kind.TRANSFER_START, dataAddress=ADDRESS), Kind.TRANSFER_START)
    assert started.data_address == ADDRESS
    ended = read_message(body_of(Kind.TERMINATION, code="9", reason=["no", {"a": 1}]), Kind.TERMINATION)
    assert (ended.code, ended.reasons) == ("9", ("no", "(not a text)"))
    proven = message(Kind.FINALIZED, "urn:c", "urn:p", record={"bundle": "00"})
    assert proven[RECORD] == {"bundle": "00"}
    assert read_message(encode(proven), Kind.FINALIZED).record == {"bundle": "00"}
    later = read_message(body_of(Kind.REQUEST, callbackAddress=None, providerPid="urn:p"), Kind.REQUEST)
    assert (later.callback, later.provider_pid) == (None, "urn:p")


def test_answers_of_the_catalogue_and_of_processes_are_read():
    request = {"@context": [CONTEXT], "@type": "CatalogRequestMessage", "filter": ["x"]}
    assert read_catalog_request(encode(request)) == ("x",)
    assert read_dataset_request(encode({**request, "@type": "DatasetRequestMessage", "dataset": "urn:d"})) == "urn:d"
    for is_transfer, state in ((False, State.AGREED), (True, State.STARTED)):
        shown = read_process(encode(process("urn:c", "urn:p", state, is_transfer=is_transfer)), is_transfer=is_transfer)
        assert (shown.consumer_pid, shown.provider_pid, shown.state) == ("urn:c", "urn:p", state)
        with pytest.raises(MalformedInput):
            read_process(encode(process("urn:c", "urn:p", state, is_transfer=is_transfer)), is_transfer=not is_transfer)
        refusal = process_error("urn:c", "urn:p", "state", ["too late"], is_transfer=is_transfer)
        assert read_error(encode(refusal)) == "state: too late"
    with pytest.raises(MalformedInput):
        read_process(encode(process("urn:c", "urn:p", State.STARTED, is_transfer=False)), is_transfer=False)
    assert read_error(encode(catalog_error("filter", ["is not supported"]))) == "filter: is not supported"
    assert pids_of(Role.CONSUMER, "own", None) == ("own", None)
    assert pids_of(Role.PROVIDER, "own", "theirs") == ("theirs", "own")
    assert CALLBACK.startswith("https://")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(list(Kind)), st.data())
def test_any_change_gives_a_message_or_a_typed_refusal(kind, data):
    name = data.draw(st.sampled_from(sorted(fields_of(kind))))
    body = body_of(kind, **{name: data.draw(JSON)})
    try:
        read = read_message(body, *Kind)
    except MalformedInput:
        return
    assert isinstance(read.kind, Kind)
