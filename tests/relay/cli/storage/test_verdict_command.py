"""`hutong storage verdict` and `claim`: what cannot be asked is unusable before any chain is."""

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore

OPERATOR, ADDRESS = "5a" * 32, "0x" + "11" * 20
KEY = 'key = { keystore = "key.json", password_file = "password" }\n'
CONFIG = f"""
[relay]
home = "state"

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:9"]
consensus_rpc = ["http://127.0.0.1:9"]
{KEY}
[[chains]]
name = "alpha"
kind = "evm"
consensus = "qbft"
chain_id = 1001
router = "{ADDRESS}"
rpc = ["http://127.0.0.1:9"]
{KEY}
[[chains]]
name = "simd"
kind = "cosmos"
chain_id = "simd-1"
rpc = ["http://127.0.0.1:9"]
bech32_prefix = "cosmos"
gas_price = "0.025stake"
{KEY}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("place")
    for name, text in (("relay.toml", CONFIG), ("password", "word\n")):
        (made / name).touch(mode=0o600)
        (made / name).write_text(text)
    create_keystore(made / "key.json", bytes(31) + b"\x07", b"word", 2)
    return made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verdict", "12", "1", "--on", "alpha", "--audit", ADDRESS), "no id"),
        (("verdict", OPERATOR, "0", "--on", "alpha", "--audit", ADDRESS), "EPOCH"),
        (("verdict", OPERATOR, "1", "--on", "alpha"), "give --audit"),
        (("verdict", OPERATOR, "1", "--on", "alpha", "--audit", "0x17"), "not an address"),
        (("verdict", OPERATOR, "1", "--on", "alpha", "--audit", ADDRESS, "--client", "client-0"), "no --client"),
        (("verdict", OPERATOR, "1", "--on", "alpha", "--audit", ADDRESS, "--min-reveals", "0"), "min-reveals"),
        (("verdict", OPERATOR, "1", "--on", "hub", "--audit", ADDRESS), "an EVM chain is needed"),
        (("verdict", OPERATOR, "1", "--on", "simd", "--audit", ADDRESS), "leave --audit"),
        (("verdict", OPERATOR, "1", "--on", "simd"), "0 paths"),
        (("verdict", OPERATOR, "1", "--on", "gamma", "--audit", ADDRESS), "no chain is called gamma"),
        (("claim", OPERATOR, "1", "--on", "simd", "--audit", ADDRESS), "an EVM chain is needed"),
        (("claim", "12", "1", "--on", "alpha", "--audit", ADDRESS), "no id"),
    ],
)
def test_what_cannot_be_asked_is_unusable(folder, words, said):
    command = ["storage", *words, "--config", str(folder / "relay.toml")]
    if words[0] == "claim":
        command += ["--escrow", ADDRESS, "--deal", "0", "--keystore", str(folder / "key.json")]
        command += ["--password-file", str(folder / "password")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2 and said in done.output, done.output
