"""Equal blocks give equal app hashes under both engines: the recorded chain through an ABCI socket."""

import base64
import json

import pytest

from hutong.light_clients.protobuf import ics23_pb2
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.application.genesis import decode_genesis
from hutong.relay.hub.chain.block_records import BlockResults
from hutong.relay.hub.consensus.blocks import block_id_of, decode_block
from hutong.relay.hub.state import GENESIS_KEY
from tests.relay.hub.abci.abci_client import AbciClient, init_chain, request, serving
from tests.relay.hub.recorded_chain import FILE, replay

ACCEPT = 1


async def play(client: AbciClient, block, *, commit: bool = True):
    """As CometBFT does for a block that it received: judge, execute, commit."""
    header = block.header
    shared = {
        "txs": block.transactions,
        "hash": block_id_of(block).hash,
        "height": header.height,
        "proposer_address": header.proposer_address,
        "next_validators_hash": header.next_validators_hash,
        "time": {"seconds": header.time_ns // 10**9, "nanos": header.time_ns % 10**9},
    }
    assert (await client.call("process_proposal", **shared)).status == ACCEPT
    finalized = await client.call("finalize_block", **shared)
    if commit:
        assert (await client.call("commit")).retain_height == 0
    return finalized


def shown(results: BlockResults):
    return (
        results.app_hash,
        [(one.code, one.data, one.gas_wanted, one.gas_used, one.log) for one in results.tx_results],
        [(update.public_key.data, update.power) for update in results.validator_updates],
    )


@pytest.mark.long
async def test_the_recorded_chain_gives_the_same_hashes_results_and_validators_through_the_socket():
    recorded = json.loads(FILE.read_text())
    embedded = replay(recorded)
    genesis = decode_genesis(recorded["genesis"].encode())
    machine = HubMachine(MemoryStore(), genesis)
    async with serving(machine) as application:
        consensus, query = await application.connect(), await application.connect()
        assert (await query.call("info")).last_block_height == 0
        await consensus.send(request("echo", message="hello"))
        start = await consensus.receive()
        assert start.echo.message == "hello"
        asked = init_chain(genesis)
        answer = await consensus.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
        assert list(answer.validators) == list(asked.validators)
        app_hash = answer.app_hash
        for height, item in enumerate(recorded["blocks"], 1):
            block = decode_block(base64.b64decode(item["block"]))
            assert block.header.app_hash == app_hash
            # A crash between the two calls: the engine asks again, and the answer is the same.
            first = await play(consensus, block, commit=False)
            finalized = await play(consensus, block)
            assert finalized == first
            got = (
                finalized.app_hash,
                [(one.code, one.data, one.gas_wanted, one.gas_used, one.log) for one in finalized.tx_results],
                [(update.pub_key.secp256k1, update.power) for update in finalized.validator_updates],
            )
            assert got == shown(embedded.records.results(height)), height
            app_hash = finalized.app_hash
        info = await query.call("info")
        assert (info.last_block_height, info.last_block_app_hash) == (embedded.tip.height, embedded.tip.app_hash)
        assert application.committed == list(range(1, embedded.tip.height + 1))

        answer = await query.call("query", path=b"/key", data=GENESIS_KEY, height=0, prove=True)
        assert answer.value == genesis.digest
        assert answer.height == embedded.tip.height + 1
        (operation,) = answer.proof_ops.ops
        assert (operation.type, operation.key) == ("ics23:smt", GENESIS_KEY)
        proof = ics23_pb2.CommitmentProof.FromString(operation.data)
        assert proof.exist.value == genesis.digest
        assert (await query.call("query", path=b"/nowhere", data=b"x")).code != 0
    head = machine.application.blocks.head()
    assert head == embedded.application.blocks.head()
