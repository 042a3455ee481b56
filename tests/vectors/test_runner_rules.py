"""Rules of the formats that the present files do not all show: each on a changed copy of a file, or on its function."""

import base64
import json
from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import PRESETS, SyncCommittee, sync_committee_root
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from tests.vectors import formats_eureka, test_vectors
from tests.vectors.conftest import VECTORS
from tests.vectors.formats_bitcoin import summa_text
from tests.vectors.formats_ethereum import committees_for
from tests.vectors.formats_tendermint import number_of, packet_matches, raw_hex
from tests.vectors.test_vectors import absent
from tests.vectors.vector_registry import Entry, Group, Manifest

PACKET = {
    "sequence": 7,
    "source_client": "client-0",
    "dest_client": "client-1",
    "timeout_timestamp": 100,
    "payloads": [
        {
            "source_port": "port-a",
            "dest_port": "port-b",
            "version": "1",
            "encoding": "x",
            "value": base64.b64encode(b"v").decode(),
        }
    ],
    "acknowledgement": base64.b64encode(b"ok").decode(),
}
RECEIPT = path_key("client-1", PathKind.RECEIPT, 7)


@pytest.mark.parametrize(
    "key", [path_key("client-0", PathKind.COMMITMENT, 7), RECEIPT, path_key("client-1", PathKind(3), 7)]
)
def test_absence_under_any_path_of_the_packet(key):
    packet_matches(PACKET, key, b"")
    with pytest.raises(PredicateFailed):
        packet_matches(PACKET, key, b"something")
    with pytest.raises(MalformedInput):
        packet_matches({**PACKET, "sequence": 8}, key, b"")


def test_receipts_are_present_with_their_value():
    packet_matches(PACKET, RECEIPT, b"\x02")
    with pytest.raises(PredicateFailed):
        packet_matches(PACKET, RECEIPT, b"\x01")


def test_absence_of_an_acknowledgement_needs_none():
    without = {name: value for name, value in PACKET.items() if name != "acknowledgement"}
    packet_matches(without, path_key("client-1", PathKind.ACKNOWLEDGEMENT, 7), b"")


@pytest.mark.parametrize("height", [20, "20", "0-20", {"revision_number": 0, "revision_height": 20}])
def test_heights_in_each_form(height):
    assert number_of(height) == 20


@pytest.mark.parametrize("text", ["zz", "0x1", None, 7])
def test_what_is_no_hex_is_refused_and_no_crash(text):
    with pytest.raises(MalformedInput):
        raw_hex(text, "field")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("errBadHexHash160", '"0xr000000000000000000000000000000000000000"'),
        ("errBadLenHash160", '"0x11"'),
        ("errBadLenHash256", '"0x' + "11" * 31 + '"'),
        ("errBadHexBytes", "[]"),
        ("errBadHexBytes", "7"),
        ("errBadHexBytes", "null"),
        ("errBadHexBytes", "not json"),
        ("errBadHexBytes", '{"confirming_header": 7}'),
        ("errBadLenHash", '{"hash": "0x11"}'),
    ],
)
def test_json_values_of_any_kind_are_refused(name, text):
    with pytest.raises(MalformedInput):
        summa_text(name, text)


def test_json_values_that_deserialise():
    summa_text("errBadLenHash160", json.dumps("0x" + "11" * 20))
    summa_text("errBadLenHash", json.dumps({"hash": "11" * 32, "height": 5}))


def committee(seed: int) -> dict:
    keys = ["0x" + bytes([seed, member]).hex().ljust(96, "0") for member in range(32)]
    return {"pubkeys": keys, "aggregate_pubkey": "0x" + bytes([seed]).hex() * 48}


def root_of(raw: dict) -> bytes:
    keys = b"".join(bytes.fromhex(key[2:]) for key in raw["pubkeys"])
    return sync_committee_root(SyncCommittee(keys, bytes.fromhex(raw["aggregate_pubkey"][2:])))


class MinimalNetwork:
    preset = PRESETS["minimal"]


def test_committees_are_known_in_whatever_order_and_none_is_made_up():
    first, second, third = committee(1), committee(2), committee(3)
    headers = [
        {"active_sync_committee": {"Next": second}, "consensus_update": {"next_sync_committee": third}},
        {"trusted_sync_committee": {"sync_committee": {"Current": first}}, "consensus_update": {}},
    ]
    for order in (headers, headers[::-1]):
        known = formats_eureka.KnownCommittees(order, MinimalNetwork())
        for raw in (first, second, third):
            assert known.root(raw["aggregate_pubkey"]) == root_of(raw)
            assert known.root({"aggregate_pubkey": raw["aggregate_pubkey"]}) == root_of(raw)
        assert known.root(committee(4)["aggregate_pubkey"]) is None
        assert known.root(None) is None
    again = {**first, "pubkeys": first["pubkeys"][::-1]}
    headers.append({"active_sync_committee": {"Next": again}, "consensus_update": {}})
    assert formats_eureka.KnownCommittees(headers, MinimalNetwork()).root(first["aggregate_pubkey"]) is None


def copied(entry: Entry, folder, change) -> Entry:
    document = json.loads(entry.bytes())
    change(document)
    (folder / "changed.json").write_text(json.dumps(document))
    return replace(entry, root=folder, file="changed.json")


def first_of(name: str, expected: str) -> tuple[Manifest, Entry]:
    if not (VECTORS / "manifest.json").is_file():
        absent()
    manifest = Manifest(VECTORS)
    found = next((e for e in manifest.entries if (e.format, e.expected) == (name, expected)), None)
    if found is None:
        pytest.skip(f"the vectors have no {expected} {name}")
    return manifest, found


@pytest.mark.vectors
def test_a_messages_own_trusted_height_is_looked_up(tmp_path):
    _, entry = first_of("ibc-tm-update-hex", "valid")

    def another_height(document):
        document["update_client_message"]["trusted_height"] += 1

    class Alone:
        def group_of(self, entry):
            return Group((entry,))

    changed = copied(entry, tmp_path, another_height)
    assert test_vectors.judge(Alone(), replace(changed, expected="invalid", reason="unknown height")).judged == 1
    with pytest.raises(pytest.fail.Exception, match="no consensus state at height"):
        test_vectors.judge(Alone(), changed)


@pytest.mark.vectors
def test_an_update_whose_committee_no_file_brings_is_named_and_not_counted():
    manifest, _ = first_of("beacon-light-client-json", "valid")
    for entry in manifest.entries:
        if entry.format != "beacon-light-client-json" or entry.params["type"] == "LightClientBootstrap":
            continue
        alone = Group((entry,))
        brought = committees_for(entry, alone) if entry.params.get("signed_by") is None else {}

        class Alone:
            def group_of(self, entry, alone=alone):
                return alone

        if brought or entry.params.get("signed_by") is not None:
            continue
        verdict = test_vectors.judge(Alone(), entry)
        assert verdict.judged == 0 and "signature: no file of the group" in verdict.unchecked[0]
