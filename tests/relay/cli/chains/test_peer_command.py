"""`hutong peer` with a hub at the other end: it listens to clients that there are, and to nobody twice."""

import json
from contextlib import ExitStack

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from tests.relay.cli.chains.hub_and_chain import Place

pytestmark = pytest.mark.long
"""Over processes of a hub and of chains."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("peers"), stack)


@pytest.fixture
def peer(place):
    def run(word, *options):
        where = ["--config", str(place.home / "relay.toml"), "--chain", "alpha", *place.keys["owner"].options]
        return CliRunner().invoke(app, ["peer", word, *where, "--mailbox", place.deployment["mailbox"], *options])

    return run


def test_audit_H4_a_peer_is_a_client_that_the_hub_has(place, peer):
    """A Mailbox takes any identifier, and would listen to whoever gets it later."""
    none = peer("add", "--hub-client", "bft-evm-77", "--name", "gammax")
    assert none.exit_code == 1 and "hub has no client bft-evm-77; it has none" in none.output
    made = place.create("--yes", "--mailbox", place.deployment["mailbox"])
    assert made.exit_code == 0, made.output
    client = json.loads(made.stdout)["b"]["client"]
    before = place.sent()
    wrong = peer("add", "--hub-client", "bft-evm-77", "--name", "gammax")
    assert wrong.exit_code == 1 and f"hub has no client bft-evm-77; it has {client}." in wrong.output
    assert "hutong path create" in wrong.output and place.sent() == before, "nothing was sent"
    first = peer("add", "--hub-client", client, "--name", "alpha")
    assert (first.exit_code, first.stdout) == (0, f"alpha listens to alpha ({client})\n"), first.output
    again = peer("add", "--hub-client", client, "--name", "alpha")
    assert (again.exit_code, again.stdout) == (0, f"alpha listens to alpha ({client}) already; nothing was sent\n")
    other = peer("add", "--hub-client", client, "--name", "beta", "--json")
    assert other.exit_code == 0 and json.loads(other.stdout)["name"] == "beta"
    assert peer("remove", "--hub-client", client).stdout == f"alpha no longer listens to {client}\n"
    again = peer("remove", "--hub-client", client)
    assert (again.exit_code, again.stdout) == (0, f"alpha no longer listens to {client} already; nothing was sent\n")
    unknown = peer("remove", "--hub-client", "bft-evm-77")
    assert unknown.exit_code == 1 and f"hub has no client bft-evm-77; it has {client}." in unknown.output
    own = peer("remove", "--hub-client", client, "--decide-as", place.keys["owner"].address)
    assert own.exit_code == 2 and "is the keystore's own account" in own.output
