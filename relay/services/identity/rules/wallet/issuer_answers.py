"""What an issuer answers a wallet: a token, a nonce, credentials (OpenID4VCI 1.0 §6, §7, §8)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, rule
from hutong.light_clients.interface.document import Document
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject, read_json_object
from hutong.relay.services.identity.rules.sd_jwt import MAX_PRESENTATION_CHARS
from hutong.relay.services.identity.rules.wallet.issuer_metadata import MAX_BATCH, MAX_LISTED
from hutong.relay.services.identity.rules.wallet.offers import MAX_CODE_CHARS, MAX_NAME_CHARS

MAX_ANSWER_BYTES: Final = 1 << 16
MAX_CREDENTIALS_BYTES: Final = 1 << 22
MAX_INTERVAL_S: Final = 366 * 86_400
_SHOWN_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What the credential endpoint takes. `identifier` is there where the server names what was granted."""

    value: str
    is_bound: bool
    identifier: str | None
    nonce: str | None


@dataclass(frozen=True, slots=True)
class ReceivedCredential:
    """A credential as it came; nothing of it was judged. `beside` has the members that came with it, such as a seal."""

    text: str
    beside: JsonObject


@dataclass(frozen=True, slots=True)
class ReceivedCredentials:
    """What a request brought. `notification_id`: the issuer would like to hear what became of it."""

    credentials: tuple[ReceivedCredential, ...]
    notification_id: str | None


@dataclass(frozen=True, slots=True)
class CredentialsLater:
    """The issuer is not ready: what it is to be asked by, and after how many seconds at the earliest."""

    transaction_id: str
    interval_s: int


@rule(f"{drafts.OPENID4VCI} §6.2, {drafts.DPOP} §5")
def token_well_formed(data: bytes, configuration: str, *, must_be_bound: bool) -> AccessToken:
    """A token of a type that is known, bound to the wallet's key where the server can bind.

    Raises:
        MalformedInput: not such JSON.
        PredicateFailed: a bearer token of a server that takes DPoP: somebody took the binding away.
        UnsupportedOperation: another type, or details for another credential alone.
    """
    answer = Document(read_json_object(data, "token answer", MAX_ANSWER_BYTES), "token answer").members()
    value = answer["access_token"].concealed().ascii(MAX_CODE_CHARS, 1)
    kind = answer["token_type"].ascii(MAX_NAME_CHARS).lower()
    if kind not in {"dpop", "bearer"}:
        raise UnsupportedOperation(f"a token of type {kind[:32]}", "DPoP and Bearer are")
    if kind == "bearer" and must_be_bound:
        raise PredicateFailed("token_well_formed", "token_type", kind, "DPoP")
    details, nonce = answer.optional("authorization_details"), answer.optional("c_nonce")
    return AccessToken(
        value,
        kind == "dpop",
        None if details is None else _identifier(details, configuration),
        None if nonce is None else nonce.ascii(MAX_NAME_CHARS, 1),
    )


def _identifier(details: Document, configuration: str) -> str | None:
    for each in details.items(MAX_LISTED):
        detail = each.members()
        named, granted = detail.optional("credential_configuration_id"), detail.optional("credential_identifiers")
        if named is None or named.value != configuration:
            continue
        if granted is None:
            return None
        return granted.items(MAX_LISTED, 1)[0].text(MAX_NAME_CHARS, 1)
    raise UnsupportedOperation("a token for another credential", f"the offer is for {configuration[:64]}")


@rule(f"{drafts.OPENID4VCI} §7.2")
def nonce_well_formed(data: bytes) -> str:
    """`c_nonce`, for the proofs of the next request.

    Raises:
        MalformedInput: not such JSON.
    """
    answer = Document(read_json_object(data, "nonce answer", MAX_ANSWER_BYTES), "nonce answer").members()
    return answer["c_nonce"].ascii(MAX_NAME_CHARS, 1)


@rule(f"{drafts.CLIENT_ATTESTATION} §8")
def challenge_well_formed(data: bytes) -> str:
    """`attestation_challenge`, for the next proof that an attested wallet is meant.

    Raises:
        MalformedInput: not such JSON.
    """
    answer = Document(read_json_object(data, "challenge answer", MAX_ANSWER_BYTES), "challenge answer").members()
    return answer["attestation_challenge"].ascii(MAX_NAME_CHARS, 1)


@rule(f"{drafts.OPENID4VCI} §8.3, §9.2")
def credentials_well_formed(data: bytes, asked: int) -> ReceivedCredentials | CredentialsLater:
    """At least one credential and no more than keys were sent; or by what to ask for them later.

    Raises:
        MalformedInput: not such JSON, no credential, more than `asked`, or both.
    """
    path = "credential answer"
    answer = Document(read_json_object(data, path, MAX_CREDENTIALS_BYTES), path).members()
    later, notice = answer.optional("transaction_id"), answer.optional("notification_id")
    if later is not None:
        if answer.optional("credentials") is not None:
            raise MalformedInput(path, "has credentials, and says that they come later")
        interval = answer["interval"].integer(1, MAX_INTERVAL_S)
        return CredentialsLater(later.concealed().ascii(MAX_CODE_CHARS, 1), interval)
    found = []
    for each in answer["credentials"].items(min(asked, MAX_BATCH), 1):
        members = each.members()
        text = members["credential"].ascii(MAX_PRESENTATION_CHARS, 1)
        beside = {name: value for name, value in each.value.items() if name != "credential"}
        found.append(ReceivedCredential(text, beside))
    return ReceivedCredentials(tuple(found), None if notice is None else notice.ascii(MAX_NAME_CHARS, 1))


def reason_given(data: bytes) -> str:
    """`error` and `error_description` of an answer that refuses (RFC 6749 §5.2), for people; empty where it gives none."""
    try:
        answer = read_json_object(data, "answer", MAX_ANSWER_BYTES)
    except MalformedInput:
        return ""
    said = [answer.get(name) for name in ("error", "error_description", "title", "detail")]
    text = ": ".join(part for part in said if isinstance(part, str))
    return "".join(character if character.isprintable() else "?" for character in text[:_SHOWN_CHARS])
