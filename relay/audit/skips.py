"""A skipped block, judged offline from a checkpoint: who signed that it counts as empty, and that the hub's state says so
(docs/spec/hub-skip.md)."""

from dataclasses import dataclass

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    CheckVerdict,
    Judge,
    PredicateFailed,
    audit,
    cited,
    rule,
)
from hutong.light_clients.interface.document import Document
from hutong.light_clients.proofs.ics23 import verify_chained
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.codec import decode_commit, decode_header, decode_validator_set
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash
from hutong.light_clients.tendermint.skip_certificate import (
    SkipCertificate,
    SkipStatement,
    certificate_state_key,
    decode_certificate,
    encode_certificate,
    skip_is_about,
    skip_is_decided,
)
from hutong.light_clients.tendermint.types import Header, LightBlock, SignedHeader, ValidatorSet
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_update
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust

FORMAT = "hutong-skip-evidence-1"
SPEC = "docs/spec/hub-skip.md"
MAX_EVIDENCE_BYTES = 1024 * 1024
MAX_PART_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class SkipEvidence:
    """`blocks` are those of h, h + 1 and a later one whose app hash `proof` ends in; `trusted` is the checkpoint's header with the
    set that it names for the next height."""

    certificate: SkipCertificate
    blocks: tuple[tuple[SignedHeader, ValidatorSet], ...]
    trusted: tuple[Header, ValidatorSet]
    proof: bytes


def decode_evidence(data: bytes) -> SkipEvidence:
    """A file of evidence (docs/spec/hub-skip.md), of any origin. Nothing is verified but the form.

    Raises:
        MalformedInput: it has another form, more than MAX_EVIDENCE_BYTES, or a part of more than MAX_PART_BYTES.
    """
    with Document.parse(data, "skip_evidence", MAX_EVIDENCE_BYTES).of_format("evidence of a skip", FORMAT) as fields:
        return SkipEvidence(
            decode_certificate(fields["certificate"].hex_of_at_most(MAX_PART_BYTES)),
            tuple(_block(block) for block in fields["blocks"].items(3, least=3)),
            (
                decode_header(fields["trusted_header"].hex_of_at_most(MAX_PART_BYTES)),
                decode_validator_set(fields["trusted_validators"].hex_of_at_most(MAX_PART_BYTES)),
            ),
            fields["proof"].hex_of_at_most(MAX_PART_BYTES),
        )


def _block(document: Document) -> tuple[SignedHeader, ValidatorSet]:
    with document.members() as fields:
        header = decode_header(fields["header"].hex_of_at_most(MAX_PART_BYTES))
        commit = decode_commit(fields["commit"].hex_of_at_most(MAX_PART_BYTES))
        return SignedHeader(header, commit), decode_validator_set(fields["validators"].hex_of_at_most(MAX_PART_BYTES))


_consensus_fields_present = cited(predicates.consensus_fields_present, SPEC)
_skip_is_about = cited(skip_is_about, SPEC)
_skip_is_decided = cited(skip_is_decided, SPEC)
_skip_is_recorded = cited(verify_chained, SPEC, "skip_is_recorded")


def judge_skip(evidence: SkipEvidence, checkpoint: Checkpoint, now_ns: int) -> tuple[CheckVerdict, ...]:
    """Every rule in order, up to the first that does not hold, which is then the last verdict.

    Args:
        checkpoint: of the hub, from the reader, never from whoever gave the evidence.
        now_ns: time of judgement, nanoseconds of Unix time.
    """
    return audit(_judge_evidence, evidence, checkpoint, now_ns)


def _judge_evidence(judge: Judge, evidence: SkipEvidence, checkpoint: Checkpoint, now_ns: int) -> None:
    trust = judge(checkpoint_is_of_the_hub, evidence, checkpoint)
    trusted_header, trusted_set = evidence.trusted
    options = Options(
        trust.trust_level,
        checkpoint.trusting_period_s * NANOSECONDS_PER_SECOND,
        checkpoint.max_clock_drift_s * NANOSECONDS_PER_SECOND,
    )
    state = TrustedState(trusted_header.height, trusted_header.time_ns, trusted_header.next_validators_hash)
    for signed, own in evidence.blocks:
        judge_update(judge, checkpoint.chain_id, LightBlock(signed, own), state, trusted_set, options, now_ns)
        judge(_consensus_fields_present, signed.header)
    skipped, following, proving = (signed.header for signed, _ in evidence.blocks)
    voters = evidence.blocks[1][1]
    judge(headers_follow_each_other, skipped, following, proving)
    statement = SkipStatement(checkpoint.chain_id, skipped.height, header_hash(skipped), skipped.app_hash)
    judge(_skip_is_about, evidence.certificate, statement)
    powers = {member.public_key.data: member.voting_power for member in voters.validators}
    judge(_skip_is_decided, evidence.certificate, powers)
    judge(
        _skip_is_recorded,
        trust.specs,
        evidence.proof,
        proving.app_hash,
        (b"".join(trust.merkle_prefix) + certificate_state_key(skipped.height),),
        encode_certificate(evidence.certificate),
    )


@rule(SPEC)
def checkpoint_is_of_the_hub(evidence: SkipEvidence, checkpoint: Checkpoint) -> TendermintTrust:
    """The trusted header is the checkpoint's, and its set the one that it names. Returns by what the hub is trusted.

    Raises:
        PredicateFailed: the checkpoint is of another kind or block, or the set is another.
    """
    header, validators = evidence.trusted
    if not isinstance(checkpoint.trust, TendermintTrust):
        raise PredicateFailed("checkpoint_is_of_the_hub", "a checkpoint of another kind of chain", got=checkpoint.kind)
    if header_hash(header) != checkpoint.hash or header.chain_id != checkpoint.chain_id:
        raise PredicateFailed(
            "checkpoint_is_of_the_hub", "another header than you trust", header_hash(header), checkpoint.hash
        )
    if validator_set_hash(validators) != header.next_validators_hash:
        raise PredicateFailed("checkpoint_is_of_the_hub", "another set than the trusted header names")
    return checkpoint.trust


@rule(SPEC)
def headers_follow_each_other(skipped: Header, following: Header, proving: Header) -> None:
    """The second header is the next after the skipped one, and the third has the record in its state.

    Raises:
        PredicateFailed: heights, hashes or validator sets do not follow; the record is at h + 2 or later.
    """
    if following.height != skipped.height + 1 or following.last_block_id.hash != header_hash(skipped):
        raise PredicateFailed("headers_follow_each_other", "not the next header", following.height, skipped.height + 1)
    if following.validators_hash != skipped.next_validators_hash:
        raise PredicateFailed("headers_follow_each_other", "the set that votes next is not the one that was named")
    if proving.height < skipped.height + 2:
        raise PredicateFailed(
            "headers_follow_each_other",
            "the record is in no state before it",
            proving.height,
            f">= {skipped.height + 2}",
        )
