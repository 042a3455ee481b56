"""DPoP (RFC 9449): tokens that only this flow's key can use. The key is made for one offer, and kept only while its
credentials are still to come."""

import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from hutong.light_clients.crypto import sha256
from hutong.relay.services.identity.rules.jose import JsonObject, encode_base64url, sign_compact, write_json
from hutong.relay.services.identity.rules.wallet.issuer_answers import MAX_ANSWER_BYTES
from hutong.relay.services.identity.wallet.holder_keys import HolderKey
from hutong.relay.services.identity.wallet.issuing.attested_client import AttestedClient
from hutong.relay.services.identity.wallet.transport import Answer, Transport

NONCE_HEADER: Final = "dpop-nonce"
MAX_NONCE_CHARS: Final = 1_024
_FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
_RETRIED: Final = frozenset({400, 401})
_TRIES: Final = 3
"""A server may want a nonce and a challenge, each said in an answer of its own."""


class BoundRequests:
    """POST requests with a proof of the key; a server's nonce is taken up, and asked for once more where it is missing."""

    def __init__(
        self,
        transport: Transport,
        now_s: int,
        client: AttestedClient | None = None,
        secret: bytes | None = None,
    ) -> None:
        """`client` shows at the authorisation server who the wallet is; `secret` is that of a key that was kept."""
        self.key = HolderKey(secret)
        self.client = client
        self._transport = transport
        self._now_s = now_s
        self._nonces: dict[str, str] = {}

    def authorise(self, address: str, fields: Mapping[str, str]) -> Answer:
        """A form for the authorisation server, which learns who the wallet is. See `post`."""
        return self._post_until_taken(address, _FORM, urlencode(fields).encode(), MAX_ANSWER_BYTES, self.client, None)

    def post(
        self, address: str, headers: Mapping[str, str], body: bytes, max_bytes: int, token: str | None = None
    ) -> Answer:
        """One request, and another one for each nonce or challenge that the server wanted and that was not known yet.

        See `Transport.ask`.
        """
        return self._post_until_taken(address, headers, body, max_bytes, None, token)

    def _post_until_taken(
        self,
        address: str,
        headers: Mapping[str, str],
        body: bytes,
        max_bytes: int,
        client: AttestedClient | None,
        token: str | None,
    ) -> Answer:
        for _ in range(_TRIES):
            shown = {} if client is None else client.headers()
            proof = self._proof(address, token)
            answer = self._transport.ask("POST", address, {**headers, **shown, "dpop": proof}, body, max_bytes)
            self._take_up(address, answer)
            said = answer.body + answer.headers.get("www-authenticate", "").encode("utf-8", "replace")
            if client is not None:
                client.take_up(answer.headers)
            wants_nonce = NONCE_HEADER in answer.headers and b"use_dpop_nonce" in said
            wants_challenge = client is not None and client.wants_another(answer.headers, said)
            if answer.status not in _RETRIED or not (wants_nonce or wants_challenge):
                break
        return answer

    def _take_up(self, address: str, answer: Answer) -> None:
        given = answer.headers.get(NONCE_HEADER)
        if given is not None and len(given) <= MAX_NONCE_CHARS and given.isascii() and given.isprintable():
            self._nonces[_server(address)] = given

    def _proof(self, address: str, token: str | None) -> str:
        claims: JsonObject = {
            "jti": secrets.token_urlsafe(16),
            "htm": "POST",
            "htu": address.partition("?")[0],
            "iat": self._now_s,
        }
        nonce = self._nonces.get(_server(address))
        if nonce is not None:
            claims["nonce"] = nonce
        if token is not None:
            claims["ath"] = encode_base64url(sha256(token.encode()))
        header: JsonObject = {"alg": "ES256", "typ": "dpop+jwt", "jwk": self.key.jwk}
        return sign_compact(header, write_json(claims), self.key.sign)


def _server(address: str) -> str:
    return "/".join(address.split("/", 3)[:3])
