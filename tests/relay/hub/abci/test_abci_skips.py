"""A block that counts as empty under CometBFT: the same hashes through the socket, and the keys and files of CometBFT's home."""

import json
from contextlib import suppress

import pytest

from hutong.light_clients.tendermint.skip_certificate import encode_certificate
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.chain.execution_guard import ExecutionGuard, ExecutionLimits
from hutong.relay.hub.consensus.signing import LastSigned, SignedSkip, SkipRefused
from hutong.relay.hub.home.home import LAST_SIGNED_FILE
from hutong.relay.hub.home.key_file import no_password
from hutong.relay.hub.home.last_signed import decode_last_signed
from hutong.relay.hub.home.process import open_store
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.hub.skipping.files import SkipFiles
from hutong.relay.hub.skipping.marker import MarkerFile, load_marker
from hutong.relay.hub.upkeep.skip_keys import COMETBFT_STATE_FILE
from hutong.relay.hub.upkeep.stopped import SkipNotDue, apply_certificate, sign_skip, standing_of
from tests.relay.hub.abci.abci_client import Refused, init_chain, serving
from tests.relay.hub.abci.test_abci_replay import play, shown
from tests.relay.hub.skipping.skipping_hub import SkippingHub, certified

REJECT = 2
STOPPED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The stop of an execution may land in a destructor, is swallowed there and sent again: nothing of it is a defect."""


def machine_of(genesis, home, limits=ExecutionLimits(), record=LastSigned()):
    machine = HubMachine(MemoryStore(), genesis)
    machine.guard = ExecutionGuard(home, limits)
    machine.desk = SkipDesk(home, machine, lambda: record)
    return machine


def got(finalized):
    return (
        finalized.app_hash,
        [(one.code, one.data, one.gas_wanted, one.gas_used, one.log) for one in finalized.tx_results],
        [(update.pub_key.secp256k1, update.power) for update in finalized.validator_updates],
    )


@STOPPED
async def test_a_skip_gives_the_same_hashes_and_results_through_the_socket(tmp_path):
    hub = SkippingHub()
    certificate = hub.skip(*(hub.payment() for _ in range(300)))
    skipped = hub.height
    hub.advance(hub.payment())
    blocks = {height: hub.ledger.records.block(height).block for height in range(1, hub.height + 1)}
    machine = machine_of(hub.genesis, tmp_path, ExecutionLimits(time_s=0.05))
    async with serving(machine) as application:
        client = await application.connect()
        asked = init_chain(hub.genesis)
        await client.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
        for height in range(1, skipped):
            await play(client, blocks[height])
        SkipFiles(tmp_path).keep(certificate)
        finalized = await play(client, blocks[skipped])
        assert len(finalized.tx_results) == 300, "CometBFT wants one result a transaction"
        assert got(finalized) == shown(hub.ledger.records.results(skipped))
        proposed = await client.call("prepare_proposal", max_tx_bytes=10**6, height=skipped + 1)
        assert list(proposed.txs) == [encode_certificate(certificate)]
        refused = await client.call("process_proposal", txs=[], height=skipped + 1)
        assert refused.status == REJECT
        finalized = await play(client, blocks[skipped + 1])
        assert got(finalized) == shown(hub.ledger.records.results(skipped + 1))
    assert load_marker(tmp_path).height == skipped + 1, "the skipped block was never begun"


@STOPPED
async def test_without_a_certificate_the_application_halts_with_its_reason(tmp_path, monkeypatch):
    # a destructor may swallow the first, and this block could end before the second
    monkeypatch.setattr("hutong.relay.hub.chain.execution_guard.AGAIN_S", 0.005)
    hub = SkippingHub()
    hub.skip(*(hub.payment() for _ in range(300)))
    blocks = {height: hub.ledger.records.block(height).block for height in range(1, hub.height + 1)}
    machine = machine_of(hub.genesis, tmp_path, ExecutionLimits(time_s=0.05))
    with suppress(ExceptionGroup):  # the application halts, unless the test ends first
        async with serving(machine) as application:
            client = await application.connect()
            asked = init_chain(hub.genesis)
            await client.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
            for height in range(1, hub.height):
                await play(client, blocks[height])
            with pytest.raises(Refused, match=r"longer than 0.05 s .*hutong hub skip status"):
                await play(client, blocks[hub.height])
    assert load_marker(tmp_path).failed == 1


async def test_attack_C48_an_application_whose_key_signed_executes_the_block_for_nobody(tmp_path):
    hub = SkippingHub()
    raw = hub.payment()
    block, block_id, commit = hub.decide(raw)
    statement = hub.statement(block_id)
    hub.ledger.apply(block, block_id, commit, certified(statement))
    blocks = {height: hub.ledger.records.block(height).block for height in range(1, hub.height + 1)}
    record = LastSigned(statement.height, skip=SignedSkip(statement, b"\x01" * 64))
    machine = machine_of(hub.genesis, tmp_path, record=record)
    with suppress(ExceptionGroup):
        async with serving(machine) as application:
            client = await application.connect()
            asked = init_chain(hub.genesis)
            await client.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
            for height in range(1, hub.height):
                await play(client, blocks[height])
            with pytest.raises(Refused, match="this key signed that block 4 counts as empty"):
                await play(client, blocks[hub.height])
    assert machine.height == hub.height - 1


# The home of a member under CometBFT, stopped


@pytest.fixture
def member(tmp_path):
    """At block 3 of a hub whose first validator it is, with a marker of a failed block 4."""
    from tests.relay.hub.abci.cometbft_member import member_home

    return member_home(tmp_path)


def test_a_member_under_cometbft_signs_with_cometbfts_key_and_the_promise_is_kept(member):
    home, hub, block_id, key = member
    MarkerFile(home).begin(4, block_id.hash, hub.app_hash)
    assert "was begun 1 times" in standing_of(home).why_not
    MarkerFile(home).begin(4, block_id.hash, hub.app_hash)
    assert standing_of(home).why_not is None
    signed = sign_skip(home, no_password)
    assert signed.statement == hub.statement(block_id)
    assert signed.signatures[0].public_key == key.public_key.data
    record = decode_last_signed((home / LAST_SIGNED_FILE).read_bytes())
    assert (record.height, record.skip.statement) == (3, signed.statement)


def test_attack_C48_a_member_whose_cometbft_voted_above_the_block_signs_no_skip(member):
    home, hub, block_id, _ = member
    for _ in range(2):
        MarkerFile(home).begin(4, block_id.hash, hub.app_hash)
    (home / COMETBFT_STATE_FILE).write_text(json.dumps({"height": "5", "round": 0, "step": 2}))
    with pytest.raises(SkipRefused, match="signed at height 5 already"):
        sign_skip(home, no_password)


def test_a_member_under_cometbft_that_executed_the_block_is_taken_back_for_cometbft_to_replay(member):
    home, hub, block_id, _ = member
    block, same, commit = hub.decided
    certificate = certified(hub.statement(block_id))
    from tests.relay.hub.abci.cometbft_member import execute

    assert execute(home, hub.genesis, block, same) == 4
    with pytest.raises(SkipNotDue, match="no execution failed here"):
        sign_skip(home, no_password)
    said = apply_certificate(home, certificate)
    assert "cometbft rollback" in said
    store = open_store(home)
    try:
        machine = HubMachine(store, hub.genesis)
        machine.desk = SkipDesk(home, machine, LastSigned)
        assert machine.height == 3
    finally:
        store.close()
    assert execute(home, hub.genesis, block, same, desk=True) == 4
    hub.ledger.apply(block, same, commit, certificate)
    store = open_store(home)
    try:
        assert HubMachine(store, hub.genesis).info().last_block_app_hash == hub.app_hash
    finally:
        store.close()
