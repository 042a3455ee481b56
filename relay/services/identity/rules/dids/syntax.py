"""DIDs and DID URLs as texts (DID Core 1.0 and 1.1 §3.1 and §3.2, which agree).

Nothing is normalised: a DID is compared byte by byte, so a text is taken as it stands or refused.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from hutong.light_clients.interface.errors import MalformedInput

MAX_DID_CHARS: Final = 1_024
"""A did:jwk of a P-256 key has 220; a did:webvh with its longest host and a path stays under."""
MAX_DID_URL_CHARS: Final = 2_048
MAX_QUERY_PARAMETERS: Final = 16
RELATIVE_STARTS: Final = ("#", "/", "?")
"""Of a relative DID URL; one that climbs or that begins with a name is not taken."""

_IDCHAR = r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})"
_DID = re.compile(rf"did:([a-z0-9]++):((?:{_IDCHAR}*+:)*+{_IDCHAR}++)")
_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_PATH = re.compile(rf"(?:/{_PCHAR}*+)*+")
_QUERY_OR_FRAGMENT = re.compile(rf"(?:{_PCHAR}|[/?])*+")


@dataclass(frozen=True, slots=True)
class Did:
    """`did:<method>:<identifier>`, in the one spelling that it came in."""

    method: str
    identifier: str

    def __str__(self) -> str:
        return f"did:{self.method}:{self.identifier}"


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A DID with what may follow it. `path` begins with a slash or is empty; query and fragment come without their mark.

    None where the mark is absent, which is another text than an empty query or fragment.
    """

    did: Did
    path: str = ""
    query: str | None = None
    fragment: str | None = None

    def __str__(self) -> str:
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.did}{self.path}{query}{fragment}"

    def parameters(self) -> dict[str, str]:
        """The parameters of the query by name, values percent-decoded once as UTF-8; `+` stands for itself.

        Raises:
            MalformedInput: a part without name or `=`, a name twice, more than `MAX_QUERY_PARAMETERS`, or a value that
                is not UTF-8.
        """
        if not self.query:
            return {}
        parts = self.query.split("&")
        if len(parts) > MAX_QUERY_PARAMETERS:
            raise MalformedInput("did_url.query", f"more than {MAX_QUERY_PARAMETERS} parameters", got=len(parts))
        found: dict[str, str] = {}
        for part in parts:
            name, equals, value = part.partition("=")
            if not name or not equals:
                raise MalformedInput("did_url.query", "is not name=value", got=part)
            if name in found:
                raise MalformedInput("did_url.query", "names a parameter twice", got=name)
            found[name] = percent_decoded(value, f"did_url.query.{name}")
        return found


def parse_did(text: str, field: str = "did") -> Did:
    """The DID that `text` is, whole; `field` names it in errors.

    Raises:
        MalformedInput: longer than `MAX_DID_CHARS`, or not of the syntax.
    """
    if len(text) > MAX_DID_CHARS:
        raise MalformedInput(field, f"more than {MAX_DID_CHARS} characters", got=len(text))
    match = _DID.fullmatch(text)
    if match is None:
        raise MalformedInput(field, "is not a DID", got=text, expected="did:<method>:<identifier>")
    return Did(match[1], match[2])


def parse_did_url(text: str, field: str = "did_url") -> DidUrl:
    """The DID URL that `text` is, whole; a plain DID is one.

    Raises:
        MalformedInput: longer than `MAX_DID_URL_CHARS`, or not of the syntax.
    """
    if len(text) > MAX_DID_URL_CHARS:
        raise MalformedInput(field, f"more than {MAX_DID_URL_CHARS} characters", got=len(text))
    rest, hash_mark, fragment = text.partition("#")
    rest, question_mark, query = rest.partition("?")
    did, slash, path = rest.partition("/")
    whole_path = slash + path
    for name, part, pattern in (
        ("path", whole_path, _PATH),
        ("query", query, _QUERY_OR_FRAGMENT),
        ("fragment", fragment, _QUERY_OR_FRAGMENT),
    ):
        if pattern.fullmatch(part) is None:
            raise MalformedInput(f"{field}.{name}", f"is not the {name} of a DID URL", got=part)
    return DidUrl(parse_did(did, field), whole_path, query if question_mark else None, fragment if hash_mark else None)


def parse_reference(text: str, base: Did, field: str = "did_url") -> DidUrl:
    """A DID URL, or a relative one (`#key-1`, `/path`), which `base` completes (DID Core §3.2.2).

    Raises:
        MalformedInput: neither, or out of bounds.
    """
    return parse_did_url(f"{base}{text}" if text.startswith(RELATIVE_STARTS) else text, field)


def percent_decoded(text: str, field: str) -> str:
    """`text` percent-decoded exactly once, as UTF-8.

    Raises:
        MalformedInput: a `%` without two hex digits, or bytes that are not UTF-8.
    """
    if re.search(r"%(?![0-9A-Fa-f]{2})", text) is not None:
        raise MalformedInput(field, "has a percent sign without two hex digits", got=text)
    try:
        return unquote_to_bytes(text).decode()
    except ValueError as error:
        raise MalformedInput(field, "percent-encodes what is not UTF-8", got=text) from error
