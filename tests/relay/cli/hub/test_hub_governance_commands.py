"""Governance through the command line, against a running hub of one validator that `hutong hub init` made."""

import json

import pytest
from typer.testing import CliRunner

from hutong.adapters.hub import admin as adapter_actions
from hutong.adapters.hub import governance as adapter
from hutong.relay.cli.main import app
from hutong.relay.hub.application import admin as hub_actions
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.home.home import load_genesis, load_validator_key
from hutong.relay.keys import create_keystore
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG
from tests.relay.hub.application.governance.governed_hub import KEYS, OPERATORS
from tests.relay.hub.hub_process import HubProcess
from tests.relay.hub.simulated_hub import address_of

pytestmark = pytest.mark.long


INIT = ["hub", "init", "--scrypt-iterations", "2", "--block-interval-ms", "200", "--proof-block-ms", "50"]


def invoke(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def configure(folder, hub) -> None:
    config = folder / "relay.toml"
    genesis = f'genesis = "{hub.home / "genesis.json"}"\n'
    config.write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url) + genesis)
    config.chmod(0o600)
    (folder / "password").write_text("word\n")
    (folder / "password").chmod(0o600)
    create_keystore(folder / "admin-0.json", b"\x11" * 32, b"word", 2)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    made = invoke(*INIT, "--home", str(folder / "hub"), "--governed-by", "validators", "--rules-version", "1")
    assert made.exit_code == 0, made.output
    assert "proposals need more than two thirds of the validators' power" in made.output
    hub = HubProcess(folder / "hub").start()
    configure(folder, hub)
    yield hub, folder
    assert hub.stop() == (0, "")


def ask(folder, *arguments: str):
    return invoke("hub", *arguments, "--config", str(folder / "relay.toml"))


def act(
    folder, *arguments: str, keystore: str = "hub/operators/operator-1.json", password: str = "hub/operator_password"
):
    return ask(
        folder, *arguments, "--operator", str(folder / keystore), "--operator-password-file", str(folder / password)
    )


def rows(folder, *arguments: str) -> list[dict]:
    shown = ask(folder, "proposals", *arguments, "--json")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.output)


def test_members_are_listed_with_who_speaks_for_them(place):
    _, folder = place
    shown = json.loads(ask(folder, "members", "--json").output)
    key, account = load_genesis(folder / "hub").constitution.operators[0]
    assert shown["members"] == [{"public_key": key.hex(), "account": f"0x{account.hex()}", "power": 10, "rotated_s": 0}]
    assert shown["parameters"] == {
        "block_interval_ms": 200,
        "proof_block_delay_ms": 50,
        "voting_period_s": 3 * 86_400,
    }
    text = ask(folder, "members").output
    assert f"0x{account.hex()} {key.hex()} 10 (100.0 %)" in text and "rules version 1" in text


def test_a_proposal_of_one_validator_is_executed_and_its_record_shown(place):
    hub, folder = place
    done = act(folder, "propose", "pause", "--title", "drill")
    assert done.exit_code == 0 and " is executed in block " in done.output, done.output
    number = int(done.output.split()[1])
    assert hub.rpc("hutong_chain")["paused"] and hub.rpc("hutong_chain")["governedBy"] == "validators"
    (row,) = rows(folder, str(number))
    assert (row["status"], row["action"], row["title"]) == ("executed", "pause packets", "drill")
    assert list(row["approvals"].values()) == [10] and row["executed_total_power"] == 10
    assert [vote["power"] for vote in row["votes"]] == [10]
    text = ask(folder, "proposals", str(number)).output
    assert " approves with 10 at block " in text and "  executed at block " in text
    assert act(folder, "propose", "resume").exit_code == 0
    assert not hub.rpc("hutong_chain")["paused"]
    again = act(folder, "vote", str(number), "--yes")
    assert again.exit_code == 1 and f"proposal {number}: pause packets (drill), by " in again.output
    assert f"ProposalRefused: proposal {number}, reason it was executed" in again.output


def test_commands_of_admins_go_through_the_operators_where_validators_govern(place):
    hub, folder = place
    flags = ["--hub-admin", str(folder / "hub/operators/operator-1.json")]
    flags += ["--hub-admin-password-file", str(folder / "hub/operator_password")]
    for command, paused in (("pause", True), ("resume", False)):
        assert ask(folder, command, *flags).exit_code == 0
        assert hub.rpc("hutong_chain")["paused"] is paused


def test_a_refused_action_has_an_exit_code_of_its_own_and_can_be_executed_again(place):
    _, folder = place
    refused = act(folder, "propose", "recover-client", "--client", "bft-evm-0", "--substitute", "bft-evm-1", "--json")
    assert refused.exit_code == 3, refused.output
    answer = json.loads(refused.output)
    assert (answer["status"], answer["failure"]) == ("failed", "IBCClientNotFound: bft-evm-0")
    number = str(answer["proposal"])
    assert rows(folder, number)[0]["status"] == "failed"
    assert number in [str(row["proposal"]) for row in rows(folder, "--open")]
    again = act(folder, "execute", number)
    assert (again.exit_code, again.output.count("\n")) == (1, 1) and "IBCClientNotFound" in again.output
    withdrawn = act(folder, "vote", number, "--reject", "--yes")
    assert withdrawn.exit_code == 0 and "approved by 0 of 10" in withdrawn.output


def test_parameters_and_rules_are_changed_and_the_node_follows(place):
    hub, folder = place
    assert act(folder, "propose", "parameter", "proof_block_delay_ms", "60").exit_code == 0
    assert json.loads(ask(folder, "members", "--json").output)["parameters"]["proof_block_delay_ms"] == 60
    height = hub.height + 12
    done = act(folder, "propose", "rules", "--version", "3", "--height", str(height))
    assert done.exit_code == 0, done.output
    assert f"rules version 3 begins at block {height}" in ask(folder, "members").output
    hub.wait_for_height(height + 1)
    assert hub.rpc("hutong_chain")["rulesVersion"] == 3
    versions = [
        hub.cometbft(f"commit?height={at}")["signed_header"]["header"]["version"] for at in (height - 1, height)
    ]
    assert [version["app"] for version in versions] == ["1", "3"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["propose", "parameter", "trusting_period_s", "5"], 2, "may change while the hub runs"),
        (["propose", "rules", "--version", "3"], 2, "give --version and --height, or --withdraw"),
        (["propose", "end", "--withdraw", "--height", "9"], 2, "give --height or --withdraw"),
        (["propose", "end", "--height", "1"], 3, "VerificationFailed: notice"),
        (["propose", "pause", "--title", "x" * 257], 2, "1 to 256 bytes"),
        (["propose", "action", "nowhere.hex"], 2, "No such file"),
        (["propose", "validator", "--public-key", KEYS[1].public_key.data.hex(), "--power", "3"], 3, "validator_known"),
        (["propose", "recover-client", "--client", "a", "--substitute", "b"], 2, "client"),
        (["vote", "999"], 1, "no such proposal"),
    ],
)
def test_what_is_wrong_is_one_sentence(place, arguments, exit_code, words):
    _, folder = place
    refused = act(folder, *arguments)
    assert (refused.exit_code, refused.output.count("\n")) == (exit_code, 1), refused.output
    assert words in refused.output


def test_who_is_no_operator_is_told_so(place):
    _, folder = place
    refused = act(folder, "propose", "pause", keystore="admin-0.json", password="password")
    assert refused.exit_code == 1 and "only the operator account of a validator decides" in refused.output


def test_a_new_member_makes_a_candidate_that_the_members_admit(place):
    hub, folder = place
    home = folder / "new"
    assert invoke(*INIT, "--home", str(home), "--governed-by", "validators").exit_code == 0
    operator = OPERATORS[1].address
    made = invoke("hub", "candidate", "--home", str(home), "--operator", operator)
    assert made.exit_code == 0, made.output
    document = json.loads(made.output)
    key = load_validator_key(home)
    assert document["public_key"] == key.public_key.data.hex()
    file = folder / "candidate.json"
    for change, words in (
        ({"operator": OPERATORS[2].address}, "the proof is not the key's"),
        ({"chain_id": "hutong-2"}, "is for hub hutong-2, this is hutong-1"),
        ({"proof": "00" * 64}, "the proof is not the key's"),
        ({"proof": 7}, "candidate.proof: is not 64 bytes as lower-case hex"),
        ({"public_key": "02"}, "candidate.public_key: is not 33 bytes as lower-case hex"),
        ({"more": "x"}, "candidate.more: is not a known field"),
    ):
        file.write_text(json.dumps(document | change))
        refused = act(folder, "propose", "admit", "--candidate", str(file), "--power", "4")
        assert (refused.exit_code, refused.output.count("\n")) == (2, 1) and words in refused.output, refused.output
    file.write_text(made.output)
    stops = act(folder, "propose", "admit", "--candidate", str(file), "--power", "5")
    assert stops.exit_code == 1 and "would hold 10 of 15 voting power" in stops.output, stops.output
    done = act(folder, "propose", "admit", "--candidate", str(file), "--power", "4")
    assert done.exit_code == 0, done.output
    shown = json.loads(ask(folder, "members", "--json").output)["members"]
    assert sorted((row["account"], row["power"]) for row in shown)[0][1] in (4, 10)
    assert {row["account"]: row["power"] for row in shown}[operator.lower()] == 4
    gone = act(folder, "propose", "validator", "--public-key", document["public_key"], "--power", "0")
    # 10 of 14 is more than two thirds: the first validator still decides alone
    assert gone.exit_code == 0 and " is executed " in gone.output, gone.output
    assert len(json.loads(ask(folder, "members", "--json").output)["members"]) == 1
    hub.wait_for_height(hub.height + 3)


def test_the_only_validator_cannot_swap_its_key_at_once_and_keeps_the_new_one_for_later(place):
    _, folder = place
    refused = act(folder, "rotate-key", "--home", str(folder / "hub"))
    assert refused.exit_code == 1 and "validators_overlap_with_last_block" in refused.output, refused.output
    first = (folder / "hub" / "next_validator_key.json").read_bytes()
    assert act(folder, "rotate-key", "--home", str(folder / "hub")).exit_code == 1
    assert (folder / "hub" / "next_validator_key.json").read_bytes() == first
    assert (folder / "hub" / "next_validator_key.json").stat().st_mode & 0o777 == 0o600


def test_init_refuses_what_does_not_fit(tmp_path):
    for extra, words in (
        (["--governed-by", "validators", "--admins", "2"], "there are no admins"),
        (["--governed-by", "validators", "--threshold", "1"], "there are no admins"),
        (["--operator", OPERATORS[0].address], "only with --governed-by validators"),
        (["--governed-by", "validators", "--operator", "0x12"], "--operator 0x12: an address has 40 hex digits"),
        (
            ["--governed-by", "validators", "--operator", OPERATORS[0].address, "--operator", OPERATORS[1].address],
            "give one for each of the 1 validators",
        ),
    ):
        refused = invoke(*INIT, "--home", str(tmp_path / "hub"), *extra)
        assert refused.exit_code == 2 and words in refused.output, refused.output
        assert not (tmp_path / "hub" / "genesis.json").exists()
    given = [flag for account in OPERATORS[:4] for flag in ("--operator", account.address)]
    made = invoke(
        *INIT, "--home", str(tmp_path / "four"), "--engine", "cometbft", "--validators", "4",
        "--governed-by", "validators", *given,
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    genesis = load_genesis(tmp_path / "four" / "validator-1")
    assert {account for _, account in genesis.constitution.operators} == {address_of(one) for one in OPERATORS[:4]}
    for number in range(1, 5):
        key = load_validator_key_of(tmp_path / "four" / f"validator-{number}")
        assert dict(genesis.constitution.operators)[key] == address_of(OPERATORS[number - 1])


def load_validator_key_of(home) -> bytes:
    import base64

    document = json.loads((home / "cometbft" / "config" / "priv_validator_key.json").read_text())
    return base64.b64decode(document["pub_key"]["value"])


def test_the_adapters_words_are_the_hubs():
    for ours, theirs in (
        (adapter.PROPOSE, interface.PROPOSE),
        (adapter.VOTE, interface.VOTE),
        (adapter.EXECUTE_PROPOSAL, interface.EXECUTE_PROPOSAL),
        (adapter.ROTATE_KEY, interface.ROTATE_KEY),
        (adapter.PROPOSAL_COUNT, interface.PROPOSAL_COUNT),
        (adapter.GET_PROPOSAL, interface.GET_PROPOSAL),
        (adapter.GET_RESULT, interface.GET_RESULT),
        (adapter.GET_VOTES, interface.GET_VOTES),
        (adapter.GET_MEMBERS, interface.GET_MEMBERS),
        (adapter.GET_SCHEDULE, interface.GET_SCHEDULE),
        (adapter.GET_PARAMETER, interface.GET_PARAMETER),
    ):
        assert (ours.signature, list(ours.outputs)) == (theirs.signature, theirs.results)
    assert interface.PROPOSED_EVENT.topic == adapter.PROPOSED_TOPIC
    assert interface.PROPOSAL_EXECUTED_EVENT.topic == adapter.PROPOSAL_EXECUTED_TOPIC
    assert interface.PROPOSAL_FAILED_EVENT.topic == adapter.PROPOSAL_FAILED_TOPIC
    key, account = KEYS[0].public_key.data, address_of(OPERATORS[0])
    ours = (
        adapter_actions.admit_validator(1, key, 2, account, b"\x03" * 64),
        adapter_actions.set_parameter(2, "voting_period_s", 60),
        adapter_actions.schedule_rules(3, 2, 9),
        adapter_actions.end_revision(4, 9),
    )
    theirs = (
        hub_actions.admit_validator_action(1, key, 2, account, b"\x03" * 64),
        hub_actions.set_parameter_action(2, "voting_period_s", 60),
        hub_actions.schedule_rules_action(3, 2, 9),
        hub_actions.end_revision_action(4, 9),
    )
    assert ours == theirs
    assert [adapter_actions.describe_action(one) for one in ours] == [
        f"admit validator {key.hex()} of 0x{account.hex()} with power 2",
        "set voting_period_s to 60",
        "rules version 2 from block 9 on",
        "end the revision after block 9",
    ]
