"""Who may run code, through the command line: `hutong hub init`, its admins' commands, proposals, and what a stranger meets."""

import json
from hashlib import sha256

import pytest
from eth_account import Account
from eth_utils import to_checksum_address
from typer.testing import CliRunner

from hutong.adapters.hub import admin as adapter_actions
from hutong.relay.cli.main import app
from hutong.relay.hub.application import admin as hub_actions
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.home.home import load_genesis
from hutong.relay.keys import create_keystore
from tests.relay.cli.hub.test_hub_governance_commands import configure
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID

DEPLOYER = Account.from_key(b"\x07" * 32)
STRANGER = Account.from_key(b"\x08" * 32)
CREATION = "0x600a8060093d393df3600160005260206000f3"
"""Leaves code that returns the word 1."""
ELSEWHERE = "0x" + "5c" * 20


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A closed hub with two admins' keystores."""
    folder = tmp_path_factory.mktemp("place")
    home = new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50, code=None)
    hub = HubProcess(home).start()
    config = folder / "relay.toml"
    config.write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url))
    config.chmod(0o600)
    (folder / "password").write_text("word\n")
    (folder / "password").chmod(0o600)
    for number in range(2):
        create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    yield hub, folder
    assert hub.stop() == (0, "")


def run(folder, *arguments: str):
    return CliRunner().invoke(app, ["hub", *arguments, "--config", str(folder / "relay.toml")])


def decide(folder, *arguments: str) -> str:
    done = run(folder, *arguments, *admins(folder))
    assert done.exit_code == 0, done.output
    return done.stdout


def shown(folder) -> dict:
    answer = run(folder, "code", "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.output)


def send(hub: HubProcess, account, **fields) -> str:
    nonce = int(hub.rpc("eth_getTransactionCount", account.address, "pending"), 16)
    fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 200_000, "gasPrice": 0, "value": 0} | fields
    return hub.rpc("eth_sendRawTransaction", "0x" + bytes(account.sign_transaction(fields).raw_transaction).hex())


def receipt(hub: HubProcess, transaction: str) -> dict:
    for _ in range(50):
        found = hub.rpc("eth_getTransactionReceipt", transaction)
        if found is not None:
            return found
        hub.wait_for_height(hub.height + 1)
    raise AssertionError(transaction)


@pytest.mark.long
def test_admins_let_a_deployer_in_and_take_a_contract_away(place):
    hub, folder = place
    assert shown(folder) == {"open": False, "deployers": [], "contracts": {}}
    with pytest.raises(RuntimeError, match="only accounts that this hub names may create contracts"):
        send(hub, DEPLOYER, data=CREATION)
    with pytest.raises(RuntimeError, match="only accounts that this hub names may create contracts"):
        hub.rpc("eth_estimateGas", {"from": STRANGER.address, "data": CREATION})
    assert "creates contracts" in decide(folder, "name-deployer", DEPLOYER.address)
    contract = to_checksum_address(receipt(hub, send(hub, DEPLOYER, data=CREATION))["contractAddress"])
    assert shown(folder) == {
        "open": False,
        "deployers": [DEPLOYER.address.lower()],
        "contracts": {contract.lower(): DEPLOYER.address.lower()},
    }
    assert receipt(hub, send(hub, STRANGER, to=contract))["status"] == "0x1"
    assert int(hub.rpc("eth_call", {"to": contract}, "latest"), 16) == 1
    assert "is no longer called" in decide(folder, "name-contract", contract, "--remove")
    with pytest.raises(RuntimeError, match="only contracts that this hub names may be called"):
        hub.rpc("eth_call", {"to": contract}, "latest")
    assert "no longer creates" in decide(folder, "name-deployer", DEPLOYER.address, "--remove")
    assert "may be called" in decide(folder, "name-contract", ELSEWHERE)
    assert shown(folder) == {"open": False, "deployers": [], "contracts": {ELSEWHERE: None}}
    text = run(folder, "code").stdout
    assert text == f"named accounts and contracts alone run code\ncontract {ELSEWHERE} named by decision\n"
    assert decide(folder, "set-code", "--open") == "everybody runs code\n"
    hub.wait_for_height(hub.height + 1)
    assert receipt(hub, send(hub, STRANGER, data=CREATION))["status"] == "0x1"
    assert decide(folder, "set-code", "--closed") == "named accounts and contracts alone run code\n"


@pytest.mark.long
def test_admins_schedule_and_withdraw_rules(place):
    hub, folder = place
    height = str(hub.height + 10_000)
    assert decide(folder, "schedule-rules", "--version", "9", "--height", height) == (
        f"rules version 9 from block {height} on\n"
    )
    again = run(folder, "schedule-rules", "--version", "9", "--height", height, *admins(folder))
    assert again.exit_code == 1 and "one_upgrade_planned" in again.output
    assert decide(folder, "schedule-rules", "--withdraw") == "no rules version is coming\n"
    for wrong in ((), ("--version", "4"), ("--version", "4", "--height", height, "--withdraw")):
        assert run(folder, "schedule-rules", *wrong, *admins(folder)).exit_code == 2


@pytest.mark.long
@pytest.mark.parametrize("command", ["name-deployer", "name-contract"])
def test_an_address_that_is_invalid_is_refused(place, command):
    refused = run(place[1], command, "0x12", *admins(place[1]))
    assert (refused.exit_code, refused.output) == (2, "ADDRESS: '0x12' is not an address\n")


@pytest.mark.long
def test_validators_propose_the_same(tmp_path):
    home = str(tmp_path / "hub")
    init = ["hub", "init", "--home", home, "--scrypt-iterations", "2", "--block-interval-ms", "200"]
    made = CliRunner().invoke(app, [*init, "--governed-by", "validators", "--proof-block-ms", "50"])
    assert made.exit_code == 0, made.output
    hub = HubProcess(tmp_path / "hub").start()
    try:
        configure(tmp_path, hub)
        operator = ["--operator", f"{home}/operators/operator-1.json", "--operator-password-file"]
        for arguments in (
            ("deployer", DEPLOYER.address),
            ("contract", ELSEWHERE),
            ("contract", ELSEWHERE, "--remove"),
            ("code", "--open"),
        ):
            proposed = run(tmp_path, "propose", *arguments, *operator, f"{home}/operator_password")
            assert proposed.exit_code == 0, proposed.output
        assert shown(tmp_path) == {"open": True, "deployers": [DEPLOYER.address.lower()], "contracts": {}}
        listed = run(tmp_path, "proposals").output
        assert f"let {DEPLOYER.address.lower()} create contracts" in listed
        assert f"no longer let contract {ELSEWHERE} be called" in listed and "let everybody run code" in listed
    finally:
        assert hub.stop() == (0, "")


def test_init_says_and_writes_who_runs_code(tmp_path):
    def init(name: str, *arguments: str):
        home = tmp_path / name
        done = CliRunner().invoke(app, ["hub", "init", "--home", str(home), "--scrypt-iterations", "2", *arguments])
        return done, load_genesis(home) if done.exit_code == 0 else None

    done, genesis = init("usual")
    assert genesis.code is None and "code is closed: nobody may create contracts" in done.output
    done, genesis = init("named", "--deployer", DEPLOYER.address, "--contract", ELSEWHERE)
    deployer = bytes.fromhex(DEPLOYER.address[2:])
    assert genesis.code == CodeRules(False, (deployer,), (bytes.fromhex(ELSEWHERE[2:]),))
    assert f"code is closed: {DEPLOYER.address.lower()} may create contracts" in done.output
    done, genesis = init("open", "--open-code")
    assert genesis.code == CodeRules(True) and "code is closed" not in done.output
    done, genesis = init("priced", "--base-fee", "7")
    assert genesis.code_rules == CodeRules(True) and "code is closed" not in done.output
    done, genesis = init("closed", "--base-fee", "7", "--closed-code")
    assert genesis.code == CodeRules(False)
    done, _ = init("old", "--rules-version", "2", "--open-code")
    assert done.exit_code == 2 and "from rules version 3 on" in done.output
    done, _ = init("reserved", "--deployer", "0x" + "00" * 18 + "1000")
    assert done.exit_code == 2 and "code.deployers" in done.output


def test_actions_of_the_commands_are_the_hubs_own():
    address = b"\x5c" * 20
    assert adapter_actions.set_code_open(7, True) == hub_actions.set_code_open_action(7, True)
    assert adapter_actions.name_deployer(7, address, False) == hub_actions.name_deployer_action(7, address, False)
    assert adapter_actions.name_contract(7, address, True) == hub_actions.name_contract_action(7, address, True)
    assert [int(kind) for kind in adapter_actions.ActionKind] == [int(kind) for kind in hub_actions.ActionKind]


def test_actions_of_identity_are_the_hubs_own_and_said_in_words():
    did, schema = b"\x11" * 32, b"\x44" * 32
    for chosen, window, words in (
        (schema, (0, 9), f"accredit DID {did.hex()} for schema {schema.hex()}, 3 levels below it"),
        (bytes(32), (0, 9), f"accredit DID {did.hex()} for all schemas, 3 levels below it"),
        (schema, (0, 0), f"no longer accredit DID {did.hex()} for schema {schema.hex()}"),
    ):
        ours = adapter_actions.accredit_root(7, did, chosen, 3, window)
        assert ours == hub_actions.accredit_root_action(7, did, chosen, 3, window)
        assert adapter_actions.describe_action(ours) == words
    for persons, words in ((True, "organisations and persons"), (False, "organisations only")):
        ours = adapter_actions.set_identity(8, persons, 5, 7_200)
        assert ours == hub_actions.set_identity_action(8, persons, 5, 7_200)
        assert adapter_actions.describe_action(ours) == f"register {words}, 5 places for strangers for 7200 s"


def test_actions_of_storage_are_the_hubs_own_and_said_in_words():
    operator, account = b"\x11" * 32, b"\x22" * 20
    address = "0x" + account.hex()
    labels = tuple(text.ljust(32, b"\0") for text in (b"museum", b"cellar-2", b"north", b"versitygw"))
    ours = adapter_actions.name_storage_operator(7, operator, address, labels, 9)
    assert ours == hub_actions.name_storage_operator_action(7, operator, account, labels, 9)
    said = "weight 9, labels museum, cellar-2, north, versitygw"
    assert adapter_actions.describe_action(ours) == f"operator {operator.hex()} of storage is {address}, {said}"
    for state, verb in ((2, "activate"), (3, "drain"), (4, "take out")):
        ours = adapter_actions.set_storage_operator_state(7, operator, state)
        assert ours == hub_actions.set_storage_operator_state_action(7, operator, state)
        assert adapter_actions.describe_action(ours) == f"{verb} operator {operator.hex()} of storage"
    nobody = bytes(20)
    for role, whom, words in (
        (2, account, f"name auditor {operator.hex()} of storage, {address}"),
        (1, nobody, f"no longer name writer {operator.hex()} of storage"),
    ):
        ours = adapter_actions.name_storage_party(7, role, operator, "0x" + whom.hex())
        assert ours == hub_actions.name_storage_party_action(7, role, operator, whom)
        assert adapter_actions.describe_action(ours) == words
    values = (86_400, 16, 300, 300, 64, 459, 7, 10, 4, 5)
    ours = adapter_actions.set_storage(8, values)
    assert ours == hub_actions.set_storage_action(8, values)
    assert adapter_actions.describe_action(ours).endswith("64 probes and 459 in each 7th, code 10 + 4, price 5")


def test_actions_of_the_directory_are_the_hubs_own_and_said_in_words():
    publisher, account = b"\x11" * 32, b"\x22" * 20
    for whom, words in (
        (account, f"name publisher {publisher.hex()} of the directory, 0x{account.hex()}, with 9 records"),
        (bytes(20), f"no longer name publisher {publisher.hex()} of the directory"),
    ):
        ours = adapter_actions.name_directory_publisher(7, publisher, "0x" + whom.hex(), 9)
        assert ours == hub_actions.name_directory_publisher_action(7, publisher, whom, 9)
        assert adapter_actions.describe_action(ours) == words
    ours = adapter_actions.set_directory(8, 100, 200)
    assert ours == hub_actions.set_directory_action(8, 100, 200)
    assert (
        adapter_actions.describe_action(ours) == "directory: 100 operations in a call, 200 of one publisher in a block"
    )
