"""Execution on a built context: what a block asks of it, and what it must never do."""

import sys
import threading

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from hutong.relay.evm.errors import CallFailure, InvalidReason, InvalidTransaction
from hutong.relay.evm.store.database import MemoryStore, Table, WritableTable
from hutong.relay.evm.vm.accounts import EMPTY_ACCOUNT, EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import MAX_INIT_CODE_BYTES, BlockContext, EvmState
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.stack import EVM_RECURSION_LIMIT, run_with_evm_stack
from tests.relay.evm.evm_bytecode import assemble, call, deploy_code
from tests.relay.evm.evm_transactions import CHAIN_ID, FUNDED, OTHER_KEY, signed

GAS_LIMIT = 30_000_000
A, B = b"\xaa" * 20, b"\xbb" * 20
OTHER = bytes.fromhex(OTHER_KEY.address[2:])
RETURN_WORD = assemble(0, "MSTORE", 32, 0, "RETURN")


def context(**changes):
    fields = {
        "number": 300, "timestamp_s": 1_700_000_000, "coinbase": b"\xcc" * 20, "gas_limit": GAS_LIMIT,
        "prev_randao": b"\x0f" * 32, "block_hash": lambda number: number.to_bytes(32, "big"), **changes,
    }  # fmt: skip
    return BlockContext(**fields)


class Chain:
    """Opens states over one store."""

    def __init__(self, fork="prague", accounts=None, **changes):
        self.store = MemoryStore()
        self.rules = EvmRules(fork, CHAIN_ID)
        self.context = context(**changes)
        self.root = EMPTY_STATE_ROOT
        with self.store.batch() as batch:
            state = self._open(batch)
            for address, account in (accounts or {}).items():
                state.set_account(address, account)
            self.root = state.persist()

    def _open(self, batch):
        return EvmState(WritableTable(batch, b"s"), self.root, self.rules, self.context)

    def block(self, *transactions):
        with self.store.batch() as batch:
            state = self._open(batch)
            outcomes = [state.apply_transaction(transaction) for transaction in transactions]
            self.root = state.persist()
        return outcomes

    def state(self):
        return EvmState(Table(self.store, b"s"), self.root, self.rules, self.context)


FORKS = pytest.mark.parametrize("fork", ["paris", "prague"])


@FORKS
def test_an_empty_block_leaves_the_state_root(fork):
    chain = Chain(fork, {A: GenesisAccount(balance_wei=1)})
    before = chain.root
    chain.block()
    assert chain.root == before
    assert Chain(fork).root == EMPTY_STATE_ROOT


@FORKS
def test_fee_free_transaction_needs_no_balance_and_makes_no_coinbase(fork):
    chain = Chain(fork)
    (outcome,) = chain.block(signed(to=A))
    assert outcome.success and outcome.gas_used == 21_000
    assert chain.state().account(b"\xcc" * 20) is None and chain.state().account(A) is None
    assert chain.state().account(FUNDED).nonce == 1


@FORKS
def test_paid_tip_goes_to_the_coinbase(fork):
    chain = Chain(fork, {FUNDED: GenesisAccount(balance_wei=10**9)}, base_fee_wei=2)
    chain.block(signed(to=A, value=5, gas=30_000, maxFeePerGas=10, maxPriorityFeePerGas=3))
    state = chain.state()
    assert state.balance_wei(b"\xcc" * 20) == 3 * 21_000
    assert state.balance_wei(FUNDED) == 10**9 - 5 - 5 * 21_000
    assert state.balance_wei(A) == 5


@pytest.mark.parametrize(
    ("opcode", "expected"),
    [("NUMBER", 300), ("TIMESTAMP", 1_700_000_000), ("GASLIMIT", GAS_LIMIT), ("CHAINID", CHAIN_ID), ("BASEFEE", 0),
     ("COINBASE", int.from_bytes(b"\xcc" * 20, "big")), ("PREVRANDAO", int.from_bytes(b"\x0f" * 32, "big"))],
)  # fmt: skip
@FORKS
def test_block_opcodes_answer_the_context(fork, opcode, expected):
    state = Chain(fork, {A: GenesisAccount(code=assemble(opcode) + RETURN_WORD)}).state()
    assert int.from_bytes(state.call(CallMessage(FUNDED, A)).return_data, "big") == expected


@pytest.mark.parametrize(("asked", "known"), [(299, True), (44, True), (43, False), (300, False), (2**255, False)])
@FORKS
def test_blockhash_reaches_256_blocks_back(fork, asked, known):
    state = Chain(fork, {A: GenesisAccount(code=assemble(asked, "BLOCKHASH") + RETURN_WORD)}).state()
    assert int.from_bytes(state.call(CallMessage(FUNDED, A)).return_data, "big") == (asked if known else 0)


def test_a_block_looks_an_ancestor_up_once_however_often_it_asks():
    """At 20 gas half a million BLOCKHASHes fit a block; a look-up decodes a stored block: together minutes."""
    looked_up = []

    def block_hash(number):
        looked_up.append(number)
        return number.to_bytes(32, "big")

    code = assemble(*[part for number in (299, 298) * 50 for part in (number, "BLOCKHASH", "POP")])
    state = Chain(accounts={A: GenesisAccount(code=code)}, block_hash=block_hash).state()
    assert state.apply_transaction(signed(to=A, gas=100_000)).success
    assert state.apply_transaction(signed(nonce=1, to=A, gas=100_000)).success
    assert looked_up == [299, 298]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"nonce": 1}, InvalidReason.NONCE_TOO_HIGH),
        ({"gas": 20_999}, InvalidReason.INTRINSIC_GAS_TOO_LOW),
        ({"gas": GAS_LIMIT + 1}, InvalidReason.GAS_LIMIT_EXCEEDED),
        ({"value": 1}, InvalidReason.INSUFFICIENT_FUNDS),
        ({"gasPrice": 1}, InvalidReason.INSUFFICIENT_FUNDS),
        ({"to": None, "data": bytes(MAX_INIT_CODE_BYTES + 1), "gas": 5_000_000}, InvalidReason.INIT_CODE_TOO_LARGE),
        ({"data": b"\x01" * 1000, "gas": 21_000 + 16_000}, InvalidReason.INTRINSIC_GAS_TOO_LOW),
    ],
)
def test_a_transaction_that_cannot_be_in_the_block_changes_nothing(fields, reason):
    state = Chain().state()
    with pytest.raises(InvalidTransaction) as caught:
        state.apply_transaction(signed(**{"to": A, **fields}))
    assert caught.value.reason is reason
    assert state.state_root() == EMPTY_STATE_ROOT
    assert state.apply_transaction(signed(to=A)).success


def test_more_refusals():
    state = Chain(accounts={OTHER: GenesisAccount(code=b"\x00")}, base_fee_wei=0).state()
    with pytest.raises(InvalidTransaction, match="EIP-3607"):
        state.apply_transaction(signed(OTHER_KEY, to=A))
    state.apply_transaction(signed(to=A))
    with pytest.raises(InvalidTransaction, match="nonce too low"):
        state.apply_transaction(signed(to=A))
    costly = Chain(base_fee_wei=5).state()
    with pytest.raises(InvalidTransaction) as caught:
        costly.apply_transaction(signed(to=A, gasPrice=4))
    assert (caught.value.reason, caught.value.got, caught.value.expected) == (InvalidReason.FEE_CAP_TOO_LOW, 4, 5)
    assert costly.call(CallMessage(FUNDED, A)).success  # a call pays nothing
    paris = Chain("paris").state()
    assert paris.apply_transaction(signed(data=bytes(MAX_INIT_CODE_BYTES + 1), gas=10_000_000)).success


@FORKS
def test_contract_creation_and_its_failures(fork):
    chain = Chain(fork)
    runtime = assemble(1, "SLOAD") + RETURN_WORD
    (made,) = chain.block(signed(data=deploy_code(runtime), gas=200_000))
    assert made.contract_address == keccak(rlp.encode([FUNDED, 0]))[12:]
    assert chain.state().code(made.contract_address) == runtime
    ef, invalid, reverts = chain.block(
        signed(nonce=1, data=deploy_code(b"\xef\x00")),
        signed(nonce=2, data=assemble("INVALID")),
        signed(nonce=3, data=assemble(7, 0, "MSTORE", 32, 0, "REVERT")),
    )
    assert (ef.failure, invalid.failure) == (CallFailure.EXCEPTIONAL_HALT, CallFailure.EXCEPTIONAL_HALT)
    assert invalid.gas_used == 100_000
    assert (reverts.failure, reverts.return_data[-1]) == (CallFailure.REVERTED, 7) and reverts.gas_used < 60_000
    assert chain.state().nonce(FUNDED) == 4


@FORKS
def test_attack_initcode_over_the_limit_inside_a_contract_fails_only_that_contract(fork):
    creates = assemble(MAX_INIT_CODE_BYTES + 1, 0, 0, "CREATE", 1, 0, "SSTORE", "STOP")
    chain = Chain(fork, {A: GenesisAccount(code=creates), B: GenesisAccount(code=call("CALL", A, 10**7) + RETURN_WORD)})
    outcome, after = chain.block(signed(to=B, gas=20_000_000), signed(nonce=1, to=A, gas=10_000_000))
    assert outcome.success and outcome.return_data[-1] == (fork == "paris")
    assert after.success == (fork == "paris")


@FORKS
def test_persisted_content_is_read_back_with_proofs(fork):
    storage = {slot: slot % 100 + 1 for slot in (0, 5, 2**256 - 1)}
    chain = Chain(
        fork, {A: GenesisAccount(7, 3, b"\x00", storage), **{bytes([n]) * 20: GenesisAccount(n) for n in range(1, 40)}}
    )
    state = chain.state()
    assert (state.nonce(A), state.balance_wei(A), state.code(A), state.storage(A, 5)) == (3, 7, b"\x00", 6)
    proof = state.account_proof(A, (0, 5, 6, 2**256 - 1))
    assert proof.account == state.account(A)
    assert HexaryTrie.get_from_proof(chain.root, keccak(A), [rlp.decode(node) for node in proof.nodes])
    for entry in proof.storage:
        assert entry.value == storage.get(entry.slot, 0)
        raw = HexaryTrie.get_from_proof(
            proof.account.storage_root,
            keccak(entry.slot.to_bytes(32, "big")),
            [rlp.decode(node) for node in entry.nodes],
        )
        assert raw == (rlp.encode(entry.value) if entry.value else b"")
    absent = state.account_proof(b"\xdd" * 20, (1,))
    assert absent.account == EMPTY_ACCOUNT and absent.storage[0].nodes == () and absent.nodes
    assert Chain(fork).state().account_proof(A).nodes == ()


def test_proofs_are_of_the_opened_root():
    chain = Chain(accounts={A: GenesisAccount(code=assemble(9, 0, "SSTORE"), storage={0: 1})})
    state = chain.state()
    state.apply_transaction(signed(to=A))
    assert state.storage(A, 0) == 9 and state.account_proof(A, (0,)).storage[0].value == 1


def test_a_state_on_a_reader_is_scratch():
    state = Chain().state()
    state.apply_transaction(signed(to=A))
    assert state.state_root() != EMPTY_STATE_ROOT
    with pytest.raises(TypeError):
        state.persist()


def test_a_batch_that_fails_leaves_no_state():
    chain = Chain()
    with pytest.raises(ZeroDivisionError), chain.store.batch() as batch:
        state = EvmState(WritableTable(batch, b"s"), EMPTY_STATE_ROOT, chain.rules, chain.context)
        state.apply_transaction(signed(to=A))
        state.persist()
        raise ZeroDivisionError
    assert list(chain.store.items()) == []


def test_calls_between_transactions_change_neither_state_nor_gas():
    code = assemble(0, "SLOAD", 1, "ADD", 0, "SSTORE", "STOP")
    plain, asked = (Chain(accounts={A: GenesisAccount(code=code)}).state() for _ in range(2))
    for nonce in range(3):
        asked.call(CallMessage(FUNDED, A))
        asked.call(CallMessage(FUNDED, None, assemble("INVALID")))
        left = asked.apply_transaction(signed(nonce=nonce, to=A))
        right = plain.apply_transaction(signed(nonce=nonce, to=A))
        assert left == right and asked.state_root() == plain.state_root()


def test_call_failures():
    state = Chain(accounts={A: GenesisAccount(code=assemble("INVALID"))}).state()
    assert state.call(CallMessage(FUNDED, A)).failure is CallFailure.EXCEPTIONAL_HALT
    assert state.call(CallMessage(FUNDED, B, gas=20_999)).failure is CallFailure.OUT_OF_GAS
    assert "insufficient funds" in state.call(CallMessage(FUNDED, B, value_wei=1)).failure_detail
    assert not state.call(CallMessage(FUNDED, None, bytes(MAX_INIT_CODE_BYTES + 1))).success


SPENDS = assemble(0, 0, "SSTORE", 1, 1, "SSTORE", "STOP")


@pytest.mark.parametrize(
    ("code", "storage"),
    [
        (b"\x00", {}),
        (SPENDS, {}),
        (SPENDS, {0: 5}),  # a refund hides what is needed
        (call("CALL", B, 200_000) + assemble("POP", "STOP"), {}),
        (call("CALL", B, 200_000) + assemble("ISZERO", b"\x10", b"\x57", "STOP"), {}),
    ],
)
@FORKS
def test_estimated_gas_succeeds_and_less_by_its_tolerance_may_not(fork, code, storage):
    state = Chain(fork, {A: GenesisAccount(code=code, storage=storage), B: GenesisAccount(code=SPENDS)}).state()
    message = CallMessage(FUNDED, A)
    estimate = state.estimate_gas(message)
    if isinstance(estimate, CallResult):
        assert not state.call(message).success
        return
    assert state.apply_transaction(signed(to=A, gas=estimate)).success


def test_estimate_of_what_must_fail_is_the_failure():
    state = Chain(accounts={A: GenesisAccount(code=assemble(0, 0, "REVERT"))}).state()
    result = state.estimate_gas(CallMessage(FUNDED, A))
    assert isinstance(result, CallResult) and result.failure is CallFailure.REVERTED
    assert state.estimate_gas(CallMessage(FUNDED, B)) == 21_000


@FORKS
def test_the_same_block_gives_the_same_root_and_receipts(fork):
    accounts = {A: GenesisAccount(code=assemble("CALLER", "NUMBER", "SSTORE", "STOP"))}
    transactions = [signed(nonce=nonce, to=A) for nonce in range(3)]
    first, second = Chain(fork, accounts), Chain(fork, accounts)
    assert first.block(*transactions) == second.block(*transactions)
    assert first.root == second.root


# --- depth


@FORKS
def test_a_chain_of_1024_calls_runs_and_the_next_one_is_refused_in_the_evm(fork):
    deeper = assemble(0, "SLOAD", 1, "ADD", 0, "SSTORE", 0, 0, 0, 0, 0, A, "GAS", "CALL", "POP", "STOP")
    chain = Chain(fork, {A: GenesisAccount(code=deeper)}, gas_limit=10**18)
    (outcome,) = run_with_evm_stack(lambda: chain.block(signed(to=A, gas=10**18)))
    assert outcome.success
    assert chain.state().storage(A, 0) == 1025


def test_evm_stack_is_fixed_and_exceptions_come_through():
    limits = run_with_evm_stack(lambda: (sys.getrecursionlimit(), threading.current_thread().name))
    assert limits == (EVM_RECURSION_LIMIT, "evm")
    before = threading.stack_size()
    with pytest.raises(ZeroDivisionError):
        run_with_evm_stack(lambda: 1 // 0)
    assert threading.stack_size() == before
    outer = run_with_evm_stack(lambda: (threading.get_ident(), run_with_evm_stack(threading.get_ident)))
    assert outer[0] == outer[1]


def test_the_recursion_limit_suffices_with_the_whole_stack_in_use():
    def descend(depth):
        return depth if depth == EVM_RECURSION_LIMIT - 100 else descend(depth + 1)

    assert run_with_evm_stack(lambda: descend(0)) == EVM_RECURSION_LIMIT - 100


# --- what an attacker may call: an exception other than the EVM's would halt the node

PRECOMPILES = [*range(1, 10), 10, *range(0x0B, 0x12)]
LENGTHS = st.sampled_from([0, 1, 2, 31, 32, 33, 255, 1024, 2**32, 2**63, 2**64, 2**255, 2**256 - 1])
MODEXP = st.builds(
    lambda a, b, c, tail: b"".join(n.to_bytes(32, "big") for n in (a, b, c)) + tail,
    LENGTHS,
    LENGTHS,
    LENGTHS,
    st.binary(max_size=64),
)
WORDS = st.lists(
    st.one_of(st.sampled_from([0, 1, 2, 27, 28, 2**256 - 1, 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141]),
              st.integers(0, 2**256 - 1)), max_size=7,
).map(lambda words: b"".join(word.to_bytes(32, "big") for word in words))  # fmt: skip


@pytest.mark.long
@given(st.sampled_from(PRECOMPILES), st.one_of(st.binary(max_size=300), WORDS, MODEXP, st.integers(0, 1000).map(bytes)))
@settings(max_examples=250, deadline=None)
def test_fuzz_precompiles_end_in_the_evm(number, data):
    state = Chain().state()
    result = state.call(CallMessage(FUNDED, number.to_bytes(20, "big"), data, gas=1_000_000))
    assert result.gas_used <= 1_000_000


@pytest.mark.long
@given(st.binary(min_size=1, max_size=60), st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_fuzz_random_code_ends_in_the_evm(code, data):
    for fork in ("paris", "prague"):
        state = Chain(fork, {A: GenesisAccount(code=code)}).state()
        root = state.state_root()
        result = state.call(CallMessage(FUNDED, A, data, gas=120_000))
        assert result.gas_used <= 120_000 and state.state_root() == root
