"""`hutong identity request`: a code in the terminal, and the result of a wallet that answers the daemon."""

import json
import os
from typing import Any

import pytest
import trio
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from hutong.relay.cli.identity import request as command
from hutong.relay.cli.identity.command import app
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.serving import daemon
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.verifier.role import begin_desk, role_of
from hutong.relay.web.api_keys import KeyRing
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.services.identity.verifier.scene import Lists, Now, Wallet, client_of, write_files


def answering(folder, monkeypatch, post: Any) -> None:
    """A wallet that opens the printed link at the daemon, as soon as it is printed."""
    config = load_identity_config(folder / "identity.toml")
    common = Common(config.server, KeyRing(None), Now(), os.urandom, CollectorRegistry())
    monkeypatch.setattr(daemon, "common_of", lambda _config, _hub: common)
    shown = command.print_request

    async def answer(link: str) -> None:
        assert config.verifier is not None
        with open_database(config.server) as engine:
            desk = begin_desk(config.verifier, common, engine, Lists().fetch)
            front = create_app(common, [role_of(desk, common)], RateLimit(10_000, trio.current_time))
            async with client_of(front) as http:
                await post(Wallet(http), await Wallet(http).open(link))

    def printed(link: str, fields: dict[str, Any], as_json: bool) -> None:
        shown(link, fields, as_json)
        trio.lowlevel.spawn_system_task(answer, link)

    monkeypatch.setattr(command, "print_request", printed)


def test_the_terminal_shows_a_code_and_then_what_was_shown(tmp_path, monkeypatch):
    file = write_files(tmp_path)

    async def post(wallet: Wallet, asked: Any) -> None:
        assert (await wallet.answer(asked)).status_code == 200

    answering(tmp_path, monkeypatch, post)
    told = CliRunner().invoke(app, ["request", "--config", str(file), "--policy", "licence"])
    assert told.exit_code == 0, told.output
    assert "openid4vp://?client_id=x509_hash" in told.output and "█" in told.output
    assert 'given_name: "Erika"' in told.output and "family_name" not in told.output


@pytest.mark.long
def test_a_wallet_that_declines_ends_the_command_with_1(tmp_path, monkeypatch):
    file = write_files(tmp_path)

    async def post(wallet: Wallet, asked: Any) -> None:
        said = {"error": "access_denied", "state": asked.challenge.state}
        assert (await wallet.http.post(asked.response_uri, data=said)).status_code == 200

    answering(tmp_path, monkeypatch, post)
    told = CliRunner().invoke(app, ["request", "--config", str(file), "--policy", "licence", "--json"])
    assert told.exit_code == 1, told.output
    asked, result = map(json.loads, told.output.splitlines())
    assert asked["link"].startswith("openid4vp://") and asked["state"] == "waiting"
    assert result["state"] == "declined" and result["result"]["error"] == "access_denied"


def test_what_is_not_there_is_said(tmp_path):
    file = write_files(tmp_path)
    told = CliRunner().invoke(app, ["request", "--config", str(file), "--policy", "none"])
    assert told.exit_code != 0
