"""ExampleStorageEscrow: an operator is paid for an audit that it passed, once, and for no other."""

from dataclasses import replace

import pytest

from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.relay.services.storage.rules.audits.answers import encode_answers
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import Outcome
from tests.contracts.evm import SENDER
from tests.contracts.lane import STRANGER
from tests.contracts.storage.audit_lane import ANSWERS, EPOCH, OPERATOR, PROBES, TERMS, ready
from tests.contracts.storage.test_storage_audit import refused

PAYEE = b"\x44" * 20
PRICE = 100


@pytest.fixture
def world():
    made = ready()
    made.token.transact("approve", made.escrow.address, 10**6)
    return made


def open_deal(world, epochs=3, first=EPOCH, terms=TERMS, end_in_s=3_600):
    deal = (STRANGER, PAYEE, OPERATOR.id, first, epochs, PRICE, world.hub.now_s + end_in_s, terms.fields)
    return world.escrow.transact("open", deal).value


def claim(world, shown: ShownRecords, deal=0, epoch=EPOCH, sender=STRANGER):
    (record,) = shown.records
    proof = (record.value, shown.proof_fields, shown.height_fields)
    return world.escrow.transact("claim", deal, epoch, *proof, sender=sender)


def claim_by_probes(world, shown, answers=ANSWERS, first=0):
    proof = (shown.record_fields, shown.proof_fields, shown.height_fields)
    said = (first, len(answers), encode_answers(answers))
    return world.escrow.transact("claimByProbes", 0, EPOCH, *proof, said, sender=STRANGER)


def balance(world, account):
    return world.token.call("balanceOf", account)


def test_an_operator_is_paid_by_the_hubs_verdict_whoever_brings_it(world):
    open_deal(world)
    assert balance(world, world.escrow.address) == 3 * PRICE
    shown = world.show_verdict()
    (event,) = claim(world, shown).named("Paid")
    assert event == {"id": 0, "epoch": EPOCH, "amount": PRICE}
    assert balance(world, PAYEE) == PRICE and world.escrow.call("paidEpochs", 0) == 1
    assert refused(lambda: claim(world, shown), "AlreadyPaid") == (EPOCH,)
    later = world.show_verdict(key=keys.verdict_key(OPERATOR.id, EPOCH + 2))
    claim(world, later, epoch=EPOCH + 2)
    assert balance(world, PAYEE) == 2 * PRICE and world.escrow.call("paidEpochs", 0) == 5


def test_an_operator_is_paid_by_answers_to_all_probes(world):
    open_deal(world)
    shown = world.show_epoch()
    assert refused(lambda: claim_by_probes(world, shown, ANSWERS[:-1]), "NotAllProbes") == (PROBES - 1, PROBES)
    refused(lambda: claim_by_probes(world, shown, ANSWERS[1:], first=1), "NotAllProbes")
    claim_by_probes(world, shown)
    assert balance(world, PAYEE) == PRICE
    refused(lambda: claim_by_probes(world, shown), "AlreadyPaid")
    verdict = world.show_verdict()
    refused(lambda: claim(world, verdict), "AlreadyPaid")


def test_attack_S32_an_audit_that_was_not_passed_is_not_paid(world):
    open_deal(world)
    failed = world.show_verdict(world.verdict(Outcome.FAILED, held=PROBES - 1))
    refused(lambda: claim(world, failed), "AuditNotPassed")
    weak = world.show_verdict(world.verdict(reveals=0))
    refused(lambda: claim(world, weak), "WeakSeed")
    shown = world.show_verdict()
    refused(lambda: claim(world, shown, epoch=EPOCH + 1), "InvalidProof")
    before = world.show_verdict(key=keys.verdict_key(OPERATOR.id, EPOCH - 1))
    assert refused(lambda: claim(world, before, epoch=EPOCH - 1), "EpochNotInDeal") == (EPOCH - 1,)
    after = world.show_verdict(key=keys.verdict_key(OPERATOR.id, EPOCH + 3))
    refused(lambda: claim(world, after, epoch=EPOCH + 3), "EpochNotInDeal")
    assert balance(world, PAYEE) == 0


def test_what_was_not_earned_goes_back_once(world):
    open_deal(world)
    had = balance(world, SENDER)
    shown = world.show_verdict()
    claim(world, shown)
    end = world.hub.now_s + 4_000
    refused(lambda: world.escrow.transact("refund", 0), "NotOver")
    with world.evm.at(end):
        (event,) = world.escrow.transact("refund", 0, sender=STRANGER).named("Refunded")
        assert event["amount"] == 2 * PRICE and balance(world, SENDER) == had + 2 * PRICE
        assert refused(lambda: world.escrow.transact("refund", 0), "NoDeal") == (0,)
        refused(lambda: claim(world, shown), "NoDeal")
    refused(lambda: claim(world, shown, deal=1), "NoDeal")


def test_attack_S32_a_deal_that_takes_weak_seeds_or_has_no_end_is_refused(world):
    for wrong in ({"epochs": 0}, {"epochs": 257}, {"end_in_s": 0}, {"terms": replace(TERMS, min_reveals=0)}):
        refused(lambda wrong=wrong: open_deal(world, **wrong), "BadDeal")
    assert open_deal(world, epochs=256) == 0
    assert open_deal(world) == 1
