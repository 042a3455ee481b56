"""Signed logs of a configuration file: how each is reached, and whom its readers believe.

Example:

    [[logs]]
    name = "registry"
    url = ["https://log.example/registry"]     # what C2SP tlog-tiles calls the prefix
    origin = "log.example/registry"
    log_key = "log.example/registry+fa76cf1e+AZsfhHkc/HZjBFhU04netcqVRJ2HXydqg4QLBgqznPxx"
    witnesses = [
        "witness.example/w0+4daa18bd+BGwIpQe4VtZmQ+7JK2/jbi+yTY/eUF2WGR8wML+qGfib",
        "witness.example/w1+d7744454+BPck7Ua4dLPhmJVWe2MJG+7FPf0ffZ5EmxoPjVCX221W",
        "witness.example/w2+7c17d882+BKy+WaxPX/wEDsJAcatzJiNxDizKK9cR8qgMYn7h9jEE",
    ]
    quorum = 2
    publisher_key = "h6+NFu0mQzq17jByXk8NGShOGctqiL6cGHZsnmZpbNk="
    kept_on = [{ chain = "hub", client = "c2sp-tlog-0" }]   # clients that a running relay keeps from expiring
"""

import re
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from hutong.light_clients.interface import MalformedInput
from hutong.relay.config.endpoints import MAX_ACCESS, AccessConfig, EndpointsConfig
from hutong.relay.config.fields import HttpUrls, Model, Name
from hutong.relay.config.path_end import PathEnd

if TYPE_CHECKING:
    from hutong.light_clients.tlog import LogTrust

MAX_VKEY_CHARS = 320
MAX_KEPT = 16
_CLIENT = re.compile(r"c2sp-tlog-(0|[1-9][0-9]{0,18})", re.ASCII)
Vkey = Annotated[str, Field(min_length=1, max_length=MAX_VKEY_CHARS)]


class LogConfig(Model):
    """A log that clients on the hub follow. Nothing is sent to it, so no path leads there."""

    name: Name
    url: HttpUrls
    origin: Annotated[str, Field(min_length=1, max_length=255)]
    log_key: Vkey
    """Verifier key (C2SP signed-note) of type 1."""
    witnesses: Annotated[tuple[Vkey, ...], Field(min_length=1, max_length=32, strict=False)]
    """Verifier keys of type 4 (C2SP tlog-cosignature)."""
    quorum: Annotated[int, Field(ge=1, le=32)]
    """More than half of the witnesses."""
    publisher_key: Annotated[str, Field(pattern=r"^([A-Za-z0-9+/]{43}=)?$")] = ""
    """Ed25519 key in base64 that signs messages; without it no packets come from the log."""
    kept_on: Annotated[tuple[PathEnd, ...], Field(max_length=MAX_KEPT, strict=False)] = ()
    """Clients of the log that a running relay updates before they expire, and over which its messages have proof bundles."""
    poll_interval_ms: Annotated[int, Field(ge=50, le=60_000)] = 1_000
    requests_per_s: Annotated[int, Field(ge=1, le=100_000)] = 100
    access: Annotated[tuple[AccessConfig, ...], Field(max_length=MAX_ACCESS, strict=False)] = ()
    endpoints: EndpointsConfig = EndpointsConfig()

    @model_validator(mode="after")
    def _believable(self) -> Self:
        try:
            self.trust.client_state(1, 1, 1)
        except MalformedInput as error:
            raise ValueError(f"no client believes such a log: {error}") from None
        for end in self.kept_on:
            if _CLIENT.fullmatch(end.client) is None:
                raise ValueError(f"kept_on: {end.client!r} is not a client of a log, such as c2sp-tlog-0")
        if len(set(self.kept_on)) != len(self.kept_on):
            raise ValueError("kept_on names a client twice")
        return self

    @property
    def trust(self) -> "LogTrust":
        """Whom a reader believes.

        Raises:
            MalformedInput: a key is not a verifier key of its type.
        """
        from hutong.light_clients.tlog import COSIGNATURE_V1, ED25519, LogTrust, decode_vkey
        from hutong.light_clients.tlog.notes import decode_base64

        return LogTrust(
            self.origin,
            decode_vkey(self.log_key, ED25519, "log_key"),
            tuple(decode_vkey(vkey, COSIGNATURE_V1, "witnesses") for vkey in self.witnesses),
            self.quorum,
            decode_base64(self.publisher_key, "publisher_key"),
        )
