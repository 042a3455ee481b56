"""Blocks of a development chain: fields, seals, links, restart, and what goes into them."""

from dataclasses import replace

import pytest

from hutong.light_clients.bft_evm import (
    BftEvmClient,
    block_hash,
    decode_extra_data,
    encode_header_message,
    header_of,
)
from hutong.light_clients.bft_evm.predicates import commit_seals_of_validators, quorum_size
from hutong.light_clients.evm_header import ExecutionHeader, decode_header
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    MemoryConsensusStates,
    NotEnoughTrust,
    Updated,
)
from hutong.light_clients.proofs.mpt import commitment_slot
from hutong.relay.devnet import DevnetChain, DevnetError, Genesis, Pace, ValidatorSet, open_home
from hutong.relay.evm.chain.blocks import EvmBlock, list_root, logs_bloom
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.evm.vm.outcomes import CallMessage
from tests.relay.devnet.devnet_tools import (
    ADDRESS,
    CHAIN_ID,
    KEY,
    VALIDATOR_KEYS,
    VALUE,
    WallClock,
    client_states,
    commitment_deployment,
    genesis,
    new_chain,
    signed,
)


def header_from(block: EvmBlock) -> ExecutionHeader:
    return decode_header(block.header.encode())


def committers(block: EvmBlock) -> frozenset[bytes]:
    header = header_of(Height(0, 0), header_from(block), ())
    return commit_seals_of_validators(header, header.extra.validators)


@pytest.mark.parametrize(("fork", "fields"), [("paris", 16), ("prague", 21)])
def test_blocks_are_linked_sealed_and_named_as_qbft_has_it(fork, fields):
    chain = new_chain(fork=fork)
    chain.take_transaction(signed(0))
    blocks = [chain.head, *(chain.produce_block() for _ in range(4))]
    addresses = ValidatorSet.of(VALIDATOR_KEYS).addresses
    for parent, block in zip(blocks, blocks[1:], strict=False):
        header = header_from(block)
        assert len(block.header.fields()) == fields
        assert block.header.parent_hash == parent.hash
        assert block.hash == block_hash(header, decode_extra_data(header.extra_data))
        assert decode_extra_data(header.extra_data).validators == addresses
        assert len(committers(block)) == quorum_size(4)
        assert block.header.coinbase == addresses[block.number % 4]
    assert blocks[1].header.gas_used == 21_000
    assert blocks[1].header.transactions_root == list_root([signed(0)])
    assert blocks[2].header.state_root == blocks[1].header.state_root != blocks[0].header.state_root
    assert decode_extra_data(blocks[0].header.extra_data).seals == ()


@pytest.mark.parametrize("fork", ["paris", "prague"])
def test_state_and_receipts_are_those_of_the_header(fork):
    chain = new_chain(fork=fork)
    chain.take_transaction(signed(0, value=5))
    chain.take_transaction(signed(1, to=b"", value=0, data=bytes.fromhex("6001600055")))
    block = chain.produce_block()
    receipts = chain.blocks.receipts(block.number)
    assert [receipt.success for receipt in receipts] == [True, True]
    assert block.header.receipts_root == list_root(receipt.encode() for receipt in receipts)
    assert block.header.logs_bloom == logs_bloom(())
    state = chain.state_after(block)
    assert state.balance_wei(bytes.fromhex("22" * 20)) == 5
    assert state.nonce(ADDRESS) == 2
    assert chain.state_after(chain.blocks.block(0)).balance_wei(ADDRESS) == 10**24


def test_light_client_follows_the_chain_over_a_validator_change():
    chain = new_chain()
    chain.take_transaction(commitment_deployment(0))
    first = chain.produce_block()
    router = chain.blocks.receipts(1)[0].contract_address
    account = chain.state_after(first).account_proof(router)
    client = BftEvmClient()
    state, consensus = client_states(header_from(first), account.account.storage_root, router)
    states = MemoryConsensusStates({Height(0, 1): consensus})

    def update(block: EvmBlock, trusted: int):
        nodes = chain.state_after(block).account_proof(router).nodes
        message = encode_header_message(header_of(Height(0, trusted), header_from(block), nodes))
        return client.verify_header(state, states, message, block.header.timestamp_s * NANOSECONDS_PER_SECOND)

    chain.order_validator_change(add=1, remove=1)
    verdict = update(chain.produce_block(), 1)
    assert isinstance(verdict, Updated)
    states = states.with_state(verdict.height, verdict.consensus_state)
    proof = chain.state_after(chain.head).account_proof(router, (int.from_bytes(commitment_slot(KEY), "big"),))
    encoded = encode_storage_proof(StorageProof(proof.storage[0].nodes))
    client.verify_membership(verdict.client_state, verdict.consensus_state, encoded, (KEY,), VALUE)
    chain.order_validator_change(add=3, remove=3)
    strangers = chain.produce_block()
    assert isinstance(update(strangers, 1), NotEnoughTrust)


def test_validator_change_acts_from_the_next_block_and_survives_a_restart(tmp_path):
    store = LmdbStore(tmp_path / "chain", sync=False)
    chain = new_chain(store)
    before = chain.produce_block()
    new = chain.order_validator_change(add=2, remove=1)
    assert len(new) == 5
    after = chain.produce_block()
    assert decode_extra_data(before.header.extra_data).validators == ValidatorSet.of(VALIDATOR_KEYS).addresses
    assert decode_extra_data(after.header.extra_data).validators == new == chain.validators
    assert committers(after) <= frozenset(new)
    again = new_chain(store)
    assert again.validators == new
    assert committers(again.produce_block()) <= frozenset(new)
    store.close()


@pytest.mark.parametrize(("add", "remove"), [(0, 4), (0, 5), (-1, 0), (0, -1), (97, 0), (101, 4)])
def test_impossible_validator_changes_are_refused(add, remove):
    chain = new_chain()
    with pytest.raises(DevnetError):
        chain.order_validator_change(add=add, remove=remove)
    assert len(chain.validators) == 4


def test_time_is_whole_seconds_and_never_goes_back():
    clock = WallClock()
    chain = new_chain(clock=clock)
    assert chain.head.header.timestamp_s == 1_700_000_000
    clock.now_s += 0.2
    assert chain.produce_block().header.timestamp_s == 1_700_000_000
    clock.now_s += 0.2
    assert chain.produce_block().header.timestamp_s == 1_700_000_001
    clock.now_s -= 100
    assert chain.produce_block().header.timestamp_s == 1_700_000_001


def test_restart_continues_from_disk(tmp_path):
    with open_home(tmp_path / "home") as store:
        chain = new_chain(store)
        chain.take_transaction(signed(0))
        blocks = [chain.head.hash, *(chain.produce_block().hash for _ in range(3))]
    with open_home(tmp_path / "home") as store:
        chain = new_chain(store)
        assert [chain.blocks.block(number).hash for number in range(4)] == blocks
        assert chain.produce_block().header.parent_hash == blocks[-1]
        assert chain.state_after(chain.head).nonce(ADDRESS) == 1
        for other in (
            genesis(chain_id=1),
            genesis(fork="paris"),
            genesis(gas_limit=2_000_000),
            genesis(funds_wei={b"\x09" * 20: 1}),
        ):
            with pytest.raises(DevnetError):
                DevnetChain(store, other)
        DevnetChain(store, genesis(funds_wei={}))


def test_one_process_holds_a_home(tmp_path):
    with open_home(tmp_path / "home"), pytest.raises(DevnetError) as caught, open_home(tmp_path / "home"):
        pass
    assert str(caught.value) == f"another dev chain runs in this home, {tmp_path / 'home'}; stop it first"
    with open_home(tmp_path / "home"):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(DevnetError), open_home(tmp_path / "file"):
        pass


def test_refused_transactions_change_nothing_and_blocked_ones_wait():
    chain = new_chain()
    for raw, reason in (
        (signed(0, chainId=1), InvalidReason.WRONG_CHAIN_ID),
        (signed(0, gas=20_000), InvalidReason.INTRINSIC_GAS_TOO_LOW),
        (signed(0, value=10**25), InvalidReason.INSUFFICIENT_FUNDS),
        (b"\xff", InvalidReason.MALFORMED),
    ):
        with pytest.raises(InvalidTransaction) as caught:
            chain.take_transaction(raw)
        assert caught.value.reason is reason
    chain.take_transaction(signed(1))
    assert chain.produce_block().transactions == ()
    chain.take_transaction(signed(0))
    assert [item.nonce for item in chain.produce_block().transactions] == [0, 1]
    with pytest.raises(InvalidTransaction) as caught:
        chain.take_transaction(signed(0))
    assert caught.value.reason is InvalidReason.NONCE_TOO_LOW


def test_transaction_that_can_no_longer_pay_is_dropped():
    chain = new_chain()
    chain.take_transaction(signed(0, value=10**24 - 10))
    chain.take_transaction(signed(1, value=10**24 - 10))
    assert len(chain.produce_block().transactions) == 1
    assert chain.produce_block().transactions == ()
    assert chain.mempool.statistics().transactions == 0


def test_blocks_are_filled_up_to_the_gas_limit():
    chain = new_chain(gas_limit=1_000_000)
    for nonce in range(40):
        chain.take_transaction(signed(nonce, gas=400_000))
    first = chain.produce_block()
    assert len(first.transactions) == 1 + (1_000_000 - 400_000) // 21_000
    assert len(chain.produce_block().transactions) == 40 - len(first.transactions)
    assert chain.state_after(chain.head).nonce(ADDRESS) == 40


def test_opcodes_read_the_header():
    # mstore(0, prevrandao) mstore(32, blockhash(number - 1)) mstore(64, timestamp) return(0, 96)
    code = bytes.fromhex("4460005260014303406020524260405260606000f3")
    copy = bytes.fromhex("60") + bytes([len(code)]) + bytes.fromhex("80600b6000396000f3")
    chain = new_chain()
    chain.take_transaction(signed(0, to=b"", value=0, data=copy + code))
    parent, block = chain.head, chain.produce_block()
    contract = chain.blocks.receipts(1)[0].contract_address
    result = chain.state_after(block).call(CallMessage(ADDRESS, contract))
    assert result.success
    assert result.return_data[:32] == block.header.prev_randao
    assert result.return_data[32:64] == parent.hash
    assert int.from_bytes(result.return_data[64:], "big") == block.header.timestamp_s


@pytest.mark.parametrize(
    "changed",
    [{"chain_id": 0}, {"chain_id": 2**53}, {"fork": "byzantium"}, {"gas_limit": 10}, {"funds_wei": {b"\x01": 1}}],
)
def test_genesis_is_checked(changed):
    with pytest.raises(DevnetError):
        replace(Genesis(CHAIN_ID), **changed)


@pytest.mark.parametrize("changed", [{"period_ms": 9}, {"period_ms": 60_001}, {"proof_block_ms": 9}])
def test_pace_is_checked(changed):
    with pytest.raises(DevnetError):
        Pace(**changed)
    assert Pace(1_000, 200).delay_s(state_changed=True) == 0.2
    assert Pace(1_000, 200).delay_s(state_changed=False) == 1.0
    assert Pace(100, 200).delay_s(state_changed=True) == 0.1


def test_number_of_validators_is_checked():
    with pytest.raises(DevnetError):
        DevnetChain(MemoryStore(), genesis(), validators=0)
    with pytest.raises(DevnetError):
        DevnetChain(MemoryStore(), genesis(), validators=101)
    assert len(DevnetChain(MemoryStore(), genesis(), validators=1).validators) == 1
