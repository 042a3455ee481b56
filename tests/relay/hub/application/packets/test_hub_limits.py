"""Gas limits that keep a fee-free hub alive (docs/spec/hub-genesis.md)."""

import json
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.transaction import decode_cached, decode_transaction
from hutong.relay.evm.vm.work_prices import TRANSACTION_MAX_GAS
from hutong.relay.hub.application.abci import ProposalVerdict
from hutong.relay.hub.application.genesis import RULES_VERSION, HubParams, decode_genesis, encode_genesis
from hutong.relay.hub.application.governance import block_proposals
from tests.relay.evm.evm_bytecode import deploy_code
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID, SimulatedHub, address_of, decoded, hub_genesis

pytestmark = pytest.mark.safety

SOMEONE = bytes.fromhex("aa" * 20)


def test_transaction_above_the_cap_is_refused_by_pool_and_proposal() -> None:
    hub = SimulatedHub()
    application = hub.application
    at_cap = hub.raw(SOMEONE, b"", DAPP, gas=TRANSACTION_MAX_GAS)
    hub.nonces[DAPP.address] = 0
    above = hub.raw(SOMEONE, b"", DAPP, gas=TRANSACTION_MAX_GAS + 1)
    assert application.check_tx(at_cap).code == 0
    refusal = application.check_tx(above)
    assert refusal.code != 0 and str(TRANSACTION_MAX_GAS) in refusal.log
    assert application.process_proposal([at_cap], RULES_VERSION) is ProposalVerdict.ACCEPT
    assert application.process_proposal([above], RULES_VERSION) is ProposalVerdict.REJECT
    assert application.prepare_proposal(decoded(above), 10**6).transactions == ()


def test_a_block_has_room_for_one_transaction_at_the_cap_and_no_more() -> None:
    hub = SimulatedHub()
    first, second = (hub.raw(SOMEONE, b"", DAPP, gas=gas) for gas in (TRANSACTION_MAX_GAS, 21_000))
    assert hub.application.process_proposal([first, second], RULES_VERSION) is ProposalVerdict.REJECT
    assert hub.application.prepare_proposal(decoded(first, second), 10**6).transactions == (first,)


def test_a_proposal_holds_no_more_bytes_than_a_block_may() -> None:
    hub = SimulatedHub(genesis=replace(hub_genesis(), params=HubParams(block_max_bytes=256 * 1024)))
    zeros = [hub.raw(SOMEONE, bytes(100_000), DAPP, gas=1_100_000) for _ in range(3)]
    assert hub.application.process_proposal(zeros[:2], RULES_VERSION) is ProposalVerdict.ACCEPT
    assert hub.application.process_proposal(zeros, RULES_VERSION) is ProposalVerdict.REJECT
    assert hub.application.prepare_proposal(decoded(*zeros), 256 * 1024).transactions == tuple(zeros[:2])


def test_transactions_are_counted_before_they_are_decoded(monkeypatch) -> None:
    """Two million empty ones fit 4 MiB and cost seconds."""
    hub, seen = SimulatedHub(), []
    monkeypatch.setattr(
        block_proposals, "decode_cached", lambda raw, chain: seen.append(raw) or decode_cached(raw, chain)
    )
    most = hub.genesis.params.block_max_gas // 21_000
    assert hub.application.process_proposal([b""] * (most + 1), RULES_VERSION) is ProposalVerdict.REJECT
    assert seen == []
    assert hub.application.process_proposal([b""] * most, RULES_VERSION) is ProposalVerdict.REJECT
    assert seen == [b""]


def test_a_proposal_holds_no_more_junk_than_its_gas_pays_for(monkeypatch) -> None:
    """Transactions that cost no gas would fill 4 MiB, each with a signature to recover: half a minute at every proposal."""
    hub = SimulatedHub()
    application = hub.application
    for data, gas, verdict in (
        (b"", 21_000, ProposalVerdict.ACCEPT),
        (b"", 20_999, ProposalVerdict.REJECT),
        (b"", 0, ProposalVerdict.REJECT),
        (bytes(100), 22_000, ProposalVerdict.ACCEPT),
        (bytes(100), 21_999, ProposalVerdict.REJECT),
    ):
        hub.nonces[DAPP.address] = 0
        raw = hub.raw(SOMEONE, data, DAPP, gas=gas)
        assert application.process_proposal([raw], RULES_VERSION) is verdict, gas
        assert (application.check_tx(raw).code == 0) is (verdict is ProposalVerdict.ACCEPT)
    half = [hub.raw(SOMEONE, b"", DAPP, gas=TRANSACTION_MAX_GAS // 2 + 1) for _ in range(2)]
    decoded: list[bytes] = []
    monkeypatch.setattr(
        block_proposals, "decode_cached", lambda raw, chain: decoded.append(raw) or decode_cached(raw, chain)
    )
    assert application.process_proposal([*half, *half], RULES_VERSION) is ProposalVerdict.REJECT
    assert decoded == half


def test_a_result_holds_the_first_bytes_of_what_was_returned() -> None:
    """Memory is cheap in gas, and every engine keeps the results of all blocks."""
    hub = SimulatedHub()
    for size, kept in ((4_096, 4_096), (4_097, 4_096), (100_000, 4_096), (32, 32)):
        code = bytes.fromhex("425f52") + b"\x62" + size.to_bytes(3, "big") + bytes.fromhex("5ff3")
        assert hub.advance(hub.raw(None, deploy_code(code)))[0].data == b""
        (receipt,) = hub.application.blocks.receipts(hub.height)
        outcome = hub.send(receipt.contract_address, b"")
        assert outcome.ok and len(outcome.data) == kept
        assert int.from_bytes(outcome.data[:32], "big") == hub.ledger.tip.time_ns // 10**9
        assert len(hub.call(receipt.contract_address, b"").return_data) == size


def test_the_cap_is_a_genesis_parameter() -> None:
    hub = SimulatedHub(genesis=hub_genesis(transaction_max_gas=1_000_000))
    state = hub.application.state_after(hub.application.blocks.head())
    with pytest.raises(InvalidTransaction) as caught:
        state.check_sender(decode_transaction(hub.raw(SOMEONE, b"", DAPP, gas=1_000_001), EVM_CHAIN_ID))
    assert caught.value.reason is InvalidReason.GAS_LIMIT_EXCEEDED
    state.check_sender(decode_transaction(hub.raw(SOMEONE, b"", DAPP, gas=1_000_000), EVM_CHAIN_ID))
    document = json.loads(encode_genesis(hub.genesis))
    document["params"]["block_max_gas"] = 1_000_000
    document["params"]["transaction_max_gas"] = 1_000_001
    with pytest.raises(MalformedInput) as refused:
        decode_genesis(json.dumps(document).encode())
    assert refused.value.field == "params.transaction_max_gas"


def test_calls_outside_blocks_have_the_same_cap_of_work() -> None:
    """One pairing runs; twenty, which would take seconds, do not fit the gas of a call."""
    hub = SimulatedHub()
    assert hub.call(bytes(19) + bytes([0x0F]), bytes(384), sender=address_of(DAPP), gas=TRANSACTION_MAX_GAS).success
    many = hub.call(bytes(19) + bytes([0x0F]), bytes(384 * 20), sender=address_of(DAPP), gas=TRANSACTION_MAX_GAS)
    assert not many.success
