"""Record bundles judged offline: what holds for each kind of chain, and what a reader may ask beside the proofs."""

import re
from dataclasses import replace

import pytest

from hutong.light_clients.attestation import (
    AttestationKind,
    Rotation,
    StateAttestation,
    encode_rotation,
    encode_rotation_update,
)
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.records import ClientEpoch, Observation, SourceTrust, TrustKind
from hutong.relay.archive.bundle import HeaderEntry
from hutong.relay.archive.checkpoint import TendermintTrust, decode_checkpoint
from hutong.relay.archive.record_bundle import encode_record_bundle, in_order
from hutong.relay.archive.shared_records import share_proofs
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.records import Asked, RecordAuditor, RecordReport
from tests.light_clients.attestation.attested_chain import AttestedChain, address_of, attestor_keys
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain
from tests.light_clients.clique.simulated_clique_chain import SimulatedCliqueChain
from tests.light_clients.records.observed_state import WORD
from tests.relay.audit.records.shown_records import (
    EPOCH,
    EPOCH_KEY,
    KEY,
    KINDS,
    RECORDED,
    SOURCE_AGE_S,
    Hub,
    Shown,
    bft_checkpoint,
    bft_evm,
    hub,
    hub_time_s,
    observed_records,
    shared_hub,
)

MOST_BYTES = 10_000
LONG_WORD = re.compile(rb"[A-Za-z0-9+/=]{24,}")


def audited(shown: Shown, asked: Asked | None = None, data: bytes | None = None) -> RecordReport:
    auditor = RecordAuditor(shown.checkpoint, shown.now_ns, asked or Asked())
    return auditor.audit(encode_record_bundle(shown.bundle) if data is None else data)


def refusal(shown: Shown, asked: Asked | None = None) -> str:
    report = audited(shown, asked)
    assert not report.is_valid
    assert report.findings == ()
    assert report.failure is not None
    return report.failure.check.name


each_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


@each_kind
def test_statements_hold_under_the_checkpoint(make):
    shown = make()
    report = audited(shown)
    assert report.failure is None, report.failure
    assert [finding.statement for finding in report.findings] == list(shown.bundle.statements)
    assert all(verdict.check.held for verdict in report.verdicts)


@each_kind
def test_a_bundle_has_one_verdict_alone_and_after_others(make):
    shown = make()
    auditor, data = RecordAuditor(shown.checkpoint, shown.now_ns), encode_record_bundle(shown.bundle)
    first, again = auditor.audit(data), auditor.audit(data)
    names = [[(one.subject, one.check.name, one.check.held) for one in report.verdicts] for report in (first, again)]
    assert names[0] == names[1]


def test_one_observation_under_four_validators_is_small():
    """Beside a thousand other keys of the hub."""
    others = {b"hub/key/%d" % number: b"value" for number in range(1_000)}
    shown = hub(observed_records() | others)
    assert audited(shown).is_valid
    assert len(encode_record_bundle(shown.bundle)) < MOST_BYTES


def test_shared_proofs_of_many_records_are_smaller():
    """Nine records beside four thousand others, as an issuer has them, under four validators."""
    keys = [b"identity/key/%064d" % number for number in range(9)]
    others = {b"hub/key/%d" % number: b"value" for number in range(4_000)}
    shown = hub(others | {key: key * 4 for key in keys}, keys=keys)
    shared = replace(shown, bundle=share_proofs(shown.bundle))
    assert audited(shown).is_valid and audited(shared).is_valid
    assert share_proofs(shared.bundle) == shared.bundle
    assert len(encode_record_bundle(shared.bundle)) < 0.6 * len(encode_record_bundle(shown.bundle))


def test_attack_J2_one_multiproof_shows_what_it_shows_and_nothing_else():
    shown = shared_hub()
    assert audited(shown).is_valid
    statements = shown.bundle.statements
    other = (*statements[:-1], replace(statements[-1], value=b"\x02"))
    assert statements[-1].value is not None
    for said in (statements[1:], other, (*statements[:-1], replace(statements[-1], value=None))):
        name = refusal(replace(shown, bundle=replace(shown.bundle, statements=said)))
        assert name == "claims_are_proven", name
    assert refusal(replace(shown, bundle=replace(shown.bundle, height=Height(1, 3)))) == "header_height_known"
    trust = shown.checkpoint.trust
    assert isinstance(trust, TendermintTrust)
    for changed in (replace(trust, proof_specs=("iavl",)), replace(trust, merkle_prefix=(b"ibc",))):
        assert refusal(replace(shown, checkpoint=replace(shown.checkpoint, trust=changed))) == "hub_has_one_tree"


def test_what_an_observation_says_is_told():
    report = audited(hub())
    said = {type(finding.said): finding.said for finding in report.findings}
    assert said[Observation].value == WORD
    assert said[ClientEpoch] == EPOCH
    assert report.state is not None
    assert report.state.time_ns // NANOSECONDS_PER_SECOND == hub_time_s()


@pytest.mark.parametrize("make", (hub, bft_evm), ids=("hub", "bft-evm"))
def test_a_header_that_the_reader_holds_need_not_be_in_the_bundle(make):
    if make is bft_evm:
        chain = SimulatedChain()
        chain.advance(4)
        checkpoint = bft_checkpoint(chain, 4)
    else:
        checkpoint = Hub(observed_records()).checkpoint(4)
    shown = make()
    chain_alone = replace(shown.bundle.chain, headers=(), validator_sets=())
    held = replace(shown, bundle=replace(shown.bundle, chain=chain_alone), checkpoint=checkpoint)
    report = audited(held)
    assert report.is_valid, report.failure
    assert report.state is not None
    assert report.state.mode == "at checkpoint 4 itself"
    without = replace(held, checkpoint=shown.checkpoint)
    assert refusal(without) == "header_height_known"


def test_a_record_of_another_module_is_proven_and_its_header_fresh():
    shown = hub({b"hub/any": b"\x01"}, keys=(b"hub/any", b"hub/none"))
    report = audited(shown, Asked(at_s=hub_time_s() + 9, max_age_s=10))
    assert report.is_valid
    assert {finding.statement.value for finding in report.findings} == {b"\x01", None}
    assert refusal(shown, Asked(at_s=hub_time_s() + 10, max_age_s=10)) == "header_is_fresh"


def test_absence_of_an_observation_needs_no_epoch():
    shown = hub({}, keys=(KEY,))
    assert audited(shown).is_valid


@each_kind
def test_attack_J1_a_header_older_than_asked(make):
    shown = make()
    state = audited(shown).state
    assert state is not None
    time_s = state.time_ns // NANOSECONDS_PER_SECOND
    source_age_s = SOURCE_AGE_S if make in (hub, shared_hub) else 0
    asked = Asked(time_s + 5, 6 + source_age_s)
    assert audited(shown, asked).is_valid
    assert refusal(shown, replace(asked, max_age_s=5)) == "header_is_fresh"
    drift_s = shown.checkpoint.max_clock_drift_s
    assert audited(shown, Asked(time_s - drift_s, 1 + source_age_s)).is_valid
    assert refusal(shown, Asked(time_s - drift_s - 1, 1)) == "header_is_fresh"


def test_attack_J1_headers_go_on_and_observations_stop():
    shown, time_s = hub(), hub_time_s()
    assert audited(shown, Asked(time_s, SOURCE_AGE_S + 1)).is_valid
    assert refusal(shown, Asked(time_s, SOURCE_AGE_S)) == "source_is_fresh"
    assert refusal(hub(observed_records(source_time_ns=(time_s + 11) * NANOSECONDS_PER_SECOND))) == "source_is_fresh"


def test_attack_J10_trust_is_what_the_record_says():
    two_of_three = SourceTrust(TrustKind.ATTESTED, 2, 3)
    attested = hub(observed_records(trust=two_of_three))
    for least in (0, 1, 2):
        assert audited(attested, Asked(min_trust=least)).is_valid
    for least in (3, 255):
        assert refusal(attested, Asked(min_trust=least)) == "trust_is_enough"
    assert audited(hub(), Asked(min_trust=255)).is_valid
    with pytest.raises(MalformedInput, match="min_trust"):
        audited(attested, Asked(min_trust=65))


def test_attack_J7_closed_and_earlier_epochs():
    assert audited(hub(observed_records(ClientEpoch(2, True, 1), epoch=2))).is_valid
    assert refusal(hub(observed_records(ClientEpoch(2, False, 0), epoch=2))) == "client_is_readable"
    assert refusal(hub(observed_records(ClientEpoch(2, True, 1)))) == "epoch_is_current"
    assert refusal(hub(observed_records(epoch=2))) == "epoch_is_current"


def test_attack_J2_the_epoch_is_left_out_or_another_clients():
    records = observed_records()
    other = EPOCH_KEY[:-1] + b"1"
    assert audited(hub(records)).is_valid
    assert refusal(hub(records, keys=(KEY,))) == "epoch_is_proven"
    assert refusal(hub(records | {other: records[EPOCH_KEY]}, keys=(KEY, other))) == "epoch_is_proven"
    absent = hub({KEY: records[KEY]}, keys=(KEY, EPOCH_KEY))
    assert refusal(absent) == "epoch_is_proven"


@pytest.mark.parametrize("value", (b"\x02", b"\x01" * 36), ids=("short", "of another length"))
def test_attack_J3_what_is_no_observation_is_not_read(value):
    assert refusal(hub(observed_records() | {KEY: value})) == "record_well_formed"
    assert refusal(hub(observed_records() | {EPOCH_KEY: value}, keys=(EPOCH_KEY,))) == "epoch_well_formed"


def says_of_another_empty_place(shown: Shown, report: RecordReport) -> bool:
    assert report.bundle is not None
    true, read = shown.bundle, report.bundle
    differing = [(one, other) for one, other in zip(true.statements, read.statements, strict=True) if one != other]
    alike = replace(read, statements=true.statements) == true
    return alike and all(one.value is None and one == replace(other, what=one.what) for one, other in differing)


def bytes_to_change(data: bytes, step: int) -> list[int]:
    """Each index, but within headers, proofs, hashes and the like every `step`th alone."""
    within_words = {index for word in LONG_WORD.finditer(data) for index in range(*word.span()) if index % step}
    return [index for index in range(len(data)) if index not in within_words]


@pytest.mark.long
@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 13])
@each_kind
def test_attack_J3_every_byte_counts(make, step):
    """One changed byte, wherever it is, is another file, or a file that does not hold.

    But where it says of another empty place on the same path that it is empty, which is another true statement.
    CI changes each byte (`long`); the ordinary run those that `bytes_to_change` says.
    """
    shown = make()
    auditor, data = RecordAuditor(shown.checkpoint, shown.now_ns), encode_record_bundle(shown.bundle)
    assert auditor.audit(data).is_valid
    for index in bytes_to_change(data, step):
        other = bytearray(data)
        other[index] ^= 1
        try:
            report = auditor.audit(bytes(other))
        except MissingTrust:
            continue  # the name of another chain
        if report.is_valid:
            assert says_of_another_empty_place(shown, report), bytes(other[max(0, index - 40) : index + 1])


@each_kind
def test_attack_J2_a_checkpoint_of_another_chain(make):
    shown = make()
    assert audited(shown).is_valid
    with pytest.raises(MissingTrust, match="the checkpoint of elsewhere-1"):
        audited(replace(shown, checkpoint=replace(shown.checkpoint, chain_id="elsewhere-1")))


def test_attack_J9_an_update_beyond_the_bundles_height():
    chain = SimulatedCliqueChain()
    chain.main.advance(8)
    shown = replace(KINDS["clique"](), now_ns=chain.time_ns(8))
    assert audited(shown).is_valid
    entries = (*shown.bundle.chain.headers, HeaderEntry(chain.header(5, 4)))
    longer = replace(shown.bundle, chain=replace(shown.bundle.chain, headers=entries))
    assert refusal(replace(shown, bundle=longer)) == "update_is_used"


def test_the_trusting_period_goes_by_the_time_of_judgement_not_by_the_readers():
    shown = hub()
    late = replace(shown, now_ns=shown.checkpoint.expires_at_ns)
    assert refusal(late, Asked(at_s=hub_time_s())) == "within_trusting_period"


def test_statements_stand_in_one_order():
    shown = hub()
    assert in_order(shown.bundle.statements[::-1]) == shown.bundle.statements
    assert Height(1, 4) == shown.bundle.height


def test_recorded_files_are_what_the_simulations_make():
    for name, shown in {"observation": hub(), "storage": bft_evm()}.items():
        assert (RECORDED / f"{name}.record.json").read_bytes() == encode_record_bundle(shown.bundle)
        assert decode_checkpoint((RECORDED / f"{name}.checkpoint.json").read_bytes()) == shown.checkpoint


@pytest.mark.parametrize("least", (3, 255))
def test_attack_J10_the_state_of_an_attested_chain_is_attested_too(least):
    """It has no record that says so: the root of the state does, which two of three have signed."""
    shown = KINDS["attestation"]()
    for enough in (0, 1, 2):
        assert audited(shown, Asked(min_trust=enough)).is_valid
    assert refusal(shown, Asked(min_trust=least)) == "trust_is_enough"
    assert audited(KINDS["bft-evm"](), Asked(min_trust=least)).is_valid


def test_attack_J3_a_rotation_of_attestors_is_no_state():
    """Signed by them, so that a client takes it as an update: a bundle has states alone."""
    shown = KINDS["attestation"]()
    chain = AttestedChain()
    chain.advance(3)
    attestors = tuple(map(address_of, attestor_keys(3, first=10)))
    rotation = encode_rotation(Rotation(StateAttestation(4, chain.times_s[4]), 1, attestors, 2, 0))
    entry = shown.bundle.chain.headers[0]
    rotated = HeaderEntry(encode_rotation_update(chain.attest(AttestationKind.ROTATION, rotation)), entry.commit)
    other = replace(shown.bundle, chain=replace(shown.bundle.chain, headers=(rotated,)))
    assert audited(shown).is_valid
    assert refusal(replace(shown, bundle=other)) == "attestations_stand_alone"
