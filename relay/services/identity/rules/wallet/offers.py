"""An offer of credentials, as an issuer hands it over (OpenID4VCI 1.0 §4.1.1). It is not signed: all that it says is who
to ask for what, and the code that pays for it.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, rule
from hutong.light_clients.interface.document import Document
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonValue, read_json_object
from hutong.relay.services.identity.rules.wallet.addresses import address_is_safe

MAX_OFFER_BYTES: Final = 1 << 16
MAX_OFFERED: Final = 64
MAX_NAME_CHARS: Final = 1_024
MAX_CODE_CHARS: Final = 8_192
MAX_TX_CODE_CHARS: Final = 64
PRE_AUTHORISED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CODE: Final = "authorization_code"


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """A second secret that came by another way, such as a letter: how it looks, for the person who types it."""

    is_numeric: bool
    length: int | None
    description: str | None


@dataclass(frozen=True, slots=True)
class PreAuthorised:
    """The person was identified before; the code stands for that."""

    code: str
    transaction_code: TransactionCode | None
    server: str | None


@dataclass(frozen=True, slots=True)
class ByAuthorisation:
    """The person will be identified in a browser, at the authorisation server."""

    issuer_state: str | None
    server: str | None


@dataclass(frozen=True, slots=True)
class CredentialOffer:
    """Who offers which credentials, by the names of configurations in the issuer's metadata."""

    issuer: str
    configurations: tuple[str, ...]
    pre_authorised: PreAuthorised | None
    by_authorisation: ByAuthorisation | None


@rule(f"{drafts.OPENID4VCI} §4.1.1")
def offer_well_formed(data: bytes) -> CredentialOffer:
    """An offer as JSON, of an issuer with a safe address; without grants it means the authorisation server's page.

    Raises:
        MalformedInput: not such JSON, or JSON that parsers read differently.
        PredicateFailed: an address that is not safe.
        UnsupportedOperation: other grants alone.
    """
    offer = Document(read_json_object(data, "offer", MAX_OFFER_BYTES), "offer").members()
    issuer = _issuer(offer["credential_issuer"].value, "offer.credential_issuer")
    listed = offer["credential_configuration_ids"].items(MAX_OFFERED, 1)
    configurations = tuple(name.text(MAX_NAME_CHARS, 1) for name in listed)
    if len(set(configurations)) != len(configurations):
        raise MalformedInput("offer.credential_configuration_ids", "names one twice")
    grants = offer.optional("grants")
    if grants is None:
        return CredentialOffer(issuer, configurations, None, ByAuthorisation(None, None))
    known = grants.members()
    early, by_code = known.optional(PRE_AUTHORISED), known.optional(CODE)
    if early is None and by_code is None:
        raise UnsupportedOperation("an offer of other grants", "pre-authorised codes and authorisation codes are")
    return CredentialOffer(
        issuer,
        configurations,
        None if early is None else _pre_authorised(early),
        None if by_code is None else _by_authorisation(by_code),
    )


@rule(f"{drafts.OPENID4VCI} §3.3.3, §12.2.1")
def asked_without_an_offer(issuer: str, configuration: str) -> CredentialOffer:
    """What a holder asks an issuer for by itself: the person will be identified at the authorisation server's page.

    Raises:
        MalformedInput, PredicateFailed: an address that is not safe, or a name that is none.
    """
    if not 0 < len(configuration) <= MAX_NAME_CHARS:
        raise MalformedInput("configuration", f"is not 1 to {MAX_NAME_CHARS} characters", got=len(configuration))
    return CredentialOffer(_issuer(issuer, "issuer"), (configuration,), None, ByAuthorisation(None, None))


def _issuer(value: JsonValue, field: str) -> str:
    issuer = address_is_safe(value, field)
    if "?" in issuer:
        raise MalformedInput(field, "has a query", got=issuer)
    return issuer


def _pre_authorised(document: Document) -> PreAuthorised:
    grant = document.members()
    asked = grant.optional("tx_code")
    return PreAuthorised(
        grant["pre-authorized_code"].concealed().ascii(MAX_CODE_CHARS, 1),
        None if asked is None else _transaction_code(asked),
        _server(grant.optional("authorization_server")),
    )


def _by_authorisation(document: Document) -> ByAuthorisation:
    grant = document.members()
    state = grant.optional("issuer_state")
    return ByAuthorisation(
        None if state is None else state.ascii(MAX_CODE_CHARS, 1), _server(grant.optional("authorization_server"))
    )


def _server(named: Document | None) -> str | None:
    return None if named is None else address_is_safe(named.value, named.path)


def _transaction_code(document: Document) -> TransactionCode:
    asked = document.members()
    mode, length, text = asked.optional("input_mode"), asked.optional("length"), asked.optional("description")
    kind = "numeric" if mode is None else mode.text(16)
    if kind not in {"numeric", "text"}:
        raise MalformedInput(f"{document.path}.input_mode", "is neither numeric nor text", got=kind)
    return TransactionCode(
        kind == "numeric",
        None if length is None else length.integer(1, MAX_TX_CODE_CHARS),
        None if text is None else text.text(MAX_NAME_CHARS),
    )


@rule(f"{drafts.OPENID4VCI} §6.1")
def transaction_code_fits(offer: PreAuthorised, given: str | None) -> str | None:
    """A code is given if and only if the offer asks for one, and looks as it says: wrong guesses cost tries at the issuer.

    Raises:
        MalformedInput: none, one too many, or of another length or kind. The code is not shown.
    """
    wanted = offer.transaction_code
    if wanted is None:
        if given is not None:
            raise MalformedInput("tx_code", "is given, and the offer asks for none")
        return None
    if given is None:
        raise MalformedInput("tx_code", f"is missing: {wanted.description or 'the issuer sent it by another way'}")
    if not 0 < len(given) <= MAX_TX_CODE_CHARS or (wanted.length is not None and len(given) != wanted.length):
        raise MalformedInput("tx_code", "has another length", got=len(given), expected=wanted.length)
    if wanted.is_numeric and not (given.isascii() and given.isdigit()):
        raise MalformedInput("tx_code", "is not digits alone")
    return given
