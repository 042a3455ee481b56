"""Places of an EVM state under one root: each value is that of its own account and slot."""

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import VERIFY, PredicateFailed, audit
from hutong.light_clients.proofs.mpt import EMPTY_CODE_HASH
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace, field_value, judge_evm_places
from tests.light_clients.bft_evm.simulated_chain import EMPTY_ROOT, ROUTER, State, bystanders, proof_nodes
from tests.light_clients.records.observed_state import ABSENT_SLOT, SLOT, WORD, by_hash, nodes_for

STATE = State({SLOT: WORD}, balance_wei=5)
ROOT = STATE.account_trie.root_hash
OWNED = keccak256(bytes([3]))[:20]
"""One of the accounts beside the router, without code."""
NOWHERE = bytes([0xEE]) * 20
CONTRACT_SLOT = SlotPlace(ROUTER, SLOT)


def read(*places, nodes=None, root=ROOT):
    return judge_evm_places(VERIFY, root, nodes_for(STATE, places) if nodes is None else nodes, places)


def refusal(*places, **changed):
    with pytest.raises(PredicateFailed) as refused:
        read(*places, **changed)
    return refused.value


def test_every_field_of_an_account_is_32_bytes():
    values = read(*(FieldPlace(ROUTER, name) for name in AccountField))
    storage = STATE.storage_trie.root_hash
    assert values == ((1).to_bytes(32, "big"), (5).to_bytes(32, "big"), STATE.code_hash, storage)


def test_fields_of_an_account_without_code_and_of_none():
    values = read(*(FieldPlace(OWNED, name) for name in AccountField), FieldPlace(NOWHERE, AccountField.NONCE))
    assert values == ((3).to_bytes(32, "big"), (10**18).to_bytes(32, "big"), EMPTY_CODE_HASH, EMPTY_ROOT, None)
    assert all(field_value(None, name) is None for name in AccountField)


def test_a_slot_that_holds_nothing_is_absent():
    assert read(CONTRACT_SLOT, SlotPlace(ROUTER, ABSENT_SLOT)) == (WORD, None)


@pytest.mark.parametrize(("account", "got"), [(OWNED, "no code"), (NOWHERE, "no account")])
def test_attack_J4_a_slot_of_an_account_without_code_says_nothing(account, got):
    error = refusal(SlotPlace(account, SLOT))
    assert (error.predicate, error.got) == ("account_has_code", got)
    assert read(CONTRACT_SLOT) == (WORD,)


def test_attack_J5_the_proof_of_another_account_shows_nothing():
    others = by_hash((*proof_nodes(bystanders(), OWNED), *proof_nodes(STATE.storage_trie, SLOT)))
    assert refusal(CONTRACT_SLOT, nodes=others).predicate == "path_is_complete"
    with_other = by_hash((*nodes_for(STATE, [CONTRACT_SLOT]), *proof_nodes(STATE.account_trie, OWNED)))
    assert refusal(CONTRACT_SLOT, nodes=with_other).predicate == "every_node_used"
    assert read(CONTRACT_SLOT, FieldPlace(OWNED, AccountField.NONCE))[0] == WORD


def test_attack_J5_storage_of_another_account_is_not_taken():
    """The router's storage nodes are all there, and the place names another contract."""
    twin = State({SLOT: b"\x22" * 32}, router=OWNED, code_hash=STATE.code_hash)
    nodes = by_hash((*proof_nodes(twin.account_trie, OWNED), *proof_nodes(STATE.storage_trie, SLOT)))
    error = refusal(SlotPlace(OWNED, SLOT), nodes=nodes, root=twin.account_trie.root_hash)
    assert error.predicate == "path_is_complete"


def test_an_account_is_walked_to_once_for_all_its_places():
    places = (CONTRACT_SLOT, SlotPlace(ROUTER, ABSENT_SLOT), FieldPlace(ROUTER, AccountField.NONCE))
    names = [verdict.name for verdict in audit(judge_evm_places, ROOT, nodes_for(STATE, places), places)]
    assert names.count("account_proven") == 1
    assert names[-1] == "every_node_used"
