"""The hub under an unmodified CometBFT: transactions, proofs, what survives, and that its blocks are the embedded engine's too."""

import base64
import json
import os
import random
import time
from urllib.parse import quote

import pytest

from hutong.light_clients.proofs.ics23 import SMT_SPEC, decode_commitment_proof, verify_membership
from hutong.light_clients.tendermint.rpc_json import block_id_from_rpc, commit_from_rpc, header_from_rpc
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.types import EMPTY_COMMIT, Block
from hutong.relay.hub.state import GENESIS_KEY
from tests.nodes.cometbft.cometbft_network import Member, Network, new_network, running_network
from tests.relay.hub.hub_process import transfer
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID

pytestmark = pytest.mark.nodes

ANSWER_TIMEOUT_S = 300


def nonce_of(member: Member, tag: str = "latest") -> int:
    return int(member.rpc("eth_getTransactionCount", DAPP.address, tag), 16)


def receipt_of(member: Member, transaction_hash: str) -> dict:
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while (receipt := member.rpc("eth_getTransactionReceipt", transaction_hash)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return receipt


def block_at(member: Member, height: int) -> tuple[Block, object]:
    """A block of CometBFT as the embedded engine has it, and CometBFT's id of it."""
    answer = member.comet(f"block?height={height}")
    found = answer["block"]
    last_commit = commit_from_rpc(found["last_commit"]) if height > 1 else EMPTY_COMMIT
    block = Block(
        header_from_rpc(found["header"]),
        tuple(base64.b64decode(raw) for raw in found["data"]["txs"]),
        (),
        last_commit,
    )
    return block, block_id_from_rpc(answer["block_id"])


def replay_in_embedded_engine(network: Network, member: Member, height: int) -> HubLedger:
    """Every block of CometBFT, checked and executed by the embedded engine's code; each header binds the state before."""
    ledger = HubLedger(MemoryStore(), network.genesis)
    for number in range(1, height + 1):
        block, block_id = block_at(member, number)
        assert block_id_of(block) == block_id
        assert ledger.accepts(block), number
        commit = commit_from_rpc(member.comet(f"commit?height={number}")["signed_header"]["commit"])
        ledger.apply(block, block_id, commit)
    return ledger


def test_one_validator_takes_transactions_proves_its_state_and_keeps_the_pace(short_path):
    with running_network(short_path) as network:
        (member,) = network.members
        assert member.comet("status")["node_info"]["network"] == network.genesis.chain_id
        second = member.rpc("eth_sendRawTransaction", transfer(1, EVM_CHAIN_ID))
        assert (nonce_of(member, "pending"), nonce_of(member)) == (0, 0)
        first = member.rpc("eth_sendRawTransaction", transfer(0, EVM_CHAIN_ID))
        for raw, words in (
            (transfer(1, EVM_CHAIN_ID), "already known"),
            (transfer(5_000, EVM_CHAIN_ID), "nonce too high"),
            (transfer(0, EVM_CHAIN_ID + 1), "wrong chain id"),
        ):
            with pytest.raises(RuntimeError, match=words):
                member.rpc("eth_sendRawTransaction", raw)
        # The later nonce came first, and fails nothing.
        receipts = [receipt_of(member, one) for one in (first, second)]
        assert [one["status"] for one in receipts] == ["0x1", "0x1"]
        assert nonce_of(member, "pending") == nonce_of(member) == 2
        with pytest.raises(RuntimeError, match="nonce too low"):
            member.rpc("eth_sendRawTransaction", transfer(0, EVM_CHAIN_ID))

        height = int(receipts[1]["blockNumber"], 16)
        member.wait_for_height(height + 3)
        answer = member.comet(f"block?height={height}")
        assert bytes.fromhex(receipts[1]["blockHash"][2:]) == block_id_from_rpc(answer["block_id"]).hash
        headers = [block_at(member, number)[0].header for number in range(height, height + 4)]
        assert headers[0].app_hash != headers[1].app_hash == headers[2].app_hash == headers[3].app_hash
        waits_ms = [
            (after.time_ns - before.time_ns) // 10**6 for before, after in zip(headers[1:], headers[2:], strict=False)
        ]
        params = network.genesis.params
        # Idle blocks come every interval; the proof block came sooner than that.
        assert all(wait_ms >= params.block_interval_ms for wait_ms in waits_ms[1:])
        assert (headers[1].time_ns - headers[0].time_ns) // 10**6 < params.block_interval_ms

        query = (
            f"abci_query?path={quote(chr(34) + '/key' + chr(34))}&data=0x{GENESIS_KEY.hex()}&height={height}&prove=true"
        )
        response = member.comet(query)["response"]
        assert (response["height"], base64.b64decode(response["value"])) == (str(height + 1), network.genesis.digest)
        (operation,) = response["proofOps"]["ops"]
        assert operation["type"] == "ics23:smt"
        proof = decode_commitment_proof(base64.b64decode(operation["data"]))
        verify_membership(SMT_SPEC, proof, headers[1].app_hash, GENESIS_KEY, network.genesis.digest)
        # A path that is no text gets an answer, and CometBFT goes on.
        assert member.comet("abci_query?path=0xfffe&data=0x01")["response"]["code"] != 0
        assert member.rpc("hutong_chain")["chainId"] == network.genesis.chain_id
        assert member.rpc("eth_syncing") is False


def test_blocks_of_four_validators_give_the_same_hashes_in_the_embedded_engine(short_path):
    with running_network(short_path, 4) as network:
        sent = []
        for nonce in range(12):
            # Every validator's door leads into the same pool; the last of a run comes first.
            member = network.members[nonce % 4]
            sent.append(member.rpc("eth_sendRawTransaction", transfer(nonce ^ 3, EVM_CHAIN_ID)))
        for transaction_hash in sent:
            assert receipt_of(network.members[1], transaction_hash)["status"] == "0x1"
        height = network.wait_for_height(network.members[0].height + 2) - 1
        ledger = replay_in_embedded_engine(network, network.members[2], height)
        header, _ = block_at(network.members[3], height + 1)
        assert ledger.tip.app_hash == header.header.app_hash
        assert ledger.tip.results_hash == header.header.last_results_hash
        for member in network.members:
            assert (
                member.rpc("eth_getBlockByNumber", hex(height), False)["hash"] == "0x" + ledger.tip.block_id.hash.hex()
            )


def test_one_of_four_is_killed_and_comes_back_while_the_others_go_on(short_path):
    with running_network(short_path, 4) as network:
        victim, others = network.members[3], network.members[:3]
        victim.kill()
        first = others[0].rpc("eth_sendRawTransaction", transfer(0, EVM_CHAIN_ID))
        assert receipt_of(others[1], first)["status"] == "0x1"
        height = others[0].height
        others[0].wait_for_height(height + 2)
        victim.start()
        victim.wait_for_height(height + 3)
        second = victim.rpc("eth_sendRawTransaction", transfer(1, EVM_CHAIN_ID))
        assert receipt_of(others[2], second)["status"] == "0x1"
        block = victim.rpc("eth_getBlockByNumber", hex(height), False)
        assert block == others[0].rpc("eth_getBlockByNumber", hex(height), False)


KILLS = int(os.environ.get("HUTONG_COMETBFT_KILLS", "6"))


def test_kill_at_any_moment_of_the_application_or_of_cometbft_heals(short_path):
    """One validator, so that whatever a crash loses is lost. Every executed transaction stays, and no block twice."""
    chance = random.Random(4)
    network = new_network(short_path, block_interval_ms=100, proof_block_delay_ms=10)
    (member,) = network.members
    nonce = 0
    try:
        for turn in range(KILLS):
            member.start()
            member.wait_for_cometbft()
            height = member.wait_for_height(member.wait_for_height(0) + 1)
            nonce = nonce_of(member)
            for _ in range(4):
                member.rpc("eth_sendRawTransaction", transfer(nonce, EVM_CHAIN_ID))
                nonce += 1
            # A moment that hits CheckTx, FinalizeBlock, Commit or the wait between them.
            time.sleep(chance.random() * 0.4)
            programs = [member.application, member.cometbft]
            if turn % 3 == 2:
                member.kill()
            else:
                killed = programs[turn % 3]
                killed.kill()
                other = programs[1 - turn % 3]
                if killed is member.application:
                    # CometBFT ends with its application (and calls that a success: exit code 0), or hangs on the way;
                    # then its supervisor kills it.
                    other.end_by_itself_or_be_killed()
                else:
                    # The application waits for the next CometBFT, and answers meanwhile.
                    assert member.height >= height
                    member.cometbft.start()
                    member.wait_for_height(member.height + 1)
                    member.stop()
        member.start()
        final = member.wait_for_height(member.wait_for_height(0) + 1)
        assert nonce_of(member) > 0
        ledger = replay_in_embedded_engine(network, member, final)
        newest = member.rpc("eth_getBlockByNumber", hex(final), False)
        assert newest["hash"] == "0x" + ledger.tip.block_id.hash.hex()
        member.stop()
    finally:
        network.kill()


def test_a_cometbft_with_another_genesis_is_refused_by_the_field(short_path):
    network = new_network(short_path)
    (member,) = network.members
    path = member.home.cometbft_home / "config/genesis.json"
    document = json.loads(path.read_text())
    document["consensus_params"]["block"]["max_gas"] = "99"
    path.write_text(json.dumps(document))
    try:
        member.start()
        assert member.application.wait() == 1
        assert member.cometbft.wait() != 0
        sentence = "CometBFT's genesis.json: consensus_params.block.max_gas is 99, but the hub's genesis.json makes it 16777216"
        assert sentence in member.application.tail()
        assert sentence in member.cometbft.tail(20_000)
    finally:
        network.kill()
