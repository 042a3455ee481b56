"""Access to endpoints and patience with them, as a file says it (parity rows 56 and 57)."""

import os
from base64 import b64encode
from dataclasses import fields
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from hutong.adapters.rpc import AccessUnusable, RpcOptions
from hutong.relay.config import EndpointsConfig, parse_config
from hutong.relay.config.load import load_attestor_config
from hutong.relay.core.topology.chains import open_chain, rpc_options
from hutong.relay.keys.endpoint_access import read_access
from tests.adapters.rpc.guarded_server import TOKEN, authority, guarded_server, server_context, signed_by
from tests.relay.config.test_config import GOOD, problem

ROUTER = 'router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"\n'
TLS = GOOD.replace(
    'rpc = ["http://127.0.0.1:18545"]', 'rpc = ["https://a.example/rpc", "https://b.example:8443"]'
).replace('ws = ["ws://127.0.0.1:18545"]', 'ws = ["wss://a.example/ws"]')


def with_access(*entries: str, text: str = TLS) -> str:
    return text.replace(ROUTER, ROUTER + f"access = [{', '.join(entries)}]\n")


def test_an_entry_is_of_a_host_or_of_one_of_its_ports(tmp_path):
    secret = tmp_path / "token"
    secret.write_text(TOKEN + "\n")
    secret.chmod(0o600)
    text = with_access(
        '{ host = "a.example", bearer_token_file = "token" }',
        '{ host = "b.example:8443", basic_user = "relay", basic_password_env = "PASSWORD",'
        ' headers = [{ name = "x-api-key", value_env = "KEY" }] }',
    )
    chain = parse_config(text.encode(), "relay.toml", tmp_path).chain("alpha")
    found = read_access(chain.access, {"PASSWORD": "pass:word", "KEY": "k3y"})
    bearer = (("authorization", f"Bearer {TOKEN}".encode()),)
    assert found.of("a.example", 443).headers == found.of("A.example", 8545).headers == bearer
    basic = ("authorization", b"Basic " + b64encode(b"relay:pass:word"))
    assert found.of("b.example", 8443).headers == (("x-api-key", b"k3y"), basic)
    assert found.of("b.example", 443).headers == () and found.of("c.example", 443).headers == ()
    for secret_text in (TOKEN, "pass:word", "k3y", b64encode(b"relay:pass:word").decode()):
        assert secret_text not in repr(found)


@pytest.mark.parametrize(
    ("entry", "field", "part"),
    [
        ('{ host = "c.example", bearer_token_env = "T" }', "chains.0.access.0.host", "no URL"),
        ('{ host = "b.example:443", bearer_token_env = "T" }', "chains.0.access.0.host", "no URL"),
        ('{ host = "a.example" }', "chains.0.access.0", "says nothing"),
        ('{ host = "https://a.example", bearer_token_env = "T" }', "chains.0.access.0.host", "host"),
        ('{ host = "a.example:0", bearer_token_env = "T" }', "chains.0.access.0.host", "host"),
        ('{ host = "a.example:99999", bearer_token_env = "T" }', "chains.0.access.0.host", "host"),
        ('{ host = "a.example", bearer_token_env = "T", bearer_token_file = "t" }', "chains.0.access.0", "at most one"),
        ('{ host = "a.example", basic_user = "u" }', "chains.0.access.0", "exactly one"),
        ('{ host = "a.example", basic_password_env = "P" }', "chains.0.access.0", "exactly one"),
        ('{ host = "a.example", basic_user = "u:v", basic_password_env = "P" }', "chains.0.access.0.basic_user", ""),
        (
            '{ host = "a.example", bearer_token_env = "T", basic_user = "u", basic_password_env = "P" }',
            "chains.0.access.0",
            "twice",
        ),
        (
            '{ host = "a.example", bearer_token_env = "T", headers = [{ name = "Authorization", value_env = "A" }] }',
            "chains.0.access.0",
            "twice",
        ),
        ('{ host = "a.example", headers = [{ name = "x" }] }', "chains.0.access.0.headers.0", "exactly one"),
        (
            '{ host = "a.example", headers = [{ name = "Host", value_env = "H" }] }',
            "chains.0.access.0.headers.0.name",
            "",
        ),
        (
            '{ host = "a.example", headers = [{ name = "a b", value_env = "H" }] }',
            "chains.0.access.0.headers.0.name",
            "",
        ),
        ('{ host = "a.example", client_certificate = "c.pem" }', "chains.0.access.0", "client_key"),
        ('{ host = "a.example", bearer_token = "abc" }', "chains.0.access.0.bearer_token", "secret"),
    ],
)
def test_attack_G13_access_with_a_contradiction_names_its_field(entry, field, part):
    found = problem(with_access(entry))
    assert found.field == field and part in str(found)
    parse_config(with_access('{ host = "a.example", bearer_token_env = "T" }').encode(), "relay.toml", Path("/tmp"))


def test_attack_G13_one_host_twice():
    entry = '{ host = "a.example", bearer_token_env = "T" }'
    assert problem(with_access(entry, entry)).field == "chains.0.access.1.host"


@pytest.mark.parametrize(("scheme", "name"), [("http", "rpc"), ("ws", "ws")])
def test_attack_G14_secrets_do_not_go_in_the_clear_unless_it_is_said(scheme, name):
    entry = '{ host = "a.example", bearer_token_env = "T" }'
    text = TLS.replace(f'{name} = ["{scheme}s://a.example', f'{name} = ["{scheme}://a.example')
    found = problem(with_access(entry, text=text))
    assert found.field == "chains.0.access.0" and f"over {scheme}://" in str(found)
    allowed = with_access(entry.replace(" }", ", allow_plaintext = true }"), text=text)
    parse_config(allowed.encode(), "relay.toml", Path("/tmp"))
    local = with_access(entry.replace("a.example", "127.0.0.1"), text=GOOD)
    parse_config(local.encode(), "relay.toml", Path("/tmp"))


def test_attack_G14_files_of_access_must_be_private_and_there(tmp_path):
    from hutong.relay.cli.operator.config import app

    config_file = tmp_path / "relay.toml"
    config_file.write_text(
        with_access(
            '{ host = "a.example", bearer_token_file = "token", ca_file = "ca.pem" }',
            '{ host = "b.example", client_certificate = "c.pem", client_key = "c.key" }',
        )
    )
    config_file.chmod(0o600)
    for name in ("alpha.json", "hub.json", "hub.password", "token", "c.key"):
        (tmp_path / name).write_text("hidden")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "ca.pem").write_text("x")
    (tmp_path / "c.pem").write_text("x")
    runner = CliRunner()
    assert runner.invoke(app, ["check", str(config_file)]).exit_code == 0
    (tmp_path / "token").chmod(0o644)
    (tmp_path / "c.key").chmod(0o640)
    (tmp_path / "ca.pem").unlink()
    refused = runner.invoke(app, ["check", str(config_file)])
    assert refused.exit_code == 2 and "hidden" not in refused.output
    for field in ("access.0.bearer_token_file", "access.0.ca_file", "access.1.client_key"):
        assert f"chains.0.{field}" in refused.output


@pytest.mark.parametrize(
    ("environment", "part"),
    [({}, "KEY is not set"), ({"KEY": ""}, "KEY is empty"), ({"KEY": "a\r\nx-evil: 1"}, "visible ASCII")],
)
def test_attack_G14_a_value_that_cannot_be_sent_is_refused_and_not_repeated(environment, part):
    text = with_access('{ host = "a.example", headers = [{ name = "x-api-key", value_env = "KEY" }] }')
    chain = parse_config(text.encode(), "relay.toml", Path("/tmp")).chain("alpha")
    with pytest.raises(AccessUnusable, match=part) as caught:
        read_access(chain.access, environment)
    assert "a.example" in str(caught.value) and "evil" not in str(caught.value)


def test_a_command_whose_token_is_missing_says_so_in_one_sentence(tmp_path):
    from hutong.relay.cli.main import app

    config_file = tmp_path / "relay.toml"
    config_file.write_text(with_access('{ host = "a.example", bearer_token_env = "NO_SUCH_TOKEN" }'))
    config_file.chmod(0o600)
    said = CliRunner().invoke(app, ["client", "list", "--config", str(config_file), "--json"])
    assert said.exit_code in (1, 2) and "NO_SUCH_TOKEN is not set" in said.output
    assert "Traceback" not in said.output and len(said.output.splitlines()) == 1


async def test_parity_row_57_a_configured_chain_is_read_through_its_guards(tmp_path, monkeypatch):
    """From the file to the wire: CA, client certificate and token of the configuration, a real TLS server that wants all."""
    ours, clients = authority(tmp_path, "ours"), authority(tmp_path, "clients")
    certificate, key = signed_by(clients, "relay")
    monkeypatch.setenv("ALPHA_TOKEN", TOKEN)
    async with guarded_server(server_context(signed_by(ours, "server"), clients)) as server:
        entry = (
            f'{{ host = "127.0.0.1:{server.port}", bearer_token_env = "ALPHA_TOKEN", ca_file = "ours.pem",'
            f' client_certificate = "{certificate.name}", client_key = "{key.name}" }}'
        )
        text = with_access(entry, text=GOOD).replace('["http://127.0.0.1:18545"]', f'["{server.url}"]')
        text = text.replace("chain_id = 1001", "chain_id = 16")
        chain = parse_config(text.encode(), "relay.toml", tmp_path).chain("alpha")
        async with open_chain(chain, Random(1)) as adapter:
            state = await adapter.account("0x5FbDB2315678afecb367f032d93F642f64180aa3")
            assert state.balance_wei == 16
            (statistics,) = (found for found in adapter.endpoint_statistics() if found.api == "rpc")
            assert statistics.requests == len(server.served) > 1 and not statistics.errors


def test_parity_row_56_everything_that_may_be_tuned_about_endpoints_is_in_the_configuration(monkeypatch):
    """Each value of RpcOptions moves when its line of the file does."""
    lines = {
        "attempt_timeout_s": "attempt_timeout_ms = 3_000",
        "rounds": "rounds = 2",
        "backoff_first_s": "backoff_first_ms = 50",
        "backoff_most_s": "backoff_most_ms = 900",
        "burst": "burst = 7",
        "max_answer_bytes": "max_answer_bytes = 70_000",
        "max_lag_blocks": "max_lag_blocks = 2",
        "straggler_grace_s": "straggler_grace_ms = 30",
        "quarantine_s": "quarantine_s = 4",
        "mismatch_quarantine_s": "mismatch_quarantine_s = 40",
        "max_concurrency": "max_concurrency = 3",
    }
    assert {line.partition(" ")[0] for line in lines.values()} == set(EndpointsConfig.model_fields)
    assert {field.name for field in fields(RpcOptions)} == set(lines) | {"requests_per_s", "access"}
    monkeypatch.setenv("T", TOKEN)
    usual = options_of(TLS)
    assert usual == RpcOptions(requests_per_s=500, burst=125), "left out, what was before"
    for name, line in lines.items():
        changed = options_of(TLS.replace(ROUTER, ROUTER + f"endpoints = {{ {line} }}\n"))
        assert {
            field.name for field in fields(RpcOptions) if getattr(changed, field.name) != getattr(usual, field.name)
        } == {name}
    assert options_of(TLS.replace(ROUTER, ROUTER + "requests_per_s = 9\n")).requests_per_s == 9
    assert options_of(with_access('{ host = "a.example", bearer_token_env = "T" }')).access.entries


def options_of(text: str) -> RpcOptions:
    return rpc_options(parse_config(text.encode(), "relay.toml", Path("/tmp")).chain("alpha"))


@pytest.mark.parametrize(
    "line", ["rounds = 0", "attempt_timeout_ms = 1", "max_answer_bytes = 1", "burst = 0", "rate = 1"]
)
def test_attack_G13_patience_out_of_bounds_names_its_field(line):
    found = problem(TLS.replace(ROUTER, ROUTER + f"endpoints = {{ {line} }}\n"))
    assert found.field == f"chains.0.endpoints.{line.partition(' ')[0]}"


def test_an_attestor_brings_its_endpoints_what_they_ask_for(tmp_path):
    file = tmp_path / "attestor.toml"
    text = """
[attestor]
home = "home"
http = "127.0.0.1:0"
key = { keystore = "key.json", password_env = "P" }

[source]
chain_id = 31337
rpc = ["https://a.example"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
access = [{ host = "a.example", bearer_token_file = "token" }]

[[destinations]]
chain_id = "hutong-1"
router = "0x0000000000000000000000000000000000001000"
client = "attestation-0"
"""
    file.write_text(text)
    for name in ("attestor.toml", "key.json", "token"):
        (tmp_path / name).touch()
        os.chmod(tmp_path / name, 0o600)
    assert load_attestor_config(file).source.access[0].bearer_token_file == tmp_path / "token"
    os.chmod(tmp_path / "token", 0o644)
    with pytest.raises(Exception, match="source.access.0.bearer_token_file"):
        load_attestor_config(file)
    file.write_text(text.replace('host = "a.example"', 'host = "c.example"'))
    with pytest.raises(Exception, match="source.access.0.host"):
        load_attestor_config(file)
