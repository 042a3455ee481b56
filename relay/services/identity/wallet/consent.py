"""What the holder is shown before anything leaves the wallet: who asks, where the answer goes, what it would disclose."""

from dataclasses import dataclass

from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.services.identity.rules.sd_jwt import ClaimPath
from hutong.relay.services.identity.rules.wallet.requests import ShowableRequest
from hutong.relay.services.identity.wallet.holdings import Holding

HIDDEN_FROM_PEOPLE = frozenset({"cnf", "status", "vct", "iss", "iat", "nbf", "exp", "aka_vcts", "vct#integrity"})
"""What every presentation shows and no holder can withhold: said once, in words."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One credential of the answer. `disclosed` was asked for; `always` stands in the clear in it, asked for or not."""

    query_id: str
    holding: Holding
    disclosures: tuple[ClaimPath, ...]
    disclosed: tuple[tuple[ClaimPath, JsonValue], ...]
    always: tuple[tuple[ClaimPath, JsonValue], ...]
    left: int
    """How many of the batch are fresh, this one included."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A request, and the answer that the holder would give. Nothing has left the wallet."""

    showable: ShowableRequest
    shown: tuple[Shown, ...]

    @property
    def asker(self) -> str:
        """Who asks, by the certificate."""
        return self.showable.asker

    @property
    def goes_to(self) -> str:
        """Where the answer would go."""
        return self.showable.request.response_uri


def value_at(claims: JsonObject, path: ClaimPath) -> JsonValue:
    """What stands at a path that is known to lead somewhere."""
    value: JsonValue = claims
    for step in path:
        if isinstance(value, dict):
            value = value[str(step)]
        elif isinstance(value, list):
            value = value[int(step)]
    return value


def always_shown(claims: JsonObject, hidden: frozenset[ClaimPath]) -> tuple[tuple[ClaimPath, JsonValue], ...]:
    """Claims at the top that the issuer left in the clear, without what every credential has."""
    return tuple(
        ((name,), value) for name, value in claims.items() if (name,) not in hidden and name not in HIDDEN_FROM_PEOPLE
    )


def written_path(path: ClaimPath) -> str:
    """`address.locality`, `nationalities[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
