"""The city's signed log: a department with a database and no blockchain, and the hub's client of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from hutong.relay.city.plan import COUNTERPARTY, HUB_NAME, LOG_NAME
from hutong.relay.local.keys import Key
from hutong.relay.local.member import admin_options
from hutong.relay.local.processes import Daemon, run_command

ORIGIN = "log.city/registry"
HEARTBEAT_S = 30
MAX_TRUSTED_BYTES = 64 * 1024


def log_daemon(home: Path, port: int) -> Daemon:
    """`hutong devnet log`, not started yet."""
    arguments = [
        *("devnet", "log", "--home", str(home / LOG_NAME), "--port", str(port), "--origin", ORIGIN),
        *("--heartbeat", str(HEARTBEAT_S)),
    ]
    alive = httpx.Request("GET", f"http://127.0.0.1:{port}/checkpoint")
    return Daemon(LOG_NAME, arguments, home / f"{LOG_NAME}.log", alive)


def read_trusted(home: Path) -> dict[str, Any]:
    """Whom a reader of the log believes, from the log's own home: we run it.

    Raises:
        OSError, ValueError: the file is not there, or is not JSON.
    """
    document: dict[str, Any] = json.loads((home / LOG_NAME / "trusted.json").read_bytes()[:MAX_TRUSTED_BYTES])
    return document


def log_table(url: str, trusted: dict[str, Any], kept: str | None = None) -> str:
    """`[[logs]]` of the relay's configuration; strings of JSON are strings of TOML here.

    Args:
        kept: the hub's client that the relay updates before it expires; None while there is none.
    """
    kept_on = "" if kept is None else f'kept_on = [{{ chain = "{HUB_NAME}", client = {json.dumps(kept)} }}]\n'
    return (
        f"\n[[logs]]\nname = {json.dumps(LOG_NAME)}\nurl = [{json.dumps(url)}]\n"
        f"origin = {json.dumps(trusted['origin'])}\nlog_key = {json.dumps(trusted['log_key'])}\n"
        f"witnesses = {json.dumps(trusted['witnesses'])}\nquorum = {trusted['quorum']}\n"
        f"publisher_key = {json.dumps(trusted['publisher_key'])}\n{kept_on}"
    )


async def create_log_client(config: Path, admins: Sequence[Key]) -> str:
    """The hub's client of the log, from its newest checkpoint; its identifier.

    Raises:
        DemoFailed: the command failed, or did not print a client.
    """
    printed = await run_command(
        [
            *("client", "create", "--config", str(config), "--log", LOG_NAME, "--counterparty", COUNTERPARTY),
            *admin_options(admins),
        ]
    )
    return printed.split()[-1]
