"""The pages for a new chain whose admin is a multisig with a delay, followed as printed: every command and daemon a process.

Once with a key as the multisig, and once with a contract of three owners.
"""

import json
import re
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import pytest
import trio
from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.submit import evm_reverts
from hutong.adapters.ics26.abi import Function, selector
from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
from hutong.adapters.ics26.transactor import Transactor, creation_address
from hutong.adapters.interface import RefusedByChain
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.relay.local.keys import make_key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import HUTONG, DemoFailed, run_child, run_command, run_daemon
from tests.contracts.evm import artifact
from tests.nodes.operator_commands import HUB_EVM_ID, HUB_ID, private, serving
from tests.relay.cli.operator.test_ethereum_processes import ASK

ALPHA = 7_011
DELAY_S = 3
TAKES_EFFECT = r"takes effect from 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in \d+ s\) on"
CONFIRM = Function("confirm", ("address", "bytes", "uint256"))
TO_SEND = r"for {} to send: to (0x[0-9a-fA-F]{{40}}) data 0x([0-9a-f]+)"
SUBSTITUTE = re.compile(r"--substitute (0x[0-9a-fA-F]{40})")
TRUSTING_S = 60
"""Of the path that expires: longer than a slow machine takes to make it, or to put its substitute in its place."""
GO_ON = re.compile(r"--on-hub (\S+) --light-client (0x[0-9a-fA-F]{40})")


async def until_decided(command, go_on=()):
    """The command's output, run again with what it says until what was decided has taken effect; how often it waited."""
    waited = 0
    while True:
        try:
            return await run_command([*command, *go_on]), waited
        except DemoFailed as failure:
            said = str(failure)
            assert re.search(TAKES_EFFECT, said), said
            found = GO_ON.search(said)
            go_on = ("--on-hub", found[1], "--light-client", found[2]) if found else ()
            waited += 1


@asynccontextmanager
async def hub_and_alpha(home, names):
    """Both as processes, alpha with funds for every key; (keys by name, URLs)."""
    keys = {name: make_key(home, name) for name in (*names, "hub-admin-0", "hub-admin-1")}
    urls = {name: f"http://127.0.0.1:{free_port()}" for name in ("hub", "comet", "alpha")}
    port = {name: url.rpartition(":")[2] for name, url in urls.items()}
    funded = [part for key in keys.values() for part in ("--fund", key.address)]
    async with trio.open_nursery() as nursery:
        await run_command(
            [
                *("hub", "init", "--home", str(home / "hub"), "--chain-id", HUB_ID),
                *("--evm-chain-id", str(HUB_EVM_ID), "--threshold", "2"),
                *("--admin", keys["hub-admin-0"].address, "--admin", keys["hub-admin-1"].address),
            ]
        )
        hub = ["hub", "start", "--home", str(home / "hub"), "--port", port["hub"], "--cometbft-port", port["comet"]]
        alpha = ["devnet", "start", "--home", str(home / "alpha"), "--chain-id", str(ALPHA), "--port", port["alpha"]]
        for name, command in (("alpha", alpha + funded), ("hub", hub)):
            await nursery.start(run_daemon, name, command, home / f"{name}.log")
        for name in ("hub", "alpha"):
            await serving(urls[name], "POST", lambda answer: int(answer.json().get("result", "0x0"), 16) > 0, json=ASK)
        yield keys, urls
        nursery.cancel_scope.cancel()


async def deploy_for(multisig, home, keys, urls):
    """Contracts whose admin, unpauser and migrator is the multisig; (what was deployed, `roles check` of it)."""
    roles = home / "alpha.roles.toml"
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
    return deployed, check


def config_of(home, keys, urls, deployed):
    return private(
        home / "relay.toml",
        f'[relay]\nhome = "relay"\n\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {ALPHA}\nconsensus = "qbft"\n'
        f'rpc = ["{urls["alpha"]}"]\nrouter = "{deployed["router"]}"\nstart_height = {deployed["height"]}\n'
        f"key = {keys['relayer'].toml}\n"
        f'\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{HUB_ID}"\nrpc = ["{urls["hub"]}"]\n'
        f'consensus_rpc = ["{urls["comet"]}"]\nkey = {keys["relayer"].toml}\n',
    )


def applications_of(deployed):
    return "--mailbox", deployed["mailbox"], "--transfer", deployed["transfer"]


def path_create(config, keys):
    admins = [keys["hub-admin-0"], keys["hub-admin-1"]]
    return [
        *("path", "create", "--config", str(config), "--chain", "alpha", "--yes", "--json"),
        *(part for admin in admins for part in ("--hub-admin", str(admin.keystore))),
        *(part for admin in admins for part in ("--hub-admin-password-file", str(admin.password_file))),
    ]


@pytest.mark.long
async def test_audit_H4_a_new_chain_with_a_multisig_from_the_pages(tmp_path):
    home = tmp_path
    async with hub_and_alpha(home, ("deployer", "admin", "pauser", "limiter", "relayer")) as (keys, urls):
        deployed, check = await deploy_for(keys["admin"].address, home, keys, urls)
        config = config_of(home, keys, urls, deployed)
        create = [*path_create(config, keys), *applications_of(deployed)]
        with pytest.raises(DemoFailed, match="AccessManagedUnauthorized"):
            await run_command([*create, *keys["deployer"].options])
        output, waited = await until_decided([*create, *keys["admin"].options])
        path = json.loads(output)
        assert waited >= 1 and path["a"]["chain"] == "alpha"
        peer = ["peer", "add", "--config", str(config), "--chain", "alpha", "--mailbox", deployed["mailbox"]]
        peer += ["--hub-client", path["b"]["client"], "--name", "alpha-itself", *keys["admin"].options]
        with pytest.raises(DemoFailed, match=TAKES_EFFECT):
            await run_command(peer)
        output, _ = await until_decided(peer)
        assert "listens to alpha-itself" in output
        assert "clean" in await run_command(check)
        assert "clean" in await run_command([*check[:3], "--config", str(config), "--chain", "alpha"])


class Multisig:
    """A contract on alpha that makes a call once two of its three owners have confirmed it."""

    def __init__(self, address, owners):
        self.address, self.owners = address, owners
        self.sent = []

    @classmethod
    async def deployed(cls, execution, keys):
        owners = [Transactor(execution, ALPHA, key.signer()) for key in keys]
        code = artifact("Multisig").bytecode + encode(["address[]", "uint256"], [[key.address for key in keys], 2])
        maker = owners[0]
        address = creation_address(to_canonical_address(maker.signer.address), await maker.next_nonce())
        await maker.send(None, code)
        return cls(to_checksum_address(address), owners)

    async def send(self, to, data):
        """The owners change from call to call, so that no two of them alone can do all of it."""
        number = len(self.sent)
        self.sent.append(to)
        call = CONFIRM.encode(to, bytes.fromhex(data), number)
        for owner in (self.owners[number % 3], self.owners[(number + 1) % 3]):
            await owner.send(to_canonical_address(self.address), call)

    async def until_done(self, command, go_on):
        """The command's output: what it prints is sent, and it is run again as it asks, until its exit code is 0."""
        more = []
        while True:
            done = await run_child([*HUTONG, *command, *more, "--decide-as", self.address])
            if done.returncode == 0:
                return done.stdout.decode()
            said = done.stdout.decode() + done.stderr.decode()
            printed = re.findall(TO_SEND.format(self.address), said)
            assert printed or "takes effect from" in said or "scheduled: " in said, said
            for to, data in printed:
                await self.send(to, data)
            more = go_on(said) or more
            if not printed:
                await trio.sleep(0.5)


def path_goes_on(said):
    found = GO_ON.search(said)
    return [] if found is None else ["--on-hub", found[1], "--light-client", found[2]]


def recovery_goes_on(said):
    found = SUBSTITUTE.search(said)
    return [] if found is None else ["--substitute", found[1]]


async def until_expired(status):
    with trio.fail_after(4 * TRUSTING_S):
        while True:
            try:
                assert "status: Active" in await run_command(status)
            except DemoFailed as failure:
                assert "status: Expired" in str(failure), str(failure)
                return
            await trio.sleep(1)


@pytest.mark.long
async def test_audit_H4_a_contract_makes_a_path_and_recovers_its_client_from_the_pages(tmp_path):
    """The multisig has no key: admin and migrator is a contract, and who runs the commands has no right at all."""
    home = tmp_path
    names = ("deployer", "pauser", "limiter", "relayer", "asking", "owner-0", "owner-1", "owner-2")
    async with hub_and_alpha(home, names) as (keys, urls):
        identify = partial(identify_execution, chain_id=ALPHA)
        async with open_rpc_client("alpha", (urls["alpha"],), Random(1), RpcOptions(), identify) as client:
            owners = [keys[f"owner-{number}"] for number in range(3)]
            multisig = await Multisig.deployed(ExecutionRpc(client, evm_reverts()), owners)
            deployed, check = await deploy_for(multisig.address, home, keys, urls)
            config = config_of(home, keys, urls, deployed)
            asking = keys["asking"].options
            create = [*path_create(config, keys), *asking]
            short = json.loads(
                await multisig.until_done([*create, "--trusting-period-s", str(TRUSTING_S)], path_goes_on)
            )
            client_id = short["a"]["client"]
            assert multisig.sent == [deployed["access_manager"], deployed["router"]]
            with config.open("a") as file:
                file.write(
                    f'\n[[paths]]\na = {{ chain = "alpha", client = "{client_id}" }}\n'
                    f'b = {{ chain = "hub", client = "{short["b"]["client"]}" }}\n'
                )
            # while that one grows old: a path for the applications, and whom they listen to
            path = json.loads(await multisig.until_done([*create, *applications_of(deployed)], path_goes_on))
            calls = [deployed[name] for name in ("router", "mailbox", "transfer")]
            assert multisig.sent[2:5] == [deployed["access_manager"]] * 3
            assert sorted(multisig.sent[5:]) == sorted(calls), "those three may be done in any order"
            where = ("--config", str(config), "--chain", "alpha")
            peer = ["peer", "add", *where, "--mailbox", deployed["mailbox"], *asking]
            peer += ["--hub-client", path["b"]["client"], "--name", "alpha-itself"]
            assert "listens to alpha-itself" in await multisig.until_done(peer, lambda said: [])
            status = ["client", "status", *where, "--client", client_id]
            await until_expired(status)
            recover = ["client", "recover", *where, "--subject", client_id, *asking]
            with pytest.raises(DemoFailed, match="it needs the migrator role"):
                await run_command([*recover, "--substitute", "0x" + "17" * 20])
            before = len(multisig.sent)
            done = await multisig.until_done(recover, recovery_goes_on)
            assert re.fullmatch(rf"alpha {client_id} goes on with 0x[0-9a-fA-F]{{40}}\n", done), done
            assert multisig.sent[before:] == [deployed["access_manager"], deployed["router"]]
            assert "status: Active" in await run_command(status)
            assert "clean" in await run_command(check)
            with pytest.raises(RefusedByChain, match=selector("NotAnOwner(address)").hex()):
                stranger = Transactor(multisig.owners[0].execution, ALPHA, keys["asking"].signer())
                call = CONFIRM.encode(deployed["router"], b"", 99)
                await stranger.send(to_canonical_address(multisig.address), call)
