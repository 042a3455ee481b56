"""`hutong deploy` and `hutong roles` through the command line, against a running dev chain: who may do what afterwards."""

import json
import re
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import pytest
import trio
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.address import to_canonical_address, to_checksum_address
from typer.testing import CliRunner

from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.evm.administration.access_manager import (
    CAN_CALL,
    CANCEL,
    GRANT_ROLE,
    SCHEDULE,
    SET_ROLE_GUARDIAN,
    SET_TARGET_FUNCTION_ROLE,
)
from hutong.adapters.evm.administration.deploy import deploy as deploy_for_development
from hutong.adapters.evm.administration.rights import ARTIFACTS
from hutong.adapters.evm.submit import evm_reverts
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.contracts.artifacts import load_artifact
from hutong.contracts.roles import ADMIN_ROLE, LIMITER_ROLE, MIGRATOR_ROLE, PUBLIC_ROLE, signatures
from hutong.light_clients.crypto import keccak256
from hutong.relay.cli.main import app
from hutong.relay.devnet import Genesis, Pace, running_devnet
from hutong.relay.keys import Signer, create_keystore

CHAIN_ID = 7_301
PASSWORD = b"correct horse"
DELAY_S = 172_800
ZERO = "0x" + 40 * "0"
NAMES = ("deployer", "admin", "pauser", "unpauser", "limiter", "migrator", "relayer", "stranger")
KEYS = {name: keccak256(b"roles " + name.encode()) for name in NAMES}
ADDRESSES = {name: str(to_checksum_address(Account.from_key(key).address)) for name, key in KEYS.items()}
MIGRATE = Function("migrateClient", ("string", "(string,bytes[])", "address"))


class Setting:
    def __init__(self, url, execution, folder):
        self.url, self.execution, self.folder = url, execution, folder
        self.out = folder / "alpha.roles.toml"

    def transactor(self, name):
        return Transactor(self.execution, CHAIN_ID, Signer.in_memory(KEYS[name]))

    async def command(self, *arguments):
        """(exit code, standard output, standard error)."""
        run = partial(CliRunner().invoke, app, list(arguments), env={"PASSWORD": PASSWORD.decode()})
        outcome = await trio.to_thread.run_sync(run)
        if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
            raise outcome.exception
        return outcome.exit_code, outcome.stdout, outcome.stderr

    def deploy_options(self, *without, apps=(), **changed):
        named = {name: ADDRESSES[name] for name in ("admin", "pauser", "unpauser", "limiter", "migrator")}
        named |= {"admin-delay-s": str(DELAY_S), "migration-delay-s": str(DELAY_S), "out": str(self.out)}
        named |= {name.replace("_", "-"): value for name, value in changed.items()}
        given = [part for name, value in named.items() if name not in without for part in (f"--{name}", value)]
        given += [part for app in apps for part in ("--app", app)]
        return ["deploy", "--rpc", self.url, "--chain-id", str(CHAIN_ID), *self.key("deployer"), *given]

    def key(self, name):
        return ["--keystore", str(self.folder / f"{name}.json"), "--password-env", "PASSWORD"]

    async def deployed(self, **changed):
        code, output, error = await self.command(*self.deploy_options(**changed), "--json")
        assert code == 0, error
        return json.loads(output)

    async def check(self, *more):
        return await self.command("roles", "check", str(self.out), "--rpc", self.url, *more)


@asynccontextmanager
async def running(folder):
    for name, key in KEYS.items():
        create_keystore(folder / f"{name}.json", key, PASSWORD, iterations=2)
    funds = {bytes(to_canonical_address(address)): 10**24 for address in ADDRESSES.values()}
    async with running_devnet(Genesis(CHAIN_ID, funds_wei=funds), Pace(50, 20)) as devnet:
        identify = partial(identify_execution, chain_id=CHAIN_ID)
        async with open_rpc_client("chain", (devnet.url,), Random(1), RpcOptions(), identify) as client:
            yield Setting(devnet.url, ExecutionRpc(client, evm_reverts()), folder)


def value_of(kind):
    """Some value of an ABI type."""
    if kind.endswith("[]"):
        return [value_of(kind.removesuffix("[]"))]
    if kind.startswith("("):
        return tuple(map(value_of, members_of(kind)))
    if kind.startswith("bytes"):
        return b"\x01" * int(kind.removeprefix("bytes") or "4")
    return {"address": "0x" + "17" * 20, "string": "client-0", "bool": True}.get(kind, 1)


def members_of(kind):
    found, depth, start = [], 0, 1
    for index, char in enumerate(kind[:-1]):
        depth += (char in "([") - (char in ")]")
        if index and char == "," and depth == 1:
            found.append(kind[start:index])
            start = index + 1
    return [*found, kind[start:-1]]


def functions_of(contracts):
    """(name, address, signature, calldata) of every function of every contract, overloads and inherited ones too."""
    for name, artifact in ARTIFACTS.items():
        if name not in contracts:
            continue
        for selector, signature in signatures(artifact).items():
            kinds = members_of(signature[signature.index("(") :]) if not signature.endswith("()") else []
            data = selector + encode(kinds, [value_of(kind) for kind in kinds])
            yield name, bytes.fromhex(contracts[name][2:]), signature, data


async def attempt(setting, address, data, sender):
    """What a call says, with the caller's own address taken out."""
    try:
        said = (await setting.execution.call(address, data, "latest", sender)).hex()
    except RefusedByChain as error:
        said = f"{error.name}: {error.reason}"
    return re.sub(sender[2:], "caller", said, flags=re.IGNORECASE)


@pytest.mark.long
async def test_audit_H4_after_the_hand_over_the_deployers_key_can_do_nothing(tmp_path):
    """Tried on every function of every contract: it is told what any stranger is told."""
    async with running(tmp_path) as setting:
        contracts = await setting.deployed(apps=("title", "swap"))
        code, output, error = await setting.check()
        *waiting, clean = output.splitlines()
        assert (code, clean, error) == (0, "clean: 6 contracts and 5 members of roles are as the file says", "")
        assert len(waiting) == 6 and all(
            re.fullmatch(r"pending: .* 172800 s.*\(in (5 d|4 d 23 h)\)", line) for line in waiting
        )
        tried, manager = 0, bytes.fromhex(contracts["access_manager"][2:])
        for name, address, signature, data in functions_of(contracts):
            mine = await attempt(setting, address, data, ADDRESSES["deployer"])
            theirs = await attempt(setting, address, data, ADDRESSES["stranger"])
            if (name, signature.partition("(")[0]) == ("title", "mint"):
                # Anyone issues; the id that is answered has its issuer in it.
                assert mine != theirs and len(mine) == len(theirs) == 2 * 32, (mine, theirs)
            else:
                assert mine == theirs, (name, signature)
            call = CAN_CALL.encode(to_canonical_address(ADDRESSES["deployer"]), address, data[:4])
            immediate, delay_s = CAN_CALL.decode(await setting.execution.call(manager, call))
            open_to_all = signature.partition("(")[0] in ("updateClient", "recvPacket", "ackPacket", "timeoutPacket")
            assert (immediate, delay_s) == (name == "router" and open_to_all, 0), (name, signature)
            tried += 1
        assert tried == sum(len(signatures(artifact)) for artifact in ARTIFACTS.values()) > 100
        substitute = MIGRATE.encode("client-0", ("bft-evm-0", [b""]), "0x" + "17" * 20)
        with pytest.raises(RefusedByChain, match="AccessManagedUnauthorized"):
            await setting.transactor("deployer").send(bytes.fromhex(contracts["router"][2:]), substitute)


@pytest.mark.long
async def test_audit_H4_on_a_development_chain_the_same_trial_finds_the_deployers_rights(tmp_path):
    async with running(tmp_path) as setting:
        command = ["deploy", "--rpc", setting.url, "--chain-id", str(CHAIN_ID), *setting.key("deployer")]
        code, output, _ = await setting.command(*command, "--development", "--json")
        assert code == 0
        contracts = json.loads(output)
        differing = {
            f"{name} {signature.partition('(')[0]}"
            for name, address, signature, data in functions_of(contracts)
            if await attempt(setting, address, data, ADDRESSES["deployer"])
            != await attempt(setting, address, data, ADDRESSES["stranger"])
        }
        assert {"router addClient", "router migrateClient", "router pause", "mailbox setDirectPeer"} < differing
        assert {"transfer setClientLimit", "access_manager grantRole", "access_manager setRoleGuardian"} < differing
        code, output, _ = await setting.command(
            *("roles", "show", "--rpc", setting.url, "--chain-id", str(CHAIN_ID), "--router", contracts["router"]),
            *("--from-height", str(contracts["height"])),
        )
        assert code == 0 and output.count(ADDRESSES["deployer"]) == 5


@pytest.mark.long
async def test_audit_H4_the_file_is_what_stands_and_each_difference_is_said(tmp_path):
    async with running(tmp_path) as setting:
        contracts = await setting.deployed(relayer=ADDRESSES["relayer"])
        again = tmp_path / "again.toml"
        shown = ("roles", "show", "--rpc", setting.url, "--chain-id", str(CHAIN_ID), "--router", contracts["router"])
        assert (await setting.command(*shown, "--from-height", str(contracts["height"]), "--out", str(again)))[0] == 0
        assert again.read_text() == setting.out.read_text()
        changes = {
            f'"{ADDRESSES["migrator"]}" = {DELAY_S}': f'"{ADDRESSES["migrator"]}" = 7',
            f'"{ADDRESSES["limiter"]}" = 3600': f'"{ADDRESSES["stranger"]}" = 3600',
            'guardian = "pauser"\nadmin = "admin"\ngrant_delay_s = 172800': 'guardian = "admin"\nadmin = "admin"\ngrant_delay_s = 5',
            f"mailbox = {DELAY_S}": "mailbox = 0",
            "contracts = []": 'contracts = ["transfer"]',
            '"pause()" = "pauser"': '"pause()" = "limiter"',
        }
        text = setting.out.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new, 1)
        setting.out.write_text(text)
        code, output, _ = await setting.check()
        assert code == 1
        assert len([line for line in output.splitlines() if not line.startswith("pending: ")]) == 8
        for place in (
            f"roles.migrator.members.{ADDRESSES['migrator']}: the file says a member with a delay of 7 s",
            f"roles.limiter.members.{ADDRESSES['limiter']}: a member with a delay of 3600 s stands, and the file has nothing",
            f"roles.limiter.members.{ADDRESSES['stranger']}: the file says a member",
            "roles.migrator.guardian: the file says admin, pauser stands",
            "roles.migrator.grant_delay_s: the file says 5, 172800 stands",
            "target_admin_delay_s.mailbox: the file says 0, 172800 stands",
            "closed.transfer: the file says True, False stands",
            "functions.router.pause(): the file says limiter, pauser stands",
        ):
            assert place in output
        code, output, _ = await setting.check("--json")
        document = json.loads(output)
        assert code == 1 and not document["clean"] and len(document["differences"]) == 8


@pytest.mark.long
async def test_audit_H4_a_grant_after_the_file_is_seen(tmp_path):
    """On a chain whose admin acts at once: a member, a function's role and a guardian that nobody wrote down."""
    async with running(tmp_path) as setting:
        owner = setting.transactor("deployer")
        contracts = await deploy_for_development(owner, forward_margin_s=5, open_relaying=True)
        shown = ("roles", "show", "--rpc", setting.url, "--chain-id", str(CHAIN_ID), "--router", contracts.router)
        assert (await setting.command(*shown, "--from-height", str(contracts.height), "--out", str(setting.out)))[
            0
        ] == 0
        assert (await setting.check())[0] == 0
        manager, mailbox = bytes.fromhex(contracts.access_manager[2:]), bytes.fromhex(contracts.mailbox[2:])
        selector = deployment.SET_DIRECT_PEER.selector
        await owner.send(manager, GRANT_ROLE.encode(99, ADDRESSES["stranger"], 0))
        await owner.send(manager, SET_TARGET_FUNCTION_ROLE.encode(mailbox, [selector, b"\xde\xad\xbe\xef"], 99))
        await owner.send(manager, SET_ROLE_GUARDIAN.encode(MIGRATOR_ROLE, LIMITER_ROLE))
        code, output, _ = await setting.check()
        assert code == 1
        assert set(output.splitlines()) == {
            f"roles.role-99.members.{ADDRESSES['stranger']}: a member with a delay of 0 s stands, and the file has nothing",
            "functions.mailbox.setDirectPeer(string,string): the file says admin, role-99 stands",
            "functions.mailbox.0xdeadbeef: the file says admin, role-99 stands",
            "roles.migrator.guardian: the file says pauser, limiter stands",
        }


@pytest.mark.long
async def test_audit_M2_guardians_are_not_replaced_at_once(tmp_path):
    """The admin's own delay: what it decides over guardians waits as long as a migration, in which pausers cancel that."""
    async with running(tmp_path) as setting:
        contracts = await setting.deployed()
        manager, router = bytes.fromhex(contracts["access_manager"][2:]), bytes.fromhex(contracts["router"][2:])
        substitute = MIGRATE.encode("client-0", ("bft-evm-0", [b""]), "0x" + "17" * 20)
        await setting.transactor("migrator").send(manager, SCHEDULE.encode(router, substitute, 0))
        admin = setting.transactor("admin")
        for data in (
            SET_ROLE_GUARDIAN.encode(MIGRATOR_ROLE, ADMIN_ROLE),
            GRANT_ROLE.encode(MIGRATOR_ROLE, ADDRESSES["admin"], 0),
            GRANT_ROLE.encode(ADMIN_ROLE, ADDRESSES["admin"], 0),
            SET_TARGET_FUNCTION_ROLE.encode(router, [MIGRATE.selector], PUBLIC_ROLE),
        ):
            with pytest.raises(RefusedByChain, match="AccessManagerNotScheduled"):
                await admin.send(manager, data)
            await admin.send(manager, SCHEDULE.encode(manager, data, 0))
        cancel = CANCEL.encode(to_canonical_address(ADDRESSES["migrator"]), router, substitute)
        await setting.transactor("pauser").send(manager, cancel)
        with pytest.raises(RefusedByChain, match="AccessManagerNotScheduled"):
            await setting.transactor("migrator").send(router, substitute)
        code, output, _ = await setting.check("--json")
        document = json.loads(output)
        assert code == 1 and document["differences"] == [], "nothing stands, and each of the four is said"
        assert [each["by"] for each in document["pending"] if each["deviations"]] == 4 * [ADDRESSES["admin"]]


@pytest.mark.long
@pytest.mark.parametrize(
    "sent", [pytest.param(0, marks=pytest.mark.long), 1, pytest.param(3, marks=pytest.mark.long), 4]
)
async def test_audit_H4_a_deployment_that_broke_off_goes_on_and_says_where_it_stands(tmp_path, monkeypatch, sent):
    """After the first transaction and after the last of the contracts; CI has the others too (`long`)."""
    async with running(tmp_path) as setting:
        original, count = Transactor.send_all, 0

        async def breaks_off(self, calls, first_nonce=None):
            nonlocal count
            allowed = calls[: max(0, sent - count)]
            receipts = await original(self, allowed, first_nonce) if allowed else ()
            count += len(allowed)
            if len(allowed) < len(calls):
                raise RefusedByChain("broke off", "the process died here")
            return receipts

        monkeypatch.setattr(Transactor, "send_all", breaks_off)
        code, _, error = await setting.command(*setting.deploy_options())
        assert code == 1 and "the process died here" in error
        assert not setting.out.exists()
        monkeypatch.setattr(Transactor, "send_all", original)
        code, _, error = await setting.command(*setting.deploy_options(pauser=ADDRESSES["stranger"]))
        assert code == 2 and "the interrupted deployment had another plan" in error
        code, output, error = await setting.command(*setting.deploy_options(), "--json")
        assert code == 0, error
        assert f"{min(sent, 4)} of 4 contracts stand" in error
        assert "nobody but the deployer may do anything yet" in error
        assert error.startswith("begun: ") and error.endswith("done: ports and roles stand\n"), "it reads as progress"
        assert (await setting.check())[0] == 0
        assert not setting.out.with_name(f"{setting.out.name}.unfinished").exists()
        height = json.loads(output)["height"]
        assert not await setting.execution.code(bytes.fromhex(json.loads(output)["access_manager"][2:]), height - 1)


@pytest.mark.long
async def test_audit_H4_a_crash_after_the_last_transaction(tmp_path, monkeypatch):
    async with running(tmp_path) as setting:
        monkeypatch.setattr("hutong.relay.cli.chains.deploy._publish", lambda *_: (_ for _ in ()).throw(SystemExit(9)))
        assert (await setting.command(*setting.deploy_options()))[0] == 9
        monkeypatch.undo()
        code, _, error = await setting.command(*setting.deploy_options())
        assert code == 0 and "ports and roles stand: the hand-over was done" in error
        assert (await setting.check())[0] == 0


async def test_audit_H4_an_account_that_was_used_meanwhile(tmp_path, monkeypatch):
    async with running(tmp_path) as setting:
        original = Transactor.send_all

        async def dies(self, calls, first_nonce=None):
            raise RefusedByChain("broke off", "the process died here")

        monkeypatch.setattr(Transactor, "send_all", dies)
        await setting.command(*setting.deploy_options())
        monkeypatch.setattr(Transactor, "send_all", original)
        await setting.transactor("deployer").send(bytes.fromhex("17" * 20), b"")
        code, _, error = await setting.command(*setting.deploy_options())
        assert code == 1 and "the account was used for something else in the meantime; start over" in error


@pytest.mark.parametrize(
    ("without", "changed", "said"),
    [
        (("admin",), {}, "missing: --admin"),
        (("pauser", "migrator"), {}, "missing: --pauser, --migrator"),
        (("admin-delay-s", "migration-delay-s"), {}, "missing: --admin-delay-s, --migration-delay-s"),
        (("out",), {}, "missing: --out"),
        ((), {"migration_delay_s": "0"}, "--migration-delay-s is 0"),
        ((), {"admin_delay_s": "60", "migration_delay_s": "61"}, "the admin's delay is shorter than the migrator's"),
        ((), {"admin": ADDRESSES["deployer"]}, "admin is the deployer"),
        ((), {"limiter": ADDRESSES["deployer"]}, "limiter is the deployer"),
        ((), {"relayer": ADDRESSES["deployer"]}, "relayer is the deployer"),
        ((), {"pauser": ADDRESSES["admin"]}, "every pauser is also the admin or a migrator"),
        ((), {"admin": ADDRESSES["admin"].lower()}, "roles need the checksum"),
        ((), {"admin": "0x12"}, "is not an address"),
        *[((), {role: ZERO}, f"{role} is the zero address: nobody has its key") for role in NAMES[1:-1]],
    ],
)
def test_audit_H4_roles_that_guard_nothing_are_refused_before_anything_is_sent(tmp_path, without, changed, said):
    create_keystore(tmp_path / "deployer.json", KEYS["deployer"], PASSWORD, iterations=2)
    setting = Setting("http://127.0.0.1:9", None, tmp_path)
    outcome = CliRunner().invoke(app, setting.deploy_options(*without, **changed), env={"PASSWORD": PASSWORD.decode()})
    assert outcome.exit_code == 2 and said in outcome.stderr, outcome.output


def test_audit_H4_development_is_said_and_takes_no_names(tmp_path):
    create_keystore(tmp_path / "deployer.json", KEYS["deployer"], PASSWORD, iterations=2)
    setting = Setting("http://127.0.0.1:9", None, tmp_path)
    for options in (setting.deploy_options(), [*setting.deploy_options("out")]):
        outcome = CliRunner().invoke(app, [*options, "--development"], env={"PASSWORD": PASSWORD.decode()})
        assert outcome.exit_code == 2 and "--development gives every role to the deployer" in outcome.stderr


def test_every_abi_of_a_deployed_contract_is_tried():
    """Nothing that `deploy` puts on a chain is left out of the trial."""
    assert set(ARTIFACTS.values()) == {"AccessManager", "Router", "Mailbox", "Transfer", "Title", "Swap"}
    assert all(load_artifact(name).abi for name in ARTIFACTS.values())
