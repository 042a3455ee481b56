"""The method-specific identifier of did:webvh, and where its files lie (did:webvh 1.0, "Method-Specific Identifier").

Whoever resolves a stranger's DID fetches from a place that the stranger chose. So the place is a name of the public DNS:
no address in any spelling, no name that means the reader's own machine or network, no path that climbs. That a public name
may still point to a private address is for whoever fetches to check.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from hutong.light_clients.interface import rule
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.services.identity.rules.dids.syntax import Did, percent_decoded
from hutong.relay.services.identity.rules.dids.webvh.hashes import is_entry_hash
from hutong.relay.services.identity.rules.drafts import DID_WEBVH

METHOD: Final = "webvh"
MAX_HOST_CHARS: Final = 253
MAX_PATH_SEGMENTS: Final = 16
LOG_FILE: Final = "did.jsonl"
WITNESS_FILE: Final = "did-witness.json"

_PORT = re.compile(r"(.*)%3[Aa]([0-9]{1,5})", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_SUFFIXES: Final = (
    "alt",
    "arpa",
    "home",
    "internal",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
)
"""Names that are never public: RFC 6761, 6762, 7686, 8375, 9476, ICANN's `internal`, and what routers hand out."""


@dataclass(frozen=True, slots=True)
class WebvhDid:
    """A did:webvh whose place was judged. `host` is lower-case; `path` holds decoded segments."""

    did: Did
    scid: str
    host: str
    port: int | None
    path: tuple[str, ...]

    @property
    def log_url(self) -> str:
        """Where the log lies: under `/.well-known/` where the DID has no path."""
        return self._file(LOG_FILE)

    @property
    def witness_url(self) -> str:
        """Beside the log."""
        return self._file(WITNESS_FILE)

    @property
    def files_url(self) -> str:
        """What DID URL paths stand under, with a slash at the end; without `.well-known`."""
        return "/".join((f"https://{self._authority}", *self._encoded_path, ""))

    @property
    def _authority(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def _encoded_path(self) -> tuple[str, ...]:
        return tuple(quote(segment, safe="") for segment in self.path)

    def _file(self, name: str) -> str:
        return "/".join((f"https://{self._authority}", *(self._encoded_path or (".well-known",)), name))


def parse_webvh_did(did: Did) -> WebvhDid:
    """Take a did:webvh apart, and judge the place that it names.

    Raises:
        MalformedInput: another method, no SCID of SHA-256, or no place of the syntax.
        PredicateFailed: the place is an address, a private name, or a path that climbs.
        UnsupportedOperation: a host with characters outside ASCII; its A-labels (`xn--…`) are supported.
    """
    if did.method != METHOD:
        raise MalformedInput("did.method", "is another method", got=did.method, expected=METHOD)
    scid, *places = did.identifier.split(":")
    if not is_entry_hash(scid):
        raise MalformedInput("did.scid", "is not a SHA-256 multihash in base58btc", got=scid)
    if not places:
        raise MalformedInput("did.domain", "is missing", got=str(did))
    domain, *segments = places
    port_match = _PORT.fullmatch(domain)
    port = None if port_match is None else port_in_range(port_match[2])
    host = host_is_a_public_name(domain if port_match is None else port_match[1])
    if len(segments) > MAX_PATH_SEGMENTS:
        raise MalformedInput("did.path", f"more than {MAX_PATH_SEGMENTS} segments", got=len(segments))
    return WebvhDid(did, scid, host, port, tuple(path_segment_stays_below(segment) for segment in segments))


@rule(f"{DID_WEBVH}, Method-Specific Identifier: port-number")
def port_in_range(digits: str) -> int:
    """1 to 65535, without leading zeros: one port has one spelling."""
    port = int(digits)
    if digits[0] == "0" or port > 65_535:
        raise MalformedInput("did.port", "is not a port from 1 to 65535", got=digits)
    return port


@rule(f"{DID_WEBVH}, Method-Specific Identifier: webvh-domain; RFC 1123 §2.1; RFC 6761")
def host_is_a_public_name(text: str) -> str:
    """The host in lower case: two labels or more of letters, digits and hyphens, no address, no private name.

    A last label that is a number makes an address of the whole to URL parsers (`127.1`, `0x7f.1`, `2130706433`).
    What percent-encoding hides is refused rather than decoded, since ASCII needs none in a host.
    """
    if "%" in text:
        if percent_decoded(text, "did.domain").isascii():
            raise PredicateFailed("host_is_a_public_name", "percent-encodes ASCII in the host", got=text)
        raise UnsupportedOperation("a did:webvh host outside ASCII", "write it in A-labels, xn--…")
    host = text.lower()
    labels = host.split(".")
    if len(host) > MAX_HOST_CHARS or any(_LABEL.fullmatch(label) is None for label in labels):
        raise MalformedInput("did.domain", "is not a host name", got=text)
    if _NUMBER.fullmatch(labels[-1]) is not None:
        raise PredicateFailed("host_is_a_public_name", "is an address, or read as one", got=text)
    if len(labels) < 2 or labels[-1] in _PRIVATE_SUFFIXES:
        raise PredicateFailed("host_is_a_public_name", "is no name of the public DNS", got=text)
    return host


@rule(f"{DID_WEBVH}, Method-Specific Identifier: webvh-path-segment")
def path_segment_stays_below(text: str) -> str:
    """The segment percent-decoded once: not empty, no step up, no separator, no control character, no space around it."""
    segment = percent_decoded(text, "did.path")
    if segment in ("", ".", ".."):
        raise PredicateFailed("path_segment_stays_below", "is empty or a step", got=text)
    if any(char in "/\\" or ord(char) < 0x20 or ord(char) == 0x7F for char in segment):
        raise PredicateFailed("path_segment_stays_below", "holds a separator or a control character", got=text)
    if segment != segment.strip():
        raise PredicateFailed("path_segment_stays_below", "begins or ends with a space", got=text)
    return segment
