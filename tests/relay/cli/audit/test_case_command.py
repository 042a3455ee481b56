"""`hutong audit case`: exit codes, and what is printed."""

import json

from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.audit.cases import encode_evidence
from tests.relay.audit.cases.shown_evidence import TRUST, harvest
from tests.relay.cli.audit.without_network import within_this_process

NOW = "1700000010"


def trust_document(trust=TRUST) -> dict:
    chains = [
        {
            "name": chain.name,
            "chain_id": chain.chain_id,
            "hub_client": chain.hub_client,
            "contracts": {name: f"0x{address.hex()}" for name, address in chain.contracts.items()},
        }
        for chain in trust.chains.values()
    ]
    return {
        "format": "hutong-case-trust",
        "version": 1,
        "hub_chain_id": trust.hub_chain_id,
        "chains": chains,
        "people": {name: f"0x{address.hex()}" for name, address in trust.people.items()},
        "values": dict(trust.values),
    }


def written(folder, shown):
    """Evidence, checkpoints and trust as an auditor has them in a folder."""
    (folder / "evidence.json").write_bytes(encode_evidence(shown.evidence))
    (folder / "trust.json").write_text(json.dumps(trust_document(shown.trust)))
    for one in shown.checkpoints:
        (folder / f"{one.chain_id}.checkpoint.json").write_bytes(encode_checkpoint(one))
    return folder / "evidence.json", folder, folder / "trust.json"


def case(evidence, checkpoints, trust, *more):
    arguments = ("--checkpoint", checkpoints, "--trust", trust, "--now", NOW, *more)
    return within_this_process("audit", "case", evidence, *arguments)


def test_a_case_without_a_rule_is_refused_by_name(tmp_path):
    files = written(tmp_path, harvest())
    done = case(*files)
    assert (done.returncode, "case_is_known" in done.stdout) == (1, True), done.stdout + done.stderr
    found = json.loads(case(*files, "--json").stdout)
    assert (found["valid"], found["case"], found["failure"]["name"]) == (False, "harvest", "case_is_known")


def test_what_cannot_be_read_is_unusable(tmp_path):
    evidence, checkpoints, trust = written(tmp_path, harvest())
    trust.write_text("{}")
    done = case(evidence, checkpoints, trust)
    assert (done.returncode, "hutong-case-trust" in done.stderr) == (2, True), done.stderr
    assert case(tmp_path / "nothing.json", checkpoints, trust).returncode == 2
