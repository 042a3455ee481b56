"""The replay's JSON (docs/spec/audit-replay.md): round trip, one form, and refusals that name the field."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.audit import Auditor
from hutong.relay.audit.period import FindingKind, Inputs, TrustRoot, judge_entry, summarise
from hutong.relay.audit.period.differences import differences
from hutong.relay.audit.period.document import decode_replay, encode_replay, parse_packet_id
from hutong.relay.audit.period.supply import Conservation
from tests.relay.audit.simulated_period import Period, encoded

SPEC = Path(__file__).parents[4] / "docs" / "spec" / "audit-replay.md"


@pytest.fixture(scope="module")
def replays():
    """A clean replay, and one with damage."""
    period = Period()
    bundles = dict(encoded(period, 12, batch=3))
    auditor = Auditor(period.checkpoints, period.now_ns)
    roots = tuple(
        TrustRoot(
            "a.json", b"\1" * 32, one.chain_id, one.kind.value, one.height, one.hash, one.time_ns, one.expires_at_ns
        )
        for one in period.checkpoints
    )

    def replayed(contents):
        entries = [judge_entry(auditor, name, data) for name, data in contents.items()]
        return summarise(Inputs("period", period.now_ns, roots, "0.1.0"), entries, period.checkpoints)

    damaged = dict(bundles)
    damaged["1001-client-0-2.bundle.json"] = b"{}"
    del damaged["1002-client-0-3.bundle.json"]
    return replayed(bundles), replayed(damaged)


def test_round_trip_but_for_bytes_of_packets_and_trust_of_each(replays):
    for replay in replays:
        data = encode_replay(replay)
        again = decode_replay(data)
        assert encode_replay(again) == data
        assert again.findings == replay.findings and again.is_clean == replay.is_clean
        assert differences(replay, again).are_none


def test_the_specs_example_is_the_encoding():
    (example,) = re.findall(r"```json\n(.*)\n```", SPEC.read_text())
    assert encode_replay(decode_replay(example.encode())).decode() == example + "\n"


def test_the_spec_names_every_field_and_kind(replays):
    text = SPEC.read_text()
    document = json.loads(encode_replay(replays[1]))
    names = [*document, *document["inputs"], *document["summary"], *document["entries"][0], *document["supply"][0]]
    names += [
        *document["entries"][0]["legs"][0],
        *document["chains"][0],
        *document["routes"][0],
        *FindingKind,
        *Conservation,
    ]
    assert [name for name in names if f"{name}" not in text] == []


def test_differences_are_by_packet(replays):
    clean, damaged = replays
    found = differences(clean, damaged)
    assert set(found.only_a) == {
        "1001/client-0/2",
        "1002/client-0/3",
        "hutong-1/bft-evm-1/2",
        "hutong-1/bft-evm-0/3",
    }
    assert found.only_b == () and found.findings_a == () and len(found.findings_b) == 2
    assert any(change.what == "chains: 1001: sent" for change in found.sums)
    other = replace(clean.entries[0], legs=tuple(replace(leg, is_settled=False) for leg in clean.entries[0].legs))
    changed = differences(clean, replace(clean, entries=(other, *clean.entries[1:])))
    assert len(changed.packets) == 2 and "settled" in changed.packets[0].a


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("format", "other", "replay.format"),
        ("version", 2, "replay.version"),
        ("version", True, "replay.version"),
        ("clean", "yes", "replay.clean"),
        ("clean", False, "replay.clean"),
        ("entries", {}, "replay.entries"),
        ("entries", [1], "replay.entries[0]"),
        ("chains", [{"chain_id": "1", "sent": -1}], "replay.chains[0].sent"),
        ("supply", [{"sent": 5}], "replay.supply[0].sent"),
        ("findings", [{"kind": "strange"}], "replay.findings[0].kind"),
        ("inputs", None, "replay.inputs"),
    ],
)
def test_refused_documents_name_the_field(replays, field, value, named):
    document = json.loads(encode_replay(replays[0]))
    document[field] = value
    with pytest.raises(MalformedInput) as refused:
        decode_replay(json.dumps(document).encode())
    assert refused.value.field == named


@pytest.mark.parametrize("version", ["", "latest", "0.1 --pre", "0.1'; reboot '", "0.1\n", "0" * 65])
def test_refused_version_that_no_reader_should_install(replays, version):
    document = json.loads(encode_replay(replays[0]))
    document["inputs"]["hutong"] = version
    with pytest.raises(MalformedInput) as refused:
        decode_replay(json.dumps(document).encode())
    assert refused.value.field == "replay.inputs.hutong"


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_document_is_a_replay_or_a_typed_error(replays, data):
    document = json.loads(encode_replay(replays[1]))
    part = document
    while isinstance(part, dict | list) and part:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or data.draw(st.integers(0, 4)) == 0:
            part[key] = data.draw(
                st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({}))
            )
            break
        part = part[key]
    try:
        decode_replay(json.dumps(document).encode())
    except MalformedInput as error:
        assert error.field.startswith("replay")


@pytest.mark.parametrize("text", ["", "a", "a/b", "a/b/", "a/b/c", "a/b/-1", "/b/1", "a//1", "a/b/" + "9" * 200])
def test_no_packet_id(text):
    with pytest.raises(MalformedInput):
        parse_packet_id(text)
