"""web3.py, unchanged, against the JSON-RPC service over HTTP and WebSocket."""

import json
from contextlib import contextmanager

import httpx
import pytest
import requests
import rlp
import trio
from eth_account import Account
from eth_hash.auto import keccak
from trie import HexaryTrie
from trio_websocket import open_websocket_url
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError

from tests.relay.evm.evm_simulator import ABI, INIT_CODE, SET_TOPIC, InstantChain, funded, served
from tests.relay.evm.evm_transactions import FUNDED, KEY, OTHER_KEY, raw_transaction

EMPTY = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")


@pytest.fixture(scope="module")
def port():
    async def hello(params):
        return {"hello": params.quantity(0)}

    async def other_app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"mounted"})

    chain = InstantChain(funded(FUNDED))
    with served(chain, extra_methods={"hutong_hello": hello}, mounts={"/other": other_app}) as port:
        yield port


@contextmanager
def connected(port):
    with requests.Session() as session:
        yield Web3(HTTPProvider(f"http://127.0.0.1:{port}", session=session))


@pytest.fixture(scope="module")
def web3(port):
    with connected(port) as web3:
        yield web3


def post(port, body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"http://127.0.0.1:{port}/", content=content, headers=headers)


def rpc(port, method, *params):
    return post(port, {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).json()


def send(web3, **fields):
    fields.setdefault("nonce", web3.eth.get_transaction_count(KEY.address))
    return web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(raw_transaction(**fields)))


@pytest.fixture(scope="module")
def contract(web3):
    receipt = send(web3, data=INIT_CODE, gas=1_000_000)
    assert receipt.status == 1
    return web3.eth.contract(receipt.contractAddress, abi=ABI)


def call_data(contract, function):
    return contract.encode_abi(function.fn_name, args=list(function.args))


def transact(web3, function, **fields):
    data = bytes.fromhex(call_data(web3.eth.contract(function.address, abi=ABI), function)[2:])
    return send(web3, to=bytes.fromhex(function.address[2:]), data=data, **fields)


def test_basics(web3):
    assert web3.is_connected()
    assert web3.eth.chain_id == 1337 and web3.net.version == "1337"
    assert web3.client_version == "instant/1"
    assert web3.eth.gas_price == 0 and web3.eth.max_priority_fee == 0
    assert web3.eth.accounts == () or web3.eth.accounts == []
    assert web3.eth.syncing is False
    assert web3.eth.get_balance(KEY.address) == 10**21
    assert web3.eth.fee_history(3, "latest", [50])["baseFeePerGas"][0] == 0


def test_transfer_and_every_view_of_it(web3):
    receipt = send(web3, to=b"\x77" * 20, value=5, maxFeePerGas=0, maxPriorityFeePerGas=0)
    assert receipt.gasUsed == 21_000 and receipt.effectiveGasPrice == 0
    assert web3.eth.get_balance(web3.to_checksum_address(b"\x77" * 20)) == 5
    found = web3.eth.get_transaction(receipt.transactionHash)
    assert (
        found["from"] == KEY.address and found.value == 5 and found.type == 2 and found.blockHash == receipt.blockHash
    )
    block = web3.eth.get_block(receipt.blockNumber, full_transactions=True)
    assert block.transactions[0].hash == receipt.transactionHash and block.hash == receipt.blockHash
    assert web3.eth.get_block(block.hash).number == receipt.blockNumber
    assert web3.eth.get_block_receipts(receipt.blockNumber)[0].transactionHash == receipt.transactionHash
    assert web3.eth.get_transaction_by_block(block.hash, 0).hash == receipt.transactionHash
    assert web3.eth.get_block_transaction_count(receipt.blockNumber) == 1
    assert web3.eth.get_raw_transaction(receipt.transactionHash)[:1] == b"\x02"
    assert web3.eth.get_block("finalized").number == web3.eth.block_number


def test_deploy_call_event(web3, contract):
    receipt = transact(web3, contract.functions.set(42))
    assert contract.functions.get().call() == 42
    assert contract.events.Set().process_receipt(receipt)[0].args.value == 42
    logs = contract.events.Set().get_logs(from_block=receipt.blockNumber)
    assert [log.args.value for log in logs] == [42]
    assert web3.eth.get_code(contract.address)[:1] == b"\x5f" or len(web3.eth.get_code(contract.address)) > 10
    assert int.from_bytes(web3.eth.get_storage_at(contract.address, 0), "big") == 42


def test_call_at_an_older_block(web3, contract):
    first = transact(web3, contract.functions.set(1))
    transact(web3, contract.functions.set(2))
    assert contract.functions.get().call(block_identifier=first.blockNumber) == 1
    assert contract.functions.get().call(block_identifier=first.blockHash) == 1
    assert contract.functions.get().call() == 2


def test_revert_reasons(web3, contract, port):
    with pytest.raises(ContractLogicError, match="no way"):
        contract.functions.fail().call()
    with pytest.raises(ContractLogicError, match="no way"):
        contract.functions.fail().estimate_gas()
    with pytest.raises(ContractCustomError) as caught:
        contract.functions.custom().call()
    assert caught.value.data.endswith("07")
    answer = rpc(port, "eth_call", {"to": contract.address, "data": call_data(contract, contract.functions.fail())})
    assert answer["error"]["code"] == 3 and answer["error"]["message"] == "execution reverted: no way"
    failed = transact(web3, contract.functions.fail(), gas=200_000)
    assert failed.status == 0 and failed.gasUsed < 200_000


def test_estimate_gas_is_enough_and_near(web3, contract):
    estimate = contract.functions.set(7).estimate_gas({"from": KEY.address})
    receipt = transact(web3, contract.functions.set(7), gas=estimate)
    assert receipt.status == 1 and receipt.gasUsed <= estimate <= receipt.gasUsed * 1.1
    assert web3.eth.estimate_gas({"to": KEY.address, "from": KEY.address}) == 21_000


def test_filters(web3, contract):
    logs = web3.eth.filter({"address": contract.address, "topics": ["0x" + SET_TOPIC.hex()]})
    blocks = web3.eth.filter("latest")
    assert logs.get_new_entries() == [] and blocks.get_new_entries() == []
    receipts = [transact(web3, contract.functions.set(value)) for value in (10, 11)]
    assert [int(entry.topics[1].hex(), 16) for entry in logs.get_new_entries()] == [10, 11]
    assert blocks.get_new_entries() == [receipt.blockHash for receipt in receipts]
    assert logs.get_new_entries() == []
    assert web3.eth.uninstall_filter(logs.filter_id) and not web3.eth.uninstall_filter(logs.filter_id)
    with pytest.raises(Web3RPCError, match="filter not found"):
        logs.get_new_entries()


def test_logs_by_topic_choice_block_hash_and_range(web3, contract, port):
    receipts = [transact(web3, contract.functions.set(value)) for value in (100, 101, 102)]

    def query(**criteria):
        criteria.setdefault("fromBlock", hex(receipts[0].blockNumber))
        return [int(entry["topics"][1], 16) for entry in rpc(port, "eth_getLogs", criteria)["result"]]

    word = "0x{:064x}".format
    assert query() == [100, 101, 102]
    assert query(topics=[None, [word(100), word(102)]]) == [100, 102]
    assert query(topics=[["0x" + "00" * 32]]) == []
    assert query(address="0x" + "11" * 20) == []
    assert query(toBlock=hex(receipts[1].blockNumber)) == [100, 101]
    by_hash = rpc(port, "eth_getLogs", {"blockHash": receipts[1].blockHash.to_0x_hex()})["result"]
    assert [int(entry["topics"][1], 16) for entry in by_hash] == [101]
    assert by_hash[0]["logIndex"] == "0x0" and by_hash[0]["transactionHash"] == receipts[1].transactionHash.to_0x_hex()
    too_wide = rpc(port, "eth_getLogs", {"fromBlock": "0x0", "toBlock": hex(10**6)})
    assert "result" in too_wide  # clipped to the head
    assert rpc(port, "eth_getLogs", {"fromBlock": "latest", "toBlock": "0x1"})["error"]["code"] == -32602
    assert rpc(port, "eth_getLogs", {"blockHash": "0x" + "12" * 32})["error"]["message"] == "unknown block"


def proven(nodes, root, key):
    if root == EMPTY:
        assert nodes == []
        return b""
    return HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(node) for node in nodes])


def test_proofs_verify_against_the_header(web3, contract, port):
    transact(web3, contract.functions.set(77))
    block = web3.eth.get_block("latest")
    for key in ("0x0", "0x" + "00" * 32):
        proof = rpc(port, "eth_getProof", contract.address, [key, "0x5"], hex(block.number))["result"]
        assert [entry["key"] for entry in proof["storageProof"]] == [key, "0x5"]
        account = rlp.decode(proven([bytes.fromhex(node[2:]) for node in proof["accountProof"]],
                                    bytes(block.stateRoot), bytes.fromhex(contract.address[2:])))  # fmt: skip
        assert account[2].hex() == proof["storageHash"][2:] and account[3].hex() == proof["codeHash"][2:]
        for entry, value in zip(proof["storageProof"], (77, 0), strict=True):
            nodes = [bytes.fromhex(node[2:]) for node in entry["proof"]]
            raw = proven(nodes, account[2], int(entry["key"], 16).to_bytes(32, "big"))
            assert int(entry["value"], 16) == value == (int.from_bytes(rlp.decode(raw), "big") if raw else 0)
    absent = web3.eth.get_proof(web3.to_checksum_address(b"\x99" * 20), [1])
    assert proven([bytes(node) for node in absent.accountProof], bytes(web3.eth.get_block("latest").stateRoot),
                  b"\x99" * 20) == b""  # fmt: skip
    assert absent.balance == 0 and absent.storageHash == EMPTY and absent.storageProof[0].value in (0, b"\x00", b"")


def test_block_json_rebuilds_the_hash(web3):
    block = web3.eth.get_block("latest")
    fields = [
        block.parentHash, block.sha3Uncles, bytes.fromhex(block.miner[2:]), block.stateRoot, block.transactionsRoot,
        block.receiptsRoot, block.logsBloom, block.difficulty, block.number, block.gasLimit, block.gasUsed,
        block.timestamp, block.extraData, block.mixHash, block.nonce, block.baseFeePerGas,
    ]  # fmt: skip
    assert keccak(rlp.encode([bytes(item) if isinstance(item, bytes) else item for item in fields])) == block.hash


def test_refused_transactions_say_why(web3, port):
    nonce = web3.eth.get_transaction_count(KEY.address)

    def refused(**fields):
        raw = raw_transaction(**{"nonce": nonce, "to": b"\x01" * 20, **fields})
        error = rpc(port, "eth_sendRawTransaction", "0x" + raw.hex())["error"]
        assert error["code"] == -32000
        return error["message"]

    assert refused(nonce=nonce - 1).startswith("nonce too low")
    assert refused(gas=20_999).startswith("intrinsic gas too low")
    assert refused(chainId=1).startswith("wrong chain id")
    assert refused(value=10**30).startswith("insufficient funds")
    assert refused(gas=10**9).startswith("exceeds block gas limit")
    assert refused(nonce=nonce + 10_000).startswith("nonce too high")
    assert rpc(port, "eth_sendRawTransaction", "0x" + "c0" * 5)["error"]["code"] == -32000
    poor = Account.from_key(b"\x99" * 32)
    assert "result" in rpc(port, "eth_sendRawTransaction", "0x" + raw_transaction(poor, to=b"\x01" * 20).hex())


@pytest.mark.long
def test_json_rpc_shapes_and_errors(port):
    assert rpc(port, "eth_nothing")["error"]["code"] == -32601
    assert rpc(port, "eth_getBalance", "0x12")["error"]["code"] == -32602
    assert rpc(port, "eth_getBalance")["error"]["message"] == "missing value for required argument 0"
    assert rpc(port, "eth_chainId", 1)["error"]["code"] == -32602
    assert rpc(port, "eth_getBlockByNumber", "0xffffff", False)["result"] is None
    assert rpc(port, "eth_getBalance", "0x" + "11" * 20, "0xffffff")["error"]["message"] == "header not found"
    assert rpc(port, "eth_call", {}, "latest", {"0x" + "11" * 20: {}})["error"]["code"] == -32602
    assert rpc(port, "hutong_hello", "0x5")["result"] == {"hello": 5}
    assert rpc(port, "eth_subscribe", "newHeads")["error"]["code"] == -32601
    batch = post(port, [{"id": n, "method": "eth_chainId", "params": []} for n in range(3)]).json()
    assert [entry["id"] for entry in batch] == [0, 1, 2]
    assert post(port, [{"id": 1}] * 101).json()["error"]["code"] == -32600
    assert post(port, b"{").json()["error"]["code"] == -32700
    assert post(port, {"method": "eth_chainId"}).status_code == 204
    assert post(port, b"x" * (1024 * 1024 + 1)).status_code == 413
    assert post(port, b"", **{"content-encoding": "gzip"}).status_code == 415
    assert post(port, b"{}", origin="https://evil.example").status_code == 403
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 405
    assert httpx.get(f"http://127.0.0.1:{port}/nowhere").status_code == 404
    assert httpx.get(f"http://127.0.0.1:{port}/other/x").text == "mounted"


def test_subscriptions(contract, port):
    def set_value(value):  # not by web3: it opens a session in every thread and closes none
        nonce = int(rpc(port, "eth_getTransactionCount", KEY.address)["result"], 16)
        data = bytes.fromhex(call_data(contract, contract.functions.set(value))[2:])
        raw = raw_transaction(nonce=nonce, to=bytes.fromhex(contract.address[2:]), data=data)
        assert "result" in rpc(port, "eth_sendRawTransaction", "0x" + raw.hex())

    async def main():
        async with open_websocket_url(f"ws://127.0.0.1:{port}/") as socket:

            async def ask(method, *params):
                await socket.send_message(json.dumps({"id": 1, "method": method, "params": params}))
                return json.loads(await socket.get_message())

            heads = (await ask("eth_subscribe", "newHeads"))["result"]
            logs = (await ask("eth_subscribe", "logs", {"address": contract.address}))["result"]
            assert (await ask("eth_chainId"))["result"] == "0x539"
            assert (await ask("eth_subscribe", "syncing"))["error"]["code"] == -32602
            await trio.to_thread.run_sync(set_value, 9)
            got = {}
            for _ in range(2):
                message = json.loads(await socket.get_message())
                assert message["method"] == "eth_subscription"
                got[message["params"]["subscription"]] = message["params"]["result"]
            assert (
                got[heads]["hash"]
                == got[logs]["blockHash"]
                == rpc(port, "eth_getBlockByNumber", "latest")["result"]["hash"]
            )
            assert int(got[logs]["topics"][1], 16) == 9
            assert (await ask("eth_unsubscribe", logs))["result"] is True
            assert "error" in await ask("eth_unsubscribe", logs)
            await trio.to_thread.run_sync(set_value, 8)
            assert json.loads(await socket.get_message())["params"]["subscription"] == heads

    with_timeout(main)


def test_websocket_from_a_foreign_page_is_refused(port):
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    upgrade["sec-websocket-key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    refused = httpx.get(f"http://127.0.0.1:{port}/", headers={**upgrade, "origin": "https://evil.example"})
    assert refused.status_code == 403


def with_timeout(main):
    async def bounded():
        with trio.fail_after(20):
            await main()

    trio.run(bounded)


def test_waiting_transactions_are_visible():
    chain = InstantChain(funded(FUNDED))
    chain.hold = True
    with served(chain) as port, connected(port) as web3:
        hashes = [web3.eth.send_raw_transaction(raw_transaction(nonce=nonce, to=b"\x01" * 20)) for nonce in (0, 1)]
        assert web3.eth.get_transaction(hashes[0]).blockHash is None
        assert web3.eth.get_transaction_count(KEY.address, "pending") == 2
        assert web3.eth.get_transaction_count(KEY.address) == 0
        error = rpc(port, "eth_sendRawTransaction", "0x" + raw_transaction(nonce=0, to=b"\x01" * 20).hex())["error"]
        assert error["message"].startswith("already known")
        assert "result" in rpc(port, "eth_sendRawTransaction", "0x" + raw_transaction(OTHER_KEY, to=b"\x01" * 20).hex())
        chain.seal()
        assert len(web3.eth.get_block("latest").transactions) == 3
