"""Queries in DCQL (OpenID4VP 1.0 §6): what a verifier asks for, read within bounds and written again.

Members that the specification does not name are passed over, as it says. Queries for other formats than `dc+sd-jwt` are read,
so that a request which offers an alternative still works, and no credential of ours matches them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from hutong.light_clients.interface.errors import MalformedInput
from hutong.light_clients.interface.judge import rule
from hutong.relay.services.identity.rules.dcql.claim_paths import ClaimPath, path_of
from hutong.relay.services.identity.rules.drafts import OPENID4VP
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, read_json

SD_JWT_VC_FORMAT: Final = "dc+sd-jwt"
MAX_QUERY_BYTES: Final = 64 * 1024
MAX_CREDENTIALS: Final = 32
MAX_CLAIMS: Final = 64
MAX_SETS: Final = 32
MAX_VALUES: Final = 64
MAX_TEXT_CHARS: Final = 1024
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

ClaimValue: TypeAlias = "str | int | bool"
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One claim; `values` are those that it may have, None where any will do."""

    path: ClaimPath
    id: str | None
    values: tuple[ClaimValue, ...] | None


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """Whom the verifier trusts, one way of saying it: `aki`, `etsi_tl`, `openid_federation`, or another type."""

    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """One credential, or several where `multiple`.

    `vct_values` are the types that will do, empty in queries of other formats. `claims` None asks for no claim that could be
    kept back. `claim_sets` are alternatives by the claims' ids, the one that the verifier likes best first.
    """

    id: str
    format: str
    vct_values: tuple[str, ...]
    claims: tuple[ClaimQuery, ...] | None
    claim_sets: tuple[tuple[str, ...], ...] | None
    trusted_authorities: tuple[TrustedAuthority, ...] | None
    multiple: bool = False
    holder_binding: bool = True


@dataclass(frozen=True, slots=True)
class CredentialSetQuery:
    """Alternatives by the credential queries' ids, the one that the verifier likes best first."""

    options: tuple[tuple[str, ...], ...]
    required: bool


@dataclass(frozen=True, slots=True)
class DcqlQuery:
    """`credential_sets` None asks for every credential."""

    credentials: tuple[CredentialQuery, ...]
    credential_sets: tuple[CredentialSetQuery, ...] | None


def read_query(data: bytes) -> DcqlQuery:
    """`query_well_formed` of JSON text.

    Raises:
        MalformedInput: more than `MAX_QUERY_BYTES`, not strict JSON, or not such a query.
    """
    return query_well_formed(read_json(data, "dcql_query", MAX_QUERY_BYTES))


@rule(OPENID4VP + " §6")
def query_well_formed(value: JsonValue) -> DcqlQuery:
    """Every member of its type and within bounds; ids that tell credentials and claims apart; sets that name only such ids.

    Raises:
        MalformedInput: the first member that is not so.
    """
    query = _object(value, "dcql_query")
    credentials = _items(query.get("credentials"), "credentials", MAX_CREDENTIALS, _credential)
    ids = [credential.id for credential in credentials]
    _check_distinct(ids, "credentials.id")
    sets = None
    if "credential_sets" in query:
        sets = _items(query["credential_sets"], "credential_sets", MAX_SETS, _credential_set)
        for position, chosen in enumerate(sets):
            _check_known(chosen.options, ids, f"credential_sets[{position}].options")
    return DcqlQuery(credentials, sets)


def _credential(value: JsonValue, field: str) -> CredentialQuery:
    query = _object(value, field)
    name = _text(query.get("format"), f"{field}.format")
    meta = _object(query.get("meta"), f"{field}.meta")
    vct_values: tuple[str, ...] = ()
    if name == SD_JWT_VC_FORMAT:
        vct_values = _items(meta.get("vct_values"), f"{field}.meta.vct_values", MAX_VALUES, _text)
    claims = claim_sets = authorities = None
    if "claims" in query:
        claims = _items(query["claims"], f"{field}.claims", MAX_CLAIMS, _claim)
        _check_distinct([claim.path for claim in claims], f"{field}.claims.path")
        _check_distinct([claim.id for claim in claims if claim.id is not None], f"{field}.claims.id")
    if "claim_sets" in query:
        claim_sets = _items(query["claim_sets"], f"{field}.claim_sets", MAX_SETS, _ids)
        if claims is None or any(claim.id is None for claim in claims):
            raise MalformedInput(f"{field}.claims", "every claim has an id where there are claim_sets")
        _check_known(claim_sets, [claim.id for claim in claims], f"{field}.claim_sets")
    if "trusted_authorities" in query:
        authorities = _items(query["trusted_authorities"], f"{field}.trusted_authorities", MAX_SETS, _authority)
    return CredentialQuery(
        _id(query.get("id"), f"{field}.id"),
        name,
        vct_values,
        claims,
        claim_sets,
        authorities,
        _flag(query, "multiple", field, default=False),
        _flag(query, "require_cryptographic_holder_binding", field, default=True),
    )


def _claim(value: JsonValue, field: str) -> ClaimQuery:
    query = _object(value, field)
    return ClaimQuery(
        path_of(query.get("path"), f"{field}.path"),
        _id(query["id"], f"{field}.id") if "id" in query else None,
        _items(query["values"], f"{field}.values", MAX_VALUES, _claim_value) if "values" in query else None,
    )


def _claim_value(value: JsonValue, field: str) -> ClaimValue:
    if isinstance(value, bool | int) or (isinstance(value, str) and 0 < len(value) <= MAX_TEXT_CHARS):
        return value
    raise MalformedInput(field, "is not a text, a whole number, true or false", got=value)


def _authority(value: JsonValue, field: str) -> TrustedAuthority:
    authority = _object(value, field)
    return TrustedAuthority(
        _text(authority.get("type"), f"{field}.type"),
        _items(authority.get("values"), f"{field}.values", MAX_VALUES, _text),
    )


def _credential_set(value: JsonValue, field: str) -> CredentialSetQuery:
    query = _object(value, field)
    return CredentialSetQuery(
        _items(query.get("options"), f"{field}.options", MAX_SETS, _ids), _flag(query, "required", field, default=True)
    )


def _ids(value: JsonValue, field: str) -> tuple[str, ...]:
    ids = _items(value, field, MAX_CLAIMS, _id)
    _check_distinct(ids, field)
    return ids


def _id(value: JsonValue, field: str) -> str:
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise MalformedInput(field, "is not an id: 1 to 64 of A-Z, a-z, 0-9, _ and -", got=value)
    return value


def _text(value: JsonValue, field: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARS:
        raise MalformedInput(field, f"is not a text of 1 to {MAX_TEXT_CHARS} characters", got=value)
    return value


def _flag(query: JsonObject, name: str, field: str, *, default: bool) -> bool:
    value = query.get(name, default)
    if not isinstance(value, bool):
        raise MalformedInput(f"{field}.{name}", "is not true or false", got=value)
    return value


def _object(value: JsonValue, field: str) -> JsonObject:
    if not isinstance(value, dict):
        raise MalformedInput(field, "is not an object", got=value)
    return value


def _items(value: JsonValue, field: str, most: int, read: Callable[[JsonValue, str], Item]) -> tuple[Item, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise MalformedInput(field, f"is not a list of 1 to {most}", got=value)
    return tuple(read(item, f"{field}[{position}]") for position, item in enumerate(value))


def _check_distinct(names: "list[str] | list[ClaimPath] | tuple[str, ...]", field: str) -> None:
    seen: set[str | ClaimPath] = set()
    for name in names:
        if name in seen:
            raise MalformedInput(field, "stands twice", got=name)
        seen.add(name)


def _check_known(sets: tuple[tuple[str, ...], ...], known: "list[str] | list[str | None]", field: str) -> None:
    for name in (name for names in sets for name in names):
        if name not in known:
            raise MalformedInput(field, "names what the query does not have", got=name)


def write_query(query: DcqlQuery) -> JsonObject:
    """The JSON of a query for SD-JWT VCs, without members that say what is the default; inverse of `query_well_formed`.

    Raises:
        ValueError: a credential of another format, whose `meta` is not kept; a bug of the caller.
    """
    written: JsonObject = {"credentials": [_write_credential(credential) for credential in query.credentials]}
    if query.credential_sets is not None:
        written["credential_sets"] = [
            {"options": [list(option) for option in chosen.options], **({} if chosen.required else {"required": False})}
            for chosen in query.credential_sets
        ]
    return written


def _write_credential(credential: CredentialQuery) -> JsonObject:
    if credential.format != SD_JWT_VC_FORMAT:
        raise ValueError(f"queries are written for {SD_JWT_VC_FORMAT}, not for {credential.format}")
    written: JsonObject = {
        "id": credential.id,
        "format": credential.format,
        "meta": {"vct_values": list(credential.vct_values)},
    }
    if credential.multiple:
        written["multiple"] = True
    if not credential.holder_binding:
        written["require_cryptographic_holder_binding"] = False
    if credential.claims is not None:
        written["claims"] = [_write_claim(claim) for claim in credential.claims]
    if credential.claim_sets is not None:
        written["claim_sets"] = [list(names) for names in credential.claim_sets]
    if credential.trusted_authorities is not None:
        written["trusted_authorities"] = [
            {"type": authority.type, "values": list(authority.values)} for authority in credential.trusted_authorities
        ]
    return written


def _write_claim(claim: ClaimQuery) -> JsonObject:
    written: JsonObject = {} if claim.id is None else {"id": claim.id}
    written["path"] = list(claim.path)
    if claim.values is not None:
        written["values"] = list(claim.values)
    return written
