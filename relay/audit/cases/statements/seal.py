"""Statements of kind `seal`: a credential that its holder presented to a contract, and what the hub's records say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VERIFY, Judge, PredicateFailed, rule
from hutong.light_clients.interface.document import Document, Members
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.relay.archive.bundle import CHAIN_ID
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey
from hutong.relay.audit.cases.statements.form import SPEC, bundle_id
from hutong.relay.audit.cases.statements.state import MAX_TIME_S
from hutong.relay.audit.cases.statements.words import base64_text
from hutong.relay.audit.records.states import BelievedState
from hutong.relay.services.identity.rules.organisations.resolving import (
    ProvenDid,
    judge_accreditation,
    judge_did,
    record_is_present,
    record_is_shown,
)
from hutong.relay.services.identity.rules.records.keys import list_key
from hutong.relay.services.identity.rules.records.list_record import ListRecord, decode_list_record
from hutong.relay.services.identity.rules.seals.accepting import (
    ShownSeal,
    Standing,
    Terms,
    judge_presentation,
    judge_seal,
)
from hutong.relay.services.identity.rules.seals.claim_tree import MAX_CLAIMS, MAX_PATH, ShownClaim
from hutong.relay.services.identity.rules.seals.claims import (
    MAX_NAME_BYTES,
    MAX_VALUE_BYTES,
    ClaimBytes,
    ClaimKind,
    ClaimValue,
    claim_name_hash,
    decode_claim_value,
)
from hutong.relay.services.identity.rules.seals.presentation import Gate, Presentation
from hutong.relay.services.identity.rules.seals.seal import MAX_LIST_NUMBER, Seal, seal_digest
from hutong.relay.services.identity.rules.seals.signatures import SIGNATURE_BYTES
from hutong.relay.services.identity.rules.status.chunk_tree import MAX_LIST_SIZE, ChunkProof

SEAL = "seal"
MAX_SIBLINGS = 16
MAX_NONCE_DIGITS = 78
REFUSALS = ("accreditation_counts", "accreditation_exists", "status_is_valid")
"""Rules by which records alone refuse a seal, whatever is shown beside: it may be stated that one of them did."""


@dataclass(frozen=True, slots=True)
class NamedClaim:
    """A claim that is shown, with its name: a contract has the name's hash alone."""

    name: str
    shown: ShownClaim

    @property
    def value(self) -> ClaimValue:
        """What it says."""
        return decode_claim_value(self.shown.value.kind, self.shown.value.data)


@dataclass(frozen=True, slots=True)
class SealStatement:
    """The seal was good under the records of a bundle of hub `chain_id`, whose header is of `time_s`; or `refused_by` a rule."""

    id: str
    bundle: str
    chain_id: str
    time_s: int
    refused_by: str | None
    seal: Seal
    signature: bytes
    claims: tuple[NamedClaim, ...]
    status: ChunkProof
    presentation: Presentation
    presented: bytes
    """The holder's signature over the presentation."""

    @property
    def shown_seal(self) -> ShownSeal:
        """As the rules of seals take it."""
        return ShownSeal(self.seal, self.signature, tuple(claim.shown for claim in self.claims), self.status)


@dataclass(frozen=True, slots=True)
class ShownCredential:
    """`digest` names the seal. Of one that was refused nothing else is known than by which rule."""

    statement: SealStatement
    digest: bytes
    claims: Mapping[str, ClaimValue]

    @property
    def holds(self) -> bool:
        """Whether it was good."""
        return self.statement.refused_by is None


def seal_fields(statement: SealStatement) -> dict[str, Any]:
    """As it stands in JSON, without id and kind."""
    seal, asked = statement.seal, statement.presentation
    return {
        "bundle": statement.bundle,
        "chain_id": statement.chain_id,
        "time_s": statement.time_s,
        "refused_by": statement.refused_by,
        "seal": {
            "schema": base64_text(seal.schema),
            "issuer": base64_text(seal.issuer),
            "list": seal.list_number,
            "index": seal.index,
            "not_after_s": seal.not_after_s,
            "holder": base64_text(seal.holder),
            "claims_root": base64_text(seal.claims_root),
        },
        "signature": base64_text(statement.signature),
        "claims": [_claim_fields(claim) for claim in statement.claims],
        "chunk": base64_text(statement.status.chunk),
        "siblings": [base64_text(node) for node in statement.status.siblings],
        "presentation": {
            "chain_id": asked.gate.chain_id,
            "gate": base64_text(asked.gate.address),
            "caller": base64_text(asked.caller),
            "nonce": str(asked.nonce),
            "deadline_s": asked.deadline_s,
            "call": base64_text(asked.call_hash),
            "signature": base64_text(statement.presented),
        },
    }


def _claim_fields(claim: NamedClaim) -> dict[str, Any]:
    return {
        "name": claim.name,
        "kind": int(claim.shown.value.kind),
        "value": base64_text(claim.shown.value.data),
        "salt": base64_text(claim.shown.salt),
        "path": [base64_text(node) for node in claim.shown.path],
    }


def read_seal(name: str, fields: Members) -> SealStatement:
    """Inverse of `seal_fields`.

    Raises:
        MalformedInput: naming the field.
    """
    refused = fields["refused_by"].nullable()
    if refused is not None and refused.value not in REFUSALS:
        raise refused.refused("is no rule by which records refuse a seal", refused.value, list(REFUSALS))
    with fields["seal"].members() as said:
        seal = Seal(
            _hash(said["schema"]),
            _hash(said["issuer"]),
            said["list"].integer(0, MAX_LIST_NUMBER),
            said["index"].integer(0, MAX_LIST_SIZE - 1),
            said["not_after_s"].integer(1, MAX_UINT64),
            said["holder"].base64(ADDRESS_BYTES),
            _hash(said["claims_root"]),
        )
    claims = tuple(_read_claim(one) for one in fields["claims"].items(MAX_CLAIMS))
    presentation, presented = _read_presentation(seal, fields["presentation"])
    return SealStatement(
        name,
        bundle_id(fields["bundle"]),
        fields["chain_id"].matching(CHAIN_ID, "a chain id"),
        fields["time_s"].integer(0, MAX_TIME_S),
        None if refused is None else str(refused.value),
        seal,
        fields["signature"].base64(SIGNATURE_BYTES),
        claims,
        ChunkProof(_hash(fields["chunk"]), tuple(_hash(one) for one in fields["siblings"].items(MAX_SIBLINGS))),
        presentation,
        presented,
    )


def _hash(document: Document) -> bytes:
    data = document.base64(HASH_BYTES)
    if len(data) != HASH_BYTES:
        raise document.refused(f"is not {HASH_BYTES} bytes", len(data), HASH_BYTES)
    return data


def _read_claim(document: Document) -> NamedClaim:
    with document.members() as fields:
        name, kind = fields["name"].ascii(MAX_NAME_BYTES, 1), fields["kind"].integer(1, max(ClaimKind))
        value = ClaimBytes(ClaimKind(kind), fields["value"].base64(MAX_VALUE_BYTES))
        path = tuple(_hash(one) for one in fields["path"].items(MAX_PATH))
        claim = NamedClaim(name, ShownClaim(_hash(fields["salt"]), claim_name_hash(name), value, path))
    _ = claim.value
    return claim


def _read_presentation(seal: Seal, document: Document) -> tuple[Presentation, bytes]:
    with document.members() as fields:
        gate = Gate(fields["chain_id"].integer(1, 2**53 - 1), fields["gate"].base64(ADDRESS_BYTES))
        nonce = fields["nonce"].decimal(0, 2**256 - 1)
        deadline_s = fields["deadline_s"].integer(1, MAX_UINT64)
        caller, call = fields["caller"].base64(ADDRESS_BYTES), _hash(fields["call"])
        presentation = Presentation(gate, caller, nonce, deadline_s, seal_digest(seal), call)
        return presentation, fields["signature"].base64(SIGNATURE_BYTES)


@rule(SPEC)
def records_are_of_the_hub(statement: SealStatement, bundle: RecordBundle, state: BelievedState) -> None:
    """The bundle is of the statement's hub, under a header of the statement's time.

    Raises:
        PredicateFailed: it is of another hub or time.
    """
    got = (bundle.chain.chain_id, state.time_ns // NANOSECONDS_PER_SECOND)
    expected = (statement.chain_id, statement.time_s)
    if got != expected:
        raise PredicateFailed("records_are_of_the_hub", "the records are of another hub or time", got, expected)


@rule(SPEC)
def issuer_is_registered(issuer: ProvenDid | None) -> ProvenDid:
    """The hub has the issuer's DID. Returns what it says of it.

    Raises:
        PredicateFailed: it is proven that it has not.
    """
    if issuer is None:
        raise PredicateFailed("issuer_is_registered", "the hub has no such DID")
    return issuer


@rule(SPEC)
def claims_are_named_once(claims: Sequence[NamedClaim]) -> dict[str, ClaimValue]:
    """No claim is shown twice. Returns them by name.

    Raises:
        PredicateFailed: one is.
    """
    found = {claim.name: claim.value for claim in claims}
    if len(found) != len(claims):
        raise PredicateFailed("claims_are_named_once", "a claim is shown twice", len(claims), len(found))
    return found


@rule(SPEC)
def refused_by_the_rule(statement: SealStatement, refusal: str | None) -> None:
    """The rule that the statement names refused the seal.

    Raises:
        PredicateFailed: it was good, or another rule refused it.
    """
    if refusal != statement.refused_by:
        raise PredicateFailed("refused_by_the_rule", "it was not refused so", refusal or "good", statement.refused_by)


def judge_sealed(judge: Judge, statement: SealStatement, bundle: RecordBundle, state: BelievedState) -> ShownCredential:
    """Everything that the hub's records say of the seal, and that its holder presented it.

    Args:
        bundle: judged; `state` is what the judgement found.

    Raises:
        VerificationError: the first rule that does not hold.
    """
    judge(records_are_of_the_hub, statement, bundle, state)
    proven = {one.what.key: one.value for one in bundle.statements if isinstance(one.what, RecordKey)}
    digest = seal_digest(statement.seal)
    if statement.refused_by is not None:
        judge(refused_by_the_rule, statement, _refusal(statement, proven))
        return ShownCredential(statement, digest, {})
    _judge_good(judge, statement, proven)
    judge_presentation(judge, statement.seal, statement.presentation, statement.presented, statement.time_s)
    return ShownCredential(statement, digest, judge(claims_are_named_once, statement.claims))


def _refusal(statement: SealStatement, proven: Mapping[bytes, bytes | None]) -> str | None:
    try:
        _judge_good(VERIFY, statement, proven)
    except PredicateFailed as error:
        return error.predicate
    return None


def _judge_good(judge: Judge, statement: SealStatement, proven: Mapping[bytes, bytes | None]) -> None:
    seal, time_s = statement.seal, statement.time_s
    issuer = judge(issuer_is_registered, judge_did(judge, seal.issuer, proven))
    listed = _list_of(judge, seal, proven)
    judge_accreditation(judge, seal.issuer, listed.bound.schema, time_s, proven)
    judge_seal(judge, statement.shown_seal, Standing(issuer, listed, time_s), Terms(seal.schema, 0), time_s)


def _list_of(judge: Judge, seal: Seal, proven: Mapping[bytes, bytes | None]) -> ListRecord:
    key = list_key(seal.issuer, seal.list_number)
    return decode_list_record(judge(record_is_present, judge(record_is_shown, proven, key), key))
