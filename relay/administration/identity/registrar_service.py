"""A registrar's service asked by a person: its answers are not believed, its proofs are judged by whoever uses them."""

from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.base.http import AnswerTooLarge, AnswerTooSlow, read_answer
from hutong.relay.config.api import is_loopback
from hutong.relay.services.identity.rules.jose import read_json_object

TIMEOUT_S: Final = 15.0
WHOLE_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 64 * 1024


def ask_registrar(service: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the service answers to `POST /v1/registrar<path>`.

    Args:
        service: its public address, by https unless it is on this machine: a request may hold an invitation.

    Raises:
        Unusable: not such an address. Declined: it does not answer, refuses, or answers something else.
    """
    parts = urlsplit(service)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise Unusable(f"{service[:200]} is not an address with https")
    address, headers = f"{service.rstrip('/')}/v1/registrar{path}", {"accept-encoding": "identity"}
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", address, json=body, headers=headers) as answer,
        ):
            status, data = answer.status_code, read_answer(answer, MAX_ANSWER_BYTES, WHOLE_S)
        found = read_json_object(data, "answer", MAX_ANSWER_BYTES)
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        httpx.StreamError,
        AnswerTooLarge,
        AnswerTooSlow,
        MalformedInput,
    ) as error:
        raise Declined(f"{service[:200]} does not answer as a registrar: {type(error).__name__}") from None
    if status >= 400:
        raise Declined(f"the registrar refuses it: {str(found.get('detail', status))[:400]}")
    return dict(found)
