"""One acceptance of a credential, whole: an issuer three levels below governance, records proven under a hub of four validators."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from hutong.light_clients.crypto import eth_address, secp256k1, sha256
from hutong.light_clients.proofs.merkle.proof import prove_leaf
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.archive.acceptance import (
    Acceptance,
    HolderCall,
    SealedClaim,
    ShownChunk,
    ShownEntry,
    ShownPresentation,
    ShownSeal,
    encode_acceptance,
)
from hutong.relay.archive.shared_records import acceptance_of_records
from hutong.relay.audit.identity import AcceptanceAuditor, AcceptanceReport, AcceptanceTerms
from hutong.relay.audit.identity.seals import words_of_seal
from hutong.relay.services.identity.rules.jose import encode_base64url
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
from hutong.relay.services.identity.rules.records.key_record import (
    NO_ACCOUNT,
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyState,
    KeyUse,
    PublicKey,
    encode_key_record,
)
from hutong.relay.services.identity.rules.records.list_record import ListBinding, ListRecord, encode_list_record
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.records.policy_record import Controllers, PolicyRecord, encode_policy_record
from hutong.relay.services.identity.rules.sd_jwt import (
    CompactSdJwt,
    CredentialDraft,
    Hidden,
    bind_to_holder,
    issue_credential,
    select_disclosures,
)
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Gate,
    Presentation,
    Seal,
    claims_root,
    disclose,
    presentation_digest,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, layers_of, prove_chunk
from tests.relay.audit.records.shown_records import Hub, hub_time_s
from tests.relay.services.identity.rules.actors import AUDIENCE, HOLDER_KEY, NONCE, Signer, salts

ROOT, MIDDLE, ISSUER, OTHER = (sha256(name) for name in (b"root", b"middle", b"issuer", b"another issuer"))
SCHEMA, OTHER_SCHEMA = bytes([0x44]) * 32, bytes([0x45]) * 32
SIGNING, STOLEN = Signer(0xA11CE), Signer(0xBAD)
SEALING_SECRET, LOGGING_SECRET = bytes(31) + b"\x05", bytes(31) + b"\x06"
SHAPE = TreeShape(1, 2**20)
INDEX = 495_669
REVOKED = 700_000
MOMENT = Moment(2, hub_time_s() - 3_600)
HOLDER_SECRET = bytes(31) + b"\x09"
SEALED_CLAIMS = {"age_over_18": True, "birth_date": 7_335, "family_name": "Mustermann"}
URI = "https://status.example/lists/0"
VCT = "https://credentials.example/licence"


def p256(signer: Signer) -> PublicKey:
    coordinates = signer.public.coordinates
    return PublicKey(KeyAlgorithm.ES256, coordinates[:32], coordinates[32:])


def k256(secret: bytes) -> PublicKey:
    point = secp256k1.decompress(secp256k1.public_key_of(secret))
    assert point is not None
    return PublicKey(KeyAlgorithm.ES256K, *(number.to_bytes(32, "big") for number in point))


def key_record(key: PublicKey, purposes: KeyPurpose, end: KeyEnd = KeyEnd(), **use: Any) -> KeyRecord:
    account = NO_ACCOUNT
    if key.algorithm is KeyAlgorithm.ES256K:
        account = eth_address(secp256k1.compress(b"\x04" + key.x + key.y) or b"") or NO_ACCOUNT
    return KeyRecord(key, account, KeyUse(purposes, MOMENT.time_s, **use), end, 0, MOMENT)


def did_record(**counts: int) -> DidRecord:
    return DidRecord(Document(), DidState.ACTIVE, 3, Counts(**counts), MOMENT, MOMENT)


def accreditation(accreditor: bytes, depth: int, schema: bytes = SCHEMA) -> AccreditationRecord:
    parent = keys.ANY_SCHEMA if accreditor == GOVERNANCE else schema
    grant = Grant(accreditor, parent, depth, 1, 2**40)
    return AccreditationRecord(grant, AccreditationState.ACTIVE, MOMENT)


def octets() -> bytes:
    data = bytearray(SHAPE.size // 8)
    data[REVOKED // 8] |= 1 << REVOKED % 8
    return bytes(data)


LAYERS = layers_of(SHAPE, octets())


@dataclass(frozen=True)
class World:
    """What the hub holds, and what the issuer, the holder and the verifier did. Each test changes what it is about."""

    keys: Mapping[bytes, KeyRecord] = field(
        default_factory=lambda: {
            thumbprint(p256(SIGNING)): key_record(p256(SIGNING), KeyPurpose.SIGNING),
            thumbprint(k256(SEALING_SECRET)): key_record(k256(SEALING_SECRET), KeyPurpose.CONTRACT),
            thumbprint(k256(LOGGING_SECRET)): key_record(k256(LOGGING_SECRET), KeyPurpose.LOG),
        }
    )
    levels: Mapping[bytes, AccreditationRecord] = field(
        default_factory=lambda: {
            ROOT: accreditation(GOVERNANCE, 4),
            MIDDLE: accreditation(ROOT, 1),
            ISSUER: accreditation(MIDDLE, 0),
        }
    )
    lists: Mapping[int, ListRecord] = field(default_factory=lambda: {0: list_record()})
    epoch: int = 5
    more: Mapping[bytes, bytes] = field(default_factory=dict)
    """Of other people's, or left-overs: they fill the tree."""
    signer: Signer = SIGNING
    sealer: bytes = SEALING_SECRET
    claims: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    index: int = INDEX
    audience: str = AUDIENCE
    nonce: str = NONCE
    logged: bool = False
    state: DidState = DidState.ACTIVE

    def but(self, **changes: Any) -> "World":
        return replace(self, **changes)

    # --- the issuer's and the holder's side

    @cached_property
    def issued(self) -> CompactSdJwt:
        now_s = hub_time_s()
        claims = {
            "iss": f"did:hutong:hutong:{ISSUER.hex()}",
            "vct": VCT,
            "vct#integrity": "sha256-" + _base64(SCHEMA),
            "iat": now_s - 86_400,
            "exp": now_s + 86_400,
            "cnf": {"jwk": HOLDER_KEY.jwk},
            "status": {"status_list": {"idx": self.index, "uri": URI}},
            "given_name": Hidden("Erika"),
            "family_name": Hidden("Mustermann"),
            "birth_date": Hidden("1990-01-31"),
            **self.claims,
        }
        draft = CredentialDraft(
            {name: one for name, one in claims.items() if one is not None}, header=dict(self.header)
        )
        return issue_credential(draft, salts(), self.signer.sign)

    @cached_property
    def presented(self) -> str:
        shown = select_disclosures(self.issued, [("given_name",), ("birth_date",)])
        return str(bind_to_holder(shown, AUDIENCE, NONCE, hub_time_s() - 5, HOLDER_KEY.sign))

    @property
    def entry(self) -> bytes:
        issuance = Issuance(self.signer.public.thumbprint(), sha256(self.issued.issuer_jwt.encode()))
        return encode_log_entry(LogEntry(0, self.index, issuance))

    @property
    def leaves(self) -> list[bytes]:
        """Of a log of 2^20 - 1 entries, by repeated neighbours: the path has 20 hashes."""
        return [leaf_hash(b"%d" % number) for number in range(7)] + [leaf_hash(self.entry)]

    @property
    def log_end(self) -> KeyEnd:
        """The end of a key whose last entry is the credential's."""
        return KeyEnd(KeyState.RETIRED, hub_time_s() - 60, len(self.leaves), root_of_leaves(self.leaves))

    # --- the hub's side

    @cached_property
    def records(self) -> dict[bytes, bytes]:
        active = sum(one.end.state is KeyState.ACTIVE for one in self.keys.values())
        did = replace(did_record(keys=len(self.keys), active_keys=active, lists=1), state=self.state)
        return {
            keys.did_key(ISSUER): encode_did_record(did),
            keys.policy_key(ISSUER): encode_policy_record(PolicyRecord(Controllers(1, (bytes([1]) * 20,)))),
            keys.epoch_key(ISSUER): encode_epoch_record(EpochRecord(self.epoch, MOMENT)),
            **{keys.key_key(ISSUER, name): encode_key_record(one) for name, one in self.keys.items()},
            **{keys.list_key(ISSUER, number): encode_list_record(one) for number, one in self.lists.items()},
            **{keys.did_key(one): encode_did_record(did_record(keys=2, active_keys=2)) for one in (ROOT, MIDDLE)},
            **{
                keys.accreditation_key(one, SCHEMA): encode_accreditation_record(level)
                for one, level in self.levels.items()
            },
        }

    @cached_property
    def hub(self) -> Hub:
        return Hub({**self.more, **self.records})

    # --- what is shown

    @cached_property
    def acceptance(self) -> Acceptance:
        bundle = self.hub.bundle(*self.records)
        proven = prove_chunk(LAYERS, SHAPE.chunk_of(self.index))
        entry = None
        if self.logged:
            place = len(self.leaves) - 1
            entry = ShownEntry(self.entry, place, prove_leaf(self.leaves, place).aunts)
        shown = ShownPresentation(self.presented, self.audience, self.nonce)
        return acceptance_of_records(bundle, ISSUER, shown, ShownChunk(proven.chunk, proven.siblings), entry)

    @cached_property
    def sealed(self) -> Acceptance:
        """The same issuance, presented to a gate as a seal."""
        claims = tuple(Claim(name, value, sha256(name.encode())) for name, value in SEALED_CLAIMS.items())
        seal = Seal(SCHEMA, ISSUER, 0, self.index, later(86_400), eth_account(HOLDER_SECRET), claims_root(claims))
        return self.sealed_as(seal, claims)

    def sealed_as(self, seal: Seal, claims: tuple[Claim, ...], **changes: Any) -> Acceptance:
        """Any seal, signed by `sealer`, its holder's call with changes."""
        said = Presentation(
            Gate(31_337, bytes([0xA7]) * 20), bytes([0xCA]) * 20, 7, later(60), seal_digest(seal), bytes([0xCD]) * 32
        )
        said = replace(said, **changes)
        shown = []
        for one in disclose(claims, ("age_over_18",)):
            salt, name_hash, kind, value, path = one.members()
            shown.append(SealedClaim(salt, name_hash, kind, value, tuple(path)))
        call = HolderCall(
            said.gate.chain_id,
            said.gate.address,
            said.caller,
            said.nonce,
            said.deadline_s,
            said.call_hash,
            sign_account(HOLDER_SECRET, presentation_digest(said)),
        )
        presented = ShownSeal(words_of_seal(seal), sign_account(self.sealer, seal_digest(seal)), tuple(shown), call)
        return replace(self.acceptance, shown=presented)

    def auditor(self, **terms: Any) -> AcceptanceAuditor:
        return AcceptanceAuditor.of(self.hub.checkpoint(), self.hub.now_ns, AcceptanceTerms(**terms))

    def audit(self, data: bytes | None = None, **terms: Any) -> AcceptanceReport:
        return self.auditor(**terms).audit(encode_acceptance(self.acceptance) if data is None else data)


def eth_account(secret: bytes) -> bytes:
    found = eth_address(secp256k1.public_key_of(secret))
    assert found is not None
    return found


def list_record(**bound: Any) -> ListRecord:
    said = {
        "key_thumbprint": thumbprint(p256(SIGNING)),
        "schema": SCHEMA,
        "seal_thumbprint": thumbprint(k256(SEALING_SECRET)),
        **bound,
    }
    return ListRecord(LAYERS[-1][0], SHAPE, ListBinding(**said), MOMENT.time_s, 0, bytes([7]) * 32, 4, MOMENT)


def _base64(data: bytes) -> str:
    text = encode_base64url(data).replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)


def filling(count: int) -> dict[bytes, bytes]:
    """Records of `count` other DIDs."""
    return {keys.did_key(sha256(b"%d" % number)): b"\x01" + bytes(448) for number in range(count)}


def later(seconds: int) -> int:
    """`seconds` after the header of every world."""
    return hub_time_s() + seconds
