"""Tokens, limits and recovery through the evm adapter, on a running dev chain with the hub played by a simulated one."""

import json
import re
import time
from functools import partial
from pathlib import Path

import pytest
import trio
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from typer.testing import CliRunner

from hutong.adapters.evm.administration import access_manager, transfer
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.evm.administration.recovery import recover_client
from hutong.adapters.ics26.abi import Function
from hutong.adapters.interface import InitialStates, PacketEventKind, RefusedByChain
from hutong.contracts.artifacts import load_artifact
from hutong.contracts.roles import MIGRATOR_ROLE
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.transfer import TransferData, decode_forward_memo, decode_transfer
from hutong.light_clients.interface import ClientStatus, Height
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from hutong.relay.cli.chains.client import app as client_app
from hutong.relay.cli.chains.transfer import app
from hutong.relay.keys import create_keystore
from tests.adapters.evm.test_evm_devnet import CHAIN_ID, KEY, Setting, evm_setting

BALANCE_OF = Function("balanceOf", ("address",), ("uint256",))
RECEIVER = "0x" + "22" * 20


def address_of(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


async def new_token(setting: Setting) -> bytes:
    code = load_artifact("ExampleToken").bytecode + encode(["string", "string", "uint256"], ["Example", "EX", 1000])
    receipt = await setting.transactor.send(None, code)
    assert receipt.contract_address is not None
    return receipt.contract_address


async def sent_data(setting: Setting, height: int) -> TransferData:
    await setting.chain.wait_for_height(height)
    events = await setting.chain.packet_events(height, height)
    (event,) = [event for event in events if event.kind is PacketEventKind.SEND]
    (payload,) = event.packet.payloads
    return decode_transfer(payload.value, payload.encoding)


@pytest.mark.long
async def test_tokens_limits_and_amounts_that_wait():
    async with evm_setting() as setting:
        transactor, execution = setting.transactor, setting.chain.execution
        contract = address_of(setting.contracts.transfer)
        token = await new_token(setting)
        assert await transfer.hub_client_of(execution, contract) == ""
        await deployment.set_hub_client(transactor, contract, setting.client)
        assert await transfer.hub_client_of(execution, contract) == setting.client
        timeout_s = int(time.time()) + 3600
        order = transfer.Order(setting.client, token, 300, RECEIVER, timeout_s, next_client="bft-evm-1")
        sent = await transfer.send_tokens(transactor, contract, order)
        assert (sent.client, sent.sequence, sent.denom) == (setting.client, 1, f"0x{token.hex()}")
        receipt = await execution.receipt(sent.transaction_hash)
        data = await sent_data(setting, receipt.height)
        assert (data.denom, data.amount) == (sent.denom, 300)
        assert decode_forward_memo(data.memo).timeout_timestamp_s == timeout_s
        (held_there,) = BALANCE_OF.decode(await execution.call(token, BALANCE_OF.encode(contract)))
        assert held_there == 300

        limit = transfer.Limit(send_cap=100, delay_above=50, window_s=3600, delay_s=60)
        await transfer.set_client_limit(transactor, contract, setting.client, token, limit)
        assert await transfer.client_limit(execution, contract, setting.client, token) == transfer.LimitUse(limit, 0, 0)
        with pytest.raises(RefusedByChain) as refusal:
            await transfer.send_tokens(transactor, contract, order)
        assert refusal.value.name == "LimitExceeded"
        direct = transfer.Order(setting.client, token, 80, RECEIVER, timeout_s, memo="a remark")
        assert (await transfer.send_tokens(transactor, contract, direct)).sequence == 2
        assert (await transfer.client_limit(execution, contract, setting.client, token)).sent == 80
        trace = f"transfer/{setting.client}/transfer/bft-evm-1"
        await transfer.set_origin_limit(transactor, contract, trace, transfer.Limit(receive_cap=0, window_s=60))
        voucher = await transfer.voucher_of(execution, contract, f"{trace}/{RECEIVER}")
        use = await transfer.origin_limit(execution, contract, trace, voucher)
        assert use.limit == transfer.Limit(receive_cap=0, window_s=60)
        assert await transfer.held_amount(execution, contract, False, setting.client, 1) is None
        for pay in (
            transfer.release(transactor, contract, bytes(32)),
            transfer.claim(transactor, contract, bytes(32), b"\x22" * 20),
        ):
            with pytest.raises(RefusedByChain) as refusal:
                await pay
            assert refusal.value.name in {"NothingHeld", "OnlyOwner"}


async def new_client(setting: Setting, **changes: int) -> bytes:
    """A light client contract of the simulated hub."""
    setting.sync_hub()
    height = setting.hub_height()
    states = InitialStates(
        "07-tendermint",
        Height(1, height),
        encode_client_state(setting.hub.client_state(height, **changes)),
        encode_consensus_state(setting.hub.consensus_state(height)),
    )
    return await deployment.deploy_hub_client(setting.transactor, states)


@pytest.mark.long
async def test_audit_H4_a_multisig_recovers_a_client(tmp_path: Path):
    """`client recover --decide-as`: any keystore asks, the migrator makes the calls, and the end is exit code 0."""
    async with evm_setting() as setting:
        chain, transactor, contracts = setting.chain, setting.transactor, setting.contracts
        migrator = to_checksum_address(transactor.signer.address)
        short = await new_client(setting, trusting_period_ns=4 * 10**9)
        router = address_of(contracts.router)
        client = await deployment.add_client(transactor, router, short, "bft-evm-5", (b"",))
        grant = access_manager.GRANT_ROLE.encode(MIGRATOR_ROLE, address_of(migrator), 2)
        await transactor.send(address_of(contracts.access_manager), grant)
        create_keystore(tmp_path / "asking.json", b"\x17" * 32, b"pw", iterations=2)
        config = tmp_path / "relay.toml"
        config.touch(mode=0o600)
        key = 'key = { keystore = "asking.json", password_file = "pw" }\n'
        config.write_text(
            f'[relay]\nhome = "relay"\n\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {CHAIN_ID}\n'
            f'consensus = "qbft"\nrpc = ["{setting.devnet.url}"]\nrouter = "{contracts.router}"\n{key}'
            '\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "hutong-1"\nrpc = ["http://127.0.0.1:9"]\n'
            f'consensus_rpc = ["http://127.0.0.1:9"]\n{key}'
            f'\n[[paths]]\na = {{ chain = "alpha", client = "{client}" }}\nb = {{ chain = "hub", client = "bft-evm-5" }}\n'
        )
        while (await chain.client(client)).status is not ClientStatus.EXPIRED:
            await chain.wait_for_height((await chain.head()).height + 1)
        substitute = to_checksum_address(await new_client(setting))
        words = [
            "recover",
            "--config",
            str(config),
            "--chain",
            "alpha",
            "--subject",
            client,
            "--substitute",
            substitute,
        ]
        words += ["--keystore", str(tmp_path / "asking.json"), "--password-env", "PW"]
        run = partial(CliRunner().invoke, client_app, env={"PW": "pw"})
        refused = await trio.to_thread.run_sync(run, words)
        assert refused.exit_code == 1 and "it needs the migrator role" in refused.output
        assert "--decide-as" in refused.output
        early = to_checksum_address(await new_client(setting, trusting_period_ns=2 * 10**9))
        late = [early if word == substitute else word for word in words]
        refused = await trio.to_thread.run_sync(run, [*late, "--decide-as", migrator])
        told = rf"nothing was sent: the substitute {early} expire[sd] at \S+Z .*, and alpha can take it in 2 s at the earliest"
        assert refused.exit_code == 1 and refused.stdout == "" and re.search(told, refused.stderr), refused.output
        assert "run the command without --substitute for one that begins now" in refused.stderr
        sent = []
        while (done := await trio.to_thread.run_sync(run, [*words, "--decide-as", migrator])).exit_code:
            found = re.search(f"for {migrator} to send: to (0x[0-9a-fA-F]{{40}}) data 0x([0-9a-f]+)", done.stderr)
            if found is None:
                assert f"scheduled: {substitute} may stand" in done.stdout, done.output
                continue
            assert f"run the command again with --substitute {substitute}" in done.stderr
            sent.append(found[1])
            await transactor.send(address_of(found[1]), bytes.fromhex(found[2]))
        assert sent == [contracts.access_manager, contracts.router]
        assert done.stdout == f"alpha {client} goes on with {substitute}\n"
        assert (await chain.client(client)).status is ClientStatus.ACTIVE


@pytest.mark.long
async def test_router_client_is_recovered_after_its_delay():
    async with evm_setting() as setting:
        chain, transactor = setting.chain, setting.transactor
        router = address_of(setting.contracts.router)
        manager = address_of(setting.contracts.access_manager)

        short = await new_client(setting, trusting_period_ns=4 * 10**9)
        client = await deployment.add_client(transactor, router, short, "bft-evm-5", (b"",))
        while (await chain.client(client)).status is not ClientStatus.EXPIRED:
            await chain.wait_for_height((await chain.head()).height + 1)
        substitute = await new_client(setting)
        counterparty = ("bft-evm-5", (b"",))
        revoke = deployment.Function("revokeRole", ("uint64", "address"))
        owner = address_of(transactor.signer.address)
        await transactor.send(manager, revoke.encode(MIGRATOR_ROLE, owner))
        with pytest.raises(RefusedByChain) as refusal:
            await recover_client(transactor, router, client, substitute, counterparty)
        assert refusal.value.name == "AccessManagedUnauthorized"
        await transactor.send(manager, access_manager.GRANT_ROLE.encode(MIGRATOR_ROLE, owner, 2))
        first = await recover_client(transactor, router, client, substitute, counterparty)
        assert first.ready_at_s is not None and first.wait_s > 0
        assert (await chain.client(client)).status is ClientStatus.EXPIRED
        while (await recover_client(transactor, router, client, substitute, counterparty)).ready_at_s is not None:
            await chain.wait_for_height((await chain.head()).height + 1)
        assert (await chain.client(client)).status is ClientStatus.ACTIVE


def test_vectors_of_the_page():
    """docs/spec/transfer.md."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "spec" / "transfer.md").read_text()
    for refund in (False, True):
        held_id = keccak256(encode(["bool", "string", "uint64"], [refund, "client-0", 1]))
        assert f"0x{held_id.hex()}" in page
    assert f"0x{transfer.TRANSFER_SENT_TOPIC.hex()}" in page


CONFIG = """
[relay]
home = "state"
http = "127.0.0.1:0"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = {chain_id}
consensus = "qbft"
rpc = ["{rpc}"]
router = "{router}"
key = {{ keystore = "key.json", password_env = "PASSWORD" }}

[[chains]]
name = "beta"
kind = "evm"
chain_id = 7777
consensus = "qbft"
rpc = ["http://127.0.0.1:9"]
router = "{router}"
key = {{ keystore = "key.json", password_env = "PASSWORD" }}

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:9"]
consensus_rpc = ["http://127.0.0.1:9"]
key = {{ keystore = "key.json", password_env = "PASSWORD" }}

[[paths]]
a = {{ chain = "alpha", client = "client-0" }}
b = {{ chain = "hub", client = "bft-evm-0" }}

[[paths]]
a = {{ chain = "beta", client = "client-0" }}
b = {{ chain = "hub", client = "bft-evm-1" }}
"""


@pytest.mark.long
async def test_trial_T3_command_line_of_transfers(tmp_path, monkeypatch):
    """`hutong transfer` against a chain: what it prints, and what it refuses in one sentence."""
    monkeypatch.setenv("PASSWORD", "correct horse")
    create_keystore(tmp_path / "key.json", KEY, b"correct horse", iterations=2)
    signing = ("--keystore", str(tmp_path / "key.json"), "--password-env", "PASSWORD")
    async with evm_setting() as setting:
        config = tmp_path / "relay.toml"
        config.write_text(CONFIG.format(chain_id=CHAIN_ID, rpc=setting.devnet.url, router=setting.contracts.router))
        config.chmod(0o600)
        token = f"0x{(await new_token(setting)).hex()}"
        await deployment.set_hub_client(setting.transactor, address_of(setting.contracts.transfer), setting.client)
        where = ("--config", str(config), "--chain", "alpha", "--transfer", setting.contracts.transfer)

        async def run(*arguments: str) -> tuple[int, str]:
            command = partial(CliRunner().invoke, app, [*arguments[:2], *where, *arguments[2:]])
            if arguments[0] != "limits":
                command = partial(CliRunner().invoke, app, [arguments[0], *where, *arguments[1:]])
            result = await trio.to_thread.run_sync(command)
            return result.exit_code, result.output.strip()

        order = ("send", "--token", token, "--amount", "80", "--receiver", RECEIVER, *signing)
        for wrong, named in (
            (("--receiver", "bob"), "--receiver is not an address"),
            (("--receiver", "0xd8da6BF26964aF9D7eEd9e03E53415D37aA96045"), "wrong EIP-55 checksum"),
            (("--next-client", "bft-evm-7"), "--next-client 'bft-evm-7' is on no path"),
            (("--timeout-s", "90000"), "--timeout-s ends"),
            (("--amount", "1001"), "holds 1000"),
        ):  # T3
            code, said = await run(*order, "--next-client", "bft-evm-1", *wrong)
            assert (code, named in said, "alpha/client-0" in said) == (1 if "holds" in named else 2, True, False), said
        assert await run(*order, "--next-client", "bft-evm-1") == (0, "alpha/client-0/1")
        code, said = await run(*order, "--next-client", "bft-evm-0")  # O10: alpha's own path
        back = "--next-client 'bft-evm-0' leads back to alpha, which the tokens come from: hub has bft-evm-1 for beta"
        assert (code, back in said, "on no path" in said) == (2, True, False), said
        code, said = await run(*order, "--memo", "x")  # N4, O2: before it is sent, and not sent unless that is meant
        ends = "this transfer ends on the hub hub: for a chain beyond it give --next-client, the hub's client of that chain"
        meant = "; to leave the tokens on the hub give --stay-on-hub. Nothing was sent"
        assert (code, said) == (2, f"{ends} (bft-evm-1 for beta){meant}")
        assert await run(*order, "--memo", "x", "--stay-on-hub") == (0, "alpha/client-0/2")
        code, said = await run(*order, "--memo", "x", "--next-client", "bft-evm-1")
        assert (code, "leave --memo out" in said) == (2, True)
        scope = ("--token", token, "--client", "client-0")
        assert await run("limits", "show", *scope) == (0, "no limit")
        caps = ("--send-cap", "100", "--delay-above", "50", "--delay-s", "60")
        code, said = await run("limits", "set", *scope, *caps, *signing)
        assert (code, said.splitlines()[0], said.splitlines()[-1]) == (0, "before: no limit", "limit set")
        code, said = await run("limits", "show", *scope)
        assert (code, "send: 0 of 100" in said, "receive: 0 of any amount" in said) == (0, True, True)
        assert "window: 3600 s, ends at 20" in said, said
        now = json.loads((await run("limits", "show", *scope, "--json"))[1])
        assert now["window_ends_at_s"] % 3600 == 0 and abs(now["window_ends_at_s"] - time.time()) <= 3660
        assert (await run(*order, "--stay-on-hub"))[0] == 0
        code, said = await run(*order, "--stay-on-hub")
        assert (code, "room 20, amount 80; the window ends at 20" in said) == (1, True), said
        assert said.endswith(": send it after that, or at most 20 before"), said
        code, said = await run(*order, "--stay-on-hub", "--amount", "101")
        assert code == 1 and said.endswith("a window of this limit lets 100 be sent at most: send less at once"), said
        for held in (("release", "--refund"), ("claim", "--to", RECEIVER)):
            code, said = await run(held[0], "--client", "client-0", "--sequence", "1", *held[1:], *signing)
            assert (code, said) == (1, "nothing is held of packet client-0/1")
        assert (await run("claim", "--client", "client-0", "--sequence", "1", "--to", "nobody", *signing))[0] == 2
