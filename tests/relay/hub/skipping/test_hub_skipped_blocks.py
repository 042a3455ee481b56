"""A block that counts as empty by certificate: its state, its results, the block after it, and who follows."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from eth_utils import to_checksum_address

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.tendermint.hashing import results_hash
from hutong.light_clients.tendermint.skip_certificate import decode_certificate, decode_statement, encode_certificate
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.abci import (
    CODE_SKIPPED,
    ChunkVerdict,
    FinalizeBlockRequest,
    Misbehaviour,
    ProposalVerdict,
)
from hutong.relay.hub.application.evidence_records import read_records
from hutong.relay.hub.application.machine.fees import FeeRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.skipped_blocks import SkipBroken
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of, make_block
from hutong.relay.hub.engine.block_sync import apply_verified
from hutong.relay.hub.engine.following import SkippedHere, executed_certified, follow
from hutong.relay.hub.state.keys import SKIP_PENDING_KEY, skip_certificate_key
from tests.relay.hub.application.governance.validator_run import POOL
from tests.relay.hub.joining.header_follower import Follower, update_of
from tests.relay.hub.joining.snapshot_chain import JoiningNode, Taken
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID, address_of
from tests.relay.hub.skipping.skipping_hub import KEYS, RECIPIENT, SkippingHub, balance_wei, certified


def test_a_skipped_block_leaves_accounts_as_they_were_and_the_chain_goes_on():
    hub = SkippingHub()
    before, state_root = balance_wei(hub, address_of(DAPP)), hub.view().get(b"evm/stateRoot")
    certificate = hub.skip(hub.payment(), hub.payment())
    height = hub.height
    assert hub.view().get(b"evm/stateRoot") == state_root
    assert decode_statement(hub.view().get(SKIP_PENDING_KEY)) == certificate.statement
    assert balance_wei(hub, address_of(DAPP)) == before
    assert hub.application.blocks.head().transactions == ()
    assert [outcome.code for outcome in hub.outcomes(height)] == [CODE_SKIPPED, CODE_SKIPPED]
    assert hub.ledger.tip.results_hash == results_hash([(CODE_SKIPPED, b"", 0, 0)] * 2)
    again = hub.payment()
    outcomes = hub.advance(again)
    assert [outcome.code for outcome in outcomes] == [0]
    assert [result.code for result in hub.ledger.records.results(height + 1).tx_results] == [0, 0]
    assert balance_wei(hub, RECIPIENT) == 5
    assert hub.view().get(SKIP_PENDING_KEY) is None
    assert decode_certificate(hub.view().get(skip_certificate_key(height))) == certificate
    assert hub.ledger.records.block(height + 1).block.transactions[0] == encode_certificate(certificate)
    assert hub.application.skips.certificate(height) == certificate
    assert hub.application.skips.certificate(height + 1) is None


def test_the_app_hash_of_a_skipped_block_is_neither_the_prior_nor_the_executed_one():
    """Not even where no transaction has an effect."""
    hub = SkippingHub()
    prior, junk = hub.app_hash, hub.payment()
    hub.skip(junk)
    skipped = hub.app_hash
    other = SkippingHub()
    other.advance()
    assert len({prior, skipped, other.app_hash}) == 2
    assert other.app_hash == prior != skipped


def next_transactions(hub, *raw):
    return make_block(hub.ledger.tip, hub.ledger.last_commit(), raw, hub.ledger.tip.validators.proposer.address)


def test_attack_C47_the_next_block_needs_a_certificate_of_that_block_first():
    hub = SkippingHub()
    certificate = hub.skip(hub.payment())
    statement, good, payment = certificate.statement, encode_certificate(certificate), hub.payment()
    refused = {
        "none": (),
        "not first": (payment, good),
        "twice": (good, good),
        "two of four": (encode_certificate(certified(statement, KEYS[:2])),),
        "a stranger": (encode_certificate(certified(statement, (*KEYS[:2], POOL[5]))),),
        "of another block": (encode_certificate(certified(replace(statement, block_hash=b"\x01" * 32))),),
        "of another state": (encode_certificate(certified(replace(statement, prior_app_hash=b"\x01" * 32))),),
        "of another height": (encode_certificate(certified(replace(statement, height=statement.height + 1))),),
        "of another chain": (encode_certificate(certified(replace(statement, chain_id="hutong-2"))),),
        "cut": (good[:-1],),
    }
    for why, transactions in refused.items():
        assert not hub.ledger.accepts(next_transactions(hub, *transactions)), why
    assert hub.ledger.accepts(next_transactions(hub, good, payment))
    assert hub.ledger.accepts(next_transactions(hub, encode_certificate(certified(statement, KEYS[1:]))))
    with pytest.raises(SkipBroken, match="skip_certificate_required"):
        finalize(hub, next_transactions(hub))


def finalize(hub, block, skip=None, misbehaviours=()):
    header = block.header
    return hub.application.finalize_block(
        FinalizeBlockRequest(
            header.height,
            header.time_ns,
            block_id_of(block).hash,
            header.proposer_address,
            block.transactions,
            header.version_app,
            misbehaviours,
            skip,
        )
    )


def test_attack_C47_a_certificate_where_no_block_was_skipped_is_refused():
    hub = SkippingHub()
    block, block_id, commit = hub.decide(hub.payment())
    certificate = certified(hub.statement(block_id))
    hub.ledger.apply(block, block_id, commit)
    following = next_transactions(hub, encode_certificate(certificate))
    assert not hub.ledger.accepts(following)
    with pytest.raises(SkipBroken, match="skip_certificate_unwanted"):
        finalize(hub, following)


@pytest.mark.parametrize("by", [KEYS[:2], (*KEYS[:2], POOL[5])])
def test_attack_C48_a_skip_that_two_of_four_need_is_refused(by):
    hub = SkippingHub()
    block, block_id, _ = hub.decide(hub.payment())
    with pytest.raises(SkipBroken, match="skip_is_decided|skip_signers_are_members"):
        finalize(hub, block, certified(hub.statement(block_id), by))
    with pytest.raises(SkipBroken, match="skip_is_about"):
        finalize(hub, block, certified(replace(hub.statement(block_id), block_hash=b"\x01" * 32)))
    finalize(hub, block, certified(hub.statement(block_id)))


def test_attack_C48_a_skip_beside_a_commit_of_the_next_height_is_refused():
    hub = SkippingHub()
    block, block_id, commit = hub.decide(hub.payment())
    certificate = certified(hub.statement(block_id))
    hub.ledger.apply(block, block_id, commit)
    hub.application.skips.check(certificate)
    assert executed_certified(hub.ledger, certificate)
    hub.advance()
    with pytest.raises(PredicateFailed) as refused:
        hub.application.skips.check(certificate)
    assert refused.value.predicate == "skip_beside_commit"
    assert not executed_certified(hub.ledger, certificate)
    with pytest.raises(PredicateFailed, match="skip_beside_commit"):
        follow(hub.store, hub.genesis, hub.ledger, certificate)


def test_a_node_that_executed_the_block_takes_it_back_and_has_the_state_of_all():
    hub = SkippingHub()
    twin = SkippingHub()
    raw = hub.payment()
    block, block_id, commit = hub.decide(raw)
    certificate = certified(hub.statement(block_id))
    hub.ledger.apply(block, block_id, commit)
    executed = hub.app_hash
    assert balance_wei(hub, RECIPIENT) == 5
    twin.ledger.apply(block, block_id, commit, certificate)
    hub.ledger = follow(hub.store, hub.genesis, hub.ledger, certificate)
    assert hub.app_hash == twin.app_hash != executed
    assert hub.ledger.tip == twin.ledger.tip
    assert balance_wei(hub, RECIPIENT) == 0
    assert hub.application.blocks.head().transactions == ()
    hub.nonces.clear()
    after = hub.decide(hub.payment(9))
    for one in (hub, twin):
        one.ledger.apply(*after)
    assert hub.app_hash == twin.app_hash
    assert balance_wei(hub, RECIPIENT) == 9


class Stops(Exception):
    """The machine stops here."""


class StoppingStore(MemoryStore):
    """Stops within the batch of the number `at`, counted from when it was set, after its last write and before it is stored."""

    at = 0

    @contextmanager
    def batch(self):
        with super().batch() as batch:
            yield batch
            self.at -= 1
            if self.at == 0:
                raise Stops


def test_attack_C45_a_crash_while_a_block_is_taken_back_leaves_the_chain_as_it_was():
    """Wherever it stops: there is one write."""
    writes = 0
    for at in (1, 2, 3):
        store = StoppingStore()
        hub = SkippingHub(store)
        block, block_id, commit = hub.decide(hub.payment())
        certificate = certified(hub.statement(block_id))
        hub.ledger.apply(block, block_id, commit)
        before = dict(store.items())
        store.at = at
        try:
            follow(store, hub.genesis, hub.ledger, certificate)
        except Stops:
            writes += 1
            assert dict(store.items()) == before
            store.at = 0
            assert follow(store, hub.genesis, HubLedger(store, hub.genesis), certificate).tip.height == hub.height
    assert writes == 1


def test_a_stock_tendermint_client_follows_every_header_across_a_skip():
    hub = SkippingHub()
    follower = Follower(hub)
    hub.skip(hub.payment())
    skipped = hub.height
    for _ in range(4):
        hub.advance()
    for height in range(2, hub.height + 1):
        assert follower.advance(update_of(hub, height, follower.height)) == "valid"
    over = Follower(hub)
    assert over.advance(update_of(hub, skipped + 2, 1)) == "valid"


def test_two_skips_in_a_row_record_both_certificates():
    hub = SkippingHub()
    first = hub.skip(hub.payment())
    second = hub.skip(hub.payment(), by=KEYS[1:])
    assert [result.code for result in hub.ledger.records.results(hub.height).tx_results] == [0, CODE_SKIPPED]
    assert decode_certificate(hub.view().get(skip_certificate_key(first.statement.height))) == first
    hub.advance()
    assert decode_certificate(hub.view().get(skip_certificate_key(second.statement.height))) == second


def test_evidence_in_a_skipped_block_is_recorded_and_its_base_fee_falls():
    hub = SkippingHub(fees=FeeRules(1_000), block_max_gas=1_000_000, transaction_max_gas=1_000_000)
    hub.advance(*(fee_payment(hub) for _ in range(40)))
    risen_wei = hub.application.next_base_fee_wei
    assert risen_wei > 1_000
    block, block_id, _ = hub.decide(fee_payment(hub))
    misbehaviour = Misbehaviour(KEYS[3].public_key.address, 1, 2, 7, 4)
    finalize(hub, block, certified(hub.statement(block_id)), (misbehaviour,))
    with hub.store.batch() as batch:
        hub.application.commit(batch)
    assert [record.misbehaviour for record in read_records(hub.application.view()[0])] == [misbehaviour]
    assert 1_000 <= hub.application.next_base_fee_wei < risen_wei


def fee_payment(hub):
    nonce = hub.nonces[DAPP.address] = hub.nonces.get(DAPP.address, -1) + 1
    fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 21_000, "value": 1, "data": b""}
    fields |= {"maxFeePerGas": 10**6, "maxPriorityFeePerGas": 0, "to": to_checksum_address(RECIPIENT)}
    return bytes(DAPP.sign_transaction(fields).raw_transaction)


def test_a_node_from_a_snapshot_of_the_skipped_height_judges_the_next_block_as_all_do(tmp_path):
    hub = SkippingHub()
    certificate = hub.skip(hub.payment())
    skipped, app_hash = hub.height, hub.app_hash
    hub.advance(hub.payment())
    node = JoiningNode(hub.genesis, tmp_path)
    assert node.restore(Taken.of(hub, skipped), app_hash).verdict is ChunkVerdict.ACCEPT
    application = node.application
    good = encode_certificate(certificate)
    assert application.process_proposal((good,), rules_versions.NEWEST) is ProposalVerdict.ACCEPT
    assert application.process_proposal((), rules_versions.NEWEST) is ProposalVerdict.REJECT
    assert application.skips.for_proposal() is None
    with pytest.raises(PredicateFailed, match="skip_is_near"):
        application.skips.check(certificate)


def test_joining_nodes_replay_a_skip_from_the_certificate_in_the_next_block():
    hub = SkippingHub()
    hub.skip(hub.payment())
    hub.skip(hub.payment(), by=KEYS[1:])
    for _ in range(3):
        hub.advance(hub.payment())
    blocks = [hub.ledger.records.block(height).block for height in range(1, hub.height + 1)]
    joined = HubLedger(MemoryStore(), hub.genesis)
    apply_verified(joined, blocks, hub.ledger.records.commit(hub.height))
    assert joined.tip == hub.ledger.tip
    # In two parts, with and without a look at what follows.
    again = HubLedger(MemoryStore(), hub.genesis)
    apply_verified(again, blocks[:4], blocks[4].last_commit, blocks[4])
    apply_verified(again, blocks[4:], hub.ledger.records.commit(hub.height))
    assert again.tip == hub.ledger.tip
    blind = HubLedger(MemoryStore(), hub.genesis)
    apply_verified(blind, blocks[:4], blocks[4].last_commit)
    with pytest.raises(SkippedHere) as halted:
        apply_verified(blind, blocks[4:], hub.ledger.records.commit(hub.height))
    followed = follow(blind.store, hub.genesis, blind, halted.value.certificate)
    apply_verified(followed, blocks[4:], hub.ledger.records.commit(hub.height))
    assert followed.tip == hub.ledger.tip


def test_attack_C47_a_member_that_serves_a_false_certificate_is_refused():
    hub = SkippingHub()
    certificate = hub.skip(hub.payment())
    hub.advance()
    blocks = [hub.ledger.records.block(height).block for height in range(1, hub.height + 1)]
    for false in (
        certified(certificate.statement, KEYS[:2]),
        replace(certificate, statement=replace(certificate.statement, block_hash=b"\x01" * 32)),
    ):
        joined = HubLedger(MemoryStore(), hub.genesis)
        forged = replace(blocks[-1], transactions=(encode_certificate(false),))
        with pytest.raises(PredicateFailed):
            apply_verified(joined, blocks[:-1], hub.ledger.records.commit(hub.height - 1), forged)
        assert joined.tip.height == certificate.statement.height - 1


@pytest.mark.parametrize("version", [rules_versions.FIRST, rules_versions.SETTLES_WHILE_PAUSED])
def test_rules_before_version_3_know_no_skip(version):
    hub = SkippingHub(rules_version=version)
    block, block_id, _ = hub.decide(hub.payment())
    certificate = certified(hub.statement(block_id))
    with pytest.raises(SkipBroken, match="skip_in_rules"):
        finalize(hub, block, certificate)
    verdict = hub.application.process_proposal((encode_certificate(certificate),), version)
    assert verdict is ProposalVerdict.REJECT
    junk = replace(block, transactions=(encode_certificate(certificate),))
    assert [result.code for result in finalize(hub, junk).tx_results] == [2]
