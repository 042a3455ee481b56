"""Links by which a wallet is called: an offer of credentials, or a request for a presentation; as text or as QR code."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from hutong.light_clients.interface import MalformedInput, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.openid4vp import RequestLink, link_well_formed
from hutong.relay.services.identity.rules.wallet.addresses import address_is_safe

OFFER_SCHEMES: Final = ("openid-credential-offer", "haip-vci")
REQUEST_SCHEMES: Final = ("openid4vp", "haip-vp")
MAX_LINK_CHARS: Final = 1 << 15
MAX_PARAMETERS: Final = 32


@dataclass(frozen=True, slots=True)
class OfferLink:
    """Either the offer itself, as JSON that was not read yet, or where it stands."""

    offer: str | None
    address: str | None


def read_link(text: str) -> OfferLink | RequestLink:
    """What a link offers or asks, by its scheme.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: another scheme, or see the two rules, `offer_link_well_formed`
            and `link_well_formed`.
    """
    scheme = _scheme(text)
    if scheme in OFFER_SCHEMES:
        return offer_link_well_formed(text)
    if scheme in REQUEST_SCHEMES:
        return link_well_formed(text)
    raise MalformedInput("link", "has another scheme", got=scheme, expected=[*OFFER_SCHEMES, *REQUEST_SCHEMES])


@rule(f"{drafts.OPENID4VCI} §4.1")
def offer_link_well_formed(text: str) -> OfferLink:
    """One of `credential_offer` and `credential_offer_uri`, once.

    Raises:
        MalformedInput: no such link, or both, or a parameter that stands twice.
        PredicateFailed: an address that is not safe.
    """
    parameters = _parameters(text)
    offer, address = parameters.get("credential_offer"), parameters.get("credential_offer_uri")
    if (offer is None) == (address is None):
        raise MalformedInput("link", "has not exactly one of credential_offer and credential_offer_uri")
    return OfferLink(offer, None if address is None else address_is_safe(address, "link.credential_offer_uri"))


def _scheme(text: str) -> str:
    if len(text) > MAX_LINK_CHARS or not text.isascii() or not text.isprintable():
        raise MalformedInput("link", f"is not at most {MAX_LINK_CHARS} printable ASCII characters", got=len(text))
    return text.partition(":")[0].lower()


def _parameters(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            text.partition("?")[2], keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_PARAMETERS,
            errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise MalformedInput("link", f"is not a query of at most {MAX_PARAMETERS} parameters") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedInput("link", "has a parameter that stands twice")
    return found
