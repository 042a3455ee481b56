"""The link that starts a presentation: a verifier's name, and where its request object stands (RFC 9101 §5, OpenID4VP 1.0 §5.10)."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.openid4vp.client_ids import client_id_well_formed
from hutong.relay.services.identity.rules.uris import checked_uri

DEFAULT_SCHEME: Final = "openid4vp"
MAX_LINK_CHARS: Final = 4_096
_NAMES: Final = frozenset({"client_id", "request_uri", "request_uri_method"})


@dataclass(frozen=True, slots=True)
class RequestLink:
    """`is_post`: the wallet may fetch by POST and send a nonce of its own."""

    client_id: str
    request_uri: str
    is_post: bool = False

    def written(self, base: str = f"{DEFAULT_SCHEME}://") -> str:
        """The link under a scheme of wallets, or an address of one, without a query."""
        fields = {"client_id": self.client_id, "request_uri": self.request_uri}
        return f"{base}?{urlencode(fields | ({'request_uri_method': 'post'} if self.is_post else {}))}"


@rule(f"{drafts.JAR} §5, {drafts.OPENID4VP} §5.10")
def link_well_formed(text: str) -> RequestLink:
    """A link by reference, with no parameter twice. Parameters outside of the object count for nothing and are refused.

    Raises:
        MalformedInput: too long, no link, a parameter twice, another one, or a request_uri with a fragment.
        UnsupportedOperation: a client id that no certificate proves, a request by value, or another method.
    """
    if len(text) > MAX_LINK_CHARS or not text.isascii():
        raise MalformedInput("link", f"is not ASCII of at most {MAX_LINK_CHARS} characters", got=len(text))
    try:
        fields = parse_qsl(urlsplit(text).query, keep_blank_values=True, strict_parsing=True, max_num_fields=16)
    except ValueError as error:
        raise MalformedInput("link", "has no query that can be read", got=text) from error
    found = dict(fields)
    if len(found) != len(fields):
        raise MalformedInput("link", "has a parameter twice", got=sorted(name for name, _ in fields))
    if "request_uri" not in found:
        raise UnsupportedOperation("a request by value", "the link has a request_uri")
    if not found.keys() <= _NAMES:
        raise MalformedInput("link", "has a parameter that is not signed", got=sorted(found.keys() - _NAMES))
    method = found.get("request_uri_method", "get")
    if method not in ("get", "post"):
        raise UnsupportedOperation(f"request_uri_method {method[:16]!r}", "get and post are")
    client_id_well_formed(found.get("client_id", ""))
    request_uri = checked_uri(found["request_uri"], "request_uri")
    if not request_uri.startswith("https://") or "#" in request_uri:
        raise MalformedInput("request_uri", "is not an https address without a fragment", got=request_uri)
    return RequestLink(found["client_id"], request_uri, method == "post")
