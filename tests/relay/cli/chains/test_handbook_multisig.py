"""The pages for a new chain whose admin is a multisig with a delay, followed as printed: every command and daemon a process."""

import json
import re

import pytest
import trio

from hutong.relay.local.keys import make_key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import DemoFailed, run_command, run_daemon
from tests.nodes.operator_commands import HUB_EVM_ID, HUB_ID, private, serving
from tests.relay.cli.operator.test_ethereum_processes import ASK

ALPHA = 7_011
DELAY_S = 3
GO_ON = re.compile(r"--on-hub (\S+) --light-client (0x[0-9a-fA-F]{40})")


async def until_decided(command, go_on=()):
    """The command's output, run again with what it says until what was decided has taken effect; how often it waited."""
    waited = 0
    while True:
        try:
            return await run_command([*command, *go_on]), waited
        except DemoFailed as failure:
            said = str(failure)
            assert "takes effect from Unix time" in said, said
            found = GO_ON.search(said)
            go_on = ("--on-hub", found[1], "--light-client", found[2]) if found else ()
            waited += 1


@pytest.mark.long
async def test_audit_H4_a_new_chain_with_a_multisig_from_the_pages(tmp_path):
    home = tmp_path
    names = ("deployer", "admin", "pauser", "limiter", "relayer", "hub-admin-0", "hub-admin-1")
    keys = {name: make_key(home, name) for name in names}
    urls = {name: f"http://127.0.0.1:{free_port()}" for name in ("hub", "comet", "alpha")}
    port = {name: url.rpartition(":")[2] for name, url in urls.items()}
    funded = [part for key in keys.values() for part in ("--fund", key.address)]
    admins = [keys["hub-admin-0"], keys["hub-admin-1"]]
    async with trio.open_nursery() as nursery:
        await run_command(
            [
                *("hub", "init", "--home", str(home / "hub"), "--chain-id", HUB_ID),
                *("--evm-chain-id", str(HUB_EVM_ID), "--threshold", "2"),
                *(part for admin in admins for part in ("--admin", admin.address)),
            ]
        )
        hub = ["hub", "start", "--home", str(home / "hub"), "--port", port["hub"], "--cometbft-port", port["comet"]]
        alpha = ["devnet", "start", "--home", str(home / "alpha"), "--chain-id", str(ALPHA), "--port", port["alpha"]]
        for name, command in (("alpha", alpha + funded), ("hub", hub)):
            await nursery.start(run_daemon, name, command, home / f"{name}.log")
        for name in ("hub", "alpha"):
            await serving(urls[name], "POST", lambda answer: int(answer.json().get("result", "0x0"), 16) > 0, json=ASK)
        roles = home / "alpha.roles.toml"
        multisig = keys["admin"].address
        deployed = json.loads(
            await run_command(
                [
                    *("deploy", "--rpc", urls["alpha"], "--chain-id", str(ALPHA), *keys["deployer"].options, "--json"),
                    *("--admin", multisig, "--unpauser", multisig, "--migrator", multisig, "--out", str(roles)),
                    *("--limiter", keys["limiter"].address, "--pauser", keys["pauser"].address),
                    *("--admin-delay-s", str(DELAY_S), "--migration-delay-s", str(DELAY_S)),
                ]
            )
        )
        check = ["roles", "check", str(roles), "--rpc", urls["alpha"]]
        assert "clean" in await run_command(check)
        config = private(
            home / "relay.toml",
            f'[relay]\nhome = "relay"\n\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {ALPHA}\nconsensus = "qbft"\n'
            f'rpc = ["{urls["alpha"]}"]\nrouter = "{deployed["router"]}"\nstart_height = {deployed["height"]}\n'
            f"key = {keys['relayer'].toml}\n"
            f'\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{HUB_ID}"\nrpc = ["{urls["hub"]}"]\n'
            f'consensus_rpc = ["{urls["comet"]}"]\nkey = {keys["relayer"].toml}\n',
        )
        create = [
            *("path", "create", "--config", str(config), "--chain", "alpha", "--mailbox", deployed["mailbox"], "--yes"),
            *("--transfer", deployed["transfer"], "--json"),
            *(part for admin in admins for part in ("--hub-admin", str(admin.keystore))),
            *(part for admin in admins for part in ("--hub-admin-password-file", str(admin.password_file))),
        ]
        with pytest.raises(DemoFailed, match="AccessManagedUnauthorized"):
            await run_command([*create, *keys["deployer"].options])
        output, waited = await until_decided([*create, *keys["admin"].options])
        path = json.loads(output)
        assert waited >= 1 and path["a"]["chain"] == "alpha"
        peer = ["peer", "add", "--config", str(config), "--chain", "alpha", "--mailbox", deployed["mailbox"]]
        peer += ["--hub-client", path["b"]["client"], "--name", "alpha-itself", *keys["admin"].options]
        with pytest.raises(DemoFailed, match="takes effect from Unix time"):
            await run_command(peer)
        output, _ = await until_decided(peer)
        assert "listens to alpha-itself" in output
        assert "clean" in await run_command(check)
        assert "clean" in await run_command(["roles", "check", str(roles), "--config", str(config), "--chain", "alpha"])
        nursery.cancel_scope.cancel()
