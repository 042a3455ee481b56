"""The code flow as a wallet sees it: a pushed request, and what the browser brings back (RFC 9126, RFC 6749 §4.1.2)."""

from typing import Final
from urllib.parse import parse_qsl

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.document import Document
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import read_json_object
from hutong.relay.services.identity.rules.wallet.issuer_answers import MAX_ANSWER_BYTES
from hutong.relay.services.identity.rules.wallet.issuer_metadata import ServerMetadata
from hutong.relay.services.identity.rules.wallet.offers import MAX_CODE_CHARS

MAX_QUERY_CHARS: Final = 1 << 14
MAX_PARAMETERS: Final = 16


@rule(f"{drafts.PAR} §2.2")
def pushed_well_formed(data: bytes) -> str:
    """`request_uri` of a request that the server keeps.

    Raises:
        MalformedInput: not such JSON.
    """
    answer = Document(read_json_object(data, "pushed request answer", MAX_ANSWER_BYTES), "pushed request answer")
    return answer.members()["request_uri"].ascii(MAX_CODE_CHARS, 1)


@rule(f"{drafts.OAUTH} §4.1.2, {drafts.OAUTH_ISS} §2.4")
def authorisation_answer_well_formed(query: str, state: str, server: ServerMetadata) -> str:
    """The code, for the request of this state, by the server that was asked.

    Raises:
        MalformedInput: no query, or a parameter that stands twice.
        PredicateFailed: another state or server, no code, or the server's refusal.
    """
    name = "authorisation_answer_well_formed"
    if len(query) > MAX_QUERY_CHARS:
        raise MalformedInput("redirect", f"more than {MAX_QUERY_CHARS} characters", got=len(query))
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise MalformedInput("redirect", f"is not a query of at most {MAX_PARAMETERS} parameters") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedInput("redirect", "has a parameter that stands twice")
    if found.get("state") != state:
        raise PredicateFailed(name, "state of another request")
    if ("iss" in found or server.names_itself) and found.get("iss") != server.issuer:
        raise PredicateFailed(name, "iss", found.get("iss"), server.issuer)
    if "error" in found:
        raise PredicateFailed(name, "the authorisation server refused", found["error"][:64])
    code = found.get("code", "")
    if not 0 < len(code) <= MAX_CODE_CHARS or not code.isascii():
        raise MalformedInput("redirect.code", f"is not 1 to {MAX_CODE_CHARS} ASCII characters")
    return code
