"""Credentials and presentations of VC Data Model 2.0: whether a document is one. Who signed it, and whether it holds, is not asked.

Judged without JSON-LD processing (the specification allows it, §6.2): `contexts` says what of a context is judged.
"""

from collections.abc import Callable, Iterator
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import Judge, rule
from hutong.relay.services.identity.rules.drafts import VC_DATA_MODEL
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.services.identity.rules.uris import checked_uri
from hutong.relay.services.identity.rules.vc2.contexts import (
    BASE_CONTEXT,
    Vocabulary,
    context_begins_with_base,
    terms_keep_their_meaning,
)
from hutong.relay.services.identity.rules.vc2.date_time import date_time_ns

CREDENTIAL_TYPE: Final = "VerifiableCredential"
ENVELOPED_CREDENTIAL_TYPE: Final = "EnvelopedVerifiableCredential"
PRESENTATION_TYPE: Final = "VerifiablePresentation"
MAX_ITEMS: Final = 64
"""Of one list: types, subjects, statuses, credentials."""
MAX_DOCUMENT_BYTES: Final = 1 << 16
MEDIA_TYPES: Final = ("application/vc+jwt", "application/vc+sd-jwt", "application/vc+cose")
"""Of enveloped credentials (VC-JOSE-COSE 1.0 §6)."""
_OLD_MEDIA_TYPES: Final = ("application/vc-ld+jwt", "application/vc-ld+sd-jwt", "application/vc-ld+cose")
"""Of drafts before; a document that has them is well-formed, and nothing here verifies it."""
_LANGUAGE_MEMBERS: Final = frozenset({"@value", "@language", "@direction"})


def objects_of(document: JsonObject, name: str) -> Iterator[tuple[str, JsonObject]]:
    """The object or objects of a member that may hold one or a list, each with its path.

    Raises:
        MalformedInput: anything but an object, or 1 to `MAX_ITEMS` of them.
    """
    value = document.get(name)
    items = value if isinstance(value, list) else [value]
    if not 0 < len(items) <= MAX_ITEMS:
        raise MalformedInput(name, f"is not 1 to {MAX_ITEMS} objects", got=len(items))
    for position, item in enumerate(items):
        path = f"{name}[{position}]" if isinstance(value, list) else name
        if not isinstance(item, dict):
            raise MalformedInput(path, "is not an object", got=item)
        yield path, item


def types_of(document: JsonObject, path: str) -> tuple[str, ...]:
    """The types of an object: a text or a list of them.

    Raises:
        MalformedInput: none, too many, one twice, or what is not a text.
    """
    value = document.get("type")
    types = value if isinstance(value, list) else [value]
    if not 0 < len(types) <= MAX_ITEMS:
        raise MalformedInput(f"{path}.type", f"is not 1 to {MAX_ITEMS} types", got=len(types))
    found: list[str] = []
    for name in types:
        if not isinstance(name, str) or not name or name in found:
            raise MalformedInput(f"{path}.type", "is not a type, or stands twice", got=name)
        found.append(name)
    return tuple(found)


@rule(VC_DATA_MODEL + " §4.5")
def types_are_known(document: JsonObject, path: str, vocabulary: Vocabulary, wanted: str | None) -> tuple[str, ...]:
    """Every type is a URL or a term that a context may define; `wanted` is one of them.

    Raises:
        MalformedInput: see `types_of`.
        PredicateFailed: a type that nothing defines, or `wanted` is missing.
    """
    types = types_of(document, path)
    for name in types:
        if not vocabulary.has_type(name):
            raise PredicateFailed("types_are_known", f"a type of {path} that no context defines", got=name[:64])
    if wanted is not None and wanted not in types:
        raise PredicateFailed("types_are_known", f"another type of {path}", got=list(types), expected=wanted)
    return types


@rule(VC_DATA_MODEL + " §4.4")
def identifier_is_one_url(document: JsonObject, path: str) -> None:
    """`id`, where there is one, is one URL.

    Raises:
        MalformedInput: a list, or what is not a URL.
    """
    if "id" in document:
        checked_uri(document["id"], f"{path}.id")


@rule(VC_DATA_MODEL + " §4.6")
def names_are_texts(document: JsonObject, path: str) -> None:
    """`name` and `description` are texts, or texts with language and direction, or a list of these.

    Raises:
        MalformedInput: anything else, or a member beside value, language and direction.
    """
    for name in ("name", "description"):
        if name not in document:
            continue
        value = document[name]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                continue
            if not isinstance(item, dict) or not isinstance(item.get("@value"), str):
                raise MalformedInput(f"{path}.{name}", "is not a text or a value with language", got=item)
            if not item.keys() <= _LANGUAGE_MEMBERS or not all(isinstance(part, str) for part in item.values()):
                raise MalformedInput(f"{path}.{name}", "has a member beside value, language and direction", got=item)


def party_of(document: JsonObject, name: str) -> str:
    """The URL of an issuer or holder, which is a URL or an object with one as `id`.

    Raises:
        MalformedInput: it is missing or neither.
    """
    value = document.get(name)
    return checked_uri(value.get("id"), f"{name}.id") if isinstance(value, dict) else checked_uri(value, name)


@rule(VC_DATA_MODEL + " §4.7")
def issuer_is_named(credential: JsonObject) -> str:
    """`issuer` is a URL, or an object with one, whose name and description are texts.

    Raises:
        MalformedInput: it is missing or neither.
    """
    issuer = party_of(credential, "issuer")
    if isinstance(credential["issuer"], dict):
        names_are_texts(credential["issuer"], "issuer")
    return issuer


@rule(VC_DATA_MODEL + " §4.8")
def subjects_have_claims(credential: JsonObject) -> None:
    """`credentialSubject` is one or more objects, each with at least one member; `id`, where there is one, is one URL.

    Raises:
        MalformedInput: it is missing, empty, or not so.
    """
    for path, subject in objects_of(credential, "credentialSubject"):
        if not subject:
            raise MalformedInput(path, "has no claim")
        identifier_is_one_url(subject, path)


@rule(VC_DATA_MODEL + " §4.9")
def validity_is_a_period(credential: JsonObject) -> tuple[int | None, int | None]:
    """`validFrom` and `validUntil`, where they are there, are times with a zone, and the second is not the earlier; both in
    nanoseconds since 1970.

    Raises:
        MalformedInput: see `date_time_ns`.
        PredicateFailed: it would end before it begins.
    """
    start_ns = date_time_ns(credential["validFrom"], "validFrom") if "validFrom" in credential else None
    end_ns = date_time_ns(credential["validUntil"], "validUntil") if "validUntil" in credential else None
    if start_ns is not None and end_ns is not None and end_ns < start_ns:
        raise PredicateFailed("validity_is_a_period", "ends before it begins", got=end_ns, expected=start_ns)
    return start_ns, end_ns


@rule(VC_DATA_MODEL + " §4.10 to §4.12, §5.2 to §5.6")
def extensions_are_typed(document: JsonObject, vocabulary: Vocabulary) -> None:
    """Statuses, schemas, refresh services, terms of use, evidence and proofs are objects with a type; a schema has an `id`.

    Raises:
        MalformedInput, PredicateFailed: one is not so; see `types_are_known` and `identifier_is_one_url`.
    """
    for name in ("credentialStatus", "credentialSchema", "refreshService", "termsOfUse", "evidence", "proof"):
        if name not in document:
            continue
        for path, item in objects_of(document, name):
            # Types of proofs are those of a cryptosuite, which contexts of its own define.
            if name == "proof":
                types_of(item, path)
            else:
                types_are_known(item, path, vocabulary, None)
            identifier_is_one_url(item, path)
            if name == "credentialSchema" and "id" not in item:
                raise MalformedInput(f"{path}.id", "is missing")


def judge_credential_model(judge: Judge, credential: JsonObject) -> Vocabulary:
    """Whether a document is a credential; what its contexts define.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    contexts = judge(context_begins_with_base, credential)
    vocabulary = judge(terms_keep_their_meaning, contexts)
    judge(types_are_known, credential, "credential", vocabulary, CREDENTIAL_TYPE)
    judge(identifier_is_one_url, credential, "credential")
    judge(names_are_texts, credential, "credential")
    judge(issuer_is_named, credential)
    judge(subjects_have_claims, credential)
    judge(validity_is_a_period, credential)
    judge(extensions_are_typed, credential, vocabulary)
    return vocabulary


@rule(VC_DATA_MODEL + " §4.13")
def holder_is_named(presentation: JsonObject) -> str | None:
    """`holder`, where there is one, is a URL or an object with one.

    Raises:
        MalformedInput: it is neither.
    """
    return party_of(presentation, "holder") if "holder" in presentation else None


@rule(VC_DATA_MODEL + " §4.13.1")
def envelope_is_data_url(envelope: JsonObject, path: str) -> tuple[str, str]:
    """An enveloped credential has the base context and a `data:` URL of a credential; its media type and what it holds.

    Raises:
        MalformedInput: another URL or media type, or nothing in it.
        PredicateFailed: another context.
    """
    context_begins_with_base(envelope)
    url = envelope.get("id")
    head, comma, body = url.partition(",") if isinstance(url, str) else ("", "", "")
    media_type, _, parameters = head.removeprefix("data:").partition(";")
    is_known = media_type in (*MEDIA_TYPES, *_OLD_MEDIA_TYPES) and parameters in ("", "base64", "base64url")
    if not head.startswith("data:") or not comma or not body or not is_known:
        raise MalformedInput(
            f"{path}.id", "is not a data URL of a credential", got=head[:64], expected=list(MEDIA_TYPES)
        )
    return media_type, body


@rule(VC_DATA_MODEL + " §4.13")
def credentials_are_objects(presentation: JsonObject) -> tuple[tuple[str, JsonObject], ...]:
    """`verifiableCredential`, where there is one, is one or more objects; a token as a bare text is not one. Each with its path.

    Raises:
        MalformedInput: anything else.
    """
    return tuple(objects_of(presentation, "verifiableCredential")) if "verifiableCredential" in presentation else ()


CredentialJudge = Callable[[Judge, JsonObject], object]


def judge_presentation_model(
    judge: Judge, presentation: JsonObject, credential: CredentialJudge = judge_credential_model
) -> str | None:
    """Whether a document is a presentation; its holder. `credential` judges each credential that stands in it as it is.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    contexts = judge(context_begins_with_base, presentation)
    vocabulary = judge(terms_keep_their_meaning, contexts)
    judge(types_are_known, presentation, "presentation", vocabulary, PRESENTATION_TYPE)
    judge(identifier_is_one_url, presentation, "presentation")
    holder = judge(holder_is_named, presentation)
    for path, item in judge(credentials_are_objects, presentation):
        if ENVELOPED_CREDENTIAL_TYPE in types_of(item, path):
            judge(envelope_is_data_url, item, path)
        else:
            credential(judge.under(f"{path}: "), item)
    judge(extensions_are_typed, presentation, vocabulary)
    return holder


@rule(VC_DATA_MODEL + " §4.13.3")
def bare_credentials_are_the_holders(presentation: JsonObject) -> None:
    """A credential that stands in a secured presentation without proof of its own is the holder's own word.

    The presentation's signature is the holder's, so a bare credential that names another issuer would pass for that issuer's.

    Raises:
        PredicateFailed: its issuer is another, or the presentation names no holder.
    """
    holder = holder_is_named(presentation)
    for path, item in credentials_are_objects(presentation):
        if ENVELOPED_CREDENTIAL_TYPE in types_of(item, path) or "proof" in item:
            continue
        issuer = issuer_is_named(item)
        if issuer != holder:
            raise PredicateFailed("bare_credentials_are_the_holders", f"issuer of {path}", got=issuer, expected=holder)


@rule(VC_DATA_MODEL + " §4.9")
def credential_is_in_time(credential: JsonObject, now_ns: int) -> None:
    """`validFrom` has come and `validUntil` has not passed; at both instants themselves it holds.

    Raises:
        PredicateFailed: it does not hold yet, or no more.
    """
    start_ns, end_ns = validity_is_a_period(credential)
    if start_ns is not None and now_ns < start_ns:
        raise PredicateFailed("credential_is_in_time", "not valid yet", got=now_ns, expected=start_ns)
    if end_ns is not None and now_ns > end_ns:
        raise PredicateFailed("credential_is_in_time", "not valid any more", got=now_ns, expected=end_ns)


_ISSUED_MEMBERS: Final = frozenset(
    {
        "@context",
        "confidenceMethod",
        "credentialSchema",
        "credentialStatus",
        "credentialSubject",
        "description",
        "evidence",
        "id",
        "issuer",
        "name",
        "refreshService",
        "relatedResource",
        "renderMethod",
        "termsOfUse",
        "type",
        "validFrom",
        "validUntil",
    }
)


@rule(VC_DATA_MODEL + " §5.2")
def members_are_defined(credential: JsonObject, vocabulary: Vocabulary) -> None:
    """For who issues: each member of the credential is the data model's, or one that a context of its own defines.

    Contexts that are not in the document are not read, and an issuer of ours signs nothing whose meaning it does not know.

    Raises:
        PredicateFailed: a member that is neither.
    """
    unknown = sorted(credential.keys() - _ISSUED_MEMBERS - vocabulary.terms)
    if unknown:
        raise PredicateFailed("members_are_defined", "a member that nothing here defines", got=unknown[0][:64])


def base_contexts(*more: str) -> list[JsonValue]:
    """`@context` of a document of ours: the base, and `more` after it."""
    return [BASE_CONTEXT, *more]
