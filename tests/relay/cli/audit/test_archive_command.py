"""`hutong archive` as an operator and an auditor use it: on real recorded bundles, offline."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.light_clients.interface import Height
from hutong.relay.archive.anchor import (
    Anchor,
    AnchorProof,
    decode_anchor,
    decode_entry_proof,
    encode_anchor,
    encode_entry_proof,
)
from hutong.relay.archive.bundle import Bundle, ChainHeaders, ChainKind, HeaderEntry, decode_bundle, encode_bundle
from hutong.relay.archive.store import BundleArchive, Directory
from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore

RECORDED = Path(__file__).parents[2] / "audit" / "recorded"
BUNDLES = ("message-delivered", "timeout-leg-1", "tokens-delivered")
HUB = RECORDED / "before-hutong-1.checkpoint.json"
DELIVERED = RECORDED / "message-delivered.bundle.json"


def hutong(*arguments, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["archive", *map(str, arguments)])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


NAMED = ("--contract", "0x" + "01" * 20, "--publisher", "0x" + "02" * 20)


@pytest.fixture
def place(tmp_path):
    hutong("append", tmp_path / "archive", *(RECORDED / f"{name}.bundle.json" for name in BUNDLES))
    return tmp_path / "archive"


def delivered_id() -> str:
    source = json.loads(DELIVERED.read_bytes())["legs"][0]["source_chain_id"]
    return next(iter(sorted(name for name in names() if name.startswith(f"{source}/"))))


def names() -> list[str]:
    return [decode_bundle((RECORDED / f"{name}.bundle.json").read_bytes()).packet_id for name in BUNDLES]


def test_append_status_verify(place):
    assert "0 appended, 1 known before, 0 refused" in hutong("append", place, DELIVERED)
    fields = json.loads(hutong("status", place, "--json"))
    assert (fields["entries"], fields["packets"], fields["writing"], fields["damages"]) == (3, 3, False, [])
    assert "whole" in hutong("verify", place)
    assert json.loads(hutong("verify", place, "--json"))["valid"] is True


def test_damage_is_named_and_the_exit_code_says_so(place, tmp_path):
    objects = sorted(path for path in (place / "objects").rglob("*") if path.is_file())
    objects[0].write_bytes(b"x")
    assert objects[0].name in hutong("verify", place, code=1)
    assert objects[0].name in hutong("export", place, "-o", tmp_path / "out", code=1)
    assert len(list((tmp_path / "out").glob("*.bundle.json"))) >= 1
    (place / "archive-head.json").write_bytes(b"{}")
    assert "head" in hutong("verify", place, code=2)


def test_export_gives_back_the_files(place, tmp_path):
    hutong("export", place, "-o", tmp_path / "out", "--checkpoint", HUB)
    written = {path.read_bytes() for path in (tmp_path / "out").glob("*.bundle.json")}
    assert written == {(RECORDED / f"{name}.bundle.json").read_bytes() for name in BUNDLES}
    assert (tmp_path / "out" / "hutong-1.checkpoint.json").read_bytes() == HUB.read_bytes()
    assert "no bundle of" in hutong("export", place, "-o", tmp_path / "out", "--packet", "1001/client-0/99", code=2)


def test_two_packets_are_not_written_to_one_file(tmp_path):
    """`x/y-client-0/n` and `x-y/client-0/n`: the second would replace the first, and nobody would miss it."""
    bundle = decode_bundle((RECORDED / "timeout-leg-1.bundle.json").read_bytes())
    (leg,) = bundle.legs
    for number, (chain_id, client) in enumerate((("x", "y-client-0"), ("x-y", "client-0"))):
        named = replace(leg, source_chain_id=chain_id, packet=replace(leg.packet, source_client=client))
        chains = [replace(c, chain_id=chain_id) if c.chain_id == leg.source_chain_id else c for c in bundle.chains]
        renamed = Bundle((named,), tuple(sorted(chains, key=lambda chain: chain.chain_id)))
        (tmp_path / f"{number}.bundle.json").write_bytes(encode_bundle(renamed))
    hutong("append", tmp_path / "archive", tmp_path)
    said = hutong("export", tmp_path / "archive", "-o", tmp_path / "out", code=2)
    assert "would both be" in said and not (tmp_path / "out").exists()
    one = f"x/y-client-0/{leg.packet.sequence}"
    hutong("export", tmp_path / "archive", "-o", tmp_path / "out", "--packet", one, "--packet", one)
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_two_checkpoints_are_not_written_to_one_file(place, tmp_path):
    said = hutong("export", place, "-o", tmp_path / "out", "--checkpoint", HUB, "--checkpoint", HUB, code=2)
    assert "hutong-1.checkpoint.json" in said and not (tmp_path / "out").exists()


def test_prune_by_hand(place):
    assert "0 entries pruned" in hutong("prune", place, "--older-than-days", 1)
    archive = BundleArchive(Directory(place))
    archive.prune(2**40, 2**40)
    assert json.loads(hutong("status", place, "--json"))["pruned_packets"] == 5  # two were sent on
    assert "whole" in hutong("verify", place)


def test_an_entry_is_proven_and_a_forged_proof_is_not(place, tmp_path):
    file, packet = tmp_path / "entry.proof.json", names()[0]
    assert "entry 0 of 3" in hutong("proof", place, packet, "-o", file)
    assert "stands on no chain" in hutong("check-proof", file, "--bundle", DELIVERED)
    assert "entry_is_of_bundle" in hutong(
        "check-proof", file, "--bundle", RECORDED / "timeout-leg-1.bundle.json", code=1
    )
    proof = decode_entry_proof(file.read_bytes())
    assert encode_entry_proof(proof) == file.read_bytes()
    file.write_bytes(encode_entry_proof(replace(proof, root=b"\1" * 32)))
    assert "root_matches" in hutong("check-proof", file, code=1)
    assert "no entry of packet" in hutong("proof", place, "1001/client-0/99", "-o", file, code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "/nowhere/at/all"),
        ("verify", "ftp://x"),
        ("append", "/tmp"),
        ("verify", "{place}", "--anchor", "{place}/none"),
        ("verify", "{place}", "--anchor", "{place}/none", "--checkpoint", str(HUB), *NAMED),
        ("verify", "{place}", "--anchor", "{place}/none", "--checkpoint", str(HUB), *NAMED[:2], "--publisher", "0x12"),
        ("verify", "{place}", *NAMED),
        ("check-proof", "{place}/archive-head.json", "--checkpoint", str(HUB)),
        ("anchor", "--config", "/nowhere.toml"),
    ],
)
def test_what_cannot_be_used_is_a_sentence_and_exit_code_2(place, arguments):
    hutong(*(text.format(place=place) for text in arguments), code=2)


CONFIG = """
[relay]
home = "home"
[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:1"]
consensus_rpc = ["http://127.0.0.1:1"]
key = { keystore = "hub.json", password_env = "ARCHIVE_TEST_PASSWORD" }
[archive.anchor]
contract = "0x1111111111111111111111111111111111111111"
key = { keystore = "copy.json", password_env = "ARCHIVE_TEST_PASSWORD" }
"""


def test_an_anchor_key_that_is_a_copy_of_the_relays_is_refused(place, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHIVE_TEST_PASSWORD", "long enough")
    (tmp_path / "home").mkdir()
    place.rename(tmp_path / "home" / "archive")
    for name in ("hub", "copy"):
        create_keystore(tmp_path / f"{name}.json", bytes(31) + b"\x71", b"long enough", iterations=2)
    config = tmp_path / "relay.toml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    assert "archive.anchor.key: the relay submits with 0x" in hutong("anchor", "--config", config, code=2)


PROOF = AnchorProof(
    Anchor(b"\1" * 20, b"\2" * 20, 3, 5, 1_700_000_000, b"\3" * 32),
    ChainHeaders("hutong-1", ChainKind.TENDERMINT, (HeaderEntry(b"header", b"commit"),), (b"set",)),
    Height(1, 9),
    b"\4" * 32,
    b"state",
    (b"account",),
    ((b"first",), (b"second", b"node")),
)


def test_an_anchor_that_proves_nothing_is_refused_by_a_predicate(place, tmp_path):
    file = tmp_path / "anchor.json"
    file.write_bytes(encode_anchor(PROOF))
    assert decode_anchor(file.read_bytes()) == PROOF
    trust = ("--anchor", file, "--checkpoint", HUB, *NAMED)
    output = hutong("verify", place, *trust, code=1)
    assert "headers_well_formed" in output and "FAILED" in output
    other = RECORDED / "before-1001.checkpoint.json"
    assert "is on hub hutong-1" in hutong("verify", place, "--anchor", file, "--checkpoint", other, *NAMED, code=2)
    file.write_bytes(b"{}")
    assert "anchor_is_canonical" in hutong("verify", place, *trust, code=1)


@pytest.mark.parametrize("command", ["verify", "check-proof"])
def test_an_anchor_of_a_stranger_is_refused_before_anything_of_it_is_believed(place, tmp_path, command):
    file, entry = tmp_path / "anchor.json", tmp_path / "entry.json"
    file.write_bytes(encode_anchor(PROOF))
    hutong("proof", place, names()[0], "-o", entry)
    given = (command, {"verify": place, "check-proof": entry}[command], "--anchor", file, "--checkpoint", HUB)
    for missing in (NAMED[:2], NAMED[2:], ()):
        assert "--contract and --publisher" in hutong(*given, *missing, code=2)
    for index, predicate in ((1, "contract_is_expected"), (3, "publisher_is_expected")):
        stranger = [*NAMED]
        stranger[index] = "0x" + "ee" * 20
        checks = json.loads(hutong(*given, *stranger, "--json", code=1))["checks"]
        assert checks[0]["name"] == "anchor_is_canonical"
        assert [one["name"] for one in checks][-1] == predicate and "ee" * 20 in json.dumps(checks[-1])


def test_a_period_is_replayed_from_an_archive(tmp_path):
    bundles = ("message-delivered", "message-refused-by-the-hub", "timeout-leg-1", "timeout-leg-2")
    place = tmp_path / "archive"
    hutong("append", place, *(RECORDED / f"{name}.bundle.json" for name in bundles))
    roots = [str(RECORDED / f"before-{chain}.checkpoint.json") for chain in ("1001", "1002", "hutong-1")]
    options = [
        "--now",
        "2026-11-24T19:10:00Z",
        "--jobs",
        "1",
        *(part for one in roots for part in ("--checkpoint", one)),
    ]
    whole = CliRunner().invoke(app, ["audit", "replay", str(place), *options])
    assert whole.exit_code == 0, whole.output
    leg = next(
        path for path in (place / "objects").rglob("*") if path.is_file() and b"source_chain" in path.read_bytes()
    )
    leg.write_bytes(b"{}")
    damaged = CliRunner().invoke(app, ["audit", "replay", str(place), *options])
    assert damaged.exit_code == 1 and "is damaged" in damaged.output, damaged.output
