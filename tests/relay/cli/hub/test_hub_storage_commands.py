"""Who stores, writes, audits and holds, through the command line: admins' commands, and what the hub says."""

import json
from hashlib import sha256

import pytest
from eth_account import Account

from hutong.relay.keys import create_keystore
from hutong.relay.services.storage.rules.records.members import encode_label
from tests.relay.cli.hub.test_hub_code_commands import decide, run
from tests.relay.cli.hub.test_hub_governance_commands import INIT, act, configure, invoke
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.services.storage.rules.held import named

OPERATOR, AUDITOR = named("operator").hex(), named("auditor").hex()
ACCOUNT = Account.from_key(b"\x07" * 32).address.lower()
SAID = ("--account", ACCOUNT, "--organisation", "museum", "--site", "cellar-2", "--engine", "versitygw")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    config = folder / "relay.toml"
    config.write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url))
    config.chmod(0o600)
    (folder / "password").write_text("word\n")
    (folder / "password").chmod(0o600)
    for number in range(2):
        create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    yield hub, folder
    assert hub.stop() == (0, "")


@pytest.mark.long
def test_admins_name_operators_and_parties_and_the_hub_tells_of_them(place):
    _, folder = place
    before = json.loads(run(folder, "storage", "--json").output)
    assert (before["operators"], before["parties"], before["epoch"], before["parameters"]["data"]) == ([], [], None, 10)
    assert decide(folder, "storage-operator", OPERATOR, *SAID, "--weight", "9") == (
        f"operator {OPERATOR} is {ACCOUNT}, museum at cellar-2\n"
    )
    assert decide(folder, "storage-state", OPERATOR, "active") == f"operator {OPERATOR} is active\n"
    again = run(folder, "storage-state", OPERATOR, "active", *admins(folder))
    assert again.exit_code == 1 and "state_may_follow" in again.output
    assert (
        decide(folder, "storage-party", "auditor", AUDITOR, "--account", ACCOUNT) == f"auditor {AUDITOR} is {ACCOUNT}\n"
    )
    assert decide(folder, "set-storage", "--epoch", "3600", "--data", "3", "--parity", "2") == (
        "epoch_s: 86400 -> 3600\ndata: 10 -> 3\nparity: 4 -> 2\ndecided; `hutong hub storage` shows all parameters\n"
    )
    told = json.loads(run(folder, "storage", "--json").output)
    (operator,) = told["operators"]
    assert (operator["id"], operator["account"], operator["state"]) == (OPERATOR, ACCOUNT, "active")
    assert (operator["site"], operator["region"], operator["weight"]) == ("cellar-2", "unknown", 9)
    assert told["parties"] == [{"role": "auditor", "id": AUDITOR, "account": ACCOUNT}]
    assert told["parameters"]["epoch_s"] == 3_600 and told["map"] == 2
    lines = run(folder, "storage").output.splitlines()
    assert lines[0] == "no epoch yet, 0 batches, map 2, code 3 + 2, epochs of 3600 s"
    assert lines[1].startswith(f"operator {OPERATOR} active, museum at cellar-2, 0 KiB in 0 batches; 0 passed")
    assert decide(folder, "storage-party", "auditor", AUDITOR, "--remove") == f"auditor {AUDITOR} is named no longer\n"
    assert json.loads(run(folder, "storage", "--json").output)["parties"] == []


@pytest.mark.long
def test_parameters_that_are_not_named_stay_as_the_hub_has_them(place):
    _, folder = place
    decide(folder, "set-storage", "--probes", "9", "--data", "5", "--parity", "3")
    before = json.loads(run(folder, "storage", "--json").output)["parameters"]
    assert (before["probes"], before["data"], before["parity"]) == (9, 5, 3)
    assert decide(folder, "set-storage", "--price", "7", "--parity", "3").splitlines()[:2] == [
        "parity: 3 as before",
        f"price: {before['price']} -> 7",
    ]
    assert json.loads(run(folder, "storage", "--json").output)["parameters"] == before | {"price": 7}
    assert decide(folder, "set-storage", "--price", "7") == (
        "price: 7 as before\nthe hub has it so already: nothing is decided\n"
    )
    too_many = run(folder, "set-storage", "--data", "63", "--parity", "63", *admins(folder))
    assert too_many.exit_code == 2 and "shards" in too_many.output
    assert json.loads(run(folder, "storage", "--json").output)["parameters"] == before | {"price": 7}


@pytest.mark.long
def test_validators_propose_what_changes_and_keep_the_rest(tmp_path):
    made = invoke(*INIT, "--home", str(tmp_path / "hub"), "--governed-by", "validators")
    assert made.exit_code == 0, made.output
    hub = HubProcess(tmp_path / "hub").start()
    configure(tmp_path, hub)
    before = json.loads(run(tmp_path, "storage", "--json").output)["parameters"]
    done = act(tmp_path, "propose", "storage", "--deadline", "77")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == f"deadline_s: {before['deadline_s']} -> 77"
    assert json.loads(run(tmp_path, "storage", "--json").output)["parameters"] == before | {"deadline_s": 77}
    again = act(tmp_path, "propose", "storage", "--deadline", "77")
    assert again.exit_code == 1 and "nothing is proposed" in again.output
    machines = act(tmp_path, "propose", "storage", "--deadline", "78", "--json")
    assert json.loads(machines.stdout)["status"] == "executed", machines.output
    assert hub.stop() == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        ("storage-operator", "12", *SAID),
        ("storage-operator", OPERATOR, *SAID[:-2], "--engine", "Upper"),
        ("storage-operator", OPERATOR, "--account", "0x12", *SAID[2:]),
        ("storage-state", OPERATOR, "registered"),
        ("storage-party", "auditor", AUDITOR),
        ("storage-party", "auditor", AUDITOR, "--remove", "--account", ACCOUNT),
        ("storage-party", "king", AUDITOR, "--remove"),
        ("set-storage", "--probes", "0"),
        ("set-storage",),
    ],
)
def test_what_cannot_be_decided_is_unusable_before_a_hub_is_asked(tmp_path, words):
    assert encode_label("versitygw")
    create_keystore(tmp_path / "admin-0.json", sha256(b"admin 0").digest(), b"word", 2)
    create_keystore(tmp_path / "admin-1.json", sha256(b"admin 1").digest(), b"word", 2)
    (tmp_path / "password").write_text("word\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "relay.toml").write_text(CONFIG.format(eth="http://127.0.0.1:9", cometbft="http://127.0.0.1:9"))
    (tmp_path / "relay.toml").chmod(0o600)
    assert run(tmp_path, *words, *admins(tmp_path)).exit_code == 2
