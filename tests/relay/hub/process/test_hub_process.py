"""The node as a process: web3.py as a dapp uses it, CometBFT RPC through our own client, restarts and kills."""

import base64
import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from web3 import Web3

from hutong.light_clients.ibc.commitment import path_key
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated, VerificationError
from hutong.light_clients.proofs.ics23 import SMT_SPEC, decode_commitment_proof, encode_merkle_proof
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    encode_client_state,
    encode_consensus_state,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.rpc_json import (
    base64_bytes,
    block_id_from_rpc,
    header_from_rpc,
    signed_header_from_rpc,
    validator_set_from_rpc,
)
from hutong.light_clients.tendermint.types import ClientState, ConsensusState, TendermintHeader, TrustLevel
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from hutong.relay.hub.home.last_signed import decode_last_signed
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.hub_process import HubProcess, new_home, transfer
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID

KILLS = int(os.environ.get("HUTONG_HUB_KILLS", "3"))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    hub = HubProcess(new_home(tmp_path_factory.mktemp("hub"), block_interval_ms=200, proof_block_delay_ms=50)).start()
    yield hub
    assert hub.stop() == (0, "")


def counter_code() -> bytes:
    """Init code of a contract that adds 1 to slot 0, logs its new value and returns it."""
    #        PUSH0 SLOAD PUSH1 1 ADD DUP1 PUSH0 SSTORE PUSH0 MSTORE  PUSH1 32 PUSH0 LOG0  PUSH1 32 PUSH0 RETURN
    runtime = bytes.fromhex("5f54600101805f555f5260205fa060205ff3")
    size = len(runtime)
    return bytes([0x60, size, 0x60, 0x0A, 0x5F, 0x39, 0x60, size, 0x5F, 0xF3]) + runtime


@pytest.mark.long
def test_web3_sends_deploys_calls_and_reads_logs(running):
    web3 = Web3(Web3.HTTPProvider(running.eth_url))
    assert web3.is_connected()
    assert web3.eth.chain_id == EVM_CHAIN_ID
    recipient = Web3.to_checksum_address("0x" + "77" * 20)
    nonce = web3.eth.get_transaction_count(DAPP.address)
    base = {"chainId": EVM_CHAIN_ID, "gas": 200_000, "gasPrice": 0}
    sent = DAPP.sign_transaction({**base, "to": recipient, "value": 5, "nonce": nonce})
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(sent.raw_transaction), 10, 0.05)
    assert (receipt.status, receipt.gasUsed) == (1, 21_000)
    assert web3.eth.get_balance(recipient) == 5

    deployed = DAPP.sign_transaction({**base, "data": counter_code(), "nonce": nonce + 1})
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(deployed.raw_transaction), 10, 0.05)
    contract = receipt.contractAddress
    assert len(web3.eth.get_code(contract)) == 18
    used = web3.eth.estimate_gas({"to": contract, "from": DAPP.address})
    called = DAPP.sign_transaction({**base, "to": contract, "gas": used, "nonce": nonce + 2})
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(called.raw_transaction), 10, 0.05)
    assert receipt.status == 1
    (log,) = web3.eth.get_logs({"address": contract, "fromBlock": receipt.blockNumber, "toBlock": "latest"})
    assert int.from_bytes(log["data"], "big") == 1
    assert int.from_bytes(web3.eth.call({"to": contract}), "big") == 2
    assert web3.eth.get_storage_at(contract, 0) == bytes(31) + b"\x01"

    block = web3.eth.get_block(receipt.blockNumber)
    served = running.cometbft(f"block?height={receipt.blockNumber}")
    assert bytes(block.hash) == block_id_from_rpc(served["block_id"]).hash
    previous = running.cometbft(f"block?height={receipt.blockNumber - 1}")
    assert bytes(block.parentHash) == block_id_from_rpc(previous["block_id"]).hash
    assert web3.eth.get_block(0).number == 0


@pytest.mark.long
def test_web3_sees_a_revert_of_a_native_module_with_its_data(running):
    web3 = Web3(Web3.HTTPProvider(running.eth_url))
    with pytest.raises(Exception) as caught:
        web3.eth.call(
            {
                "to": Web3.to_checksum_address(ROUTER_ADDRESS),
                "data": abi.GET_COUNTERPARTY.call("bft-evm-9"),
            }
        )
    assert abi.CLIENT_NOT_FOUND.selector.hex() in str(caught.value.__dict__) + str(caught.value)


def trusted_client(running, height: int) -> tuple[bytes, bytes]:
    """A client of the hub as an operator would make it from RPC."""
    header = header_from_rpc(running.cometbft(f"header?height={height}")["header"])
    second = 10**9
    state = ClientState(
        header.chain_id,
        TrustLevel(1, 3),
        7 * 86_400 * second,
        21 * 86_400 * second,
        10 * second,
        Height(0, 0),
        header.ibc_height,
        (SMT_SPEC,),
        ("upgrade",),
    )
    consensus_state = ConsensusState(header.time_ns, header.app_hash, header.next_validators_hash)
    return encode_client_state(state), encode_consensus_state(consensus_state)


def update_message(running, height: int, trusted: int) -> bytes:
    def validators(at: int):
        return validator_set_from_rpc(running.cometbft(f"validators?height={at}&per_page=100"))

    signed = signed_header_from_rpc(running.cometbft(f"commit?height={height}")["signed_header"])
    return encode_tendermint_header(
        TendermintHeader(signed, validators(height), Height(1, trusted), validators(trusted + 1))
    )


def query(running, key: bytes, height: int | None = None):
    at = "" if height is None else f"&height={height}"
    path = urllib.parse.quote('"/store/ibc/key"')
    return running.cometbft(f"abci_query?path={path}&data=0x{key.hex()}&prove=true{at}")["response"]


@pytest.mark.long
def test_our_client_follows_the_hub_by_rpc_and_believes_its_proofs(running):
    client = TendermintClient()
    top = running.wait_for_height(6)
    client_state, consensus_state = trusted_client(running, 2)
    states = {Height(1, 2): consensus_state}
    now_ns = time.time_ns()
    client.create(client_state, consensus_state, now_ns)
    for height in (3, 5, top - 1, top):
        trusted = max(states).revision_height
        if height <= trusted:
            continue
        message = update_message(running, height, trusted)
        verdict = client.verify_header(client_state, MemoryConsensusStates(states), message, now_ns)
        assert isinstance(verdict, Updated)
        client_state, states[verdict.height] = verdict.client_state, verdict.consensus_state
    latest = decode_client_state(client_state).latest_height
    for key, present in ((b"hub/genesis", True), (path_key("bft-evm-0", 1, 1), False)):
        answer = query(running, key, latest.revision_height - 1)
        assert int(answer["height"]) == latest.revision_height
        shown = [base64.b64decode(operation["data"], validate=True) for operation in answer["proofOps"]["ops"]]
        proofs = [decode_commitment_proof(one) for one in shown]
        proof = encode_merkle_proof(tuple(proofs))
        value = base64_bytes(answer["value"], "value")
        if present:
            client.verify_membership(client_state, states[latest], proof, (key,), value)
            with pytest.raises(VerificationError):
                client.verify_non_membership(client_state, states[latest], proof, (key,))
        else:
            assert not value
            client.verify_non_membership(client_state, states[latest], proof, (key,))


@pytest.mark.long
def test_cometbft_rpc_speaks_uri_and_json_and_names_its_errors(running):
    running.wait_for_height(3)
    assert running.cometbft("health") == {}
    status = running.cometbft("status")
    assert status["node_info"]["network"] == "hutong-1"
    assert int(status["sync_info"]["latest_block_height"]) >= 3

    def post(body):
        request = urllib.request.Request(running.cometbft_url, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)

    by_uri = running.cometbft("commit?height=2")
    assert post({"jsonrpc": "2.0", "id": 7, "method": "commit", "params": {"height": "2"}}) == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": by_uri,
    }
    assert post({"jsonrpc": "2.0", "id": 1, "method": "commit", "params": ["2"]})["result"] == by_uri
    assert by_uri["canonical"] is True
    results = running.cometbft("block_results?height=2")
    assert results["height"] == "2"
    assert post([{"jsonrpc": "2.0", "id": 1, "method": "health", "params": {}}] * 2)[1]["result"] == {}
    assert post({"jsonrpc": "2.0", "id": 1, "method": "nothing"})["error"]["code"] == -32601
    for path in ("commit?height=0", "commit?height=999999", "commit?height=x", "abci_query?path=x", "block?height=-1"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            running.cometbft(path)
        with refused.value as answer:
            assert json.load(answer)["error"]["message"] in ("Internal error", "Invalid params")
    response = query(running, b"k" * 300)
    assert response["code"] != 0
    assert query(running, b"k", 10**9)["code"] != 0


@pytest.mark.long
@pytest.mark.long
def test_hutong_methods_answer_and_name_bad_arguments(running):
    chain = running.rpc("hutong_chain")
    assert (chain["chainId"], chain["adminThreshold"], chain["paused"]) == ("hutong-1", 2, False)
    assert running.rpc("hutong_clients") == []
    assert running.rpc("hutong_client", "bft-evm-0") is None
    assert running.rpc("hutong_forwardFailure", "bft-evm-0", "0x1") is None
    assert running.rpc("hutong_unsettled", "bft-evm-0") == []
    assert running.rpc("hutong_pendingForwards", "bft-evm-0") == []
    for params in ([], ["x"], [7], ["bft-evm-0", "one"]):
        with pytest.raises(RuntimeError, match="-32602"):
            running.rpc("hutong_unsettled", *params)
    for params in ([], ["bft-evm-0"], ["bft-evm-0", "0x5"]):
        assert running.rpc("hutong_stuck", *params) == []
    assert running.rpc("hutong_denoms") == running.rpc("hutong_denoms", "0x" + "00" * 32) == []
    assert running.rpc("hutong_quota", "bft-evm-0")["packetsInFlight"] == "0x0"
    for method, *params in (("hutong_stuck", 7), ("hutong_denoms", "0x12"), ("hutong_quota",), ("hutong_quota", "x")):
        with pytest.raises(RuntimeError, match="-32602"):
            running.rpc(method, *params)


@pytest.mark.long
def test_a_hub_that_cannot_start_says_why_in_one_sentence(tmp_path):
    def start(home):
        with pytest.raises(NodeRefused) as refused:
            open_node(home)
        assert "\n" not in str(refused.value)
        return str(refused.value)

    done = subprocess.run(
        [sys.executable, "-m", "hutong.relay.cli", "hub", "start", "--home", str(tmp_path / "nothing")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (2, 1, False)
    assert "genesis.json" in start(tmp_path / "nothing")
    home = new_home(tmp_path / "hub")
    genesis = (home / "genesis.json").read_text()

    changed = json.loads(genesis)
    changed["rules"]["self_test_corpus"] = "00" * 32
    (home / "genesis.json").write_text(json.dumps(changed))
    assert "self-test corpus" in start(home)

    changed = json.loads(genesis)
    changed["validators"][0]["power"] = 0
    (home / "genesis.json").write_text(json.dumps(changed))
    assert "validators[0].power" in start(home)
    (home / "genesis.json").write_text(genesis)

    (home / "validator_key.json").chmod(0o644)
    assert "validator_key.json" in start(home)
    (home / "validator_key.json").chmod(0o600)

    record = (home / "last_signed.json").read_text()
    (home / "last_signed.json").unlink()
    assert "could sign a second block" in start(home)
    rolled_back = json.loads(record)
    rolled_back["height"] = 9
    (home / "last_signed.json").write_text(json.dumps(rolled_back))
    assert "rolled back" in start(home)
    (home / "last_signed.json").write_text("{")
    assert "last-signed record" in start(home)


def chain_of(hub: HubProcess) -> dict[int, tuple[str, str]]:
    """Block hash and app hash by height, as the hub serves them now."""
    found = {}
    for height in range(1, hub.height + 1):
        served = hub.cometbft(f"block?height={height}")
        found[height] = (served["block_id"]["hash"], served["block"]["header"]["app_hash"])
    return found


@pytest.mark.long
def test_attack_C45_hub_kill_9_under_load_loses_no_block_and_signs_no_second_one(tmp_path):
    """Kills at random moments. What was ever served stays; every vote ever put on disk is for the block that stands."""
    rng = random.Random(45)
    home = new_home(tmp_path / "hub", block_interval_ms=50, proof_block_delay_ms=10)
    hub = HubProcess(home).start()
    seen: dict[int, tuple[str, str]] = {}
    signed: dict[int, str] = {}
    nonce = 0
    try:
        for _ in range(KILLS):
            deadline, known = time.monotonic() + rng.uniform(0.2, 1.2), len(seen)
            nonce = max(nonce, int(hub.rpc("eth_getTransactionCount", DAPP.address, "pending"), 16))
            while time.monotonic() < deadline or len(seen) == known:  # a busy machine gets no further in that time
                try:
                    hub.rpc("eth_sendRawTransaction", transfer(nonce, EVM_CHAIN_ID))
                except RuntimeError:
                    # The block that was signed before the kill has brought its transactions back.
                    nonce = int(hub.rpc("eth_getTransactionCount", DAPP.address, "pending"), 16)
                    continue
                nonce += 1
                if nonce % 4 == 0:
                    height = hub.height
                    if height == 0:
                        continue
                    served = hub.cometbft(f"block?height={height}")
                    seen[height] = (served["block_id"]["hash"], served["block"]["header"]["app_hash"])
            hub.kill()
            record = decode_last_signed((home / "last_signed.json").read_bytes())
            for entry in record.signed:
                # CanonicalBlockID's hash stands in the sign bytes of each vote and proposal.
                signed.setdefault(record.height, entry.sign_bytes.hex())
            hub = HubProcess(home).start()
            nonce = int(hub.rpc("eth_getTransactionCount", DAPP.address, "latest"), 16)
        hub.wait_for_height(max([*seen, *signed]) + 1)
        chain = chain_of(hub)
        assert all(chain[height] == served for height, served in seen.items())
        for height, sign_bytes in signed.items():
            assert chain[height][0].lower() in sign_bytes, f"another block was signed at {height}"
        assert len(seen) >= KILLS
    finally:
        code, errors = hub.stop()
    assert (code, errors) == (0, "")
