"""A hub whose genesis names a base fee: what gas costs, who gets it, and that every validator judges alike."""

import json
from dataclasses import replace

import pytest
from eth_utils import to_checksum_address

from hutong.light_clients.interface import MalformedInput
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.vm.base_fee import next_base_fee_wei
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.abci.pool import MAX_BLOCKS_WAITING
from hutong.relay.hub.application.abci import CODE_INVALID, ChunkVerdict, PreparedProposal, ProposalVerdict
from hutong.relay.hub.application.genesis import RULES_VERSION, decode_genesis, encode_genesis
from hutong.relay.hub.application.machine.fees import FeeRules
from hutong.relay.hub.state.keys import BASE_FEE_KEY
from tests.relay.evm.evm_bytecode import deploy_code
from tests.relay.hub.abci.abci_client import init_chain, serving
from tests.relay.hub.abci.test_abci_replay import play
from tests.relay.hub.joining.snapshot_chain import JoiningNode, RecordingHub, Taken
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID, SimulatedHub, address_of, decoded, hub_genesis

LEAST_WEI = 1_000
RECIPIENT = bytes.fromhex("fe" * 20)
SOMEONE = bytes.fromhex("aa" * 20)
FEES = FeeRules(LEAST_WEI, RECIPIENT)
BURNER = deploy_code(bytes.fromhex("5b600056"))
"""JUMPDEST PUSH1 0 JUMP: uses all the gas that it is given."""


def fee_hub(fees=FEES, **params) -> SimulatedHub:
    return SimulatedHub(
        genesis=hub_genesis(fees=fees, block_max_gas=2_000_000, transaction_max_gas=1_000_000, **params)
    )


def signed(
    hub: SimulatedHub, *, cap_wei: int, tip_wei: int = 0, to: bytes | None = SOMEONE, gas=21_000, data=b"", **fields
) -> bytes:
    nonce = fields.pop("nonce", hub.nonces.get(DAPP.address, 0))
    hub.nonces[DAPP.address] = nonce + 1
    unsigned = {
        "chainId": EVM_CHAIN_ID,
        "nonce": nonce,
        "gas": gas,
        "maxFeePerGas": cap_wei,
        "maxPriorityFeePerGas": tip_wei,
        "value": 0,
        "data": data,
        **fields,
    }
    if to is not None:
        unsigned["to"] = to_checksum_address(to)
    return bytes(DAPP.sign_transaction(unsigned).raw_transaction)


def burn(hub: SimulatedHub, contract: bytes, gas: int, cap_wei: int = 10**9, tip_wei: int = 0) -> bytes:
    return signed(hub, cap_wei=cap_wei, tip_wei=tip_wei, to=contract, gas=gas)


def with_burner(hub: SimulatedHub) -> bytes:
    (outcome,) = hub.advance(signed(hub, cap_wei=10**9, to=None, gas=300_000, data=BURNER))
    assert outcome.ok
    return hub.application.blocks.receipts(hub.height)[0].contract_address


def balance_wei(hub: SimulatedHub, address: bytes) -> int:
    return hub.application.state_after(hub.application.blocks.head()).balance_wei(address)


def test_base_part_is_burnt_and_the_tip_goes_to_the_recipient():
    hub = fee_hub()
    before_wei = balance_wei(hub, address_of(DAPP))
    (outcome,) = hub.advance(signed(hub, cap_wei=5_000, tip_wei=30))
    assert outcome.ok and outcome.gas_used == 21_000
    assert before_wei - balance_wei(hub, address_of(DAPP)) == 21_000 * (LEAST_WEI + 30)
    assert balance_wei(hub, RECIPIENT) == 21_000 * 30
    head = hub.application.blocks.head()
    assert head.header.base_fee_wei == LEAST_WEI and head.header.coinbase == RECIPIENT
    (receipt,) = hub.application.blocks.receipts(head.number)
    assert receipt.effective_gas_price_wei == LEAST_WEI + 30


def test_without_a_recipient_the_tip_is_burnt_at_nobodys_address():
    hub = fee_hub(FeeRules(LEAST_WEI))
    assert hub.advance(signed(hub, cap_wei=5_000, tip_wei=30))[0].ok
    assert balance_wei(hub, bytes(20)) == 21_000 * 30


def test_it_rises_with_full_blocks_falls_with_empty_ones_and_rests_at_its_least():
    hub = fee_hub()
    contract = with_burner(hub)
    for _ in range(4):
        hub.advance(burn(hub, contract, 1_000_000), burn(hub, contract, 1_000_000))
    for _ in range(8):
        hub.advance()
    headers = [hub.application.blocks.header(number)[1] for number in range(hub.height + 1)]
    for parent, child in zip(headers, headers[1:], strict=False):
        assert child.base_fee_wei == next_base_fee_wei(parent.base_fee_wei, parent.gas_used, 2_000_000, LEAST_WEI)
    fees = [header.base_fee_wei for header in headers]
    assert fees[:7] == [1_000, 1_000, 1_000, 1_000, 1_125, 1_265, 1_423] and max(fees) == 1_600
    assert fees[-1] == LEAST_WEI
    resting = [hub.ledger.records.results(height).app_hash for height in (hub.height - 1, hub.height)]
    assert resting[0] == resting[1]


def test_pool_proposal_and_block_refuse_less_than_the_base_fee():
    hub = fee_hub()
    contract = with_burner(hub)
    hub.advance(burn(hub, contract, 1_000_000), burn(hub, contract, 1_000_000))
    application = hub.application
    assert application.next_base_fee_wei == 1_125
    low, enough = (signed(hub, cap_wei=cap_wei, nonce=hub.nonces[DAPP.address]) for cap_wei in (1_124, 1_125))
    transaction = decode_transaction(low, EVM_CHAIN_ID)
    with pytest.raises(InvalidTransaction) as caught:
        application.check_sender(transaction)
    assert (caught.value.reason, caught.value.got, caught.value.expected) == (
        InvalidReason.FEE_CAP_TOO_LOW, 1_124, 1_125,
    )  # fmt: skip
    assert application.check_tx(low).code == CODE_INVALID and application.check_tx(enough).code == 0
    assert application.process_proposal([low], RULES_VERSION) is ProposalVerdict.REJECT
    assert application.process_proposal([enough], RULES_VERSION) is ProposalVerdict.ACCEPT
    assert application.prepare_proposal(decoded(low), 10**6) == PreparedProposal((), ())
    assert application.prepare_proposal(decoded(enough), 10**6).transactions == (enough,)
    # One that waits already may wait for the fee to fall, but not below its least.
    assert application.check_sender(transaction, held=True).nonce == transaction.nonce
    never = decode_transaction(signed(hub, cap_wei=LEAST_WEI - 1), EVM_CHAIN_ID)
    with pytest.raises(InvalidTransaction) as caught:
        application.check_sender(never, held=True)
    assert (caught.value.got, caught.value.expected) == (LEAST_WEI - 1, LEAST_WEI)


def test_a_block_with_too_low_a_fee_changes_nothing_for_its_sender(tmp_path):
    """As a proposer without our rule of proposals would make it: the same refusal in execution."""
    hub = fee_hub()
    node = JoiningNode(hub.genesis, tmp_path)
    low = signed(hub, cap_wei=LEAST_WEI - 1, nonce=0)
    recording = RecordingHub.request(hub, 1)
    response = node.application.finalize_block(replace(recording, transactions=(low,)))
    assert response.tx_results[0].code == CODE_INVALID
    assert response.tx_results[0].log == "max fee per gas less than block base fee; expected 1000, got 999"
    with node.store.batch() as batch:
        assert node.application.commit(batch) == ()
    assert response.app_hash == hub.ledger.records.results(1).app_hash


def test_a_proposal_takes_what_its_senders_can_pay_and_no_more():
    hub = fee_hub()
    cap_wei = balance_wei(hub, address_of(DAPP)) // 21_000 // 2
    raw = [signed(hub, cap_wei=cap_wei) for _ in range(3)]
    proposed = hub.application.prepare_proposal(decoded(*raw), 10**6)
    assert proposed == PreparedProposal(tuple(raw[:2]), tuple(decoded(raw[2])))
    free = SimulatedHub()
    free_raw = [free.raw(SOMEONE, b"", DAPP, gas=21_000, value=6 * 10**23) for _ in range(2)]
    assert free.application.prepare_proposal(decoded(*free_raw), 10**6) == PreparedProposal(tuple(free_raw), ())


@pytest.mark.long
def test_a_node_that_joined_by_snapshot_goes_on_with_the_same_fee(tmp_path):
    """While it is above its least: nothing but the state tells the joining node what the next block costs."""
    hub = fee_hub()
    contract = with_burner(hub)
    for _ in range(5):
        hub.advance(burn(hub, contract, 1_000_000), burn(hub, contract, 1_000_000))
    height = hub.height - 1
    hub.advance(signed(hub, cap_wei=10**6))
    node = JoiningNode(hub.genesis, tmp_path)
    app_hash = hub.application.state.require_root(height)
    assert node.restore(Taken.of(hub, height), app_hash).verdict is ChunkVerdict.ACCEPT
    assert node.application.next_base_fee_wei == hub.application.blocks.header(height + 1)[1].base_fee_wei > LEAST_WEI
    for number in range(height + 1, hub.height + 1):
        assert node.execute(RecordingHub.request(hub, number)) == hub.ledger.records.results(number).app_hash
        assert node.application.blocks.header(number) == hub.application.blocks.header(number)


@pytest.mark.long
async def test_the_same_blocks_cost_the_same_under_abci():
    hub = fee_hub()
    contract = with_burner(hub)
    for _ in range(3):
        hub.advance(burn(hub, contract, 1_000_000), burn(hub, contract, 1_000_000))
    hub.advance()
    machine = HubMachine(MemoryStore(), hub.genesis)
    async with serving(machine) as application:
        consensus, pool = await application.connect(), await application.connect()
        asked = init_chain(hub.genesis)
        await consensus.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
        for height in range(1, hub.height + 1):
            played = await play(consensus, hub.ledger.records.block(height).block)
            assert played.app_hash == hub.ledger.records.results(height).app_hash, height
            assert machine.application.next_base_fee_wei == (
                hub.application.blocks.header(height + 1)[1].base_fee_wei
                if height < hub.height
                else hub.application.next_base_fee_wei
            )
        fee_wei = machine.application.next_base_fee_wei
        assert fee_wei > LEAST_WEI
        low = await pool.call("check_tx", tx=signed(hub, cap_wei=fee_wei - 1))
        assert low.code == CODE_INVALID
        assert low.log == f"max fee per gas less than block base fee; expected {fee_wei}, got {fee_wei - 1}"


def test_under_abci_what_waits_for_a_lower_fee_waits_and_not_for_ever():
    """Another sender's full blocks raise the fee above what it offers; CometBFT asks for it again after each."""
    hub = fee_hub()
    contract = with_burner(hub)
    machine = HubMachine(hub.store, hub.genesis)
    full = [burn(hub, contract, 1_000_000) for _ in range(2)]
    waits = signed(hub, cap_wei=LEAST_WEI)
    for raw in (*full, waits):
        assert machine.pool.check(raw).code == 0
    hub.advance(*full)
    machine.pool.settle(tuple(full), tuple(decode_transaction(raw, EVM_CHAIN_ID) for raw in full))
    assert machine.application.next_base_fee_wei == 1_125
    assert machine.pool.check(waits).code == 0
    assert list(machine.pool.candidates()) == []
    for _ in range(MAX_BLOCKS_WAITING):
        machine.pool.settle((), ())
    refused = machine.pool.check(waits)
    assert refused.code == CODE_INVALID
    assert "waited 301 blocks for a lower one; expected 1125, got 1000" in refused.log
    assert machine.pool.mempool.statistics().transactions == 0


def test_the_fee_is_in_the_state_and_provable():
    hub = fee_hub()
    assert hub.view().get(BASE_FEE_KEY) is None
    contract = with_burner(hub)
    hub.advance(burn(hub, contract, 1_000_000), burn(hub, contract, 1_000_000))
    assert hub.view().get(BASE_FEE_KEY) == (1_125).to_bytes(32, "big")


def test_genesis_without_fees_is_written_as_before_and_with_them_is_read_back():
    free, priced = hub_genesis(), hub_genesis(fees=FEES)
    assert "fees" not in json.loads(encode_genesis(free))
    assert json.loads(encode_genesis(priced))["fees"] == {
        "base_fee_wei": "1000", "recipient": "0x" + "fe" * 20,
    }  # fmt: skip
    assert decode_genesis(encode_genesis(priced)) == priced and priced.digest != free.digest


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"base_fee_wei": "0"}, "fees.base_fee_wei"),
        ({"base_fee_wei": 5}, "fees.base_fee_wei"),
        ({"base_fee_wei": str(10**18 + 1)}, "fees.base_fee_wei"),
        ({"recipient": "0x" + "00" * 18 + "0400"}, "fees.recipient"),
        ({"recipient": "fe" * 20}, "fees.recipient"),
        ({"target": 5}, "fees.target"),
    ],
)
def test_genesis_refuses_other_fees(change, field):
    document = json.loads(encode_genesis(hub_genesis(fees=FEES)))
    document["fees"] |= change
    with pytest.raises(MalformedInput) as caught:
        decode_genesis(json.dumps(document).encode())
    assert caught.value.field == field
