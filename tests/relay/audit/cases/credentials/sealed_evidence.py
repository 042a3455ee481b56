"""Evidence of a credential: what a simulated hub's records say of its issuer, and a seal that its holder presents."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.cases import CaseAuditor, CaseTrust, Evidence, encode_evidence
from hutong.relay.audit.cases.statements import NamedClaim, SealStatement, ShownCredential, ShownMessage
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    GOVERNANCE,
    AccreditationRecord,
    AccreditationState,
    Grant,
    encode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import (
    Counts,
    DidRecord,
    DidState,
    Document,
    Moment,
    encode_did_record,
)
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, encode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, encode_key_record
from hutong.relay.services.identity.rules.records.list_record import ListBinding, ListRecord, encode_list_record
from hutong.relay.services.identity.rules.records.policy_record import (
    Controllers,
    PolicyRecord,
    encode_policy_record,
)
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Gate,
    Presentation,
    Seal,
    ShownClaim,
    claims_root,
    disclose,
    presentation_digest,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, layers_of, list_root, prove_chunk
from tests.relay.audit.records.shown_records import Hub, hub_time_s
from tests.relay.services.identity.rules.seals.sample_seals import (
    HOLDER_SECRET,
    ISSUER_SECRET,
    account_of,
    filled,
    record_of,
)

ISSUER, ROOT, SCHEMA = filled(0xA1), filled(0xA2), filled(0x44)
WRITER_SECRET = (3).to_bytes(32, "big")
ANY = bytes(32)
SHAPE = TreeShape(1, 1_024)
NOW_S = hub_time_s()
GATE = Gate(7_101, filled(0x77, 20))
GRANTED = Moment(2, NOW_S - 50)


def octets(*revoked: int) -> bytes:
    """A list in which these indices are revoked."""
    data = bytearray(SHAPE.size // 8)
    for index in revoked:
        data[index // 8] |= 1 << index % 8
    return bytes(data)


def did(key_count: int) -> bytes:
    counts = Counts(keys=key_count, active_keys=key_count, lists=1, schemas=0, accreditations=0)
    return encode_did_record(DidRecord(Document(bytes(32), 0, bytes(32)), DidState.ACTIVE, 0, counts, GRANTED, GRANTED))


def accredited(accreditor: bytes, depth: int, state: AccreditationState = AccreditationState.ACTIVE) -> bytes:
    revoked_s = NOW_S - 10 if state is AccreditationState.REVOKED else 0
    grant = Grant(accreditor, ANY, depth, 0, 2**64 - 1)
    return encode_accreditation_record(AccreditationRecord(grant, state, GRANTED, revoked_s))


def records(*revoked: int, issuer_secret: bytes = ISSUER_SECRET) -> dict[bytes, bytes]:
    """What a hub holds of the issuer; the indices of its list 0 that are revoked."""
    signing, writing = record_of(issuer_secret), record_of(WRITER_SECRET, KeyPurpose.LOG)
    policy = PolicyRecord(Controllers(1, (filled(0x31, 20),)))
    bound = ListBinding(thumbprint(signing.key), ANY)
    listed = ListRecord(
        list_root(SHAPE, octets(*revoked)), SHAPE, bound, NOW_S - 40, 0, bytes(32), len(revoked), GRANTED
    )
    return {
        keys.did_key(ISSUER): did(2),
        keys.did_key(ROOT): did(1),
        keys.policy_key(ISSUER): encode_policy_record(policy),
        keys.epoch_key(ISSUER): encode_epoch_record(EpochRecord(1 + len(revoked), GRANTED)),
        keys.key_key(ISSUER, thumbprint(signing.key)): encode_key_record(signing),
        keys.key_key(ISSUER, thumbprint(writing.key)): encode_key_record(writing),
        keys.list_key(ISSUER, 0): encode_list_record(listed),
        keys.accreditation_key(ISSUER, ANY): accredited(ROOT, 0),
        keys.accreditation_key(ROOT, ANY): accredited(GOVERNANCE, 4),
    }


def claimed(values: Mapping[str, object]) -> tuple[Claim, ...]:
    """Claims with salts of the tests' own."""
    return tuple(Claim(name, value, filled(number)) for number, (name, value) in enumerate(values.items(), 1))


@dataclass(frozen=True)
class Made:
    """What a wallet and an issuer made, with what a test changes."""

    claims: Mapping[str, object]
    shown: tuple[str, ...]
    index: int = 5
    revoked: tuple[int, ...] = ()
    schema: bytes = SCHEMA
    issuer_secret: bytes = ISSUER_SECRET
    holder_secret: bytes = HOLDER_SECRET
    gate: Gate = GATE
    call: bytes = filled(0x99)

    def statement(self, name: str = "diploma", bundle: str = "hub", **changed: object) -> SealStatement:
        claims = claimed(self.claims)
        holder = account_of(self.holder_secret)
        seal = Seal(self.schema, ISSUER, 0, self.index, NOW_S + 1_000, holder, claims_root(claims))
        asked = Presentation(self.gate, holder, 1, NOW_S + 600, seal_digest(seal), self.call)
        named = tuple(
            NamedClaim(one.claim.name, ShownClaim.of(one.members())) for one in disclose(claims, list(self.shown))
        )
        made = SealStatement(
            name,
            bundle,
            "hutong-1",
            NOW_S,
            None,
            seal,
            sign_account(self.issuer_secret, seal_digest(seal)),
            named,
            prove_chunk(layers_of(SHAPE, octets(*self.revoked)), SHAPE.chunk_of(self.index)),
            asked,
            sign_account(self.holder_secret, presentation_digest(asked)),
        )
        return replace(made, **changed)


DIPLOMA = Made({"degree": "M.Sc.", "year": 2031, "birth_date": 4_000, "name": "Ada"}, ("degree", "year"))


def sum_up(inquiry, shown, trust):
    """The tests' case: what was shown of each credential, or by which rule it was refused."""
    found = shown.of_kind(ShownCredential)
    return {name: dict(one.claims) if one.holds else one.statement.refused_by for name, one in found.items()}


def evidence(*statements: SealStatement, held: Mapping[bytes, bytes] | None = None, **conclusion: object):
    """Evidence of these seals under one bundle, and an auditor who has the hub's checkpoint."""
    hub = Hub(records() if held is None else held)
    bundles = {"hub": encode_record_bundle(hub.bundle(*hub.records))}
    made = Evidence("diplomas", tuple(sorted(statements, key=lambda one: one.id)), bundles, conclusion)
    return made, CaseAuditor((hub.checkpoint(),), CaseTrust("hutong-1", {}), hub.now_ns, {"diplomas": sum_up})


def refusal(*statements: SealStatement, held: Mapping[bytes, bytes] | None = None, **conclusion: object) -> str | None:
    """The rule that refuses such evidence; None where it holds."""
    made, auditor = evidence(*statements, held=held, **conclusion)
    failure = auditor.audit(encode_evidence(made)).failure
    return None if failure is None else failure.check.name


def between(message: ShownMessage, source: str, destination: str) -> ShownMessage:
    """The message as if it had gone from one chain to another, by their ids."""
    first, *middle, last = message.bundle.legs
    legs = (replace(first, source_chain_id=source), *middle, replace(last, destination_chain_id=destination))
    return replace(message, bundle=replace(message.bundle, legs=legs))
