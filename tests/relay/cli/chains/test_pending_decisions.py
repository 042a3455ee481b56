"""What is decided and not in force: `hutong roles pending`, `roles check` and `peer list`, against a running dev chain whose
clock the test sets."""

import json
from contextlib import asynccontextmanager
from functools import partial

import pytest
from eth_utils.address import to_canonical_address
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.evm.administration.access_manager import (
    CANCEL,
    GRANT_ROLE,
    OPERATION_CANCELED,
    OPERATION_SCHEDULED,
    SCHEDULE,
    SET_GRANT_DELAY,
    SET_ROLE_GUARDIAN,
    SET_TARGET_ADMIN_DELAY,
    SET_TARGET_FUNCTION_ROLE,
)
from hutong.adapters.evm.administration.decisions import EXPIRATION_S, ScheduledCall, decision_of
from hutong.adapters.evm.administration.moments import LAST_DATE_S, duration_text
from hutong.adapters.ics26.abi import Function
from hutong.contracts.roles import ADMIN_ROLE, LIMITER_ROLE, MIGRATOR_ROLE, PAUSER_ROLE
from hutong.relay.administration.evm.pending import decision_document
from hutong.relay.cli.chains.decisions import decision_text
from tests.relay.cli.chains.lying_endpoint import lying_endpoint
from tests.relay.cli.chains.test_deciding import config_of
from tests.relay.cli.chains.test_roles_command import ADDRESSES, CHAIN_ID, DELAY_S, Setting
from tests.relay.cli.chains.timed_chain import Timed, running, standing

ADMIN, MIGRATOR, STRANGER = ADDRESSES["admin"], ADDRESSES["migrator"], ADDRESSES["stranger"]
REVOKE_ROLE = Function("revokeRole", ("uint64", "address"))
SET_ROLE_ADMIN = Function("setRoleAdmin", ("uint64", "uint64"))
SET_TARGET_CLOSED = Function("setTargetClosed", ("address", "bool"))
UPDATE_AUTHORITY = Function("updateAuthority", ("address", "address"))
LABEL_ROLE = Function("labelRole", ("uint64", "string"))
MIGRATE = Function("migrateClient", ("string", "(string,bytes[])", "address"))
FIVE_DAYS_S = 5 * 86_400
"""OpenZeppelin's least time before a longer delay is in force: those of a deployment are pending for so long."""


class Begun(Timed):
    """A deployment whose delays are in force."""

    async def schedule(self, contracts, name, target, data, when_s=0):
        await self.transactor(name).send(contracts["access_manager"], SCHEDULE.encode(target, data, when_s))

    async def checked(self):
        """(exit code, document of --json)"""
        code, output, error = await self.check("--json")
        assert error == ""
        return code, json.loads(output)

    async def pending(self, contracts, *more):
        where = ("--router", contracts["named"]["router"], "--from-height", str(contracts["named"]["height"]))
        return await self.command("roles", "pending", "--rpc", self.url, "--chain-id", str(CHAIN_ID), *where, *more)


@asynccontextmanager
async def begun(folder):
    """(setting, contracts): addresses of 20 bytes by name, and as the command printed them under `named`."""
    async with standing(folder, Begun, FIVE_DAYS_S) as (setting, named):
        addresses = {name: bytes.fromhex(value[2:]) for name, value in named.items() if name != "height"}
        yield setting, addresses | {"named": named}


@pytest.mark.long
async def test_audit_H4_a_grant_that_nobody_wrote_down_is_said_while_it_can_be_stopped(tmp_path):
    """Scheduled: nothing stands yet, and the check is not clean. Taken back: it is."""
    async with begun(tmp_path) as (setting, contracts):
        manager = contracts["access_manager"]
        grant = GRANT_ROLE.encode(MIGRATOR_ROLE, STRANGER, 0)
        await setting.schedule(contracts, "admin", manager, grant)
        code, output, _ = await setting.check()
        assert code == 1 and "clean" not in output
        first, second = output.splitlines()
        assert first.startswith(
            "pending, DEVIATES from the file: access_manager grantRole(roleId = 5 (migrator), account = "
            f"{STRANGER}, executionDelay = 0), decided by {ADMIN}, can be made from 20"
        )
        assert "Z (in 2 d) on, until 20" in first
        assert first.endswith("; the admin may cancel it")
        assert second == (
            f"  roles.migrator.members.{STRANGER}: a member with a delay of 0 s would stand, and the file has nothing"
        )
        code, document = await setting.checked()
        (pending,) = document["pending"]
        assert (code, document["clean"], document["differences"]) == (1, False, [])
        assert pending["deviations"] == [
            {
                "place": f"roles.migrator.members.{STRANGER}",
                "expected": None,
                "found": "a member with a delay of 0 s",
            }
        ]
        assert (pending["kind"], pending["by"]) == ("call", ADMIN) and pending["in_s"] == DELAY_S
        assert pending["call"]["expires_at_s"] == pending["effective_at_s"] + EXPIRATION_S
        assert pending["call"]["arguments"] == {"roleId": 5, "account": STRANGER, "executionDelay": 0}
        code, output, _ = await setting.pending(contracts, "--json")
        (listed,) = json.loads(output)["pending"]
        assert code == 0 and listed["call"] == pending["call"] and "deviations" not in listed
        assert pending["call"]["cancel_data"] == f"0x{CANCEL.encode(to_canonical_address(ADMIN), manager, grant).hex()}"
        await setting.transactor("admin").send(manager, bytes.fromhex(pending["call"]["cancel_data"][2:]))
        assert await setting.check() == (0, "clean: 4 contracts and 5 members of roles are as the file says\n", "")
        assert await setting.pending(contracts) == (0, "", "nothing is pending\n")


@pytest.mark.long
async def test_audit_H4_what_the_file_says_already_or_says_nothing_of_is_no_deviation(tmp_path):
    """A peer, a recovery and a role's label are listed, and the check stays clean; so is a grant in the file, once it stands."""
    async with begun(tmp_path) as (setting, contracts):
        manager, mailbox = contracts["access_manager"], contracts["mailbox"]
        peer = deployment.SET_FORWARDED_PEER.encode("bft-evm-1", "beta")
        substitute = MIGRATE.encode("client-0", ("bft-evm-0", [b""]), "0x" + "17" * 20)
        await setting.schedule(contracts, "admin", mailbox, peer)
        await setting.schedule(contracts, "migrator", contracts["router"], substitute)
        await setting.schedule(contracts, "admin", manager, LABEL_ROLE.encode(MIGRATOR_ROLE, "\x1b[2Kmenders"))
        await setting.schedule(contracts, "admin", manager, GRANT_ROLE.encode(MIGRATOR_ROLE, MIGRATOR, DELAY_S))
        code, output, _ = await setting.check()
        *lines, last = output.splitlines()
        assert code == 0 and last == "clean: 4 contracts and 5 members of roles are as the file says"
        assert len(lines) == 4 and all(line.startswith("pending: ") for line in lines)
        assert 'mailbox setForwardedPeer(originClientId = "bft-evm-1", chain = "beta")' in output
        assert f"decided by {MIGRATOR}" in output and output.count("; members of pauser may cancel it") == 1
        assert "\x1b" not in output and r'label = "\u001b[2Kmenders"' in output
        code, document = await setting.checked()
        assert code == 0 and document["clean"] and not any(each["deviations"] for each in document["pending"])
        assert (await setting.pending(contracts))[1] == "".join(f"{line.removeprefix('pending: ')}\n" for line in lines)

        text = setting.out.read_text()
        row = f'"{MIGRATOR}" = {DELAY_S}\n'
        assert row in text
        setting.out.write_text(text.replace(row, f'{row}"{STRANGER}" = 60\n'))
        await setting.schedule(contracts, "admin", manager, GRANT_ROLE.encode(MIGRATOR_ROLE, STRANGER, 60))
        code, document = await setting.checked()
        assert code == 1 and [each["found"] for each in document["differences"]] == [None]
        assert len(document["pending"]) == 5 and not any(each["deviations"] for each in document["pending"])


@pytest.mark.long
async def test_audit_H4_everything_that_an_admin_can_decide_of_rights_deviates(tmp_path):
    """One call of each function of the manager that changes what the file says, and what each would change."""
    async with begun(tmp_path) as (setting, contracts):
        manager, router, other = contracts["access_manager"], contracts["router"], "0x" + "17" * 20
        decided = {
            REVOKE_ROLE.encode(PAUSER_ROLE, ADDRESSES["pauser"]): {f"roles.pauser.members.{ADDRESSES['pauser']}"},
            GRANT_ROLE.encode(ADMIN_ROLE, STRANGER, DELAY_S): {f"roles.admin.members.{STRANGER}"},
            GRANT_ROLE.encode(MIGRATOR_ROLE, MIGRATOR, 0): {f"roles.migrator.members.{MIGRATOR}"},
            SET_ROLE_ADMIN.encode(PAUSER_ROLE, LIMITER_ROLE): {"roles.pauser.admin"},
            SET_ROLE_GUARDIAN.encode(MIGRATOR_ROLE, 99): {"roles.migrator.guardian"},
            SET_GRANT_DELAY.encode(MIGRATOR_ROLE, 0): {"roles.migrator.grant_delay_s"},
            SET_TARGET_ADMIN_DELAY.encode(router, 0): {"target_admin_delay_s.router"},
            SET_TARGET_CLOSED.encode(router, True): {"closed.router"},
            UPDATE_AUTHORITY.encode(router, other): {"authority of router"},
            SET_TARGET_FUNCTION_ROLE.encode(router, [MIGRATE.selector, b"\xde\xad\xbe\xef"], 99): {
                f"functions.router.{MIGRATE.signature}",
                "functions.router.0xdeadbeef",
            },
            GRANT_ROLE.encode(MIGRATOR_ROLE, STRANGER, 0) + b"\0": {"calls.access_manager.0x25c471a0"},
            # neither the file nor the pages know these contracts
            SET_TARGET_CLOSED.encode(other, True): set(),
        }
        for data in decided:
            await setting.schedule(contracts, "admin", manager, data)
        code, document = await setting.checked()
        assert code == 1 and document["differences"] == []
        found = {
            bytes.fromhex(each["call"]["data"][2:]): {one["place"] for one in each["deviations"]}
            for each in document["pending"]
        }
        assert found == decided
        said = "\n".join(each["what"] for each in document["pending"])
        assert f"{MIGRATE.signature}, unknown), roleId = 99 (role-99)" in said
        assert "access_manager 0x25c471a0, which hutong cannot read" in said
        assert {each["call"]["guardian"] for each in document["pending"]} == {"admin"}


@pytest.mark.long
async def test_audit_H4_a_call_with_a_byte_too_much_is_made_all_the_same(tmp_path):
    """Why what cannot be read is a deviation."""
    async with begun(tmp_path) as (setting, contracts):
        manager, data = contracts["access_manager"], GRANT_ROLE.encode(PAUSER_ROLE, STRANGER, 0) + b"\0"
        await setting.schedule(contracts, "admin", manager, data)
        code, document = await setting.checked()
        assert code == 1 and document["pending"][0]["call"]["function"] is None
        await setting.pass_time(DELAY_S)
        await setting.transactor("admin").send(manager, data)
        code, document = await setting.checked()
        assert code == 1 and document["pending"] == []
        assert [each["place"] for each in document["differences"]] == [f"roles.pauser.members.{STRANGER}"]


@pytest.mark.long
async def test_audit_H4_a_scheduled_call_is_pending_until_it_is_made_or_expires(tmp_path):
    async with begun(tmp_path) as (setting, contracts):
        manager = contracts["access_manager"]
        grant, guardian = GRANT_ROLE.encode(MIGRATOR_ROLE, STRANGER, 7), SET_ROLE_GUARDIAN.encode(MIGRATOR_ROLE, 99)
        for data in (grant, guardian):
            await setting.schedule(contracts, "admin", manager, data)
        await setting.pass_time(DELAY_S)
        assert [each["in_s"] for each in (await setting.checked())[1]["pending"]] == [0, 0]
        await setting.transactor("admin").send(manager, grant)
        _, document = await setting.checked()
        begins, call = sorted(document["pending"], key=lambda each: each["kind"] == "call")
        assert call["call"]["function"] == "setRoleGuardian(uint64,uint64)"
        assert begins["kind"] == "member" and begins["by"] == ADMIN and begins["in_s"] == DELAY_S
        assert (
            begins["what"] == f"{STRANGER} will have the role migrator with a delay of 7 s" and begins["call"] is None
        )
        assert [each["place"] for each in document["differences"]] == [f"roles.migrator.members.{STRANGER}"]
        await setting.pass_time(EXPIRATION_S)
        code, document = await setting.checked()
        assert document["pending"] == [] and len(document["differences"]) == 1
        await setting.schedule(contracts, "admin", manager, guardian)
        assert len((await setting.checked())[1]["pending"]) == 1


@pytest.mark.long
async def test_audit_H4_delays_that_are_set_and_not_in_force_yet(tmp_path):
    """Those of a new deployment are such for five days; a member's shorter one, for as long as it is shorter."""
    async with running(tmp_path, Begun) as setting:
        contracts = await setting.deployed()
        manager = bytes.fromhex(contracts["access_manager"][2:])
        code, document = await setting.checked()
        assert code == 0 and document["clean"]
        assert [each["kind"] for each in document["pending"]] == ["grant_delay", *3 * ["target_admin_delay"]]
        assert all(each["by"] is None and each["call"] is None for each in document["pending"])
        assert all(each["in_s"] == FIVE_DAYS_S for each in document["pending"])
        await setting.pass_time(FIVE_DAYS_S)

        calls = [GRANT_ROLE.encode(MIGRATOR_ROLE, MIGRATOR, 5), SET_GRANT_DELAY.encode(MIGRATOR_ROLE, 6)]
        calls.append(SET_TARGET_ADMIN_DELAY.encode(bytes.fromhex(contracts["router"][2:]), 7))
        for data in calls:
            await setting.transactor("admin").send(manager, SCHEDULE.encode(manager, data, 0))
        await setting.pass_time(DELAY_S)
        for data in calls:
            await setting.transactor("admin").send(manager, data)
        code, document = await setting.checked()
        said = {each["kind"]: (each["what"], each["by"]) for each in document["pending"]}
        assert code == 1 and said == {
            "member_delay": (f"the delay of {MIGRATOR} as migrator will be 5 s", ADMIN),
            "grant_delay": ("a new grant of the role migrator will begin 6 s after it is made", ADMIN),
            "target_admin_delay": ("what the admin decides over router will wait 7 s", ADMIN),
        }
        assert len(document["differences"]) == 3
        await setting.pass_time(FIVE_DAYS_S)
        code, document = await setting.checked()
        assert code == 1 and document["pending"] == [] and len(document["differences"]) == 3


@pytest.mark.long
async def test_audit_H4_an_endpoint_that_hides_how_a_call_ended_is_refused(tmp_path):
    """Events of the manager are confirmed by its views, and the operation is the hash of the call."""
    async with begun(tmp_path) as (setting, contracts):
        manager, data = contracts["access_manager"], SET_ROLE_GUARDIAN.encode(MIGRATOR_ROLE, 99)
        await setting.schedule(contracts, "admin", manager, data)
        cancel = CANCEL.encode(to_canonical_address(ADMIN), manager, data)
        await setting.transactor("admin").send(manager, cancel)

        def without_cancelling(method, params, result):
            hidden = f"0x{OPERATION_CANCELED.hex()}"
            return [log for log in result if log["topics"][0] != hidden] if method == "eth_getLogs" else result

        def of_another(method, params, result):
            changed = f"0x{OPERATION_SCHEDULED.hex()}"
            for log in result if method == "eth_getLogs" else ():
                if log["topics"][0] == changed:
                    log["topics"][1] = f"0x{17:064x}"
            return result

        def without_topics(method, params, result):
            return [log | {"topics": log["topics"][:1]} for log in result] if method == "eth_getLogs" else result

        with lying_endpoint(setting.url) as endpoint:
            check = partial(setting.command, "roles", "check", str(setting.out), "--rpc", endpoint.url)
            assert (await check())[0] == 0
            for lie, said in (
                (without_cancelling, "where a view says 0: run the command again"),
                (of_another, "is not the hash of the call that is scheduled"),
                (without_topics, "are not those of the event that the first one names"),
            ):
                with endpoint.lying(lie):
                    code, output, error = await check()
                    assert (code, output) == (1, "") and said in error


@pytest.mark.long
async def test_audit_H4_peer_list_says_who_is_heard_and_what_is_decided(tmp_path):
    """By the Mailbox's events and getters: set, renamed, removed, and those of another client of the hub."""
    async with begun(tmp_path) as (setting, contracts):
        mailbox = contracts["mailbox"]
        where = config_of(setting, contracts["named"])

        async def decide(target, *calls):
            for data in calls:
                await setting.schedule(contracts, "admin", target, data)
            await setting.pass_time(DELAY_S)
            for data in calls:
                await setting.transactor("admin").send(target, data)

        hub, forwarded, direct = deployment.SET_HUB_CLIENT, deployment.SET_FORWARDED_PEER, deployment.SET_DIRECT_PEER
        code, output, error = await setting.command("peer", "list", *where)
        assert (code, error) == (0, "") and output.splitlines() == [
            f"alpha: the Mailbox {contracts['named']['mailbox']} hears no hub",
            f"alpha: the Transfer {contracts['named']['transfer']} forwards to no hub",
            "alpha listens to nobody",
        ]
        await decide(mailbox, hub.encode("client-0"))
        await decide(
            mailbox,
            forwarded.encode("bft-evm-1", "beta"),
            forwarded.encode("bft-evm-2", "gamma"),
            forwarded.encode("bft-evm-3", "delta"),
            direct.encode("client-7", "epsilon"),
            direct.encode("client-8", "zeta"),
        )
        await decide(
            mailbox,
            forwarded.encode("bft-evm-2", ""),
            forwarded.encode("bft-evm-3", "eta"),
            direct.encode("client-8", ""),
        )
        await decide(contracts["transfer"], hub.encode("client-0"))
        await setting.schedule(contracts, "admin", mailbox, forwarded.encode("bft-evm-1", ""))
        await setting.schedule(contracts, "admin", contracts["access_manager"], SET_GRANT_DELAY.encode(9, 1))
        code, output, _ = await setting.command("peer", "list", *where)
        *standing, coming = output.splitlines()
        assert code == 0 and standing == [
            f"alpha: the Mailbox {contracts['named']['mailbox']} hears the hub over client-0",
            f"alpha: the Transfer {contracts['named']['transfer']} forwards to the hub over client-0",
            "alpha listens to beta (bft-evm-1)",
            "alpha listens to eta (bft-evm-3)",
            "alpha listens to epsilon (client-7, direct)",
        ]
        assert coming.startswith(
            'pending: mailbox setForwardedPeer(originClientId = "bft-evm-1", chain = ""), decided by'
        )
        code, output, _ = await setting.command("peer", "list", *where, "--json")
        document = json.loads(output)
        assert code == 0 and document["hub_client"] == document["transfer_hub_client"] == "client-0"
        assert document["peers"] == [
            {"kind": "forwarded", "client": "bft-evm-1", "name": "beta"},
            {"kind": "forwarded", "client": "bft-evm-3", "name": "eta"},
            {"kind": "direct", "client": "client-7", "name": "epsilon"},
        ]
        (pending,) = document["pending"]
        assert pending["call"]["arguments"] == {"originClientId": "bft-evm-1", "chain": ""} and pending["by"] == ADMIN
        await decide(mailbox, hub.encode("client-1"))
        _, output, _ = await setting.command("peer", "list", *where, "--json")
        assert [peer["kind"] for peer in json.loads(output)["peers"]] == ["direct"]


@pytest.mark.parametrize("missing", ["--chain-id", "--router", "--from-height"])
async def test_pending_without_its_options_is_refused(tmp_path, missing):
    given_options = {"--chain-id": "1", "--router": "0x" + "17" * 20, "--from-height": "0"}
    options = [part for name, value in given_options.items() if name != missing for part in (name, value)]
    setting = Setting("http://127.0.0.1:9", None, tmp_path)
    code, _, error = await setting.command("roles", "pending", "--rpc", setting.url, *options)
    assert code == 2 and "--rpc needs --chain-id, --router and --from-height as well" in error


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_in_its_two_largest_units(duration_s, text):
    assert duration_text(duration_s) == text


@given(
    data=st.binary(max_size=200),
    ready_at_s=st.integers(0, 2**48 - 1),
    now_s=st.integers(0, 2**48 - 1),
    selector=st.sampled_from([GRANT_ROLE.selector, SET_TARGET_FUNCTION_ROLE.selector, b""]),
)
def test_any_scheduled_call_has_one_printable_line_and_a_document(data, ready_at_s, now_s, selector):
    """Of whatever a caller with a delay has scheduled, for whenever: a date has an end, a schedule has none."""
    call = ScheduledCall(bytes(32), ADMIN, STRANGER, selector + data, ready_at_s)
    decision = decision_of(call, {STRANGER: "mailbox"})
    said = decision_text(decision, now_s)
    assert said.isprintable() and ("CAN BE MADE NOW, since " in said) == (now_s >= ready_at_s)
    document = json.loads(json.dumps(decision_document(decision, now_s)))
    assert document["effective_at"].startswith("Unix time ") == (ready_at_s > LAST_DATE_S)
