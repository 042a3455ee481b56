"""A development chain as a node: pace under a told clock, JSON-RPC, and processes that are killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
import trio
from trio_websocket import open_websocket_url
from typer.testing import CliRunner

from hutong.light_clients.bft_evm import (
    BftEvmClient,
    block_hash,
    decode_extra_data,
    encode_header_message,
    header_of,
)
from hutong.light_clients.evm_header import header_from_rpc
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MemoryConsensusStates, Updated
from hutong.light_clients.proofs.mpt import commitment_slot
from hutong.relay.cli.operator.devnet import app
from hutong.relay.devnet import Pace, running_devnet
from tests.relay.devnet.devnet_tools import (
    ACCOUNT,
    ADDRESS,
    CHAIN_ID,
    KEY,
    VALIDATOR_KEYS,
    VALUE,
    client_states,
    commitment_deployment,
    genesis,
    new_chain,
    signed,
)

CLIENT = BftEvmClient()


async def test_one_block_a_period_and_one_sooner_after_a_change(mock_clock):
    chain = new_chain()
    with trio.fail_after(1_000):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chain.run)
            for number in (1, 2, 3):
                await trio.testing.wait_all_tasks_blocked()
                mock_clock.jump(0.9)
                await trio.testing.wait_all_tasks_blocked()
                assert chain.head.number == number - 1
                mock_clock.jump(0.1)
                assert await chain.heads.wait_above(number - 1) == number
            await chain.submit_transaction(signed(0))
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(1.0)
            assert await chain.heads.wait_above(3) == 4
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(0.2)
            assert await chain.heads.wait_above(4) == 5
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(0.9)
            await trio.testing.wait_all_tasks_blocked()
            assert chain.head.number == 5
            nursery.cancel_scope.cancel()


class Rpc:
    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self.client = client
        self.url = url

    async def __call__(self, method: str, *params):
        response = await self.client.post(
            self.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        )
        answer = response.json()
        if "error" in answer:
            raise LookupError(answer["error"]["message"])
        return answer["result"]


async def test_what_the_rpc_serves_is_what_the_light_client_proves():
    async with (
        running_devnet(genesis(), Pace(50, 20), private_keys=VALIDATOR_KEYS) as devnet,
        httpx.AsyncClient() as http,
    ):
        rpc = Rpc(http, devnet.url)
        await rpc("eth_sendRawTransaction", "0x" + commitment_deployment(0).hex())
        at = await devnet.chain.heads.wait_above(devnet.chain.head.number + 1)
        receipts = [await rpc("eth_getBlockReceipts", hex(number)) for number in range(at + 1)]
        (receipt,) = (item for items in receipts for item in items)
        router = bytes.fromhex(receipt["contractAddress"][2:])
        deployed = int(receipt["blockNumber"], 16)

        async def header_at(number: int):
            block = await rpc("eth_getBlockByNumber", hex(number), False)
            header = header_from_rpc(block)
            assert block["hash"] == "0x" + block_hash(header, decode_extra_data(header.extra_data)).hex()
            return header

        async def proof_at(number: int):
            slot = "0x" + commitment_slot(KEY).hex()
            return await rpc("eth_getProof", "0x" + router.hex(), [slot], hex(number))

        def nodes(items: list[str]) -> tuple[bytes, ...]:
            return tuple(bytes.fromhex(item[2:]) for item in items)

        first = await header_at(deployed)
        root = bytes.fromhex((await proof_at(deployed))["storageHash"][2:])
        client, state = client_states(first, root, router)
        target = await devnet.chain.heads.wait_above(deployed)
        header, proof = await header_at(target), await proof_at(target)
        message = encode_header_message(header_of(Height(0, deployed), header, nodes(proof["accountProof"])))
        now_ns = header.timestamp_s * NANOSECONDS_PER_SECOND
        verdict = CLIENT.verify_header(client, MemoryConsensusStates({Height(0, deployed): state}), message, now_ns)
        assert isinstance(verdict, Updated)
        encoded = encode_storage_proof(StorageProof(nodes(proof["storageProof"][0]["proof"])))
        CLIENT.verify_membership(verdict.client_state, verdict.consensus_state, encoded, (KEY,), VALUE)


async def test_qbft_methods():
    async with (
        running_devnet(genesis(), Pace(50, 20), private_keys=VALIDATOR_KEYS) as devnet,
        httpx.AsyncClient() as http,
    ):
        rpc = Rpc(http, devnet.url)
        old = await rpc("qbft_getValidatorsByBlockNumber", "0x0")
        assert old == ["0x" + address.hex() for address in devnet.chain.validators]
        new = await rpc("hutong_orderValidatorChange", "0x1", "0x2")
        assert await rpc("qbft_getValidatorsByBlockNumber", "pending") == new
        assert len(new) == 3
        head = await devnet.chain.heads.wait_above(devnet.chain.head.number)
        assert await rpc("qbft_getValidatorsByBlockNumber", "latest") == new
        assert await rpc("qbft_getValidatorsByBlockNumber", "earliest") == old
        block = await rpc("eth_getBlockByNumber", hex(head), False)
        assert await rpc("qbft_getValidatorsByBlockHash", block["hash"]) == new
        assert await rpc("qbft_getValidatorsByBlockNumber", hex(10**6)) is None
        for method, params in (
            ("hutong_orderValidatorChange", ("0x0", "0x3")),
            ("hutong_orderValidatorChange", (1, 0)),
            ("qbft_getValidatorsByBlockNumber", ("newest",)),
            ("qbft_getValidatorsByBlockHash", ("0x" + "00" * 32,)),
        ):
            with pytest.raises(LookupError):
                await rpc(method, *params)
        assert await rpc("qbft_getValidatorsByBlockNumber", "pending") == new


async def test_subscribers_hear_of_heads():
    async with running_devnet(genesis(), Pace(30, 20)) as devnet, open_websocket_url(devnet.websocket_url) as channel:
        await channel.send_message(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
        )
        with trio.fail_after(20):
            subscription = json.loads(await channel.get_message())["result"]
            numbers = []
            while len(numbers) < 3:
                event = json.loads(await channel.get_message())["params"]
                assert event["subscription"] == subscription
                numbers.append(int(event["result"]["number"], 16))
        assert numbers == list(range(numbers[0], numbers[0] + 3))


class Process:
    """`hutong devnet start` as its own program."""

    def __init__(self, home, *options: str) -> None:
        command = [sys.executable, "-m", "hutong.relay.cli", "devnet", "start", "--home", str(home), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--chain-id", str(CHAIN_ID), "--period-ms", "50", "--proof-block-ms", "20", *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.line = self.process.stdout.readline().strip()
        self.url = self.line.rsplit(" ", 1)[-1]

    def rpc(self, method: str, *params):
        answer = httpx.post(self.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).json()
        return answer.get("result")

    def end(self, how: signal.Signals) -> int:
        os.kill(self.process.pid, how)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code


@pytest.mark.long
def test_kill_9_under_load_loses_no_block_and_seals_none_twice(tmp_path):
    home = tmp_path / "home"
    seen: dict[str, str] = {}
    nonce = 0
    for round_number in range(2):
        node = Process(home, "--fund", ACCOUNT.address)
        try:
            for number, known in seen.items():
                assert node.rpc("eth_getBlockByNumber", number, False)["hash"] == known
            nonce = int(node.rpc("eth_getTransactionCount", "0x" + ADDRESS.hex(), "latest"), 16)
            wanted = len(seen) + 4 + round_number
            ends_at = time.monotonic() + 30
            while len(seen) < wanted and time.monotonic() < ends_at:
                node.rpc("eth_sendRawTransaction", "0x" + signed(nonce).hex())
                nonce += 1
                block = node.rpc("eth_getBlockByNumber", "latest", False)
                assert seen.setdefault(block["number"], block["hash"]) == block["hash"]
        finally:
            assert node.end(signal.SIGKILL) == -signal.SIGKILL
    assert len(seen) == 9
    node = Process(home)
    for number, known in seen.items():
        assert node.rpc("eth_getBlockByNumber", number, False)["hash"] == known
    assert node.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--fund", "0x12"],
        ["--validators", "0"],
        ["--period-ms", "1"],
        ["--chain-id", "0"],
        ["--fund", "0x" + "00" * 21],
    ],
)
def test_command_says_what_is_wrong(options):
    result = CliRunner().invoke(app, ["start", "--port", "0", *options])
    assert result.exit_code == 2
    assert result.stderr.startswith("unusable input: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.long
def test_command_says_that_the_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "hutong.relay.cli", "devnet", "start", "--port", port]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 2
    assert "cannot listen" in result.stderr
    assert "Traceback" not in result.stderr
