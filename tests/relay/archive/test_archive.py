"""Evidence files: one encoding, whole or absent, and never outside their directory."""

import json
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.interface import Height, MalformedInput
from hutong.relay.archive import Archive, ArchiveUnavailable, Evidence, decode_evidence, encode_evidence
from tests.relay.relay_values import packet

EVIDENCE = Evidence(
    kind="receive",
    source_chain="alpha",
    source_chain_id="1001",
    destination_chain="hub",
    destination_chain_id="hutong-1",
    client_id="bft-evm-0",
    client_type="bft-evm",
    packet=packet(),
    acknowledgement=None,
    event_height=7,
    trusted_height=Height(0, 5),
    trusted_client_state=b"client",
    trusted_consensus_state=b"consensus",
    headers=(b"header",),
    proof_height=Height(0, 7),
    path=(b"path",),
    value=b"\1" * 32,
    proof=b"proof",
    verified_at_ns=1_700_000_000_000_000_000,
    transaction_hash=b"\2" * 32,
)
SPECIFICATION = os.path.join(os.path.dirname(__file__), "../../../docs/spec/evidence.md")


def test_vector_of_the_specification():
    with open(SPECIFICATION, encoding="utf-8") as file:
        assert encode_evidence(EVIDENCE).decode() in file.read()


@pytest.mark.parametrize(
    "name",
    [
        "hub/lost+found/000000/1",
        "hub/x/000000/1",
        "H_B/bft-evm-0/000000/1",
        "hub/bft-evm-0/0/0",
        f"hub/bft-evm-0/0/{2**64}",
    ],
)
async def test_what_is_named_as_no_packet_is_passed_over(tmp_path, name):
    archive = Archive(tmp_path)
    await archive.write([EVIDENCE])
    stray = tmp_path / f"{name}.receive.json"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(encode_evidence(EVIDENCE))
    assert await archive.packet_ids() == [("alpha", "client-0", 1)]


@pytest.mark.parametrize(
    "evidence",
    [
        EVIDENCE,
        replace(EVIDENCE, headers=()),
        replace(EVIDENCE, kind="acknowledge", acknowledgement=Acknowledgement((b"x",))),
        replace(EVIDENCE, kind="timeout", value=None),
    ],
)
def test_round_trip(evidence):
    assert decode_evidence(encode_evidence(evidence)) == evidence


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": 2}, "evidence.version"),
        ({"format": "x"}, "evidence.format"),
        ({"more": 1}, "evidence.more"),
        ({"packet_id": "beta/client-0/1"}, "evidence"),
        ({"kind": "../../x"}, "evidence.kind"),
        ({"source_chain": "../x"}, "evidence.source_chain"),
        ({"acknowledgement": "CgRkb25l"}, "evidence.acknowledgement"),
        ({"value": None}, "evidence.value"),
        ({"proof_height": "01-7"}, "height"),
        ({"headers": ["*"]}, "evidence.headers[0]"),
        ({"path": []}, "evidence.path"),
        ({"transaction_hash": "0x00"}, "evidence.transaction_hash"),
        ({"verified_at_ns": -1}, "evidence.verified_at_ns"),
    ],
)
def test_damaged_evidence_names_its_field(change, field):
    document = json.loads(encode_evidence(EVIDENCE)) | change
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(MalformedInput) as caught:
        decode_evidence(data)
    assert caught.value.field == field


async def test_written_files_are_read_back_and_a_later_one_wins(tmp_path):
    archive = Archive(tmp_path)
    later = replace(EVIDENCE, transaction_hash=b"\3" * 32)
    other = replace(EVIDENCE, packet=packet(1234))
    await archive.write([EVIDENCE, other])
    assert await archive.read("alpha", "client-0", 1, "receive") == EVIDENCE
    await archive.write([later])
    assert await archive.read("alpha", "client-0", 1, "receive") == later
    assert await archive.read("alpha", "client-0", 2, "receive") is None
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert names == [
        "alpha/client-0/000000/0000000000.1.receive.jsonl",
        "alpha/client-0/000000/0000000001.1.receive.jsonl",
        "alpha/client-0/000001/0000000000.1234.receive.jsonl",
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*.jsonl"))


async def test_attack_G3_new_folders_are_as_durable_as_the_files_in_them(tmp_path, monkeypatch):
    """A machine that loses its power forgets a folder whose name was not made durable, with all that is in it."""
    synced = set()
    fsync = os.fsync

    def watched(descriptor):
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    archive = Archive(tmp_path / "evidence")
    await archive.write([EVIDENCE])
    everything = [tmp_path, *tmp_path.rglob("*")]
    assert {path.stat().st_ino for path in everything} == synced
    assert all(path.stat().st_mode & 0o077 == 0 for path in everything[1:])
    synced.clear()
    await archive.write([EVIDENCE])
    assert len(synced) == 2, "the file and its folder: what stands already costs nothing"


async def test_attack_G3_crash_while_writing_leaves_the_old_file_whole(tmp_path, monkeypatch):
    archive = Archive(tmp_path)
    await archive.write([EVIDENCE])

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(ArchiveUnavailable, match="No space"):
            await archive.write([replace(EVIDENCE, proof=b"other")])
    assert await archive.read("alpha", "client-0", 1, "receive") == EVIDENCE
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


async def test_steps_and_the_newest_packets_are_told_apart(tmp_path):
    archive = Archive(tmp_path)
    await archive.write([replace(EVIDENCE, packet=packet(sequence)) for sequence in (1, 2, 999, 1000, 20_000)])
    done = Acknowledgement((b"x",))
    await archive.write([replace(EVIDENCE, kind="acknowledge", packet=packet(2), acknowledgement=done)])
    # an outcome is proven by the chain that the packet went to
    assert await archive.packet_ids(("acknowledge", "timeout")) == [("hub", "client-0", 2)]
    assert sorted(await archive.sent_packets("alpha", "client-0", 2)) == [1000, 20_000]
    assert sorted(await archive.sent_packets("alpha", "client-0")) == [1, 2, 999, 1000, 20_000]


@pytest.mark.parametrize(
    ("chain", "client_id", "kind"),
    [
        ("..", "client-0", "receive"),
        ("a/b", "client-0", "receive"),
        ("a", "../../x-0", "receive"),
        ("a", "client-0", "../x"),
    ],
)
def test_attack_G15_names_do_not_lead_out_of_the_archive(tmp_path, chain, client_id, kind):
    assert Archive(tmp_path).folder_of("alpha", "client-0", 1, "receive").is_relative_to(tmp_path)
    with pytest.raises(MalformedInput):
        Archive(tmp_path).folder_of(chain, client_id, 1, kind)


@given(
    st.binary(max_size=300)
    | st.integers(0, 600).flatmap(
        lambda at: st.integers(0, 255).map(
            lambda byte: encode_evidence(EVIDENCE)[:at] + bytes([byte]) + encode_evidence(EVIDENCE)[at + 1 :]
        )
    )
)
def test_attack_H_any_bytes_give_the_same_bytes_back_or_a_typed_error(data):
    try:
        evidence = decode_evidence(data)
    except MalformedInput:
        return
    assert encode_evidence(evidence) == data
