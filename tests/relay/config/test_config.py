"""The configuration file: what is accepted, and that each refusal names its field and what to do."""

import copy
import json
import os
import tomllib
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.relay.config import (
    ConfigError,
    EvmChainConfig,
    RelayConfig,
    UnsafeFile,
    file_problems,
    load_config,
    parse_config,
    read_private_file,
)

GOOD = """
[relay]
home = "state"
http = "127.0.0.1:9464"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:18545"]
ws = ["ws://127.0.0.1:18545"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "alpha.json", password_env = "ALPHA_PASSWORD" }

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:8545"]
consensus_rpc = ["http://127.0.0.1:26657"]
key = { keystore = "hub.json", password_file = "hub.password" }

[[paths]]
a = { chain = "alpha", client = "client-0" }
b = { chain = "hub", client = "bft-evm-0" }
"""
HERE = Path("/configured")

KEYSTORE = '{ keystore = "alpha.json", password_env = "ALPHA_PASSWORD" }'
PUBLIC_KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def parse(text: str):
    return parse_config(text.encode(), "relay.toml", HERE)


def problem(text: str):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.problems[0]


def test_good_file_is_parsed_and_paths_are_taken_from_its_directory():
    config = parse(GOOD)
    assert config.relay.home == HERE / "state"
    assert config.chain("alpha").key.keystore == HERE / "alpha.json"
    assert config.chain("hub").router == "0x0000000000000000000000000000000000001000"
    assert config.paths[0].name == "alpha:client-0~hub:bft-evm-0"


def test_attack_G13_unknown_key_is_refused_with_field_and_suggestion():
    parse(GOOD)
    found = problem(GOOD.replace('router = "0x5', 'ruoter = "0x5'))
    assert (found.field, found.reason) == ("chains.0.router", "field required") or found.field == "chains.0.ruoter"
    extra = problem(GOOD.replace("[[paths]]", "[[paths]]\ncolour = 1", 1))
    assert extra.field == "paths.0.colour" and extra.reason == "unknown key"
    assert problem(GOOD.replace('http = "', 'htp = "')).remedy == "did you mean http?"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('name = "hub"', 'name = "alpha"', "chains.1.name"),
        ('kind = "hub"', 'kind = "solana"', "chains.1.kind"),
        ("chain_id = 1001", 'chain_id = "1001"', "chains.0.chain_id"),
        ('chain_id = "hutong-1"', 'chain_id = "hutong"', "chains.1.chain_id"),
        ('client = "client-0"', 'client = "bft-evm-0"', "paths.0.a.client"),
        ('client = "bft-evm-0"', 'client = "client-0"', "paths.0.b.client"),
        ('{ chain = "alpha"', '{ chain = "beta"', "paths.0.a.chain"),
        ('{ chain = "hub"', '{ chain = "alpha"', "paths.0.b.chain"),
        ("f64180aa3", "f64180aA3", "chains.0.router"),
        ('"http://127.0.0.1:18545"', '"ftp://127.0.0.1"', "chains.0.rpc.0"),
        ('rpc = ["http://127.0.0.1:8545"]', "rpc = []", "chains.1.rpc"),
        ('consensus = "qbft"', 'consensus = "ethash"', "chains.0.consensus"),
        (', password_env = "ALPHA_PASSWORD"', "", "chains.0.key"),
        ('"ALPHA_PASSWORD"', '"correct horse!"', "chains.0.key.password_env"),
        ('http = "127.0.0.1:9464"', 'http = "9464"', "relay.http"),
    ],
)
def test_attack_G13_wrong_value_names_its_field(old, new, field):
    assert old in GOOD
    found = problem(GOOD.replace(old, new, 1))
    assert found.field == field
    assert found.reason and found.remedy


ONE = '{ keystore = "a.json", password_env = "P" }'
TWO = '{ keystore = "b.json", password_env = "P" }'
KEY = 'key = { keystore = "alpha.json", password_env = "ALPHA_PASSWORD" }'


def test_several_keys_of_a_chain():
    assert [key.keystore for key in parse(GOOD).chain("alpha").all_keys] == [HERE / "alpha.json"]
    chain = parse(GOOD.replace(KEY, f"keys = [{ONE}, {TWO}]")).chain("alpha")
    assert [key.keystore for key in chain.all_keys] == [HERE / "a.json", HERE / "b.json"]


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ("", "chains.0"),
        ("keys = []", "chains.0"),
        (f"{KEY}\nkeys = [{ONE}]", "chains.0"),
        (f"keys = [{ONE}, {TWO}, {ONE}]", "chains.0.keys.2.keystore"),
        (f"keys = [{ONE}, {{ keystore = 5 }}]", "chains.0.keys.1.keystore"),
    ],
    ids=["none", "empty", "both", "twice", "wrong"],
)
def test_attack_G13_keys_that_are_not_exactly_one_list_of_different_ones(keys, field):
    found = problem(GOOD.replace(KEY, keys))
    assert found.field == field
    assert found.reason and found.remedy


def test_attack_G13_duplicate_route_is_refused():
    route = GOOD[GOOD.index("[[paths]]") :]
    found = problem(GOOD + route)
    assert found.field == "paths.1.a"
    swapped = route.replace("a = {", "c = {").replace("b = {", "a = {").replace("c = {", "b = {")
    assert problem(GOOD + swapped).field == "paths.1.a"


def test_attack_G13_same_chain_under_two_names_is_refused():
    again = GOOD[GOOD.index("[[chains]]") : GOOD.index("[[chains]]", GOOD.index("[[chains]]") + 1)]
    found = problem(GOOD.replace("[[paths]]", again.replace('"alpha"', '"alpha-two"') + "\n[[paths]]"))
    assert found.field == "chains.2.chain_id"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('password = "x"', "relay.password"),
        ('redis_url = "redis://user:hunter2@127.0.0.1/0"', "relay.redis_url"),
        ('log_level = "' + "ab" * 32 + '"', "relay.log_level"),
        ('log_level = "' + " ".join(["abandon"] * 11 + ["about"]) + '"', "relay.log_level"),
        ('private_key = "0x01"', "relay.private_key"),
    ],
)
def test_attack_G14_secret_in_the_config_is_refused_and_not_repeated(line, field):
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace("[relay]", "[relay]\n" + line))
    assert caught.value.problems[0].field == field
    for secret in ("hunter2", "ab" * 32, "abandon"):
        assert secret not in str(caught.value)
    parse(GOOD.replace("[relay]", '[relay]\nredis_url = "redis://127.0.0.1/0"'))


@pytest.mark.parametrize("password", ["hun/ter2", "hun#ter2", "hun?ter2"])
def test_attack_G14_password_that_hides_in_what_is_no_port_is_refused_and_not_repeated(password):
    """To who reads URLs by the standard, `hun` is the port of a host `user`, and there is no password."""
    for good, bad, field in (
        ('"http://127.0.0.1:8545"', f'"http://user:{password}@127.0.0.1:8545"', "chains.1.rpc.0"),
        ("[relay]", f'[relay]\nredis_url = "redis://user:{password}@127.0.0.1/0"', "relay.redis_url"),
    ):
        found = problem(GOOD.replace(good, bad, 1))
        assert found.field == field and "hun" not in str(found)
    parse(GOOD.replace('rpc = ["http://127.0.0.1:8545"]', 'rpc = ["http://127.0.0.1:8545/hun/ter2#x"]', 1))


def test_attack_G14_a_user_stands_in_an_access_entry_and_in_no_url():
    found = problem(GOOD.replace('"http://127.0.0.1:8545"', '"http://someone@127.0.0.1:8545"', 1))
    assert found.field == "chains.1.rpc.0" and "access entry" in str(found) and "someone" not in str(found)


@pytest.mark.parametrize(
    "table", ['{ remote_signer = "http://127.0.0.1:9000" }', '{ keystore = "k", signer_url = "x" }']
)
def test_attack_G14_a_remote_signer_has_a_kind_of_its_own(table):
    found = problem(GOOD.replace(KEYSTORE, table))
    assert found.field == "chains.0.key" and "say which kind it is" in found.reason
    assert parse(GOOD).chains[0].key.kind == "keystore"


TOKEN = f'{{ kind = "pkcs11", module = "m", token_label = "relay", key_id = "01", public_key = "{PUBLIC_KEY}", pin_file = "p" }}'


@pytest.mark.parametrize(
    ("table", "field", "reason"),
    [
        ('{ kind = "vault" }', "chains.0.key.kind", "is no kind of key"),
        (f'{{ kind = "privval", listen = "tcp://h:1", chain_id = "a-1", public_key = "{PUBLIC_KEY}" }}', "chains.0.key.listen", "SecretConnection"),
        ('{ kind = "keystore", password_env = "P" }', "chains.0.key.keystore", "field required"),
        ('{ kind = "eth1-signer", url = "http://h" }', "chains.0.key.public_key", "field required"),
        (f'{{ kind = "eth1-signer", url = "ftp://h", public_key = "{PUBLIC_KEY}" }}', "chains.0.key.url", "https://"),
        (f'{{ kind = "eth1-signer", url = "http://h", public_key = "04{PUBLIC_KEY}" }}', "chains.0.key.public_key", "compressed"),
        (f'{{ kind = "eth1-signer", url = "http://h", public_key = "{PUBLIC_KEY}", ca_file = "c" }}', "chains.0.key", "https://"),
        (f'{{ kind = "eth1-signer", url = "http://h", public_key = "{PUBLIC_KEY}", keystore = "k" }}', "chains.0.key.keystore", "unknown"),
        (TOKEN.replace("01", "1"), "chains.0.key.key_id", "in hex"),
        (TOKEN.replace("01", "0" * 64), "chains.0.key.key_id", "looks like a private key"),
        (TOKEN.replace("}", ', pin = "1234" }'), "chains.0.key.pin", "unknown key"),
        (TOKEN.replace("}", ", processes = 9 }"), "chains.0.key.processes", "is more than 8"),
        (TOKEN.replace("}", ', curve = "p256" }'), "chains.0.key.public_key", "P-256"),
    ],
)  # fmt: skip
def test_a_wrong_key_table_names_its_field(table, field, reason):
    found = problem(GOOD.replace(KEYSTORE, table))
    assert found.field == field and reason in found.reason
    good = f'{{ kind = "eth1-signer", url = "http://127.0.0.1:9000", public_key = "{PUBLIC_KEY}" }}'
    (key,) = parse(GOOD.replace(KEYSTORE, good)).chains[0].all_keys
    assert key.place == "eth1-signer http://127.0.0.1:9000" and key.key.hex() == PUBLIC_KEY
    (key,) = parse(GOOD.replace(KEYSTORE, TOKEN)).chains[0].all_keys
    assert key.place == "pkcs11 relay 01" and key.key.hex() == PUBLIC_KEY


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('ledger_url = "postgresql://hutong:hunter2@127.0.0.1/ledger"', "relay.ledger_url"),
        ('ledger_url = "postgresql://127.0.0.1/ledger?password=hunter2"', "relay.ledger_url"),
        ('ledger_url = "mysql://127.0.0.1/ledger"', "relay.ledger_url"),
        ('ledger_url = "postgresql://127.0.0.1"', "relay.ledger_url"),
        ('ledger_password_env = "hunter2!"', "relay.ledger_password_env"),
        ("ledger_retention_days = 0", "relay.ledger_retention_days"),
    ],
)
def test_attack_G14_ledger_password_has_no_place_in_the_config(line, field):
    found = problem(GOOD.replace("[relay]", "[relay]\n" + line))
    assert found.field == field and "hunter2" not in str(found)
    kept = 'ledger_url = "postgresql://hutong@127.0.0.1/ledger"\nledger_password_env = "P"\nledger_retention_days = 90'
    assert parse(GOOD.replace("[relay]", "[relay]\n" + kept)).relay.ledger_retention_days == 90


def test_attack_G14_file_permissions_are_checked(tmp_path):
    config_file = tmp_path / "relay.toml"
    config_file.write_text(GOOD)
    config_file.chmod(0o644)
    for name in ("alpha.json", "hub.json", "hub.password"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o600)
    assert file_problems(load_config(config_file)) == ()
    (tmp_path / "hub.password").chmod(0o640)
    (tmp_path / "alpha.json").unlink()
    found = file_problems(load_config(config_file))
    assert {one.remedy.partition(" /")[0] for one in found} <= {
        "run: chmod 600",
        "correct the path or the file's owner",
    }
    fields = [one.field for one in found]
    assert fields == ["chains.0.key.keystore", "chains.1.key.password_file"]
    assert [str(one).partition(": ")[0] for one in found] == [
        "chains.0.key.keystore (alpha)",
        "chains.1.key.password_file (hub)",
    ]
    config_file.chmod(0o666)
    with pytest.raises(ConfigError, match="writable by others"):
        load_config(config_file)


def test_attack_G14_only_a_credential_of_the_service_may_be_readable_by_its_group(tmp_path, monkeypatch):
    password = tmp_path / "password"
    password.write_text("x")
    password.chmod(0o440)
    with pytest.raises(UnsafeFile, match="open to others"):
        read_private_file(password)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_private_file(password) == b"x"
    for mode in (0o444, 0o460, 0o642):
        password.chmod(mode)
        with pytest.raises(UnsafeFile, match="open to others"):
            read_private_file(password)
    password.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path.parent))
    with pytest.raises(UnsafeFile, match="open to others"):
        read_private_file(password)


def test_check_command(tmp_path):
    from hutong.relay.cli.operator.config import app

    config_file = tmp_path / "relay.toml"
    config_file.write_text(GOOD)
    config_file.chmod(0o600)
    for name in ("alpha.json", "hub.json", "hub.password"):
        (tmp_path / name).write_text("x")
        os.chmod(tmp_path / name, 0o600)
    runner = CliRunner()
    good = runner.invoke(app, ["check", str(config_file)])
    assert good.exit_code == 0 and "2 chains, 1 paths" in good.output
    config_file.write_text(GOOD + "\nnope = 1\n")
    bad = runner.invoke(app, ["check", str(config_file)])
    assert bad.exit_code == 2 and "nope" in bad.output and "Traceback" not in bad.output
    missing = runner.invoke(app, ["check", str(tmp_path / "absent.toml")])
    assert missing.exit_code == 2


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_give_a_config_or_a_config_error(data):
    try:
        parse_config(GOOD.encode() + data, "x", HERE)
    except ConfigError as error:
        assert error.problems


COSMOS = GOOD.replace(
    "[[paths]]",
    """[[chains]]
name = "simd"
kind = "cosmos"
chain_id = "testing"
rpc = ["http://127.0.0.1:26757"]
ws = ["ws://127.0.0.1:26757"]
bech32_prefix = "cosmos"
gas_price = "0.025stake"
max_fee = 500_000
key = { keystore = "simd.json", password_env = "SIMD_PASSWORD" }

[[paths]]
a = { chain = "simd", client = "07-tendermint-0" }
b = { chain = "hub", client = "07-tendermint-4" }

[[paths]]""",
    1,
)


def test_cosmos_chain_is_parsed_with_its_fee_and_a_chain_id_without_a_revision():
    chain = parse(COSMOS).chain("simd")
    assert (chain.kind, chain.chain_id, chain.bech32_prefix) == ("cosmos", "testing", "cosmos")
    assert (chain.fee_denom, chain.fee_per_gas) == ("stake", Fraction(1, 40))
    assert (chain.fee_limits.max_fee_wei, chain.gas_adjustment_percent, chain.batch.items) == (500_000, 130, 50)
    assert chain.key.keystore == HERE / "simd.json"


@pytest.mark.parametrize(
    "price", ["0stake", "1uatom", "0.000000000000000001ibc/27394FB092D2ECCD", "10factory/cosmos1x/a"]
)
def test_cosmos_gas_price_is_an_amount_and_a_denomination(price):
    assert parse(COSMOS.replace("0.025stake", price)).chain("simd").gas_price == price


@pytest.mark.parametrize("chain_id", ["testing", "cosmoshub-4", "a", "evmos_9001-2", "x.y", "a" * 50])
def test_cosmos_chain_ids_are_those_that_cometbft_takes(chain_id):
    assert parse(COSMOS.replace("testing", chain_id)).chain("simd").chain_id == chain_id


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('chain_id = "testing"', 'chain_id = ""', "chains.2.chain_id"),
        ('chain_id = "testing"', f'chain_id = "{"a" * 51}"', "chains.2.chain_id"),
        ('chain_id = "testing"', 'chain_id = "a b"', "chains.2.chain_id"),
        ('chain_id = "testing"', "chain_id = 7", "chains.2.chain_id"),
        ('chain_id = "testing"', 'chain_id = "hutong-1"', "chains.2.chain_id"),
        ('chain_id = "testing"', 'chain_id = "1001"', "chains.2.chain_id"),
        ('"cosmos"\ngas', '"Cosmos"\ngas', "chains.2.bech32_prefix"),
        ('"cosmos"\ngas', '""\ngas', "chains.2.bech32_prefix"),
        ('bech32_prefix = "cosmos"\n', "", "chains.2.bech32_prefix"),
        ('"0.025stake"', '"stake"', "chains.2.gas_price"),
        ('"0.025stake"', '"0.025"', "chains.2.gas_price"),
        ('"0.025stake"', '"-1stake"', "chains.2.gas_price"),
        ('"0.025stake"', '".5stake"', "chains.2.gas_price"),
        ('"0.025stake"', '"0.025 stake"', "chains.2.gas_price"),
        ('"0.025stake"', "0.025", "chains.2.gas_price"),
        ("max_fee = 500_000", "max_fee = 0", "chains.2.max_fee"),
        ("max_fee = 500_000", "gas_adjustment_percent = 99", "chains.2.gas_adjustment_percent"),
        ("max_fee = 500_000", "fees = { max_fee_wei = 1 }", "chains.2.fees"),
        ("max_fee = 500_000", 'router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"', "chains.2.router"),
        ('simd", client = "07-tendermint-0"', 'simd", client = "client-0"', "paths.0.a.client"),
        ('simd", client = "07-tendermint-0"', 'simd", client = "bft-evm-0"', "paths.0.a.client"),
        ('hub", client = "07-tendermint-4"', 'hub", client = "bft-evm-4"', "paths.0.b.client"),
        ('hub", client = "07-tendermint-4"', 'hub", client = "client-4"', "paths.0.b.client"),
        ('{ chain = "hub", client = "07-tendermint-4" }', '{ chain = "alpha", client = "client-4" }', "paths.0"),
    ],
)
def test_attack_G13_cosmos_mistakes_name_their_field(old, new, field):
    assert old in COSMOS
    found = problem(COSMOS.replace(old, new, 1))
    assert found.field == field
    assert found.reason and found.remedy


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[relay]\n", 'home = "x"\n[relay]\n'), "home: unknown key; it belongs into [relay]"),
        (("[relay]\n", '[relay]\nhome2 = "x"\n'), "relay.home2: unknown key; remove it"),
        (
            ("chain_id = 1001", 'chain_id = "abc"'),
            "chains.0.chain_id (alpha): is not a whole number; write a whole number",
        ),
        (("chain_id = 1001", "chain_id = 1.5"), "chains.0.chain_id (alpha): is not a whole number"),
    ],
)
def test_trial_T17_problems_are_said_in_words_of_the_file(change, said):
    assert GOOD.count(change[0]) >= 1, GOOD
    with pytest.raises(ConfigError) as refused:
        parse_config(GOOD.replace(*change, 1).encode(), "relay.toml", Path("/etc/hutong"))
    assert said in str(refused.value)
    assert "valid integer" not in str(refused.value) and "did you mean home?" not in str(refused.value)


WRONG = (5, -1, 1.5, True, "x", "", [], [5], {}, {"a": 1}, "x" * 5_000)
LIBRARY = ("nput should", "should have", "should match", "instance of", "valid ", "validation", "tuple", "dictionary")


def places(table, before=()):
    """Where a value stands, in a document or in a list."""
    for name, value in table.items() if isinstance(table, dict) else enumerate(table):
        yield (*before, name)
        if isinstance(value, dict | list):
            yield from places(value, (*before, name))


def toml(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(one)}" for name, one in value.items()) + "}"
    return json.dumps(value) if not isinstance(value, list) else "[" + ", ".join(map(toml, value)) + "]"


@pytest.mark.long
@pytest.mark.parametrize("text", [GOOD, COSMOS], ids=["evm", "cosmos"])
def test_trial_T17_no_mistake_is_said_in_the_librarys_words(text):
    """A wrong value at every place of a file, and in every key that `[relay]` and a chain can have."""
    document = tomllib.loads(text)
    spots = [*places(document), *(("relay", name) for name in RelayConfig.model_fields)]
    spots += [("chains", 0, name) for name in EvmChainConfig.model_fields]
    said = set()
    for spot in spots:
        for value in WRONG:
            changed = copy.deepcopy(document)
            at = changed
            for part in spot[:-1]:
                at = at[part]
            at[spot[-1]] = value
            try:
                parse("\n".join(f"{name} = {toml(one)}" for name, one in changed.items()))
            except ConfigError as error:
                said |= {one.reason for one in error.problems}
    assert len(said) > 20
    assert [reason for reason in said if any(words in reason for words in LIBRARY)] == []


def test_trial_T17_an_empty_list_of_endpoints_is_said_without_tuples():
    start = GOOD.index("rpc = [")
    changed = GOOD[:start] + "rpc = []" + GOOD[GOOD.index("]", start) + 1 :]
    with pytest.raises(ConfigError) as refused:
        parse_config(changed.encode(), "relay.toml", Path("/etc/hutong"))
    assert "chains.0.rpc (alpha): needs at least 1 entry; add an entry" in str(refused.value)


@pytest.mark.parametrize("entry", ["ftp://127.0.0.1", "127.0.0.1:8545"])
def test_trial_T17_a_wrong_endpoint_is_one_problem(entry):
    """Its list is too short only since the entry was refused."""
    with pytest.raises(ConfigError) as refused:
        parse_config(GOOD.replace("http://127.0.0.1:18545", entry, 1).encode(), "relay.toml", Path("/etc/hutong"))
    assert [one.field for one in refused.value.problems] == ["chains.0.rpc.0"]


def test_trial_T17_a_name_that_a_terminal_would_obey_is_not_shown():
    changed = GOOD.replace('name = "alpha"', 'name = "\\u001b[31m"', 1)
    with pytest.raises(ConfigError) as refused:
        parse_config(changed.encode(), "relay.toml", Path("/etc/hutong"))
    assert "\x1b" not in str(refused.value)
