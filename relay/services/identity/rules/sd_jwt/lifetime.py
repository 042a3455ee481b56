"""Times in tokens (RFC 7519 §4.1): numbers of seconds since 1970, judged by the verifier's clock alone."""

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock


def time_of(claims: JsonObject, name: str, path: str) -> float | None:
    """A time in seconds, fractions included; None where the claim is absent.

    Raises:
        MalformedInput: anything but a number; true and null are none.
    """
    if name not in claims:
        return None
    value = claims[name]
    if type(value) is not int and type(value) is not float:
        raise MalformedInput(f"{path}.{name}", "is not a number of seconds", got=value)
    return value


@rule(f"{drafts.JWT} §4.1.4")
def not_expired(claims: JsonObject, clock: Clock, path: str) -> None:
    """The time is before `exp` plus the skew; at that second it has expired.

    Raises:
        MalformedInput: `exp` is no number.
        PredicateFailed: expired.
    """
    if "exp" not in claims:
        return
    expires_s = time_of(claims, "exp", path)
    if expires_s is not None and clock.now_s >= expires_s + clock.skew_s:
        raise PredicateFailed("not_expired", f"exp of {path}", expires_s, f"> {clock.now_s - clock.skew_s}")


@rule(f"{drafts.JWT} §4.1.5")
def already_valid(claims: JsonObject, clock: Clock, path: str) -> None:
    """The time is not before `nbf` less the skew.

    Raises:
        MalformedInput: `nbf` is no number.
        PredicateFailed: not valid yet.
    """
    if "nbf" not in claims:
        return
    begins_s = time_of(claims, "nbf", path)
    if begins_s is not None and clock.now_s < begins_s - clock.skew_s:
        raise PredicateFailed("already_valid", f"nbf of {path}", begins_s, f"<= {clock.now_s + clock.skew_s}")


@rule(f"{drafts.JWT} §4.1.6")
def not_issued_in_the_future(claims: JsonObject, clock: Clock, path: str) -> None:
    """`iat` is not later than the time plus the skew. An early one shows nothing: it is the signer's word.

    Raises:
        MalformedInput: `iat` is no number.
        PredicateFailed: later.
    """
    issued_s = time_of(claims, "iat", path)
    if issued_s is not None and issued_s > clock.now_s + clock.skew_s:
        raise PredicateFailed(
            "not_issued_in_the_future", f"iat of {path}", issued_s, f"<= {clock.now_s + clock.skew_s}"
        )
