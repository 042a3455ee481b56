"""Areas vcdm2, vc-jose-cose and jcs: documents of the W3C's test suites, their tokens, and canonical JSON."""

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose import (
    Algorithm,
    KeySet,
    decode_base64url,
    read_json,
    read_json_object,
    read_jwk,
    read_jws,
    sign_compact,
    write_json,
)
from hutong.relay.services.identity.rules.vc2 import (
    MAX_DOCUMENT_BYTES,
    TokenForm,
    bare_credentials_are_the_holders,
    judge_credential_model,
    judge_credential_token,
    judge_presentation_model,
    judge_presentation_token,
    members_are_defined,
)
from tests.vectors.own_lists import Area, judges_area
from tests.vectors.vector_registry import Entry, Verification

COSE = "application/vc+cose"
JWT_CLAIMS = {"aud", "exp", "iat", "iss", "jti", "nbf", "sub"}
ISSUER = "did:example:issuer-under-test"
DATES = {"FUTURE DATE": "9999-01-01T00:00:00Z", "PAST DATE": "2000-01-01T00:00:00Z"}
"""What the suite puts in place of these words before it sends a document."""


def prepared(document: dict) -> dict:
    """As the suite sends a credential to an issuer: with the issuer's own id where the file leaves it out."""
    document = {name: DATES.get(value, value) if isinstance(value, str) else value for name, value in document.items()}
    issuer = document.get("issuer", {})
    if isinstance(issuer, dict):
        document["issuer"] = {"id": ISSUER, **issuer}
    return document


@judges_area("vcdm2")
def data_model(area: Area) -> Iterator[Verification]:
    for entry in area.entries:
        as_it_stands = entry.expected.startswith("invalid, or")

        def run(entry=entry, as_it_stands=as_it_stands):
            document = read_json_object(entry.bytes(), "document", MAX_DOCUMENT_BYTES)
            if "credentialSubject" in document:
                judge_credential_model(VERIFY, document if as_it_stands else prepared(document))
                return
            judge_presentation_model(VERIFY, document)
            if as_it_stands:
                bare_credentials_are_the_holders(document)

        yield Verification(entry.file, run, valid=entry.expected.startswith("valid"), of=(entry,))


@judges_area("jcs")
def canonical(area: Area) -> Iterator[Verification]:
    """`input/x.json` in canonical form is `output/x.json`, and in hex `outhex/x.txt`."""
    for entry in area.entries:
        part, name = entry.path.parent.name, PurePath(entry.file).stem
        given = entry if part == "input" else area.beside(entry, f"../input/{name}.json")
        if given is None:
            yield Verification(entry.file, lambda: None, unchecked="the input of it is not listed", of=(entry,))
            continue

        def run(entry=entry, given=given, part=part):
            made = canonical_json(read_json(given.bytes(), "input", MAX_DOCUMENT_BYTES))
            assert canonical_json(read_json(made, "canonical", MAX_DOCUMENT_BYTES)) == made
            if part == "output":
                assert made == entry.bytes()
            elif part == "outhex":
                assert made == bytes.fromhex(entry.text())

        yield Verification(entry.file, run, of=(entry, given))


@judges_area("vc-jose-cose")
def tokens(area: Area) -> Iterator[Verification]:
    """A table of tests, each with input, key and expectation; everything else of the area is input of one."""
    tables = [entry for entry in area.entries if entry.expected.startswith("cases")]
    inputs = tuple(entry for entry in area.entries if entry not in tables)
    used: set[str] = set()
    for table in tables:
        for case in table.json():
            document, key = (area.beside(table, case[name]) for name in ("input_file", "key_file"))
            name = f"{table.file} {case['number']} {case['fn']} {case['feature']}"
            if document is None or key is None:
                yield Verification(name, lambda: None, unchecked="its input is not listed", of=(table,))
                continue
            used |= {document.file, key.file}
            if case["feature"].endswith("_cose"):
                yield Verification(name, lambda: None, unchecked="COSE is not supported", of=(table, document, key))
                continue
            keys = [entry.json() for entry in inputs if is_key(entry)]
            run = partial(
                issued_token if case["fn"] == "issue" else verified_token, case["feature"], document, key.json(), keys
            )
            valid: bool | None = case["expected_result"] == "success"
            if case["fn"] == "verify" and has_unknown_members(document):
                valid = None  # the suite's README says that verifiers ignore them, and its table that they refuse
            yield Verification(name, run, valid, of=(table, document, key))
            if case["fn"] == "verify" and case["expected_result"] == "success":
                yield from enveloped_parts(name, document, (table, document, key))
    for entry in inputs:
        if entry.file not in used:
            yield Verification(entry.file, entry.bytes, unchecked="no test of the table names it", of=(entry,))


def is_key(entry: Entry) -> bool:
    return entry.path.suffix == ".json" and "publicKeyJwk" in entry.json()


def has_unknown_members(document: Entry) -> bool:
    """Whether a credential as token holds what the data model does not know, beside the token's own claims."""
    try:
        claims = read_jws(token_of(document).partition("~")[0], "token").claims()
        members_are_defined(
            {name: claims[name] for name in claims.keys() - JWT_CLAIMS}, judge_credential_model(VERIFY, claims)
        )
    except PredicateFailed as error:
        return error.predicate == "members_are_defined"
    except VerificationError:
        return False
    return False


def token_of(entry: Entry) -> str:
    return entry.text().strip()


def signed_at_ns(token: str) -> int:
    """A second after `iat`, where that is a number: none of these tokens is of today. Else a day of 2024."""
    issued_at_s = read_jws(token.partition("~")[0], "token").claims().get("iat")
    return ((issued_at_s if isinstance(issued_at_s, int) else 1_720_000_000) + 1) * 10**9


def verified_token(feature: str, document: Entry, key: dict, keys: list[dict]) -> None:
    """The token by its key, and the credentials in a presentation by those of the area that they name."""
    token, trusted = token_of(document), KeySet((read_jwk(key["publicKeyJwk"], "key"),))
    now_ns = 0 if token.startswith("{") else signed_at_ns(token)
    if feature.startswith("credential"):
        judge_credential_token(VERIFY, token, frozenset(Algorithm), trusted, now_ns)
        return
    presented = judge_presentation_token(VERIFY, token, frozenset(Algorithm), trusted, now_ns)
    everybody = KeySet(tuple(read_jwk(other["publicKeyJwk"], "key") for other in keys))
    for inner in presented.enveloped:
        if inner.media_type != COSE:
            judge_credential_token(VERIFY, inner.token, frozenset(Algorithm), everybody, signed_at_ns(inner.token))


def enveloped_parts(name: str, document: Entry, entries: tuple[Entry, ...]) -> Iterator[Verification]:
    claims = read_jws(token_of(document).partition("~")[0], "token").claims()
    for number, inner in enumerate(claims.get("verifiableCredential", ())):
        if str(inner.get("id", "")).startswith(f"data:{COSE}"):
            yield Verification(
                f"{name}: credential {number}", lambda: None, unchecked="COSE is not supported", of=entries
            )


def issued_token(feature: str, document: Entry, key: dict, keys: list[dict]) -> None:
    """What an issuer of ours signs: judged before, and by whoever has the key after."""
    body = read_json_object(document.bytes(), "document", MAX_DOCUMENT_BYTES)
    algorithm, secret = Algorithm(key["secretKeyJwk"]["alg"]), key["secretKeyJwk"]
    is_credential = feature.startswith("credential")
    if is_credential:
        members_are_defined(body, judge_credential_model(VERIFY, body))
    else:
        judge_presentation_model(VERIFY, body)
    forms = {
        "credential_jose": TokenForm.CREDENTIAL_JWT,
        "credential_sdjwt": TokenForm.CREDENTIAL_SD_JWT,
        "presentation_jose": TokenForm.PRESENTATION_JWT,
        "presentation_sdjwt": TokenForm.PRESENTATION_SD_JWT,
    }
    form = forms[feature]
    header = {"alg": algorithm.value, "typ": form.value, "cty": form.content_type, "kid": secret["kid"]}
    token = sign_compact(header, write_json(body), partial(signature, secret)) + (
        "~" if feature.endswith("sdjwt") else ""
    )
    judge = judge_credential_token if is_credential else judge_presentation_token
    now_ns = signed_at_ns(token)
    judge(VERIFY, token, frozenset({algorithm}), KeySet((read_jwk(key["publicKeyJwk"], "key"),)), now_ns)


def signature(secret: dict, message: bytes) -> bytes:
    if secret["crv"] == "Ed25519":
        return Ed25519PrivateKey.from_private_bytes(decode_base64url(secret["d"], "d", 32)).sign(message)
    curve, digest = {
        "P-256": (ec.SECP256R1(), SHA256()),
        "P-384": (ec.SECP384R1(), SHA384()),
        "P-521": (ec.SECP521R1(), SHA512()),
    }[secret["crv"]]
    size = (curve.key_size + 7) // 8
    private = ec.derive_private_key(int.from_bytes(decode_base64url(secret["d"], "d", size), "big"), curve)
    return b"".join(
        half.to_bytes(size, "big") for half in decode_dss_signature(private.sign(message, ec.ECDSA(digest)))
    )
