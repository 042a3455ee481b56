"""Requests to an issuer for credentials, encrypted both ways where it offers that (OpenID4VCI 1.0 §8 to §10)."""

import secrets
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.encrypting import encrypt_to
from hutong.relay.services.identity.rules.jose import JsonObject, encode_base64url, write_json
from hutong.relay.services.identity.rules.jose.jwe import KEY_AGREEMENT, DecryptionKey, judge_jwe, read_decryption_key
from hutong.relay.services.identity.rules.wallet.encryption_offered import OfferedEncryption
from hutong.relay.services.identity.rules.wallet.issuer_answers import (
    MAX_CREDENTIALS_BYTES,
    AccessToken,
    CredentialsLater,
    ReceivedCredentials,
    credentials_well_formed,
)
from hutong.relay.services.identity.wallet.holder_keys import HolderKey
from hutong.relay.services.identity.wallet.issuing.dpop import BoundRequests
from hutong.relay.services.identity.wallet.transport import Answer, Transport

JSON: Final = "application/json"
JWT: Final = "application/jwt"


@dataclass(frozen=True, slots=True)
class CredentialEndpoint:
    """What asks an issuer under one access token, at its credential end point or its deferred one."""

    requests: BoundRequests
    token: AccessToken
    encryption: OfferedEncryption | None

    def credentials(self, address: str, body: JsonObject, asked: int) -> ReceivedCredentials | CredentialsLater:
        """What the issuer gives for a request, or that it gives it later.

        Args:
            asked: for how many keys.

        Raises:
            MalformedInput, PredicateFailed: an answer that is none, or in the clear where an encrypted one was asked for.
            PeerRefused, PeerUnreachable: the issuer did not answer, or will not.
        """
        secret = self._response_key()
        said = body if secret is None else {**body, "credential_response_encryption": secret[1]}
        content, kind = self._content(said)
        answer = self.post(address, content, kind, MAX_CREDENTIALS_BYTES)
        text = Transport.demand(answer, address)
        if secret is not None:
            text = self._opened(answer, text, secret[0])
        found: ReceivedCredentials | CredentialsLater = VERIFY(credentials_well_formed, text, asked)
        return found

    def post(self, address: str, content: bytes, kind: str, max_bytes: int) -> Answer:
        """One request under the access token. See `Transport.ask`."""
        scheme = "DPoP" if self.token.is_bound else "Bearer"
        headers = {"content-type": kind, "accept": f"{JSON}, {JWT}", "authorization": f"{scheme} {self.token.value}"}
        return self.requests.post(
            address, headers, content, max_bytes, self.token.value if self.token.is_bound else None
        )

    def _content(self, body: JsonObject) -> tuple[bytes, str]:
        plain = write_json(body)
        if self.encryption is None:
            return plain, JSON
        return encrypt_to(self.encryption.key, plain, self.encryption.request).encode(), JWT

    def _response_key(self) -> tuple[DecryptionKey, JsonObject] | None:
        """A new key for one answer, and what a request says of it; None where answers come in the clear."""
        encryption = None if self.encryption is None else self.encryption.response
        if encryption is None:
            return None
        key, kid = HolderKey(), secrets.token_urlsafe(8)
        public: JsonObject = {**key.jwk, "kid": kid, "use": "enc", "alg": KEY_AGREEMENT}
        own = read_decryption_key({**key.jwk, "kid": kid, "d": encode_base64url(key.secret)})
        return own, {"jwk": public, "enc": encryption.value}

    def _opened(self, answer: Answer, text: bytes, key: DecryptionKey) -> bytes:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JWT:
            raise PredicateFailed("credentials_come_encrypted", "content-type of the credential answer", kind, JWT)
        return judge_jwe(
            VERIFY, text.decode("ascii", "replace").strip(), "credential answer", key, MAX_CREDENTIALS_BYTES
        )
