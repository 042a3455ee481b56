"""What an operator types to join chains to a hub, as processes, and what the tests of it send."""

import json
from pathlib import Path

import httpx
import trio

from hutong.relay.local.processes import run_command, wait_until_serving

LIMIT_S = 600
HUB_ID, HUB_EVM_ID = "hutong-1", 47_001


async def deploy(url, chain_id, owner):
    arguments = [
        "deploy",
        "--rpc",
        url,
        "--chain-id",
        str(chain_id),
        *owner.options,
        "--forward-margin-s",
        "5",
        "--development",
        "--json",
    ]
    return json.loads(await run_command(arguments))


async def connect(config, chain, owner, admins, mailbox, *more):
    voting = admins[:2]
    printed = await run_command(
        [
            *("path", "create", "--config", str(config), "--chain", chain, *owner.options),
            *(part for admin in voting for part in ("--hub-admin", str(admin.keystore))),
            *(part for admin in voting for part in ("--hub-admin-password-file", str(admin.password_file))),
            *("--mailbox", mailbox, "--yes", "--json", *more),
        ]
    )
    return json.loads(printed)


def private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


async def serving(url, method="GET", ready=lambda answer: answer.status_code == 200, **request):
    with trio.fail_after(LIMIT_S):
        await wait_until_serving(ready, httpx.Request(method, url, **request))


def send_messages(user, destination, count=3):
    for number in range(count):
        user.send_message(destination, f"message {number}")


def count_settled(chains):
    """(delivered, acknowledged) so far."""
    return tuple(
        sum(1 for chain in chains for _ in chain.events(chain.mailbox, name, chain.head()))
        for name in ("MessageDelivered", "MessageAcknowledged")
    )
