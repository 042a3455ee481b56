"""Endpoints whose logs name an event and lack its indexed arguments: a bad answer, as any other malformed one."""

from contextlib import asynccontextmanager
from random import Random

import pytest
from eth_abi.abi import encode

from hutong.adapters.evm.administration import access_manager as manager_abi
from hutong.adapters.evm.administration.rights import MANAGER
from hutong.adapters.evm.administration.rights_reading import read_rights
from hutong.adapters.evm.administration.transfer import TRANSFER_SENT_TOPIC, Order, send_tokens
from hutong.adapters.hub.governance import PROPOSAL_EXECUTED_TOPIC, PROPOSED_TOPIC, propose, vote
from hutong.adapters.hub.settings import GOVERNANCE_ADDRESS
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.light_clients.crypto.hashes import keccak256
from hutong.relay.keys import Signer
from tests.adapters.rpc.hostile_server import hostile_server, result

QUICK = RpcOptions(attempt_timeout_s=5, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
WORD = b"\x01" * 32
TRANSFER = b"\x70" * 20
CHAIN_ID = 7001
BLOCK = {
    "number": "0x5",
    "hash": hex_data(b"\x05" * 32),
    "parentHash": hex_data(b"\x04" * 32),
    "timestamp": "0x64",
    "gasLimit": "0x1c9c380",
    "baseFeePerGas": "0x7",
}


def log(address: bytes, topics: list[bytes], data: bytes = b"") -> dict:
    return {
        "address": hex_data(address),
        "topics": [hex_data(topic) for topic in topics],
        "data": hex_data(data),
        "blockNumber": "0x5",
        "blockHash": BLOCK["hash"],
        "transactionHash": hex_data(WORD),
        "logIndex": "0x0",
        "removed": False,
    }


@asynccontextmanager
async def node(logs: list[dict]):
    """Takes any transaction; its receipt has these logs, as the blocks have."""
    receipt = {
        "blockNumber": "0x5",
        "blockHash": BLOCK["hash"],
        "status": "0x1",
        "gasUsed": "0x64",
        "effectiveGasPrice": "0x3",
        "logs": logs,
    }
    fixed = {
        "eth_blockNumber": "0x5",
        "eth_getBlockByNumber": BLOCK,
        "eth_getCode": "0x01",
        "eth_getLogs": logs,
        "eth_estimateGas": "0x5208",
        "eth_maxPriorityFeePerGas": "0x2",
        "eth_getTransactionCount": "0x0",
        "eth_getBalance": hex(10**18),
        "eth_call": hex_data(encode(["string"], ["transfer/client-0/stake"])),
    }
    async with hostile_server() as server, open_rpc_client("chain", [server.url], Random(1), QUICK) as client:
        for method, value in fixed.items():
            server.answers[method] = lambda request, value=value: result(request, value)
        server.answers["eth_sendRawTransaction"] = lambda request: result(
            request, hex_data(keccak256(bytes.fromhex(request["params"][0][2:])))
        )
        server.answers["eth_getTransactionReceipt"] = lambda request: result(
            request, receipt | {"transactionHash": request["params"][0]}
        )
        yield Transactor(ExecutionRpc(client, RevertReader()), CHAIN_ID, Signer.in_memory(bytes(31) + b"\x07"))


@pytest.mark.parametrize("indexed", [0, 1, 3])
async def test_attack_G1_proposed_log_without_its_arguments(indexed):
    topics = [PROPOSED_TOPIC] + [WORD] * indexed
    async with node([log(GOVERNANCE_ADDRESS, topics)]) as transactor:
        with pytest.raises(BadAnswer, match=r"topics: .* which has 3"):
            await propose(transactor, b"action", "title")


async def test_attack_G1_governance_logs_without_topics_are_passed_over():
    proposed = log(GOVERNANCE_ADDRESS, [PROPOSED_TOPIC, (9).to_bytes(32, "big"), WORD])
    executed = log(GOVERNANCE_ADDRESS, [PROPOSAL_EXECUTED_TOPIC, WORD])
    async with node([log(GOVERNANCE_ADDRESS, []), proposed]) as transactor:
        decision = await propose(transactor, b"action", "title")
        assert (decision.number, decision.executed) == (9, False)
    async with node([log(GOVERNANCE_ADDRESS, []), executed]) as transactor:
        assert (await vote(transactor, 9, approve=True)).executed


@pytest.mark.parametrize("indexed", [0, 2])
async def test_attack_G1_sent_transfer_log_without_its_arguments(indexed):
    order = Order("client-0", b"\x71" * 20, 5, "0xab", 1_900_000_000)
    async with node([log(TRANSFER, [TRANSFER_SENT_TOPIC] + [WORD] * indexed)]) as transactor:
        with pytest.raises(BadAnswer, match=r"topics: .* which has 4"):
            await send_tokens(transactor, TRANSFER, order)
    sequence = (7).to_bytes(32, "big")
    async with node([log(TRANSFER, [TRANSFER_SENT_TOPIC, sequence, WORD, WORD])]) as transactor:
        assert (await send_tokens(transactor, TRANSFER, order)).sequence == 7


ROLE_EVENTS = {
    "RoleGranted": (manager_abi.ROLE_GRANTED, 2),
    "TargetFunctionRoleUpdated": (manager_abi.TARGET_FUNCTION_ROLE_UPDATED, 2),
    "TargetAdminDelayUpdated": (manager_abi.TARGET_ADMIN_DELAY_UPDATED, 1),
    "RoleGrantDelayChanged": (manager_abi.ROLE_GRANT_DELAY_CHANGED, 1),
    "RoleAdminChanged": (manager_abi.ROLE_ADMIN_CHANGED, 2),
    "RoleGuardianChanged": (manager_abi.ROLE_GUARDIAN_CHANGED, 2),
}


@pytest.mark.parametrize("event", ROLE_EVENTS)
async def test_attack_G1_role_log_without_its_arguments(event):
    topic, has = ROLE_EVENTS[event]
    for indexed in {0, 1, 2, 3} - {has}:
        async with node([log(TRANSFER, [topic] + [WORD] * indexed)]) as transactor:
            with pytest.raises(BadAnswer, match=f"topics: .* which has {1 + has}"):
                await read_rights(transactor.execution, CHAIN_ID, {MANAGER: TRANSFER}, 1)
