"""What an admin with a delay, or a multisig, decides through the command line: `--decide-as`, and running a command again."""

import json
import re
from functools import partial

import pytest
from eth_utils.address import to_canonical_address, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.evm.administration.deciding import Deciding, Pending
from hutong.adapters.evm.administration.deploy import set_forwarded_peer, set_hub_client
from hutong.adapters.evm.administration.rights import ARTIFACTS
from hutong.adapters.evm.administration.wording import in_words, scheduled_call
from hutong.adapters.ics26.abi import ADD_CLIENT, Function
from hutong.adapters.interface import RefusedByChain
from hutong.contracts.roles import signatures
from hutong.relay.keys import Signer
from tests.relay.cli.chains.test_roles_command import ADDRESSES, CHAIN_ID, KEYS
from tests.relay.cli.chains.timed_chain import standing

HUB_CLIENT = Function("hubClientId", (), ("string",))
DELAY_S = 2
DELAYED = {"admin_delay_s": str(DELAY_S), "migration_delay_s": str(DELAY_S)}
LIMITED = {"limiter_delay_s": str(DELAY_S)}
SELECTORS = {selector for artifact in ARTIFACTS.values() for selector in signatures(artifact)}


def mailbox_of(contracts):
    return bytes.fromhex(contracts["mailbox"][2:])


def deciding(setting, name, decides_as=None):
    account = None if decides_as is None else bytes(to_canonical_address(ADDRESSES[decides_as]))
    return Deciding(setting.execution, CHAIN_ID, Signer.in_memory(KEYS[name]), account)


async def hub_client(setting, mailbox):
    return HUB_CLIENT.decode(await setting.execution.call(mailbox, HUB_CLIENT.encode()))[0]


async def until_done(setting, act):
    """Runs a command again when its time has come, as it asks for; how often it had to wait."""
    waited = 0
    while True:
        try:
            await act()
            return waited
        except Pending as pending:
            assert pending.ready_at_s is not None and pending.wait_s <= DELAY_S + 1
            assert "run the command again then" in str(pending)
            waited += 1
            await setting.pass_time(pending.wait_s)


@pytest.mark.long
async def test_audit_H4_an_admin_with_a_delay_decides_by_running_the_command_again(tmp_path):
    async with standing(tmp_path, **DELAYED) as (setting, contracts):
        mailbox = mailbox_of(contracts)
        admin = deciding(setting, "admin")
        assert await until_done(setting, partial(set_hub_client, admin, mailbox, "client-0")) >= 1
        assert await hub_client(setting, mailbox) == "client-0"
        assert await until_done(setting, partial(set_forwarded_peer, admin, mailbox, "bft-evm-1", "beta")) >= 1


async def test_audit_H4_a_strangers_decision_is_the_chains_refusal(tmp_path):
    async with standing(tmp_path, **DELAYED) as (setting, contracts):
        mailbox = mailbox_of(contracts)
        for decider in (deciding(setting, "deployer"), deciding(setting, "admin", "stranger")):
            with pytest.raises(RefusedByChain, match="AccessManagedUnauthorized"):
                await set_hub_client(decider, mailbox, "client-0")
        assert await hub_client(setting, mailbox) == ""


async def test_audit_H4_what_a_multisig_decides_is_written_down_for_it(tmp_path):
    """Any key asks; the calls are sent by the account that has the right, first the schedule, then the call itself."""
    async with standing(tmp_path, **DELAYED) as (setting, contracts):
        mailbox = mailbox_of(contracts)
        asking, multisig = deciding(setting, "stranger", "admin"), setting.transactor("admin")
        seen = []
        while await hub_client(setting, mailbox) != "client-0":
            with pytest.raises(Pending) as caught:
                await set_hub_client(asking, mailbox, "client-0")
            pending = caught.value
            if pending.ready_at_s is not None:
                await setting.pass_time(pending.wait_s)
                continue
            assert pending.account == ADDRESSES["admin"] and f"to {pending.to} data 0x" in str(pending)
            seen.append(pending.to)
            await multisig.send(bytes.fromhex(pending.to[2:]), pending.data)
        assert len(seen) == 2 and seen[1] == to_checksum_address(mailbox) != seen[0]
        assert await setting.execution.nonce(ADDRESSES["stranger"]) == 0


def config_of(setting, contracts):
    """A configuration without a hub, with a path."""
    config = setting.folder / "relay.toml"
    if not config.exists():
        config.touch(mode=0o600)
        (setting.folder / "password").touch(mode=0o600)
        (setting.folder / "password").write_text("correct horse")
        config.write_text(
            f'[relay]\nhome = "relay"\n\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {CHAIN_ID}\nconsensus = "qbft"\n'
            f'rpc = ["{setting.url}"]\nrouter = "{contracts["router"]}"\n'
            'key = { keystore = "relayer.json", password_file = "password" }\n'
        )
    return ("--config", str(config), "--chain", "alpha")


def peer_command(setting, contracts, word):
    name = ("--name", "beta") if word == "add" else ()
    where = (*config_of(setting, contracts), "--mailbox", contracts["mailbox"])
    return ["peer", word, *where, "--hub-client", "bft-evm-1", *name]


async def test_audit_H4_peer_add_through_the_command(tmp_path):
    """The sentence, the exit code, and the second run."""
    async with standing(tmp_path, **DELAYED) as (setting, contracts):
        mailbox = mailbox_of(contracts)
        await until_done(setting, partial(set_hub_client, deciding(setting, "admin"), mailbox, "client-0"))
        command = peer_command(setting, contracts, "add")
        code, _, error = await setting.command(*command, *setting.key("stranger"), "--decide-as", ADDRESSES["admin"])
        assert code == 1 and f"for {ADDRESSES['admin']} to send: to {contracts['access_manager']} data 0x" in error
        code, _, error = await setting.command(*command, *setting.key("admin"))
        assert code == 1 and "run the command again then" in error
        assert re.search(r"takes effect from 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in \d s\) on", error), error
        while code:
            await setting.pass_time(DELAY_S)
            code, output, error = await setting.command(*command, *setting.key("admin"))
            assert code == 0 or "run the command again then" in error
        assert "alpha listens to beta (bft-evm-1)" in output


async def test_audit_H4_a_printed_call_says_what_it_does(tmp_path):
    """In words for who signs, and as JSON for the tool that they sign with."""
    async with standing(tmp_path, **DELAYED) as (setting, contracts):
        mailbox = mailbox_of(contracts)
        await until_done(setting, partial(set_hub_client, deciding(setting, "admin"), mailbox, "client-0"))
        command = [*peer_command(setting, contracts, "add"), *setting.key("stranger"), "--json"]
        steps = []
        while True:
            code, output, error = await setting.command(*command, "--decide-as", ADDRESSES["admin"])
            document = json.loads(output)
            if code == 0:
                break
            assert document["decided"] is False
            if not document["calls"]:
                await setting.pass_time(DELAY_S)
            for call in document["calls"]:
                step = call["step"]
                steps.append(step)
                words = 'setForwardedPeer(originClientId = "bft-evm-1", chain = "beta")'
                before = (
                    f"which is the schedule, the call itself follows after the delay of 2 s: on {contracts['mailbox']} "
                )
                assert f"  {before if step == 'schedule' else 'which makes the call: '}{words}" in error
                assert call["account"] == ADDRESSES["admin"] and call["target"] == contracts["mailbox"]
                assert call["function"] == "setForwardedPeer(string,string)"
                assert call["arguments"] == {"originClientId": "bft-evm-1", "chain": "beta"}
                await setting.transactor("admin").send(bytes.fromhex(call["to"][2:]), bytes.fromhex(call["data"][2:]))
        assert steps == ["schedule", "call"] and document["name"] == "beta"


@given(st.binary(max_size=200), st.sampled_from(sorted(SELECTORS)))
def test_any_calldata_has_words_or_none(data, selector):
    for calldata in (data, selector + data):
        worded = in_words(calldata)
        assert worded is None or str(worded).startswith(worded.function.partition("(")[0])
        scheduled_call(calldata)


def test_tuples_are_worded_by_the_names_of_their_parts():
    worded = in_words(ADD_CLIENT.encode(("bft-evm-0", [b"ibc", b""]), "0x" + "17" * 20))
    assert json.loads(json.dumps(worded.arguments)) == {
        "counterpartyInfo": {"clientId": "bft-evm-0", "merklePrefix": ["0x696263", "0x"]},
        "client": "0x" + "17" * 20,
    }
    assert 'counterpartyInfo = {clientId = "bft-evm-0", merklePrefix = [0x696263, 0x]}' in str(worded)


@pytest.mark.long
async def test_audit_H4_peer_add_and_remove_know_when_they_are_done(tmp_path):
    """A multisig makes the calls itself, so that the command reads what stands instead of scheduling it without end."""
    async with standing(tmp_path, **DELAYED) as (setting, contracts):
        mailbox = mailbox_of(contracts)
        await until_done(setting, partial(set_hub_client, deciding(setting, "admin"), mailbox, "client-0"))
        said = {"add": "alpha listens to beta (bft-evm-1)", "remove": "alpha no longer listens to bft-evm-1"}
        for word, name in (("add", "beta"), ("remove", "")):
            command = peer_command(setting, contracts, word)
            await until_done(
                setting, partial(set_forwarded_peer, deciding(setting, "admin"), mailbox, "bft-evm-1", name)
            )
            nonce = await setting.execution.nonce(ADDRESSES["admin"])
            for who, options in (("stranger", ("--decide-as", ADDRESSES["admin"])), ("admin", ())):
                code, output, error = await setting.command(*command, *setting.key(who), *options)
                assert code == 0, error
                assert output == f"{said[word]} already; nothing was sent\n"
            assert await setting.execution.nonce(ADDRESSES["admin"]) == nonce


@pytest.mark.long
@pytest.mark.parametrize("word", ["add", "remove"])
async def test_audit_H4_a_peer_before_the_path_is_told_to_make_the_path(tmp_path, word):
    async with standing(tmp_path) as (setting, contracts):
        command = peer_command(setting, contracts, word)
        code, _, error = await setting.command(*command, *setting.key("stranger"), "--decide-as", ADDRESSES["admin"])
        assert code == 1 and f"run hutong path create --chain alpha --mailbox {contracts['mailbox']} first" in error


@pytest.mark.long
async def test_audit_H4_a_multisig_limits_what_moves(tmp_path):
    """The limiter's calls are printed, the schedule and then the call; once the limit stands the command says so."""
    async with standing(tmp_path, **LIMITED) as (setting, contracts):
        where = (*config_of(setting, contracts), "--transfer", contracts["transfer"])
        wish = ["transfer", "limits", "set", *where, "--origin", "transfer/client-0"]
        wish += ["--send-cap", "7", *setting.key("stranger")]
        code, _, error = await setting.command(*wish)
        assert code == 1 and "may not do that: it needs the limiter role" in error and "--decide-as" in error
        code, _, error = await setting.command(*wish, "--decide-as", ADDRESSES["admin"])
        assert code == 1 and f"{ADDRESSES['admin']} may not do that: it needs the limiter role" in error
        sent = []
        while True:
            code, output, error = await setting.command(*wish, "--decide-as", ADDRESSES["limiter"])
            if code == 0:
                break
            found = re.search(f"for {ADDRESSES['limiter']} to send: to (0x[0-9a-fA-F]{{40}}) data 0x([0-9a-f]+)", error)
            if found is None:
                assert "scheduled: the limit may be set from" in output
                await setting.pass_time(DELAY_S)
                continue
            sent.append(found[1])
            await setting.transactor("limiter").send(bytes.fromhex(found[1][2:]), bytes.fromhex(found[2]))
        assert sent == [contracts["access_manager"], contracts["transfer"]] and output == "limit set\n"
        assert await setting.execution.nonce(ADDRESSES["stranger"]) == 0


async def test_trial_N3_the_keystores_own_account_does_not_decide_as_another(tmp_path):
    """Its calls would be signed and sent, where the option says that they are printed: every command that takes it refuses."""
    async with standing(tmp_path, **LIMITED) as (setting, contracts):
        where = config_of(setting, contracts)
        with (setting.folder / "relay.toml").open("a") as file:
            file.write(
                '\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "hutong-1"\nrpc = ["http://127.0.0.1:9"]\n'
                'consensus_rpc = ["http://127.0.0.1:9"]\nkey = { keystore = "hub.json", password_file = "password" }\n'
            )
        admin_key = setting.key("admin")
        commands = (
            peer_command(setting, contracts, "add"),
            peer_command(setting, contracts, "remove"),
            ["client", "recover", *where, "--subject", "client-0", "--substitute", "0x" + "17" * 20],
            ["path", "create", *where, "--hub-admin", admin_key[1], "--hub-admin-password-file", "none", "--yes"],
            [
                *("transfer", "limits", "set", *where, "--transfer", contracts["transfer"]),
                "--origin",
                "",
                "--send-cap",
                "7",
            ],
        )
        before = await setting.execution.nonce(ADDRESSES["admin"])
        for command in commands:
            code, output, error = await setting.command(*command, *admin_key, "--decide-as", ADDRESSES["admin"].lower())
            assert (code, output) == (2, "") and f"{ADDRESSES['admin']} is the keystore's own account" in error, error
        assert await setting.execution.nonce(ADDRESSES["admin"]) == before
