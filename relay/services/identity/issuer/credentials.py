"""One credential: the SD-JWT VC, the seal beside it, and the log entry that commits to both. Indices and randomness come in."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hutong.light_clients.crypto import sha256
from hutong.relay.services.identity.issuer.keys import CredentialKey
from hutong.relay.services.identity.issuer.settings import MAX_TYPES, CredentialConfig, schema_bytes
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, VerificationKey, encode_base64url
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.sd_jwt import CredentialDraft, issue_credential
from hutong.relay.services.identity.rules.seals.claim_tree import claims_root
from hutong.relay.services.identity.rules.seals.claims import MAX_VALUE_BYTES, Claim, ClaimValue
from hutong.relay.services.identity.rules.seals.seal import SEAL_DOMAIN, Seal, seal_struct_hash, typed_digest
from hutong.relay.services.identity.rules.seals.seal_file import SealedCredential, seal_json

DAY_S = 86_400
SALT_BYTES = 16
SEAL_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class SealKey:
    """What signs seals, under which name on the hub, and of which issuer (the 32 bytes of its DID).

    `sign` gives 65 bytes over the domain separator and a struct's hash of EIP-712. It blocks: credentials are made in a thread.
    """

    sign: Callable[[bytes, bytes], bytes] = field(repr=False)
    thumbprint: bytes
    issuer: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where the status of one credential stands."""

    list_number: int
    index: int
    uri: str


@dataclass(frozen=True, slots=True)
class Issued:
    """What a wallet is handed, and the log entry's bytes."""

    credential: str
    seal: JsonObject | None
    entry: bytes


@dataclass(frozen=True, slots=True)
class Validity:
    """Unix seconds. Both are whole days, so that they tell nothing of when somebody was issued a credential."""

    issued_s: int
    expires_s: int


def validity_from(now_s: int, days: int) -> Validity:
    """From the beginning of today, UTC, to the end of the last of `days` days after it."""
    today_s = now_s - now_s % DAY_S
    return Validity(today_s, today_s + (days + 1) * DAY_S)


@dataclass(frozen=True, slots=True)
class CredentialMaker:
    """Makes credentials of one issuer. `random_bytes` draws salts."""

    issuer: str
    key: CredentialKey
    seal_key: SealKey | None
    random_bytes: Callable[[int], bytes]
    hidden: dict[str, frozenset[str]] = field(default_factory=dict)
    """Names of the claims that a type hides, by its identifier; looked up once for many credentials."""

    def make(
        self,
        config: CredentialConfig,
        claims: Mapping[str, JsonValue],
        holder: VerificationKey,
        place: Place,
        validity: Validity,
        seal_holder: bytes | None = None,
    ) -> Issued:
        """One credential of a type, bound to the holder's key.

        Args:
            claims: as `CredentialConfig.checked` returned them.
            seal_holder: address of 20 bytes for which a seal is made beside it.

        Raises:
            MalformedInput, PredicateFailed: claims that no credential can have; a bug of whoever checked them.
        """
        hidden = self.hidden.get(config.id)
        if hidden is None:
            hidden = self.hidden[config.id] = frozenset(one.name for one in config.claims if one.hidden)
        body: JsonObject = {
            "iss": self.issuer,
            "vct": config.vct,
            "iat": validity.issued_s,
            "exp": validity.expires_s,
            "cnf": {"jwk": holder.public_jwk()},
            "status": {"status_list": {"idx": place.index, "uri": place.uri}},
        }
        if config.schema_hash is not None:
            # Who judges by the hub's records knows by it for which schema the issuer has to be accredited.
            body["vct#integrity"] = _integrity(config.schema_hash)
        body.update(claims)
        draft = CredentialDraft(body, header=self.key.credential_header, hidden=hidden)
        issued = issue_credential(draft, self._salts(len(hidden)), self.key.sign)
        credential = Issuance(self.key.thumbprint, sha256(issued.issuer_jwt.encode()))
        sealed, entry = None, LogEntry(place.list_number, place.index, credential)
        if self.seal_key is not None and seal_holder is not None and config.schema_hash is not None:
            sealed, issuance = self._seal(self.seal_key, config, claims, place, validity, seal_holder)
            entry = LogEntry(place.list_number, place.index, credential, issuance)
        return Issued(str(issued), sealed, encode_log_entry(entry))

    def _salts(self, count: int) -> Iterator[str]:
        drawn = self.random_bytes(count * SALT_BYTES)
        return iter([encode_base64url(drawn[at : at + SALT_BYTES]) for at in range(0, len(drawn), SALT_BYTES)])

    def _seal(
        self,
        seal_key: SealKey,
        config: CredentialConfig,
        claims: Mapping[str, JsonValue],
        place: Place,
        validity: Validity,
        holder: bytes,
    ) -> tuple[JsonObject, Issuance]:
        kept = {name: value for name, value in claims.items() if can_be_sealed(value)}
        drawn = self.random_bytes(len(kept) * SEAL_SALT_BYTES)
        leaves = tuple(
            Claim(name, _sealed_value(value), drawn[at * SEAL_SALT_BYTES : (at + 1) * SEAL_SALT_BYTES])
            for at, (name, value) in enumerate(kept.items())
        )
        seal = Seal(
            schema_bytes(config.schema_hash),
            seal_key.issuer,
            place.list_number,
            place.index,
            validity.expires_s - 1,
            holder,
            claims_root(leaves),
        )
        struct_hash = seal_struct_hash(seal)
        signature = seal_key.sign(SEAL_DOMAIN, struct_hash)
        sealed = SealedCredential(seal, seal_key.thumbprint, signature, leaves)
        return seal_json(sealed), Issuance(seal_key.thumbprint, typed_digest(SEAL_DOMAIN, struct_hash))


@lru_cache(maxsize=MAX_TYPES)
def _integrity(schema_hash: str) -> str:
    """As `vct#integrity` has it (W3C Subresource Integrity)."""
    return f"sha256-{b64encode(schema_bytes(schema_hash)).decode()}"


def can_be_sealed(value: JsonValue) -> bool:
    """Whether a seal has a kind for it: a boolean, an integer, or a text of at most MAX_VALUE_BYTES bytes."""
    if isinstance(value, str):
        return len(value.encode()) <= MAX_VALUE_BYTES
    return isinstance(value, (bool, int))


def _sealed_value(value: JsonValue) -> ClaimValue:
    if not isinstance(value, (bool, int, str)):
        raise TypeError("what can be sealed is a boolean, an integer or a text")
    return value
