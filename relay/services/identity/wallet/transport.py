"""HTTP to issuers and verifiers: bounded in size and time, no redirects, no proxies or cookies of the machine."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx

from hutong.relay.base.http import AnswerTooLarge, AnswerTooSlow, read_answer
from hutong.relay.services.identity.rules.wallet.addresses import address_is_safe
from hutong.relay.services.identity.rules.wallet.issuer_answers import reason_given
from hutong.relay.services.identity.wallet.errors import PeerRefused, PeerUnreachable

TIMEOUT_S: Final = 15.0
WHOLE_S: Final = 60.0
MAX_REFUSAL_BYTES: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Transport:
    """Requests of one wallet. `client` is the caller's to choose, such as one that asks an application in this process."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def over_network(cls, authorities: Path | None = None) -> Self:
        """TLS by the machine's authorities, and by those of a file in PEM.

        Raises:
            PeerUnreachable: the file cannot be used.
        """
        context = ssl.create_default_context()
        if authorities is not None:
            try:
                context.load_verify_locations(cafile=authorities)
            except (OSError, ssl.SSLError) as error:
                raise PeerUnreachable(str(authorities), f"is no file of certificates ({error})") from None
        return cls(httpx.Client(verify=context, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False))

    def get(self, address: str, accept: str, max_bytes: int) -> bytes:
        """The body of a successful answer.

        Raises:
            PeerRefused, PeerUnreachable: there is none.
            MalformedInput, PredicateFailed: an address that is not safe.
        """
        return self.demand(self.ask("GET", address, {"accept": accept}, None, max_bytes), address)

    def ask(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None, max_bytes: int) -> Answer:
        """One request, whatever its status.

        Raises:
            PeerUnreachable: no answer, or too large or slow.
            MalformedInput, PredicateFailed: an address that is not safe.
        """
        address_is_safe(address, "address")
        every = {"accept-encoding": "identity", "user-agent": "hutong-wallet", **headers}
        try:
            self._client.cookies.clear()  # a cookie would tell two requests of one wallet
            with self._client.stream(method, address, headers=every, content=body) as answer:
                bound = max_bytes if answer.is_success else max(MAX_REFUSAL_BYTES, max_bytes)
                return Answer(answer.status_code, read_answer(answer, bound, WHOLE_S), answer.headers)
        except (AnswerTooLarge, AnswerTooSlow) as error:
            raise PeerUnreachable(address, str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise PeerUnreachable(address, str(error) or type(error).__name__) from None

    @staticmethod
    def demand(answer: Answer, address: str) -> bytes:
        """The body of a successful answer.

        Raises:
            PeerRefused: it is another one.
        """
        if not 200 <= answer.status < 300:
            raise PeerRefused(address, answer.status, reason_given(answer.body))
        return answer.body

    def close(self) -> None:
        """Close connections."""
        self._client.close()
