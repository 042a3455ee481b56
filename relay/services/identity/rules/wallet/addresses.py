"""Addresses that a wallet asks: https, or http to this machine alone."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonValue
from hutong.relay.services.identity.rules.uris import checked_uri

MAX_ADDRESS_CHARS: Final = 2_048
_PORTS: Final = {"https": 443, "http": 80}


@rule(f"{drafts.OPENID4VCI} §12.2.1, {drafts.OPENID4VP} §5.10")
def address_is_safe(value: JsonValue, field: str) -> str:
    """An absolute URL without user, password and fragment: https, or http on a loopback address.

    Raises:
        MalformedInput: no URL of at most `MAX_ADDRESS_CHARS` characters, one that parsers read differently, or one with
            a user or a fragment.
        PredicateFailed: http to another machine, or another scheme: anyone on the way could read and change it.
    """
    text = checked_uri(value, field)
    parts = _split(text, field)
    if parts.username is not None or parts.password is not None or "#" in text:
        raise MalformedInput(field, "has a user, a password or a fragment", got=text)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return text
    raise PredicateFailed("address_is_safe", field, text, "https, or http to a loopback address")


def host_of(address: str) -> str:
    """The host of a safe address, in lower case."""
    return _split(address, "address").hostname or ""


def origin_of(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of a safe address."""
    parts = _split(address, "address")
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def issuer_document(identifier: str) -> str:
    """Where a credential issuer's metadata stands: its path, to the letter, follows the well-known one (OpenID4VCI 1.0 §12.2.2)."""
    return _well_known(identifier, "openid-credential-issuer", _split(identifier, "identifier").path)


def server_document(identifier: str) -> str:
    """Where an authorisation server's metadata stands: a slash at the end of its path goes (RFC 8414 §3.1)."""
    return _well_known(identifier, "oauth-authorization-server", _split(identifier, "identifier").path.rstrip("/"))


def _well_known(identifier: str, name: str, path: str) -> str:
    parts = _split(identifier, "identifier")
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{path}"


def _split(text: str, field: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise MalformedInput(field, "is not a URL", got=text) from error
    if not parts.hostname or port == 0:
        raise MalformedInput(field, "names no host", got=text)
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
