"""What an application is told of a person: a `sub` that is its own, and the claims that the configuration maps."""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from hutong.relay.services.identity.login.settings import ClientConfig, LoginConfig
from hutong.relay.services.identity.rules.jose import encode_base64url

MIN_SECRET_BYTES = 32


class NobodyShown(Exception):
    """What was shown does not have the claim that tells people apart; one sentence."""


def person_of(
    login: LoginConfig, client: ClientConfig, credentials: Mapping[str, Any], secret: bytes
) -> dict[str, Any]:
    """`sub` and the client's claims, from the credentials of an accepted answer. A claim that was not shown is left out.

    Raises:
        NobodyShown: no value of `login.subject`, or one that is not a text or a whole number.
    """
    subject = _at(login.subject, credentials)
    if isinstance(subject, bool) or not isinstance(subject, str | int) or subject == "":
        raise NobodyShown(f"the wallet did not show {'.'.join(login.subject)}, which tells people apart")
    told: dict[str, Any] = {"sub": pairwise_sub(secret, client.sector, _issuer(login, credentials), subject)}
    for name in client.claims:
        value = _at(login.claims[name], credentials)
        if value is not None:
            told[name] = value
    return told


def pairwise_sub(secret: bytes, sector: str, issuer: list[str], subject: str | int) -> str:
    """The name of a person at one application (OpenID Connect Core 1.0 §8.1): two applications cannot join theirs.

    Values of one subject from two issuers, or of two types, are two people.
    """
    text = json.dumps([sector, *issuer, subject], ensure_ascii=False, separators=(",", ":"))
    return encode_base64url(hmac.digest(secret, text.encode(), sha256))


def _issuer(login: LoginConfig, credentials: Mapping[str, Any]) -> list[str]:
    shown = credentials[login.subject[0]][0]
    issuer = shown["issuer"]
    return [issuer["name"] or issuer["certificate"] or issuer["key"], shown["vct"]]


def _at(place: tuple[str, ...], credentials: Mapping[str, Any]) -> Any:
    query, *names = place
    listed = credentials.get(query)
    value: Any = listed[0]["claims"] if listed else None
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
