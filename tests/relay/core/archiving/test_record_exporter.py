"""Record bundles from running nodes of attested chains, where attestors stand for the state root."""

import time
from contextlib import AsyncExitStack

import pytest

from hutong.light_clients.interface import UnsupportedOperation
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace, StorePlace
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.record_bundle import RecordKey, encode_record_bundle
from hutong.relay.audit.records import RecordAuditor
from hutong.relay.core.archiving.bundling import read_checkpoint
from hutong.relay.core.archiving.bundling.records import RecordExporter
from hutong.relay.devnet import Genesis, Pace, running_devnet
from tests.adapters.conformance.attested_pair import DEPLOYER, RELAYER, Node, address_bytes, attested_pair

pytestmark = pytest.mark.long
"""Two dev chains with attestors."""


async def test_an_attested_chains_state_is_shown_by_its_attestors(tmp_path):
    async with AsyncExitStack() as stack:
        nodes = []
        for name, chain_id in (("alpha", 2001), ("beta", 2002)):
            funds = {address_bytes(signer): 10**24 for signer in (DEPLOYER, RELAYER)}
            devnet = await stack.enter_async_context(running_devnet(Genesis(chain_id, funds_wei=funds), Pace(150, 40)))
            nodes.append(Node(name, chain_id, devnet.url, devnet.websocket_url))
        pair = await stack.enter_async_context(attested_pair(tmp_path, *nodes))
        chain, router = pair.a.chain, bytes.fromhex(pair.a.contracts.router[2:])
        follower = await pair.b.chain.client(pair.b.client)
        checkpoint = await read_checkpoint(chain, [pair.a.client], [follower], None)
        assert checkpoint.kind is ChainKind.ATTESTATION
        await chain.wait_for_height(checkpoint.height + 2)
        exporter = RecordExporter.from_checkpoint(chain, checkpoint)
        places = [SlotPlace(router, bytes(32)), FieldPlace(address_bytes(RELAYER), AccountField.BALANCE)]
        bundle = await exporter.export(places)
        report = RecordAuditor(checkpoint, time.time_ns()).audit(encode_record_bundle(bundle))
        assert report.failure is None, report.failure
        balance = next(one.statement.value for one in report.findings if isinstance(one.statement.what, FieldPlace))
        assert int.from_bytes(balance, "big") == 10**24
        assert "attested by" in report.state.mode
        for what in (RecordKey(b"key"), StorePlace(b"bank", b"\x02")):
            with pytest.raises(UnsupportedOperation):
                await exporter.export([what])
