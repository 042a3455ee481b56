"""A message between two Clique chains over a hub, recorded from running dev chains: `hutong audit` from the outside.

Recorded by `pytest -m long tests/adapters/conformance/test_relay_on_clique_chains.py`, which leaves the files in its folder `shown`.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.relay.archive.bundle import ChainKind, decode_bundle, encode_bundle
from hutong.relay.archive.checkpoint import decode_checkpoint
from hutong.relay.cli.main import app

FOLDER = Path(__file__).with_name("recorded_clique")
BUNDLE = FOLDER / "message.bundle.json"
CHECKPOINTS = sorted(FOLDER.glob("*.checkpoint.json"))
NOW = "2026-11-28T22:00:00Z"
LATER = "2027-01-28T22:00:00Z"


def audit(*words, checkpoints=CHECKPOINTS, now=NOW):
    trust = [part for path in checkpoints for part in ("--checkpoint", str(path))]
    return CliRunner().invoke(app, ["audit", *map(str, words), *trust, "--now", now])


def test_parity_row_47_a_message_between_clique_chains_is_verified_offline():
    bundle = decode_bundle(BUNDLE.read_bytes())
    assert [chain.kind for chain in bundle.chains] == [ChainKind.CLIQUE, ChainKind.CLIQUE, ChainKind.TENDERMINT]
    verdict = json.loads(audit("verify", BUNDLE, "--json").stdout)
    assert verdict["valid"]
    names = [one["name"] for one in verdict["checks"]]
    for name in ("blocks_are_linked", "signers_may_seal", "majority_of_signers_sealed", "router_account_proven"):
        assert names.count(name) >= 2, name
    assert all("followed from checkpoint" in verdict["trust"][chain] for chain in ("1001", "1002"))


def test_parity_row_47_a_folder_of_them_is_replayed(tmp_path):
    (tmp_path / BUNDLE.name).write_bytes(BUNDLE.read_bytes())
    replayed = audit("replay", tmp_path)
    assert "1 of 1 entries proven" in replayed.output, replayed.output


def test_parity_row_47_after_the_trusting_period_it_proves_nothing():
    late = audit("verify", BUNDLE, "--json", now=LATER)
    assert late.exit_code == 1 and not json.loads(late.stdout)["valid"]
    assert "within_trusting_period" in late.stdout


@pytest.mark.parametrize("chain", [0, 1])
def test_parity_row_47_a_changed_header_of_either_chain_is_refused(tmp_path, chain):
    bundle = decode_bundle(BUNDLE.read_bytes())
    document = json.loads(encode_bundle(bundle))
    text = document["chains"][chain]["headers"][0]["header"]
    document["chains"][chain]["headers"][0]["header"] = text[:400] + ("A" if text[400] != "A" else "B") + text[401:]
    changed = tmp_path / "changed.bundle.json"
    changed.write_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    refused = audit("verify", changed, "--json")
    assert refused.exit_code == 1 and not json.loads(refused.stdout)["valid"]


def test_parity_row_47_the_checkpoint_of_another_block_is_no_trust(tmp_path):
    """Whose signers are another chain's: nothing of this chain follows from it."""
    first, second = (json.loads(path.read_bytes()) for path in CHECKPOINTS[:2])
    swapped = first | {name: second[name] for name in ("client_state", "consensus_state")}
    path = tmp_path / "swapped.checkpoint.json"
    path.write_text(json.dumps(swapped))
    refused = audit("verify", BUNDLE, checkpoints=[path, *CHECKPOINTS[1:]])
    assert refused.exit_code == 2 and "is not what the client's states say" in refused.output
    assert decode_checkpoint(CHECKPOINTS[0].read_bytes()).kind is ChainKind.CLIQUE
