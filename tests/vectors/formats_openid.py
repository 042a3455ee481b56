"""Areas openid-schemas and openid-examples: the JSON Schemas of the conformance suite judge what we write and the specifications'
own examples; the examples are read by our parsers.

Which schema judges a document follows from its members. Where a listing of a specification leaves something out (`...`), or breaks
a text in the middle, it is not JSON, and is named.
"""

import json
import re
from collections.abc import Iterator

import jsonschema_rs

from hutong.relay.services.identity.rules.dcql import (
    ClaimQuery,
    CredentialQuery,
    CredentialSetQuery,
    DcqlQuery,
    TrustedAuthority,
    query_well_formed,
    read_query,
    write_query,
)
from hutong.relay.services.identity.rules.jose import decode_base64url, read_json, read_json_object
from hutong.relay.services.identity.rules.openid4vci.metadata import (
    ClaimDescription,
    CredentialConfiguration,
    issuer_metadata,
    server_metadata,
)
from hutong.relay.services.identity.rules.openid4vci.offers import TransactionCode, credential_offer
from hutong.relay.services.identity.rules.openid4vci.type_metadata import type_metadata
from hutong.relay.services.identity.rules.wallet.proof_demands import ProofDemand, ProofKind
from hutong.relay.services.identity.wallet.holder_keys import HolderKey
from hutong.relay.services.identity.wallet.issuing.proofs import ProofMaker
from tests.vectors.own_lists import Area, judges_area, listed_areas
from tests.vectors.vector_registry import Entry, Verification

MAX_EXAMPLE_BYTES = 64 * 1024
HTTP_HEAD = re.compile(rb"\A(?:HTTP/1\.1 |[A-Z]+ [^\n]* HTTP/1\.1\r?\n)(?:[^\n]*[^\r\n]\r?\n)*?\r?\n")
COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
JWT_CLAIMS = {"aud", "exp", "iat", "iss", "jti", "nbf", "sub"}
"""Of a token's payload, those that are the token's and not the document's (RFC 7519 §4.1)."""

OURS = DcqlQuery(
    (
        CredentialQuery("pid", "dc+sd-jwt", ("https://a.example/pid", "urn:b"), None, None, None),
        CredentialQuery(
            "degree",
            "dc+sd-jwt",
            ("urn:degree",),
            (ClaimQuery(("degrees", None, "type"), "a", ("Master", 1, True)), ClaimQuery(("list", 0), "b", None)),
            (("a", "b"), ("b",)),
            (TrustedAuthority("aki", ("s9tIpPmhxdiuNkHMEWNpYim8S8Y",)),),
            multiple=True,
            holder_binding=False,
        ),
    ),
    (CredentialSetQuery((("pid",), ("degree",)), required=True), CredentialSetQuery((("degree",),), required=False)),
)

ISSUER = "https://id.example/city"
TYPES = (
    CredentialConfiguration(
        "residence",
        "https://id.example/types/residence",
        (("en", "Certificate of residence"), ("de", "Meldebescheinigung")),
        (
            ClaimDescription(("given_name",), True, (("en", "Given name"),)),
            ClaimDescription(("address", "street"), False, is_hidden=False),
            ClaimDescription(("nationalities", None), False),
        ),
    ),
    CredentialConfiguration(
        "library", "urn:library", (("en", "Card"),), (ClaimDescription(("level",), False),), needs_key_attestation=True
    ),
)


def written_by_an_issuer(kind: str) -> list[object]:
    """What an issuer of ours writes of a kind, in each of its forms."""
    key = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "kid": "1", "use": "enc", "alg": "ECDH-ES"}
    code = TransactionCode(6, "the code that came by another way")
    found: dict[str, list[object]] = {
        "issuer metadata": [issuer_metadata(ISSUER, (("en", "City"),), TYPES, key)],
        "server metadata": [
            server_metadata(ISSUER, attests_wallets=attests, types=[one.identifier for one in TYPES])
            for attests in (False, True)
        ],
        "type metadata": [type_metadata(one) for one in TYPES],
        "credential offer": [
            credential_offer(ISSUER, ["residence"], pre_authorized_code="a", transaction_code=code),
            credential_offer(ISSUER, ["residence"], pre_authorized_code="a"),
            credential_offer(ISSUER, ["residence"], issuer_state="a"),
        ],
        "credential request": written_by_a_wallet(),
    }
    return found.get(kind, [])


def written_by_a_wallet() -> list[object]:
    """A wallet's requests for credentials: by configuration and by identifier, in the clear and encrypted."""
    maker = ProofMaker(ISSUER, "nonce", 1_800_000_000, None)
    proofs = maker.proofs(ProofDemand(((ProofKind.SIGNED, None),)), [HolderKey(), HolderKey()])
    encryption = {"jwk": {**HolderKey().jwk, "kid": "1", "use": "enc", "alg": "ECDH-ES"}, "enc": "A128GCM"}
    return [
        {"credential_configuration_id": "residence", "proofs": proofs},
        {"credential_identifier": "residence", "proofs": proofs, "credential_response_encryption": encryption},
    ]


def schema_kind(schema: dict) -> str | None:
    """What a schema is for: by its definitions, or by the members that it names at the top."""
    if "DCQLQuery" in schema.get("definitions", {}):
        return "DCQL query"
    names = set(schema.get("properties", {}))
    required = set(schema.get("required", ()))
    if "credential_configuration_ids" in required:
        return "credential offer"
    if {"credential_endpoint", "credential_configurations_supported"} <= required:
        return "issuer metadata"
    if {"proofs", "credential_identifier"} <= names or {"proofs", "credential_configuration_id"} <= names:
        return "credential request"
    if {"pushed_authorization_request_endpoint", "token_endpoint"} <= names:
        return "server metadata"
    if {"vct", "claims", "extends"} <= names:
        return "type metadata"
    return None


def document_kind(document: object) -> str | None:
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("credentials"), list) and all("meta" in item for item in document["credentials"]):
        return "DCQL query"
    if "credential_configuration_ids" in document:
        return "credential offer"
    if "credential_endpoint" in document:
        return "issuer metadata"
    return None


def body_of(entry: Entry) -> bytes:
    """What follows the head of an HTTP message; the whole where there is none."""
    return HTTP_HEAD.sub(b"", entry.bytes())


def token_in(body: bytes) -> str | None:
    """A compact JWS whose lines a listing wraps."""
    text = "".join(body.decode().split())
    return text if COMPACT_JWS.fullmatch(text) else None


def document_of(entry: Entry) -> object:
    """The JSON of an example: a document, the body of an HTTP message, or the claims of a token that are not the token's own."""
    body = body_of(entry)
    token = token_in(body)
    if token is None:
        return read_json(body, "example", MAX_EXAMPLE_BYTES)
    parts = [decode_base64url(part, "jws", MAX_EXAMPLE_BYTES) for part in token.split(".")]
    _, payload = (read_json_object(part, "jws", MAX_EXAMPLE_BYTES) for part in parts[:2])
    return {name: value for name, value in payload.items() if name not in JWT_CLAIMS}


def listing_only(entry: Entry) -> str | None:
    """Why an example is not JSON: a listing that leaves a part out, breaks a text at the end of a line, or shows something else."""
    body = body_of(entry)
    if token_in(body) is not None:
        return None
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        if "control character" in error.msg:
            return "the listing breaks a text at the end of a line"
        if b"..." in body:
            return "the listing leaves a part out"
        return None if body.lstrip()[:1] in (b"{", b"[") else "is not JSON"
    return None


def schemas_beside(area: Area) -> dict[str, jsonschema_rs.Validator]:
    root = area.entries[0].root
    found = {}
    for other in listed_areas(root):
        if other.name == "openid-schemas" and other.folder == area.folder:
            for entry in other.entries:
                kind = schema_kind(entry.json())
                if kind is not None:
                    found[kind] = jsonschema_rs.validator_for(entry.json())
    return found


@judges_area("openid-schemas")
def schemas(area: Area) -> Iterator[Verification]:
    """What our code writes satisfies the schema; what it refuses the schema refuses too, where it knows the rule."""
    for entry in area.entries:
        schema = entry.json()

        def is_schema(schema=schema):
            jsonschema_rs.validator_for(schema)

        yield Verification(f"{entry.file}: is a JSON Schema", is_schema, of=(entry,))
        kind = schema_kind(schema)
        if kind == "DCQL query":
            yield from dcql_schema(entry, schema)
        elif kind is not None and (ours := written_by_an_issuer(kind)):
            yield from issuer_schema(entry, schema, ours)
        elif kind is None:
            yield Verification(
                entry.file, lambda: None, unchecked="nothing here writes such a document yet", of=(entry,)
            )


def issuer_schema(entry: Entry, schema: dict, ours: list) -> Iterator[Verification]:
    validator = jsonschema_rs.validator_for(schema)
    for number, document in enumerate(ours):

        def written(document=document):
            assert validator.is_valid(document), [error.message for error in validator.iter_errors(document)]
            for name in schema.get("required", ()):
                assert not validator.is_valid({member: value for member, value in document.items() if member != name})

        yield Verification(f"{entry.file}: what we write, {number}", written, of=(entry,))


def dcql_schema(entry: Entry, schema: dict) -> Iterator[Verification]:
    validator = jsonschema_rs.validator_for(schema)
    ours = write_query(OURS)

    def written():
        assert validator.is_valid(ours), [error.message for error in validator.iter_errors(ours)]
        assert query_well_formed(ours) == OURS

    yield Verification(f"{entry.file}: what we write", written, of=(entry,))
    for name, wrong in broken_queries(ours):

        def refused(wrong=wrong):
            assert not validator.is_valid(wrong)
            query_well_formed(wrong)

        yield Verification(f"{entry.file}: {name}", refused, valid=False, of=(entry,))


def broken_queries(ours: dict) -> Iterator[tuple[str, object]]:
    """One for each rule that the schema and our parser share."""
    first, second = ours["credentials"]
    claim = second["claims"][0]

    def with_claim(**changes):
        return {"credentials": [{**second, "claims": [{**claim, **changes}, second["claims"][1]]}]}

    yield "no credentials", {}
    yield "empty credentials", {"credentials": []}
    yield "an id with a space", {"credentials": [{**first, "id": "a b"}]}
    yield "no meta", {"credentials": [{name: value for name, value in first.items() if name != "meta"}]}
    yield "no types", {"credentials": [{**first, "meta": {"vct_values": []}}]}
    yield "multiple as number", {"credentials": [{**first, "multiple": 1}]}
    yield "no claims", {"credentials": [{**first, "claims": []}]}
    yield "sets without claims", {"credentials": [{**first, "claim_sets": [["a"]]}]}
    yield "an empty path", with_claim(path=[])
    yield "an empty name", with_claim(path=[""])
    yield "a negative index", with_claim(path=["a", -1])
    yield "a fraction as value", with_claim(values=[1.5])
    yield "an empty text as value", with_claim(values=[""])
    yield "no values", with_claim(values=[])
    yield "empty sets", {**ours, "credential_sets": []}
    yield "a set without options", {**ours, "credential_sets": [{"options": []}]}
    yield "required as text", {**ours, "credential_sets": [{"options": [["pid"]], "required": "true"}]}


@judges_area("openid-examples")
def examples(area: Area) -> Iterator[Verification]:
    validators = schemas_beside(area)
    for entry in area.entries:
        left_out = listing_only(entry)
        if left_out is not None:
            yield Verification(entry.file, lambda: None, unchecked=left_out, of=(entry,))
            continue

        def run(entry=entry):
            document = document_of(entry)
            kind = document_kind(document)
            if kind == "DCQL query":
                read = read_query(entry.bytes())
                assert [credential.id for credential in read.credentials] == [
                    item["id"] for item in document["credentials"]
                ]
                if all(credential.format == "dc+sd-jwt" for credential in read.credentials):
                    assert write_query(read) == document
            if kind in validators and not other_format(document):
                assert validators[kind].is_valid(document), [
                    error.message for error in validators[kind].iter_errors(document)
                ]

        yield Verification(entry.file, run, of=(entry,))


def other_format(document: dict) -> bool:
    """Whether a query asks for a format that the suite's schema does not have; it says so in a comment."""
    queried = document.get("credentials")
    known = ("dc+sd-jwt", "mso_mdoc")
    return isinstance(queried, list) and any(item.get("format") not in known for item in queried)
