"""What stands on a chain is read in a few calls, however many functions its contracts have; an answer in part is refused."""

import json
from random import Random

import pytest
from eth_abi.abi import decode, encode

from hutong.adapters.evm.administration.access_manager import GET_TARGET_FUNCTION_ROLE
from hutong.adapters.evm.administration.rights import MANAGER
from hutong.adapters.evm.administration.rights_reading import read_rights
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.contracts.roles import ROLE_NAMES, signatures
from tests.adapters.rpc.hostile_server import hostile_server, result

ADDRESS = b"\x70" * 20
BLOCK = {"number": "0x5", "hash": "0x" + "05" * 32, "parentHash": "0x" + "04" * 32, "timestamp": "0x64"}
BLOCK |= {"gasLimit": "0x1c9c380", "baseFeePerGas": "0x7"}


async def rights_read(more=0):
    """(rights or the bad answer, number of `eth_call`): all functions have role 5, and `more` results come than were asked for."""
    fixed = {"eth_blockNumber": "0x5", "eth_getBlockByNumber": BLOCK, "eth_getCode": "0x01", "eth_getLogs": []}

    def answer(request):
        (views,) = decode(["bytes[]"], bytes.fromhex(request["params"][0]["data"][2:])[4:])
        five = [int(view[:4] == GET_TARGET_FUNCTION_ROLE.selector) * 5 for view in views]
        words = [value.to_bytes(32, "big") for value in five] + [bytes(32)] * more
        return result(request, hex_data(encode(["bytes[]"], [words[: len(views) + more]])))

    options = RpcOptions(attempt_timeout_s=5, rounds=1)
    async with hostile_server() as server, open_rpc_client("chain", [server.url], Random(1), options) as client:
        for method, value in fixed.items():
            server.answers[method] = lambda request, value=value: result(request, value)
        server.answers["eth_call"] = answer
        try:
            rights = await read_rights(ExecutionRpc(client, RevertReader()), 7001, {MANAGER: ADDRESS}, 1)
        except BadAnswer as error:
            rights = error
        return rights, json.dumps(server.requests).count('"eth_call"')


async def test_views_of_a_contract_are_asked_in_one_call():
    rights, calls = await rights_read()
    assert set(rights.targets[MANAGER].functions.values()) == {5}
    assert len(rights.targets[MANAGER].functions) == len(signatures("AccessManager")) > 30
    assert calls == 1 + len(ROLE_NAMES), "one for the contract, one for each role"


@pytest.mark.parametrize("more", [-1, 1])
async def test_attack_G1_more_or_fewer_results_than_views_are_refused(more):
    error, calls = await rights_read(more)
    assert (error.method, error.field, calls) == ("multicall", "returned", 1)
    assert error.reason == f"is not {error.got - more} results"
