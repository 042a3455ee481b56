"""Whether a seal is accepted, from proven records alone: what `CredentialGate` does on a chain, for auditors and wallets.

That the records stand under a root of the hub is judged before. What a contract adds, that a nonce was not used, is its own.
"""

from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.issued import (
    Judged,
    Logged,
    judge_issued,
    key_is_the_dids,
)
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, KeyRecord
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA
from hutong.relay.services.identity.rules.records.list_record import ListBinding, ListRecord
from hutong.relay.services.identity.rules.records.log_record import Issuance
from hutong.relay.services.identity.rules.seals.claim_tree import ShownClaim, shown_claim_is_sealed
from hutong.relay.services.identity.rules.seals.presentation import Presentation, deadline_is_ahead
from hutong.relay.services.identity.rules.seals.seal import SPEC, Seal
from hutong.relay.services.identity.rules.seals.signatures import holder_signed, seal_is_signed
from hutong.relay.services.identity.rules.status.chunk_tree import (
    ChunkProof,
    chunk_stands_under_root,
    path_has_the_trees_depth,
    status_in_chunk,
)


@dataclass(frozen=True, slots=True)
class ShownSeal:
    """A seal with what goes with it: the issuer's signature, claims, its chunk, and its log entry where its key has ended."""

    seal: Seal
    signature: bytes
    claims: tuple[ShownClaim, ...]
    status: ChunkProof
    logged: Logged | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the hub says of issuer and list under one header. The issuer's chain for the list's schema was judged to hold."""

    issuer: ProvenDid
    listed: ListRecord
    header_time_s: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What the verifier asks: which schema, how old a header, no epoch before the newest that it knows."""

    schema: bytes
    max_age_s: int
    newest_epoch: int = 0
    takes_p256: bool = False
    """Whether a seal by an ES256 key is accepted."""


@rule(SPEC)
def header_is_young_enough(header_time_s: int, max_age_s: int, now_s: int) -> None:
    """The header under which the records stand is at most so old.

    Raises:
        PredicateFailed: it is older.
    """
    if now_s - header_time_s > max_age_s:
        raise PredicateFailed("header_is_young_enough", "too old", got=now_s - header_time_s, expected=max_age_s)


@rule(SPEC)
def epoch_is_not_past(epoch: int, newest_epoch: int) -> None:
    """No later epoch of the issuer is known: what it took back since is not in these records.

    Raises:
        PredicateFailed: a later one is.
    """
    if epoch < newest_epoch:
        raise PredicateFailed("epoch_is_not_past", "of an earlier epoch", got=epoch, expected=newest_epoch)


def sealing_thumbprint(bound: ListBinding) -> bytes:
    """The one key that signs the seals of a list: its key for seals, or its only key where it has none."""
    return bound.seal_thumbprint if any(bound.seal_thumbprint) else bound.key_thumbprint


@rule(SPEC)
def list_is_for_the_schema(bound: ListBinding, schema: bytes) -> None:
    """The list was opened for the credential's schema, or for all.

    Raises:
        PredicateFailed: for another one.
    """
    if bound.schema not in (schema, ANY_SCHEMA):
        raise PredicateFailed("list_is_for_the_schema", "a list for another schema", bound.schema, schema)


@rule(SPEC)
def schema_is_asked_for(schema: bytes, asked: bytes) -> None:
    """The credential is of the schema that the verifier asks for.

    Raises:
        PredicateFailed: it is of another one.
    """
    if schema != asked:
        raise PredicateFailed("schema_is_asked_for", "another schema", got=schema, expected=asked)


@rule(SPEC)
def seal_is_not_over(seal: Seal, now_s: int) -> None:
    """The seal is accepted up to and in its last second.

    Raises:
        PredicateFailed: it is over.
    """
    if now_s > seal.not_after_s:
        raise PredicateFailed("seal_is_not_over", "its last second has passed", got=now_s, expected=seal.not_after_s)


@rule(SPEC)
def algorithm_is_taken(key: KeyRecord, takes_p256: bool) -> None:
    """Seals are signed with secp256k1, or with P-256 where the verifier takes that.

    Raises:
        PredicateFailed: with another curve.
    """
    algorithm = key.key.algorithm
    if algorithm is not KeyAlgorithm.ES256K and not (takes_p256 and algorithm is KeyAlgorithm.ES256):
        raise PredicateFailed("algorithm_is_taken", "a key of a curve that is not taken", got=algorithm.name)


@rule(SPEC)
def status_is_valid(status: int) -> None:
    """The status is 0.

    Raises:
        PredicateFailed: revoked, suspended, or another value.
    """
    if status != 0:
        raise PredicateFailed("status_is_valid", "revoked or suspended", got=status, expected=0)


def purpose_of_seals(key: KeyRecord) -> KeyPurpose:
    """What a key that signs seals must be for. The hub knows no P-256 key for contracts, so one for credentials signs them."""
    return KeyPurpose.SIGNING if key.key.algorithm is KeyAlgorithm.ES256 else KeyPurpose.CONTRACT


def judge_seal(judge: Judge, shown: ShownSeal, standing: Standing, terms: Terms, now_s: int) -> KeyRecord:
    """A seal is good at a time. Returns the record of the key that signed it. The holder is not asked.

    Args:
        now_s: Unix seconds: the clock, or the newest header of the hub that is known where that is later.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MalformedInput: the log entry is not one.
    """
    seal, listed, issuer = shown.seal, standing.listed, standing.issuer
    judge(schema_is_asked_for, seal.schema, terms.schema)
    judge(seal_is_not_over, seal, now_s)
    judge(header_is_young_enough, standing.header_time_s, terms.max_age_s, now_s)
    judge(epoch_is_not_past, issuer.epoch.number, terms.newest_epoch)
    judge(list_is_for_the_schema, listed.bound, seal.schema)
    thumbprint = sealing_thumbprint(listed.bound)
    key = _judge_signer(judge, shown, issuer, thumbprint, terms, now_s)
    number = listed.shape.chunk_of(seal.index)
    judge(path_has_the_trees_depth, listed.shape, shown.status)
    judge(chunk_stands_under_root, listed.root, number, shown.status)
    judge(status_is_valid, status_in_chunk(listed.shape, shown.status.chunk, seal.index))
    for claim in shown.claims:
        judge(shown_claim_is_sealed, claim, seal.claims_root)
    return key


def _judge_signer(
    judge: Judge, shown: ShownSeal, issuer: ProvenDid, thumbprint: bytes, terms: Terms, now_s: int
) -> KeyRecord:
    seal = shown.seal
    key = judge(key_is_the_dids, issuer, thumbprint)
    judge(algorithm_is_taken, key, terms.takes_p256)
    digest = judge(seal_is_signed, seal, shown.signature, key)
    issuance = Issuance(thumbprint, digest)
    judged = Judged(seal.list_number, seal.index, issuance, purpose_of_seals(key), is_seal=True)
    return judge_issued(judge, issuer, judged, now_s, shown.logged)


def judge_presentation(judge: Judge, seal: Seal, presentation: Presentation, signature: bytes, now_s: int) -> None:
    """The seal's holder presents it to this gate for this call.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(deadline_is_ahead, presentation, now_s)
    judge(holder_signed, seal, presentation, signature)
