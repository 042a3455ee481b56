"""A wallet that its provider attests, before one authorisation server (draft-ietf-oauth-attestation-based-client-auth-07)."""

import secrets
from collections.abc import Mapping
from typing import Final

from hutong.light_clients.interface import UnsupportedOperation
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import JsonObject, sign_compact, write_json
from hutong.relay.services.identity.rules.openid4vci.client_attestations import POSSESSION_TYPE
from hutong.relay.services.identity.rules.wallet.issuer_answers import (
    MAX_ANSWER_BYTES,
    challenge_well_formed,
)
from hutong.relay.services.identity.rules.wallet.issuer_metadata import ServerMetadata
from hutong.relay.services.identity.wallet.holder_keys import HolderKey
from hutong.relay.services.identity.wallet.issuing.provider import Provider
from hutong.relay.services.identity.wallet.transport import Transport

ATTESTATION_HEADER: Final = "oauth-client-attestation"
POSSESSION_HEADER: Final = "oauth-client-attestation-pop"
CHALLENGE_HEADER: Final = "oauth-client-attestation-challenge"
MAX_CHALLENGE_CHARS: Final = 1_024
POSSESSION_LIFE_S: Final = 60
"""Earlier drafts demand an end, and servers that follow them still do."""


class AttestedClient:
    """One issuance of an attested wallet. Its instance key is new, so that no two issuers can tell that they met one wallet."""

    def __init__(self, transport: Transport, provider: Provider, server: ServerMetadata, now_s: int) -> None:
        self.client_id = provider.config.client_id
        self._transport = transport
        self._server = server
        self._now_s = now_s
        self._key = HolderKey()
        self._attestation = provider.wallet_attestation(self._key.jwk, now_s)
        self._challenge: str | None = None

    def headers(self) -> dict[str, str]:
        """The attestation and a new proof of possession, by a challenge where the server has them.

        Raises:
            PeerRefused, PeerUnreachable, MalformedInput: the server gave no challenge.
        """
        return {ATTESTATION_HEADER: self._attestation, POSSESSION_HEADER: self._possession()}

    def take_up(self, headers: Mapping[str, str]) -> None:
        """Take up the challenge for the next request that an answer may bring."""
        given = headers.get(CHALLENGE_HEADER)
        if given is not None and len(given) <= MAX_CHALLENGE_CHARS and given.isascii() and given.isprintable():
            self._challenge = given

    def wants_another(self, headers: Mapping[str, str], said: bytes) -> bool:
        """Whether an answer asks for the same request with the challenge that it brings."""
        return CHALLENGE_HEADER in headers and b"use_attestation_challenge" in said

    def _possession(self) -> str:
        claims: JsonObject = {
            "iss": self.client_id,
            "aud": self._server.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": self._now_s,
            "exp": self._now_s + POSSESSION_LIFE_S,
        }
        challenge, self._challenge = self._challenge or self._fetched(), None
        if challenge is not None:
            claims["challenge"] = challenge
        return sign_compact({"alg": "ES256", "typ": POSSESSION_TYPE}, write_json(claims), self._key.sign)

    def _fetched(self) -> str | None:
        address = self._server.challenge_endpoint
        if address is None:
            return None
        answer = self._transport.ask("POST", address, {"accept": "application/json"}, b"", MAX_ANSWER_BYTES)
        challenge: str = VERIFY(challenge_well_formed, Transport.demand(answer, address))
        return challenge


def attested_client(
    transport: Transport, provider: Provider | None, server: ServerMetadata, now_s: int
) -> AttestedClient | None:
    """Who the wallet shows that it is: attested where the server knows of that and somebody attests it, and else nobody.

    Raises:
        UnsupportedOperation: the server takes attested wallets alone, and nobody attests this one.
        WalletUnusable: the provider cannot sign now.
    """
    if provider is not None and server.takes_attested:
        return AttestedClient(transport, provider, server, now_s)
    if not server.takes_others:
        raise UnsupportedOperation(
            "an issuer that takes attested wallets alone, for a wallet that nobody attests",
            "name its provider's file (docs/identity/wallet.md)",
        )
    return None
