"""What the reader of an acceptance demands beside the proofs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hutong.light_clients.interface import MalformedInput

MAX_SPAN_S = 86_400


@dataclass(frozen=True, slots=True)
class AcceptanceTerms:
    """Ages are counted to the hub's header, whose time alone is proven.

    The holder signed at most `max_age_s` seconds before that header and `skew_s` after it. `newest_epoch` is the highest of the
    issuer that the reader has seen. `types` says of which schema (SHA-256) a `vct` is that its credential does not say itself.
    `schema` is the one that is asked for, None: any that the issuer is accredited for.
    `algorithms` are JWS names of what holders may sign with; None: ES256 alone.
    """

    max_age_s: int = 300
    skew_s: int = 60
    newest_epoch: int = 0
    types: Mapping[str, bytes] = field(default_factory=dict)
    algorithms: frozenset[str] | None = None
    schema: bytes | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.max_age_s <= MAX_SPAN_S and 0 <= self.skew_s <= MAX_SPAN_S and self.newest_epoch >= 0):
            raise MalformedInput("terms", f"ages from 0 to {MAX_SPAN_S} s, an epoch from 0")
