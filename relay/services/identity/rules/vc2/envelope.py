"""Credentials and presentations as tokens: `vc+jwt`, `vc+sd-jwt`, `vp+jwt` and `vp+sd-jwt` (VC-JOSE-COSE 1.0).

The payload is the document itself. Claims of JWT beside it must say what the document says. `iat` is the signer's word and
decides nothing. Of the enveloped credentials of a presentation each is another's token, for the caller to judge by its issuer's keys.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.light_clients.interface.judge import Judge, rule
from hutong.relay.services.identity.rules.drafts import JWT, VC_JOSE_COSE
from hutong.relay.services.identity.rules.jose import (
    MAX_SAFE_INTEGER,
    Algorithm,
    JsonObject,
    Jws,
    KeySet,
    judge_jws,
    read_jws,
)
from hutong.relay.services.identity.rules.sd_jwt import CompactSdJwt, read_compact
from hutong.relay.services.identity.rules.sd_jwt.disclosures import disclosures_well_formed
from hutong.relay.services.identity.rules.sd_jwt.unpacking import (
    Unpacked,
    digest_algorithm_is_sha256,
    disclosures_unpack,
)
from hutong.relay.services.identity.rules.vc2.data_model import (
    ENVELOPED_CREDENTIAL_TYPE,
    bare_credentials_are_the_holders,
    credential_is_in_time,
    credentials_are_objects,
    envelope_is_data_url,
    issuer_is_named,
    judge_credential_model,
    judge_presentation_model,
    types_of,
)

NEVER_DISCLOSED: Final = frozenset(
    {"@context", "type", "issuer", "validFrom", "validUntil", "credentialStatus", "credentialSchema"}
    | {"termsOfUse", "proof", "iss", "nbf", "exp", "cnf"}
)
"""With everything inside them: withheld, nobody would miss them, and a credential without an end or a status would be left."""
_NS_PER_S: Final = 1_000_000_000


class TokenForm(Enum):
    """By the value of `typ`. The forms with `sd-jwt` are tokens with disclosures, followed by no signature of a holder."""

    CREDENTIAL_JWT = "vc+jwt"
    CREDENTIAL_SD_JWT = "vc+sd-jwt"
    PRESENTATION_JWT = "vp+jwt"
    PRESENTATION_SD_JWT = "vp+sd-jwt"

    @property
    def content_type(self) -> str:
        """What `cty` says, with or without `application/` before it."""
        return self.value.partition("+")[0]


CREDENTIAL_FORMS: Final = frozenset({TokenForm.CREDENTIAL_JWT, TokenForm.CREDENTIAL_SD_JWT})
PRESENTATION_FORMS: Final = frozenset({TokenForm.PRESENTATION_JWT, TokenForm.PRESENTATION_SD_JWT})


@dataclass(frozen=True, slots=True)
class Enveloped:
    """A credential inside of a presentation, by media type: nothing of it is verified yet."""

    media_type: str
    token: str


@dataclass(frozen=True, slots=True)
class Presented:
    """A presentation whose holder's signature holds, and what stands in it.

    Credentials that are neither `enveloped` nor `with_proofs` are the holder's own word.
    """

    presentation: JsonObject
    enveloped: tuple[Enveloped, ...]
    with_proofs: tuple[JsonObject, ...]
    """Credentials with Data Integrity proofs, of which none is verified yet."""


@rule(VC_JOSE_COSE + " §3.1.1, §3.2.1")
def form_is_accepted(jws: Jws, forms: AbstractSet[TokenForm]) -> TokenForm:
    """`typ` is one of the forms that are asked for, and `cty`, where there is one, is its document's.

    Raises:
        PredicateFailed: another type or content type.
    """
    form = next((form for form in forms if form.value == jws.header.get("typ")), None)
    if form is None:
        names = sorted(form.value for form in forms)
        raise PredicateFailed("form_is_accepted", "typ", got=jws.header.get("typ"), expected=names)
    content_type = jws.header.get("cty", form.content_type)
    if content_type not in (form.content_type, f"application/{form.content_type}"):
        raise PredicateFailed("form_is_accepted", "cty", got=content_type, expected=form.content_type)
    return form


@rule(VC_JOSE_COSE + " §3.2")
def token_fits_its_form(parts: CompactSdJwt | None, form: TokenForm) -> None:
    """A token of the forms with disclosures ends in a tilde, others have none. Key binding is not part of either.

    Raises:
        PredicateFailed: a tilde too many or too few.
        UnsupportedOperation: a holder's signature after the last tilde.
    """
    has_tildes = parts is not None
    if has_tildes is not form.value.endswith("+sd-jwt"):
        raise PredicateFailed("token_fits_its_form", "tildes", got=has_tildes, expected=form.value)
    if parts is not None and parts.key_binding_jwt is not None:
        raise UnsupportedOperation("key binding of a W3C credential with disclosures")


@rule(VC_JOSE_COSE + " §3.2.1; docs/spec/strictness.md V8")
def what_protects_stands_in_the_clear(unpacked: Unpacked) -> None:
    """No disclosure of a credential brought issuer, kind, times, status or schema, or anything inside them: it could have been kept back.

    Raises:
        PredicateFailed: one did, by its path.
    """
    for path in unpacked.places:
        if path[0] in NEVER_DISCLOSED:
            raise PredicateFailed(
                "what_protects_stands_in_the_clear", "a disclosure brings", path, "signed in the clear"
            )


@rule(VC_JOSE_COSE + " §3.1.3")
def payload_is_the_document(claims: JsonObject) -> None:
    """The document is the payload, not a claim in it, as tokens of version 1.1 had it.

    Raises:
        PredicateFailed: a claim `vc` or `vp`.
    """
    for name in ("vc", "vp"):
        if name in claims:
            raise PredicateFailed("payload_is_the_document", "the document is inside of a claim", got=name)


@rule(VC_JOSE_COSE + " §3.1.3")
def claims_say_what_the_document_says(claims: JsonObject, party: str | None) -> None:
    """`iss` is the issuer or holder, `jti` is `id`, and `sub` is the `id` of the only subject, where they are there.

    Raises:
        PredicateFailed: one of them says something else.
    """
    subject = claims.get("credentialSubject")
    subject_id = subject.get("id") if isinstance(subject, dict) else None
    for name, said in (("iss", party), ("jti", claims.get("id")), ("sub", subject_id)):
        if name in claims and claims[name] != said:
            raise PredicateFailed("claims_say_what_the_document_says", name, got=claims[name], expected=said)


@rule(JWT + " §4.1.4, §4.1.5")
def token_is_in_time(claims: JsonObject, now_ns: int) -> None:
    """`nbf` has come and `exp` has not, where they are there, in whole seconds.

    Raises:
        MalformedInput: one of them is not a whole number.
        PredicateFailed: too early or too late.
    """
    for name in ("nbf", "exp"):
        if name not in claims:
            continue
        at_s = claims[name]
        if type(at_s) is not int or not 0 <= at_s <= MAX_SAFE_INTEGER:
            raise MalformedInput(name, "is not a whole number of seconds", got=at_s)
        has_come = now_ns >= at_s * _NS_PER_S
        if has_come is (name == "exp"):
            raise PredicateFailed("token_is_in_time", name, got=now_ns, expected=at_s * _NS_PER_S)


def _read(
    judge: Judge, token: str, forms: AbstractSet[TokenForm], allowed: AbstractSet[Algorithm], keys: KeySet
) -> JsonObject:
    """The document of a token whose signature holds, with what was disclosed of it."""
    parts = read_compact(token, "token") if "~" in token else None
    jws = read_jws(token if parts is None else parts.issuer_jwt, "token")
    form = judge(form_is_accepted, jws, forms)
    judge(token_fits_its_form, parts, form)
    judge_jws(judge, jws, allowed, keys)
    claims = jws.claims()
    if parts is not None:
        judge(digest_algorithm_is_sha256, claims)
        unpacked = judge(disclosures_unpack, claims, judge(disclosures_well_formed, parts.disclosures))
        if form in CREDENTIAL_FORMS:  # what a presentation keeps back is its holder's own
            judge(what_protects_stands_in_the_clear, unpacked)
        claims = unpacked.claims
    judge(payload_is_the_document, claims)
    return claims


def judge_credential_token(
    judge: Judge,
    token: str,
    allowed: AbstractSet[Algorithm],
    keys: KeySet,
    now_ns: int,
    forms: AbstractSet[TokenForm] = CREDENTIAL_FORMS,
) -> JsonObject:
    """A credential signed by one of the issuer's keys; the document, with what was disclosed. Its status is not asked.

    That `keys` are those of the `issuer` that it names is the caller's to see.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    claims = _read(judge, token, forms, allowed, keys)
    judge_credential_model(judge, claims)
    judge(claims_say_what_the_document_says, claims, issuer_is_named(claims))
    judge(token_is_in_time, claims, now_ns)
    judge(credential_is_in_time, claims, now_ns)
    return claims


def judge_presentation_token(
    judge: Judge,
    token: str,
    allowed: AbstractSet[Algorithm],
    keys: KeySet,
    now_ns: int,
    forms: AbstractSet[TokenForm] = PRESENTATION_FORMS,
) -> Presented:
    """A presentation signed by one of the holder's keys, and the credentials in it that are to be judged by themselves.

    Audience and nonce are the protocol's, which brings them in claims of its own.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    claims = _read(judge, token, forms, allowed, keys)

    def credential(of_credential: Judge, item: JsonObject) -> None:
        judge_credential_model(of_credential, item)
        of_credential(credential_is_in_time, item, now_ns)

    holder = judge_presentation_model(judge, claims, credential)
    judge(bare_credentials_are_the_holders, claims)
    judge(claims_say_what_the_document_says, claims, holder)
    judge(token_is_in_time, claims, now_ns)
    enveloped: list[Enveloped] = []
    with_proofs: list[JsonObject] = []
    for path, item in credentials_are_objects(claims):
        if ENVELOPED_CREDENTIAL_TYPE in types_of(item, path):
            enveloped.append(Enveloped(*envelope_is_data_url(item, path)))
        elif "proof" in item:
            with_proofs.append(item)
    return Presented(claims, tuple(enveloped), tuple(with_proofs))
