"""Bundles of a real lane, judged offline: what each shows, and that no other bytes or trust will do (design rule 10)."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hutong.light_clients.attestation import (
    Attestation,
    AttestationKind,
    Rotation,
    Scope,
    StateAttestation,
    decode_attestation,
    decode_state,
    encode_attestation,
    encode_rotation,
    encode_rotation_update,
    encode_state,
)
from hutong.light_clients.evm_header import decode_header, encode_header
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement
from hutong.light_clients.ibc.transfer import decode_transfer, encode_transfer
from hutong.light_clients.interface import Height, PredicateFailed
from hutong.light_clients.tendermint.codec import decode_header as decode_tendermint_header
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.relay.archive.bundle import Bundle, ChainKind, Claim, Leg, decode_bundle, encode_bundle
from hutong.relay.archive.checkpoint import Checkpoint, Remote, decode_checkpoint
from hutong.relay.archive.legs import check_second_leg, is_second_leg
from hutong.relay.audit import Auditor, MissingTrust, Report
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.links import judge_links
from hutong.relay.keys import Signer
from tests.relay.keys.at_once import at_once

FOLDER = Path(__file__).with_name("recorded")
ALPHA, BETA, HUB = "1001", "1002", "hutong-1"
DIRECT = "direct-attested"
SHAPES = (
    "message-delivered",
    "message-refused-by-the-hub",
    "received-on-the-hub",
    "timeout-leg-1",
    "timeout-leg-2",
    "tokens-delivered",
    DIRECT,
)
BACKWARD = "timeout-leg-2-backward"
STRIDE = 1 if os.environ.get("HUTONG_EVERY_BYTE") else 61
"""CI flips every byte in a section of its own; the ordinary run flips a sample that lands on every kind of field."""


def checkpoints(word: str = "before", *chains: str) -> list[Checkpoint]:
    return [
        decode_checkpoint((FOLDER / f"{word}-{chain}.checkpoint.json").read_bytes())
        for chain in chains or (ALPHA, BETA, HUB)
    ]


def roots_of(name: str) -> list[Checkpoint]:
    return checkpoints("before", "2001", "2002") if name == DIRECT else checkpoints()


def data_of(name: str) -> bytes:
    return (FOLDER / f"{name}.bundle.json").read_bytes()


def bundle_of(name: str) -> Bundle:
    return decode_bundle(data_of(name))


NOW_NS = max(checkpoint.time_ns for checkpoint in checkpoints("after")) + 60 * 10**9


def auditor(*roots: Checkpoint, now_ns: int = NOW_NS) -> Auditor:
    return Auditor(roots or checkpoints(), now_ns)


def audited(bundle: Bundle, *roots: Checkpoint, now_ns: int = NOW_NS) -> Report:
    return auditor(*roots, now_ns=now_ns).audit(encode_bundle(bundle))


def failed(report: Report) -> str:
    """The predicate that refused, or for damage to the form the field."""
    assert not report.is_valid
    assert report.outcome == "" and not report.trust
    error = report.failure.check.error
    return getattr(error, "field", None) or report.failure.check.name


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("message-delivered", [(Claim.ACKNOWLEDGED, True), (Claim.ACKNOWLEDGED, True)]),
        ("message-refused-by-the-hub", [(Claim.ACKNOWLEDGED, True)]),
        ("received-on-the-hub", [(Claim.RECEIVED, False)]),
        ("timeout-leg-1", [(Claim.TIMED_OUT, True)]),
        ("timeout-leg-2", [(Claim.ACKNOWLEDGED, True), (Claim.TIMED_OUT, True)]),
        ("tokens-delivered", [(Claim.ACKNOWLEDGED, True), (Claim.ACKNOWLEDGED, True)]),
    ],
)
def test_each_shape_is_valid_forward_from_an_older_checkpoint(name, outcomes):
    bundle = bundle_of(name)
    report = audited(bundle)
    assert report.is_valid, report.failure
    assert [(leg.outcome, leg.is_settled) for leg in bundle.legs] == outcomes
    assert report.packet_id.startswith(f"{ALPHA}/client-0/")
    assert set(report.trust) == {chain.chain_id for chain in bundle.chains}
    assert all(mode.startswith("forward from checkpoint") for mode in report.trust.values())
    assert all(verdict.check.source for verdict in report.verdicts)


def test_direct_path_of_attested_chains_is_valid_by_the_attestors_that_the_checkpoints_name():
    report = audited(bundle_of(DIRECT), *roots_of(DIRECT))
    assert report.is_valid, report.failure
    assert set(report.trust.values()) == {"attested by 2 of 3 attestors that the checkpoint names"}
    names = {verdict.check.name for verdict in report.verdicts}
    assert {"signed_by_attestors", "quorum_of_attestors", "commitment_is_attested"} <= names


def with_trust(root: Checkpoint, **fields) -> Checkpoint:
    return replace(root, trust=replace(root.trust, **fields))


def test_refused_attested_by_others_or_too_few_or_to_another_client():
    bundle, (alpha, beta) = bundle_of(DIRECT), roots_of(DIRECT)
    strangers = with_trust(alpha, attestors=beta.trust.attestors)
    assert failed(audited(bundle, strangers, beta)) == "signed_by_attestors"
    everyone = with_trust(alpha, required_signatures=3)
    assert failed(audited(bundle, everyone, beta)) == "quorum_of_attestors"
    (destination,) = alpha.trust.destinations
    elsewhere = with_trust(alpha, destinations=(replace(destination, client_id="client-7"),))
    assert failed(audited(bundle, elsewhere, beta)) == "attested_for_this_client"
    other_router = with_trust(alpha, destinations=(replace(destination, router_address=b"\7" * 20),))
    assert failed(audited(bundle, other_router, beta)) == "signed_by_attestors"
    expired_ns = alpha.expires_at_ns + 10**9
    assert failed(audited(bundle, alpha, beta, now_ns=expired_ns)) == "client_not_expired"


def test_refused_attested_headers_dropped_or_exchanged():
    bundle, roots = bundle_of(DIRECT), roots_of(DIRECT)
    chain = bundle.chains[0]
    assert len(chain.headers) == 2
    for headers in (chain.headers[:1], chain.headers[::-1]):
        changed = replace(bundle, chains=(replace(chain, headers=headers), bundle.chains[1]))
        assert failed(audited(changed, *roots)) == "headers_are_used"


def test_refused_tokens_of_another_transfer():
    """The second leg must bring on what the first one sent: every field of it."""
    bundle = bundle_of("tokens-delivered")
    first, second = (leg.packet for leg in bundle.legs)
    check_second_leg(first, second)
    payload = second.payloads[0]
    data = decode_transfer(payload.value, payload.encoding)
    for changed in (
        replace(data, amount=data.amount + 1),
        replace(data, receiver="0x" + "11" * 20),
        replace(data, denom=data.denom.rpartition("/")[2]),
        replace(data, sender="bft-evm-9/" + data.sender.partition("/")[2]),
        replace(data, memo="x"),
    ):
        onward = replace(payload, value=encode_transfer(changed, payload.encoding))
        with pytest.raises(PredicateFailed) as caught:
            check_second_leg(first, replace(second, payloads=(onward,)))
        assert caught.value.predicate == "tokens_match"
    for changed in (replace(second, source_client="bft-evm-9"), replace(second, timeout_timestamp_s=1)):
        with pytest.raises(PredicateFailed) as caught:
            check_second_leg(first, changed)
        assert caught.value.predicate == "tokens_match"


def test_refused_second_leg_of_another_message():
    """A true second leg with a true stamp, of another first leg over the same client."""
    delivered, late = bundle_of("message-delivered"), bundle_of("timeout-leg-2")
    first, second = (leg.packet for leg in delivered.legs)
    other = replace(late.legs[1].packet, timeout_timestamp_s=second.timeout_timestamp_s)
    check_second_leg(first, second)
    with pytest.raises(PredicateFailed) as caught:
        check_second_leg(first, other)
    assert caught.value.predicate == "stamp_matches"
    assert not is_second_leg(first, other)


def merged(legs: tuple[Leg, ...], *bundles: Bundle) -> Bundle:
    """`legs` with the headers of both bundles; account proofs stay where a proof of these legs stands on them."""
    chains = []
    for index, chain in enumerate(bundles[0].chains):
        entries = {entry.header: entry for bundle in bundles for entry in bundle.chains[index].headers}
        if chain.kind is ChainKind.BFT_EVM:
            used = {
                proof.height.revision_height
                for leg in legs
                for proof in leg.proofs
                if leg.chain_id_of(proof.claim) == chain.chain_id
            }
            headers = sorted(entries.values(), key=lambda entry: number_of(entry.header))
            kept = [e if number_of(e.header) in used else replace(e, account_proof=()) for e in headers]
        else:
            kept = sorted(entries.values(), key=lambda entry: decode_tendermint_header(entry.header).height)
        chains.append(replace(chain, headers=tuple(kept)))
    return Bundle(legs, tuple(chains))


def test_refused_acknowledgement_that_was_not_passed_on():
    """A hub that says the contrary of what the next chain answered, with whatever proofs."""
    bundle = bundle_of("message-delivered")
    judge_links(Inquiry(), bundle)
    inquiry = Inquiry()
    with pytest.raises(PredicateFailed) as caught:
        judge_links(inquiry, with_leg(bundle, 0, acknowledgement=ERROR))
    assert caught.value.predicate == "acknowledgement_passed_on"
    assert inquiry.rules == 3 and inquiry.failure.check.name == "acknowledgement_passed_on"


def test_refused_legs_of_two_deliveries():
    """Every proof is true, and the two legs are still not one delivery."""
    delivered, late = bundle_of("message-delivered"), bundle_of("timeout-leg-2")
    assert audited(merged(delivered.legs, delivered, late)).is_valid
    mixed = merged((delivered.legs[0], late.legs[1]), delivered, late)
    assert failed(audited(mixed)) == "stamp_matches"


def test_acknowledgements_say_what_became_of_the_message():
    delivered, late = bundle_of("message-delivered"), bundle_of("timeout-leg-2")
    assert delivered.legs[0].acknowledgement == delivered.legs[1].acknowledgement
    assert not delivered.legs[0].acknowledgement.is_error
    assert late.legs[0].acknowledgement == ERROR


def test_backward_from_a_newer_checkpoint_through_parent_hashes():
    report = auditor(*checkpoints("after")).audit(data_of(BACKWARD))
    assert report.is_valid, report.failure
    modes = report.trust.values()
    assert any("through parent hashes" in mode for mode in modes) and not any("forward" in mode for mode in modes)
    names = {verdict.check.name for verdict in report.verdicts}
    assert "parent_hash_links" in names and "two_thirds_signed" not in names


def test_backward_trust_does_not_expire():
    much_later_ns = NOW_NS + 10 * 365 * 86_400 * 10**9
    assert auditor(*checkpoints("after"), now_ns=much_later_ns).audit(data_of(BACKWARD)).is_valid


def test_refused_expired_checkpoint_vouches_for_nothing_above_it():
    edge_ns = min(checkpoint.expires_at_ns for checkpoint in checkpoints())
    assert audited(bundle_of("message-delivered"), now_ns=edge_ns - 1).is_valid
    assert failed(audited(bundle_of("message-delivered"), now_ns=edge_ns)) == "within_trusting_period"


def test_each_mode_needs_its_own_headers():
    assert failed(auditor(*checkpoints("after")).audit(data_of("message-delivered"))) == "header_is_bare"
    assert failed(auditor(*checkpoints("before")).audit(data_of(BACKWARD))) == "header_is_signed"


@pytest.mark.parametrize("name", SHAPES)
def test_refused_every_byte_flipped_once_is_refused(name):
    """One auditor for all: what it remembers of the honest bundle's headers must not help a changed one."""
    judge, data = auditor(*roots_of(name)), data_of(name)
    assert judge.audit(data).is_valid
    for position in range(0, len(data), STRIDE):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 7
        try:
            report = judge.audit(bytes(changed))
        except MissingTrust as missing:
            assert "checkpoint" in str(missing)
        else:
            assert failed(report), position


def test_refused_every_byte_of_a_backward_bundle_is_judged():
    judge, data = auditor(*checkpoints("after")), data_of(BACKWARD)
    assert judge.audit(data).is_valid
    for position in range(0, len(data), 40 * STRIDE):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 7
        try:
            assert failed(judge.audit(bytes(changed))), position
        except MissingTrust as missing:
            assert "checkpoint" in str(missing)


def with_leg(bundle: Bundle, index: int, **fields) -> Bundle:
    legs = list(bundle.legs)
    legs[index] = replace(legs[index], **fields)
    return replace(bundle, legs=tuple(legs))


def with_proof(leg: Leg, claim: Claim, **fields) -> Leg:
    proofs = tuple(replace(proof, **fields) if proof.claim is claim else proof for proof in leg.proofs)
    return replace(leg, proofs=proofs)


def proof_of(leg: Leg, claim: Claim):
    return next(proof for proof in leg.proofs if proof.claim is claim)


def test_refused_legs_swapped():
    bundle = bundle_of("message-delivered")
    assert failed(audited(replace(bundle, legs=bundle.legs[::-1]))) == "legs_meet"


def test_refused_second_leg_dropped():
    bundle = bundle_of("message-delivered")
    report = audited(replace(bundle, legs=bundle.legs[:1]))
    assert failed(report) == "bundle.chains"
    assert f"expected {ALPHA}, {HUB}, got {ALPHA}, {BETA}, {HUB}" in str(report.failure.check.error)
    alone = replace(bundle, legs=bundle.legs[:1], chains=tuple(c for c in bundle.chains if c.chain_id != BETA))
    assert failed(audited(alone)) == "second_leg_present"


def test_memo_that_asks_a_solidity_router_to_forward_makes_no_delivery_half():
    """The sender writes the memo: it must not be able to take the evidence away."""
    tokens, direct = bundle_of("tokens-delivered"), bundle_of(DIRECT)
    payload = tokens.legs[0].packet.payloads[0]
    packet = replace(direct.legs[0].packet, payloads=(payload,))
    success = tokens.legs[0].acknowledgement
    judge_links(Inquiry(), with_leg(direct, 0, packet=packet, acknowledgement=success))
    to_hub = replace(tokens, legs=tokens.legs[:1])
    with pytest.raises(PredicateFailed, match="second_leg_present"):
        judge_links(Inquiry(), to_hub)


def test_refused_acknowledgement_dropped_or_exchanged():
    bundle = bundle_of("message-delivered")
    assert failed(audited(with_leg(bundle, 1, acknowledgement=None))) == "bundle.legs[1].acknowledgement"
    assert failed(audited(with_leg(bundle, 1, acknowledgement=ERROR))) == "word_matches"
    assert failed(audited(with_leg(bundle, 0, acknowledgement=ERROR))) == "tree_0.value_matches"
    two = Acknowledgement((b"a", b"b"))
    assert failed(audited(with_leg(bundle, 1, acknowledgement=two))) == "acknowledgement"


def test_refused_outcome_dropped():
    bundle = bundle_of("message-delivered")
    leg = bundle.legs[1]
    proofs = tuple(proof for proof in leg.proofs if proof.claim is not Claim.ACKNOWLEDGED)
    assert failed(audited(with_leg(bundle, 1, proofs=proofs, acknowledgement=None))) == "bundle.legs[1].proofs"


def test_refused_headers_reordered_or_dropped():
    bundle = bundle_of("message-delivered")
    for index, chain in enumerate(bundle.chains):
        chains = list(bundle.chains)
        chains[index] = replace(chain, headers=chain.headers[::-1])
        if len(chain.headers) > 1:
            assert failed(audited(replace(bundle, chains=tuple(chains)))) == "headers_ascend"
            chains[index] = replace(chain, headers=chain.headers[1:])
            refused = failed(audited(replace(bundle, chains=tuple(chains))))
            assert refused in ("proof_height_known", "validator_sets_are_named")
    backward = bundle_of(BACKWARD)
    chains = list(backward.chains)
    chains[0] = replace(chains[0], headers=chains[0].headers[:3] + chains[0].headers[4:])
    assert failed(audited(replace(backward, chains=tuple(chains)), *checkpoints("after"))) == "parent_hash_links"


def test_refused_history_that_is_not_the_checkpoints():
    """A header whose every field is plausible, but which the block above does not name as its parent."""
    backward = bundle_of(BACKWARD)
    chain = backward.chains[0]
    header = decode_header(chain.headers[1].header)
    forged = replace(header, gas_limit=header.gas_limit + 1)
    headers = (chain.headers[0], replace(chain.headers[1], header=encode_header(forged)), *chain.headers[2:])
    changed = replace(backward, chains=(replace(chain, headers=headers), *backward.chains[1:]))
    assert failed(audited(changed, *checkpoints("after"))) == "parent_hash_links"


def test_refused_another_packets_proof():
    """A proof of the same claim about another packet of the same path."""
    one, other = bundle_of("timeout-leg-1"), bundle_of("message-refused-by-the-hub")
    alien = proof_of(other.legs[0], Claim.SENT)
    leg = with_proof(one.legs[0], Claim.SENT, proof=alien.proof, height=alien.height)
    assert failed(audited(replace(one, legs=(leg,)))) in ("account_proofs_are_used", "proof_height_known")
    alpha = {entry.header: entry for bundle in (one, other) for entry in bundle.chains[0].headers}
    headers = sorted(alpha.values(), key=lambda entry: number_of(entry.header))
    merged = (replace(one.chains[0], headers=tuple(headers)), one.chains[1])
    assert failed(audited(replace(one, legs=(leg,), chains=merged))) in (
        "account_proofs_are_used",
        "storage_path_is_proven",
        "word_matches",
    )


def number_of(header: bytes) -> int:
    return decode_header(header).number


def test_refused_claims_exchanged():
    """The proof that the commitment is gone does not show that it was there."""
    bundle = bundle_of("message-delivered")
    leg = bundle.legs[0]
    settled = proof_of(leg, Claim.SETTLED)
    swapped = with_proof(leg, Claim.SENT, height=settled.height, proof=settled.proof)
    assert failed(audited(with_leg(bundle, 0, proofs=swapped.proofs))) in ("account_proofs_are_used", "word_matches")
    earlier = with_proof(leg, Claim.SETTLED, height=proof_of(leg, Claim.SENT).height)
    refused = failed(audited(with_leg(bundle, 0, proofs=earlier.proofs)))
    assert refused in ("account_proofs_are_used", "settled_after_sent")


def test_refused_another_chains_checkpoint():
    alpha, beta, hub = checkpoints()
    as_alpha = replace(beta, chain_id=ALPHA, clients=alpha.clients)
    assert failed(audited(bundle_of("message-delivered"), as_alpha, beta, hub)) in (
        "router_account_proven",
        "overlap_with_trusted_validators",
    )
    as_hub = replace(alpha, chain_id=HUB, clients=hub.clients)
    assert failed(audited(bundle_of("message-delivered"), alpha, beta, as_hub)) == "checkpoint_is_of_kind"


def test_refused_checkpoint_hash_or_time_changed():
    alpha, beta, hub = checkpoints()
    for changed in (
        replace(hub, hash=bytes(32)),
        replace(hub, time_ns=hub.time_ns + 10**9),
        replace(hub, height=hub.height + 1),
    ):
        assert failed(audited(bundle_of("message-delivered"), alpha, beta, changed)) == "checkpoint_hash_matches"
    without = replace(hub, header=None)
    assert failed(audited(bundle_of("message-delivered"), alpha, beta, without)) == "checkpoint_header_present"


def test_refused_acknowledgement_of_a_third_chain():
    """A client is known by the chain that it follows only where the checkpoint says so: the same client id, sequence and
    acknowledgement on some other chain prove nothing."""
    alpha, beta, hub = checkpoints()
    elsewhere = replace(alpha, clients={"client-0": Remote("hutong-2", "bft-evm-0")})
    report = audited(bundle_of("message-delivered"), elsewhere, beta, hub)
    assert failed(report) == "source_client_follows_destination"
    strange = replace(hub, clients=hub.clients | {"bft-evm-1": Remote("1003", "client-0")})
    report = audited(bundle_of("message-delivered"), alpha, beta, strange)
    assert failed(report) == "source_client_follows_destination"
    strange = replace(hub, clients=hub.clients | {"bft-evm-0": Remote("1003", "client-0")})
    assert failed(audited(bundle_of("timeout-leg-1"), alpha, strange)) == "destination_client_follows_source"


def test_refused_acknowledgement_of_another_client_of_the_same_chain():
    """Two clients of one chain may name one counterparty, and only the one that it names back is heard there."""
    alpha, beta, hub = checkpoints()
    twin = replace(hub, clients=hub.clients | {"bft-evm-0": Remote(ALPHA, "client-7")})
    assert failed(audited(bundle_of("timeout-leg-1"), alpha, twin)) == "destination_client_follows_source"


def test_refused_timeout_claimed_before_its_time():
    """Absence before the timeout proves nothing: the packet could still arrive."""
    bundle = bundle_of("timeout-leg-1")
    packet = replace(bundle.legs[0].packet, timeout_timestamp_s=bundle.legs[0].packet.timeout_timestamp_s + 600)
    assert failed(audited(with_leg(bundle, 0, packet=packet))) in ("word_matches", "timeout_has_passed")


@pytest.mark.parametrize("missing", [ALPHA, BETA, HUB])
def test_without_a_checkpoint_of_a_chain_nothing_is_judged(missing):
    roots = [checkpoint for checkpoint in checkpoints() if checkpoint.chain_id != missing]
    with pytest.raises(MissingTrust, match=missing):
        audited(bundle_of("message-delivered"), *roots)


def test_two_checkpoints_of_a_chain_are_refused():
    with pytest.raises(MissingTrust, match=HUB):
        Auditor([*checkpoints(), *checkpoints("after", HUB)], NOW_NS)


def test_headers_are_judged_once_for_many_bundles():
    judge = auditor()
    first = judge.audit(data_of("message-delivered"))
    again = judge.audit(data_of("message-delivered"))
    assert [(v.subject, v.check.name) for v in first.verdicts] == [(v.subject, v.check.name) for v in again.verdicts]
    assert first.is_valid and again.is_valid


def at_a_signed_header_of_the_hub(bundle: Bundle) -> list[Checkpoint]:
    """Checkpoints of which the hub's is at a header that the bundle carries with its commit."""
    hub = next(chain for chain in bundle.chains if chain.chain_id == HUB)
    header = decode_tendermint_header(hub.headers[0].header)
    (root,) = checkpoints("before", HUB)
    moved = replace(root, height=header.height, hash=header_hash(header), time_ns=header.time_ns, header=None)
    return [*checkpoints("before", ALPHA, BETA), moved]


def without_validators(bundle: Bundle) -> Bundle:
    return replace(bundle, chains=tuple(replace(chain, validator_sets=()) for chain in bundle.chains))


def test_attack_H_signed_header_at_the_checkpoint_without_its_validators_is_refused():
    """It was a traceback, and in a folder no other bundle got its verdict."""
    bundle = bundle_of("message-delivered")
    roots = at_a_signed_header_of_the_hub(bundle)
    assert audited(bundle, *roots).is_valid
    assert failed(audited(without_validators(bundle), *roots)) == "validators_in_bundle"


def test_bundle_that_lacks_validators_is_refused_after_one_that_has_them():
    bundle = bundle_of("message-delivered")
    for roots in (checkpoints(), at_a_signed_header_of_the_hub(bundle)):
        judge = auditor(*roots)
        assert judge.audit(encode_bundle(bundle)).is_valid
        assert failed(judge.audit(encode_bundle(without_validators(bundle)))) == "validators_in_bundle"
        assert judge.audit(encode_bundle(bundle)).is_valid


def attestor_keys(chain_id: int) -> list[Signer]:
    """Those of the recorded chain (tests/adapters/conformance/attested_pair.py)."""
    return [
        Signer.in_memory(bytes(24) + chain_id.to_bytes(4, "big") + bytes([0, 0, 0, 1 + index])) for index in range(3)
    ]


def test_attack_D8_attested_times_that_cannot_both_be_true_prove_nothing():
    """Enough attestors signed each of them; a client that saw both would freeze."""
    bundle, (alpha, beta) = bundle_of(DIRECT), roots_of(DIRECT)
    headers = bundle.chains[0].headers
    early, late = (decode_state(decode_attestation(entry.header).data) for entry in headers)
    at_late = replace(alpha, height=late.height, time_ns=late.timestamp_ns)
    assert audited(bundle, at_late, beta).is_valid
    for off_s in (-1, 1):
        other_time = replace(at_late, time_ns=at_late.time_ns + off_s * 10**9)
        assert failed(audited(bundle, other_time, beta)) == "attested_times_agree"
    older_above = replace(alpha, height=late.height + 1, time_ns=late.timestamp_ns - 10**9)
    assert failed(audited(bundle, older_above, beta)) == "attested_times_agree"

    by_address = {bytes.fromhex(key.address[2:]): key for key in attestor_keys(int(alpha.chain_id))}
    (to,) = alpha.trust.destinations
    scope = Scope(alpha.chain_id, alpha.trust.router_address, to.chain_id, to.router_address, to.client_id)

    def attested(state: StateAttestation) -> bytes:
        data = encode_state(state)
        signers = [by_address[address] for address in alpha.trust.attestors[:2]]
        signatures = tuple(at_once(signer.sign_attestation(scope, AttestationKind.STATE, data)) for signer in signers)
        return encode_attestation(Attestation(data, signatures))

    for time_s, refusal in ((late.timestamp_s + 1, "attested_times_agree"), (late.timestamp_s, None)):
        changed = replace(headers[0], header=attested(StateAttestation(early.height, time_s)))
        chain = replace(bundle.chains[0], headers=(changed, headers[1]))
        report = audited(replace(bundle, chains=(chain, bundle.chains[1])), alpha, beta)
        assert report.is_valid if refusal is None else failed(report) == refusal


def test_height_of_another_revision_is_unknown():
    bundle = bundle_of("message-refused-by-the-hub")
    leg = bundle.legs[0]
    proof = proof_of(leg, Claim.ACKNOWLEDGED)
    other = with_proof(leg, Claim.ACKNOWLEDGED, height=Height(2, proof.height.revision_height))
    assert failed(audited(replace(bundle, legs=(other,)))) == "proof_height_known"


def test_attack_D8_a_rotation_of_attestors_in_the_place_of_a_state_is_refused():
    """A client takes it as an update of the same signers; it is neither a state nor a defect of the verifier."""
    bundle, (alpha, beta) = bundle_of(DIRECT), roots_of(DIRECT)
    first, second = bundle.chains[0].headers
    state = decode_state(decode_attestation(first.header).data)
    by_address = {bytes.fromhex(key.address[2:]): key for key in attestor_keys(int(alpha.chain_id))}
    (to,) = alpha.trust.destinations
    scope = Scope(alpha.chain_id, alpha.trust.router_address, to.chain_id, to.router_address, to.client_id)
    data = encode_rotation(Rotation(state, 1, beta.trust.attestors, 2, 0))
    signers = [by_address[address] for address in alpha.trust.attestors[:2]]
    signatures = tuple(at_once(signer.sign_attestation(scope, AttestationKind.ROTATION, data)) for signer in signers)
    rotated = replace(first, header=encode_rotation_update(Attestation(data, signatures)))
    chain = replace(bundle.chains[0], headers=(rotated, second))
    assert audited(bundle, alpha, beta).is_valid
    failure = audited(replace(bundle, chains=(chain, bundle.chains[1])), alpha, beta).failure
    assert failure is not None
    assert failure.check.name == "attestation_stands_alone"
