"""Bundles that a forger without the keys made consistent: every list, hash and proof rebuilt, and still refused.

Each has its twin that holds, which differs in the statement alone.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hutong.light_clients.bft_evm import SealRules
from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace
from hutong.relay.archive.bundle import HeaderEntry
from hutong.relay.archive.checkpoint import decode_checkpoint, encode_checkpoint
from hutong.relay.archive.record_bundle import RecordKey, Statement, in_order
from tests.light_clients.bft_evm.simulated_chain import CONTRACT, ROUTER, State
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain as BftChain
from tests.light_clients.records.observed_state import ABSENT_SLOT, SLOT, WORD, nodes_for
from tests.relay.audit.records.shown_records import (
    EPOCH_KEY,
    KEY,
    KINDS,
    Hub,
    Shown,
    bft_checkpoint,
    bft_evm,
    bft_evm_contract,
    hub,
    observed_records,
)
from tests.relay.audit.records.test_record_audit import audited, each_kind, refusal

OF_EVM = {name: make for name, make in KINDS.items() if not name.endswith("hub")}
EVM_KINDS = pytest.mark.parametrize("make", OF_EVM.values(), ids=OF_EVM)
OTHER_WORD = b"\x22" * 32


def with_statements(shown: Shown, *statements: Statement, nodes: Sequence[bytes] | None = None) -> Shown:
    bundle = replace(shown.bundle, statements=in_order(statements))
    return replace(shown, bundle=bundle if nodes is None else replace(bundle, nodes=tuple(nodes)))


@EVM_KINDS
def test_attack_J5_value_altered_and_its_nodes_rebuilt(make):
    """The forger's own trie is consistent up to its root, which is not the header's."""
    shown = make()
    slot = SlotPlace(ROUTER, SLOT)
    forged_state = State({SLOT: OTHER_WORD})
    forged = with_statements(shown, Statement(slot, OTHER_WORD, None), nodes=nodes_for(forged_state, (slot,)))
    assert refusal(forged) == "account_proven"
    assert audited(shown).is_valid


@EVM_KINDS
def test_attack_J5_value_altered_beside_true_nodes(make):
    shown = make()
    said = tuple(replace(one, value=OTHER_WORD) if one.value == WORD else one for one in shown.bundle.statements)
    assert refusal(replace(shown, bundle=replace(shown.bundle, statements=said))) == "value_is_the_states"
    gone = tuple(replace(one, value=None) if one.value == WORD else one for one in shown.bundle.statements)
    assert refusal(replace(shown, bundle=replace(shown.bundle, statements=gone))) == "value_is_the_states"
    there = tuple(replace(one, value=one.value or WORD) for one in shown.bundle.statements)
    assert refusal(replace(shown, bundle=replace(shown.bundle, statements=there))) == "value_is_the_states"


def test_attack_J5_another_accounts_proof_under_the_same_root():
    chain = BftChain()
    chain.advance(4)
    shown, state = bft_evm(), chain.states[4]
    true = SlotPlace(ROUTER, SLOT)
    nodes = nodes_for(state, (true,))
    assert audited(with_statements(shown, Statement(true, WORD, None), nodes=nodes)).is_valid
    other = bytes([7]) * 20
    assert refusal(with_statements(shown, Statement(SlotPlace(other, SLOT), WORD, None), nodes=nodes)) in (
        "account_proven",
        "account_has_code",
    )
    field = FieldPlace(ROUTER, AccountField.BALANCE)
    account_nodes = nodes_for(state, (field,))
    nonce = Statement(FieldPlace(ROUTER, AccountField.NONCE), (1).to_bytes(32, "big"), None)
    assert audited(with_statements(shown, nonce, nodes=account_nodes)).is_valid
    as_balance = replace(nonce, what=field)
    assert refusal(with_statements(shown, as_balance, nodes=account_nodes)) == "value_is_the_states"


def test_attack_J4_slot_of_an_account_without_code():
    chain = BftChain()
    chain.advance(4)
    stranger = bytes([9]) * 20
    nodes = nodes_for(chain.states[4], (FieldPlace(stranger, AccountField.NONCE),))
    shown = bft_evm()
    nobody = Statement(FieldPlace(stranger, AccountField.NONCE), None, None)
    assert audited(with_statements(shown, nobody, nodes=nodes)).is_valid
    zero = Statement(SlotPlace(stranger, ABSENT_SLOT), None, None)
    assert refusal(with_statements(shown, zero, nodes=nodes)) == "account_has_code"


@EVM_KINDS
def test_attack_J3_nodes_out_of_order_or_that_nobody_needs(make):
    shown = make()
    nodes = shown.bundle.nodes
    backwards = replace(shown, bundle=replace(shown.bundle, nodes=nodes[::-1]))
    assert refusal(backwards) == "nodes_ascend"
    first = min(shown.bundle.statements, key=lambda one: isinstance(one.what, SlotPlace))
    assert refusal(with_statements(shown, first)) == "every_node_used"


def test_attack_J3_what_nobody_reads_beside_a_header():
    shown = bft_evm()
    entry = replace(shown.bundle.chain.headers[0], account_proof=(b"node",))
    headers = replace(shown.bundle.chain, headers=(entry,))
    assert refusal(replace(shown, bundle=replace(shown.bundle, chain=headers))) == "account_proofs_are_used"
    chain = BftChain(rules=SealRules(validator_contract=CONTRACT))
    chain.advance(4)
    contract = bft_evm_contract()
    sealed_parent = replace(contract.bundle.chain, headers=(HeaderEntry(chain.header(4, 2)),))
    assert audited(contract).is_valid
    assert refusal(replace(contract, bundle=replace(contract.bundle, chain=sealed_parent))) == "parents_are_bare"


def test_attack_J3_a_hubs_value_altered_and_its_tree_rebuilt():
    true, shown = Hub(observed_records()), hub()
    forged = Hub(observed_records(value=OTHER_WORD))
    statements = (forged.statement(KEY), forged.statement(EPOCH_KEY))
    assert audited(with_statements(shown, *(true.statement(key) for key in (KEY, EPOCH_KEY)))).is_valid
    assert "root" in refusal(with_statements(shown, *statements))


def test_attack_J5_a_hubs_proof_of_another_key():
    shown = hub()
    proofs = {one.what.key: one for one in shown.bundle.statements if isinstance(one.what, RecordKey)}
    other = KEY[:-1] + b"\x02"
    moved = replace(proofs[KEY], what=RecordKey(other))
    assert not audited(with_statements(shown, moved, proofs[EPOCH_KEY])).is_valid
    absent = replace(proofs[KEY], value=None)
    assert not audited(with_statements(shown, absent)).is_valid
    unobserved = hub(keys=(other,))
    assert audited(unobserved).is_valid
    claimed = replace(unobserved.bundle.statements[0], value=proofs[KEY].value)
    assert not audited(with_statements(unobserved, claimed, proofs[EPOCH_KEY])).is_valid


def test_attack_J2_a_hub_of_the_same_name_signed_by_others():
    """All of it is consistent but for whom the reader's checkpoint trusts."""
    forger = Hub(observed_records(value=OTHER_WORD), label="forger")
    forged = Shown(forger.bundle(KEY, EPOCH_KEY), forger.checkpoint(), forger.now_ns)
    assert audited(forged).is_valid, "under the forger's own checkpoint"
    assert refusal(replace(forged, checkpoint=hub().checkpoint)) == "validators_in_bundle"


def test_attack_J2_a_header_of_another_hub():
    other = Hub(observed_records(value=OTHER_WORD), chain_id="other-1")
    shown = hub()
    bundle = other.bundle(KEY, EPOCH_KEY)
    renamed = replace(bundle, chain=replace(bundle.chain, chain_id="hutong-1"))
    assert refusal(replace(shown, bundle=renamed)) in ("header_chain_id_matches", "chain_id_matches", "chain_ids_match")


@each_kind
def test_attack_J2_a_checkpoint_of_another_block(make):
    shown = make()
    if not shown.checkpoint.hash:
        pytest.skip("no hash that anyone signs: attested")
    other = replace(shown.checkpoint, hash=bytes(31) + b"\x01")
    if make is KINDS["ethereum"]:  # the states say it, and no file of a checkpoint contradicts them
        with pytest.raises(MalformedInput, match="hash"):
            decode_checkpoint(encode_checkpoint(other))
        return
    assert refusal(replace(shown, checkpoint=other)) == "checkpoint_hash_matches"


def test_attack_J2_another_chain_of_the_same_id_signed_by_others():
    forger = BftChain()
    forger.replace_validators(range(10, 14))
    forger.advance(4)
    shown = bft_evm()
    assert audited(shown).is_valid
    assert refusal(replace(shown, checkpoint=bft_checkpoint(forger, 3))) == "overlap_with_trusted_validators"


@each_kind
def test_attack_J9_statements_under_another_height(make):
    shown = make()
    later = Height(shown.bundle.height.revision_number, shown.bundle.height.revision_height + 1)
    assert refusal(replace(shown, bundle=replace(shown.bundle, height=later))) in (
        "header_height_known",
        "update_is_used",
        "followed_height_known",
        "attested_height_is_the_bundles",
    )
    revision = Height(shown.bundle.height.revision_number + 1, shown.bundle.height.revision_height)
    assert not audited(replace(shown, bundle=replace(shown.bundle, height=revision))).is_valid


def test_attack_J10_attested_by_too_few_or_for_another_client():
    shown = KINDS["attestation"]()
    trust = shown.checkpoint.trust
    alone = replace(
        shown, checkpoint=replace(shown.checkpoint, trust=replace(trust, destinations=trust.destinations[:1]))
    )
    assert refusal(alone) == "signed_by_attestors"
    more = replace(shown, checkpoint=replace(shown.checkpoint, trust=replace(trust, required_signatures=3)))
    assert refusal(more) == "quorum_of_attestors"
    entry = shown.bundle.chain.headers[0]
    swapped = replace(entry, commit=entry.header)
    headers = replace(shown.bundle.chain, headers=(swapped,))
    assert refusal(replace(shown, bundle=replace(shown.bundle, chain=headers))) == "signed_by_attestors"
