"""The `[issuer]` table of `identity.toml`.

Example:

    [issuer]
    name = "City of Example"
    key = "issuer.pem"                      # P-256, PKCS #8, mode 0600; or a key's table (docs/keys.md)
    certificates = "issuer-chain.pem"       # its certificate first, without the anchor
    # wallet_providers = "providers.pem"    # who attests wallets; then others are refused
    redirect_uris = ["http://127.0.0.1:9999/callback"]

    [issuer.hub]                            # without it nothing of it stands on a hub
    did = "did:hutong:hutong:6d…"
    chain_id = "hutong-1"
    rpc = ["http://127.0.0.1:8545"]
    consensus_rpc = ["http://127.0.0.1:26657"]
    account = { keystore = "keys/log.json", password_file = "keys/password" }
    seal_account = { keystore = "keys/seal.json", password_file = "keys/password" }

    [[issuer.credentials]]
    id = "residence"
    vct = "https://id.example/types/residence"
    name = "Certificate of residence"
    schema_hash = "sha256:44…"              #  of its schema's file: seals are for a schema
    claims = [
        { name = "given_name", mandatory = true },
        { name = "district", hidden = false },
    ]
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from hutong.light_clients.interface import MalformedInput
from hutong.relay.config import AnyKeyConfig, Problem, TokenKeyConfig, key_problems, token_key_file_problems
from hutong.relay.config.fields import FilePath, Model
from hutong.relay.services.identity.daemon.hub_access import HubAccess
from hutong.relay.services.identity.rules.jose import JsonValue, write_json
from hutong.relay.services.identity.rules.openid4vci.metadata import ClaimDescription, CredentialConfiguration
from hutong.relay.services.identity.rules.sd_jwt.credential_type import NEVER_DISCLOSED, W3C_MEMBERS
from hutong.relay.services.identity.rules.sd_jwt.disclosures import RESERVED_NAMES

MAX_TYPES = 256
MAX_CLAIMS = 64
MAX_CLAIMS_BYTES = 16 * 1024
"""Of one credential, as JSON."""
LOCALE = "en"
_RESERVED = {"iss", "vct", "iat", "exp", "nbf", "cnf", "status", "sub", *NEVER_DISCLOSED, *W3C_MEMBERS, *RESERVED_NAMES}

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Shown = Annotated[str, Field(min_length=1, max_length=200)]
SchemaHash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""With its prefix, for bare digits look like a private key."""


class ClaimConfig(Model):
    """A claim of a type."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$")]
    label: Shown | None = None
    mandatory: bool = False
    """Departments must give it."""
    hidden: bool = True
    """Its holder shows or withholds it."""

    @model_validator(mode="after")
    def _is_free(self) -> Self:
        if self.name in _RESERVED:
            raise ValueError(f"has a name that credentials keep for themselves: {self.name}")
        return self


class CredentialConfig(Model):
    """A type that is issued."""

    id: Identifier
    vct: Annotated[str, Field(min_length=1, max_length=1024)]
    name: Shown
    claims: Annotated[tuple[ClaimConfig, ...], Field(min_length=1, max_length=MAX_CLAIMS, strict=False)]
    schema_hash: SchemaHash | None = None
    """SHA-256 of its schema's file, as the hub knows it; seals are made where it is said."""
    type_metadata: FilePath | None = None
    """The type's document (SD-JWT VC §6), served at `vct` where that is a URL of this server; None: made of this table."""
    valid_days: Annotated[int, Field(ge=0, le=3_650)] = 30
    """Whole days after today."""
    copies: Annotated[int, Field(ge=1, le=1_000)] = 100
    """Credentials of one offer, each for another key: they are shown once each."""
    needs_key_attestation: bool = False
    """Wallets show how they keep keys (`key_attesters`)."""

    def description(self) -> CredentialConfiguration:
        """As the issuer's metadata has it."""
        claims = tuple(
            ClaimDescription(
                (one.name,), one.mandatory, () if one.label is None else ((LOCALE, one.label),), one.hidden
            )
            for one in self.claims
        )
        names = ((LOCALE, self.name),)
        return CredentialConfiguration(self.id, self.vct, names, claims, self.needs_key_attestation)

    def checked(self, claims: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Claims of one credential: known names, the mandatory ones among them, none empty.

        Raises:
            MalformedInput: another name, one that is missing or null, or too large together.
        """
        known = {one.name for one in self.claims}
        if unknown := sorted(claims.keys() - known):
            raise MalformedInput(f"claims.{unknown[0][:64]}", "is no claim of this type", expected=sorted(known)[:16])
        for one in self.claims:
            if one.mandatory and claims.get(one.name) is None:
                raise MalformedInput(f"claims.{one.name}", "is mandatory")
        kept: dict[str, JsonValue] = {name: value for name, value in claims.items() if value is not None}
        size = len(write_json(dict(kept)))
        if size > MAX_CLAIMS_BYTES:
            raise MalformedInput("claims", f"more than {MAX_CLAIMS_BYTES} bytes", got=size)
        return kept


class HubTable(HubAccess):
    """The hub on which lists and log stand, and the accounts of the issuer's keys there: `account` opens lists, appends to
    the log and raises bits."""

    seal_account: AnyKeyConfig | None = None
    """Of the key with purpose *contract*, which signs seals; without it no seals are made."""
    list_schema: SchemaHash | None = None
    """The schema under which the issuer is accredited; without it for all."""


class IssuerConfig(Model):
    """Who issues, and what."""

    name: Shown
    key: TokenKeyConfig
    """The P-256 key that signs credentials and lists: PKCS #8 in PEM, readable by its owner alone, or a key's table."""
    certificates: FilePath
    """PEM: the key's certificate, then those that certify it; the anchor is not among them (HAIP 1.0 §6.1.1)."""
    credentials: Annotated[tuple[CredentialConfig, ...], Field(min_length=1, max_length=MAX_TYPES, strict=False)]
    hub: HubTable | None = None
    wallet_providers: FilePath | None = None
    """PEM: who attests wallets. With it a wallet that nobody attests is refused."""
    key_attesters: FilePath | None = None
    """PEM: who attests how wallets keep keys."""
    requires_dpop: bool = True
    """Tokens are bound to a key of the wallet's (HAIP 1.0 §4); false also takes bearer tokens."""
    dpop_nonces: bool = False
    """DPoP proofs need a nonce of this server (RFC 9449 §8)."""
    attestation_challenges: bool = False
    """Attested wallets prove themselves by a challenge of this server (`wallet_providers`)."""
    redirect_uris: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...], Field(max_length=64, strict=False)
    ] = ()
    """Where wallets may be sent back to, to the letter; an attested wallet may name its own."""
    offer_hours: Annotated[int, Field(ge=1, le=24 * 90)] = 72
    list_size: Annotated[int, Field(ge=32, le=2**20)] = 2**20
    """Entries of a status list, a power of two."""
    list_ttl_s: Annotated[int, Field(ge=1, le=86_400)] = 15
    """How long verifiers use a copy of a list."""

    @model_validator(mode="after")
    def _list_size_is_a_power_of_two(self) -> Self:
        if self.list_size & (self.list_size - 1):
            raise ValueError("has a list_size that is not a power of two")
        return self

    @model_validator(mode="after")
    def _somebody_is_challenged(self) -> Self:
        if self.attestation_challenges and self.wallet_providers is None:
            raise ValueError("has attestation_challenges and no wallet_providers")
        return self

    @model_validator(mode="after")
    def _attesters_are_known(self) -> Self:
        if self.key_attesters is None and any(one.needs_key_attestation for one in self.credentials):
            raise ValueError("has a type with needs_key_attestation and no key_attesters")
        return self


def schema_bytes(schema_hash: str | None) -> bytes:
    """The 32 bytes of a schema's hash; zeros, which stand for all schemas, where there is none."""
    return bytes(32) if schema_hash is None else bytes.fromhex(schema_hash.removeprefix("sha256:"))


def issuer_file_problems(issuer: IssuerConfig, table: str) -> Iterator[Problem]:
    """Files that are missing or open to others, and types of one name."""
    yield from token_key_file_problems(issuer.key, f"{table}.key")
    for name in ("certificates", "wallet_providers", "key_attesters"):
        path = getattr(issuer, name)
        if path is not None and not path.is_file():
            yield Problem(f"{table}.{name}", f"there is no file {path}", "correct the path")
    if issuer.hub is not None:
        yield from key_problems(issuer.hub.account, f"{table}.hub.account")
        if issuer.hub.seal_account is not None:
            yield from key_problems(issuer.hub.seal_account, f"{table}.hub.seal_account")
    seen: set[str] = set()
    for index, one in enumerate(issuer.credentials):
        if one.id in seen:
            yield Problem(f"{table}.credentials.{index}.id", "is the id of another type", "give each its own")
        seen.add(one.id)
