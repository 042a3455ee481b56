"""What a verifier demands of a presentation. Nothing of it is read from the presentation, and nothing has a lax default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.jose import HAIP_ALGORITHMS, Algorithm, KeySet, TrustAnchors

DEFAULT_SKEW_S: Final = 60
DEFAULT_MAX_AGE_S: Final = 300
MAX_SPAN_S: Final = 86_400
"""Of skew and age: who needs more should look at its clock, or does not ask for a fresh presentation."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The verifier's time in whole seconds since 1970, and how far the clocks of others may differ."""

    now_s: int
    skew_s: int = DEFAULT_SKEW_S

    def __post_init__(self) -> None:
        if self.now_s < 0 or not 0 <= self.skew_s <= MAX_SPAN_S:
            raise MalformedInput("clock", f"skew of 0 to {MAX_SPAN_S} s", got=(self.now_s, self.skew_s))


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """Keys of one issuer. With `issuer` None they are believed under whatever name, and no name is bound to them."""

    keys: KeySet
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class IssuerTrust:
    """Who may have issued: by keys, and by certificate chains under anchors. Either alone may be empty.

    `pinned` are keys by the SHA-256 of their certificate, as a hub's records name both: a token that brings certificates is then
    judged by its first one's hash, and by no anchor.
    """

    keys: tuple[TrustedKeys, ...] = ()
    anchors: TrustAnchors | None = None
    pinned: Mapping[bytes, KeySet] = field(default_factory=lambda: MappingProxyType({}))

    def keys_for(self, issuer: str | None) -> tuple[TrustedKeys, ...]:
        """The sets of this name. Only a name that has none may come with keys that are trusted under no name."""
        named = [trusted for trusted in self.keys if trusted.issuer is not None and trusted.issuer == issuer]
        return tuple(named or [trusted for trusted in self.keys if trusted.issuer is None])


@dataclass(frozen=True, slots=True)
class KeyBindingDemand:
    """The holder must have signed for this verifier and this request, at most `max_age_s` seconds ago.

    Whether `nonce` was used before is the verifier's to know: it takes each one once.
    """

    audience: str
    nonce: str
    max_age_s: int = DEFAULT_MAX_AGE_S

    def __post_init__(self) -> None:
        if not self.audience or not self.nonce:
            raise MalformedInput("key_binding", "audience and nonce are not empty", got=(self.audience, self.nonce))
        if not 0 <= self.max_age_s <= MAX_SPAN_S:
            raise MalformedInput("key_binding.max_age_s", f"0 to {MAX_SPAN_S}", got=self.max_age_s)


@dataclass(frozen=True, slots=True)
class PresentationPolicy:
    """All that a verifier demands. With `key_binding` None only a credential that no holder signed is taken.

    `types` are the values of `vct` that are taken; None takes any.
    """

    trust: IssuerTrust
    clock: Clock
    key_binding: KeyBindingDemand | None
    types: frozenset[str] | None = None
    algorithms: frozenset[Algorithm] = HAIP_ALGORITHMS
