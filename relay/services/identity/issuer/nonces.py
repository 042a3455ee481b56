"""Nonces that need no memory until they are used: a time and a MAC, by a key that lives as long as the process."""

import hmac
from collections.abc import Callable
from hashlib import sha256

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.jose import decode_base64url, encode_base64url

_TIME_BYTES, _RANDOM_BYTES, _MAC_BYTES = 8, 16, 16


class TimedNonces:
    """Those of one purpose, as a container: `nonce in nonces` says whether it was given out here and has not expired."""

    def __init__(
        self, purpose: str, life_s: int, now_s: Callable[[], int], random_bytes: Callable[[int], bytes]
    ) -> None:
        self._purpose = purpose.encode()
        self._now_s = now_s
        self._random_bytes = random_bytes
        self._key = random_bytes(32)
        self.life_s = life_s

    def new(self) -> str:
        """One that nobody can foretell."""
        body = (self._now_s() + self.life_s).to_bytes(_TIME_BYTES, "big") + self._random_bytes(_RANDOM_BYTES)
        return encode_base64url(body + self._mac(body))

    def __contains__(self, nonce: object) -> bool:
        if not isinstance(nonce, str):
            return False
        try:
            raw = decode_base64url(nonce, "nonce", _TIME_BYTES + _RANDOM_BYTES + _MAC_BYTES)
        except MalformedInput:
            return False
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        known = len(body) == _TIME_BYTES + _RANDOM_BYTES and hmac.compare_digest(mac, self._mac(body))
        return known and int.from_bytes(body[:_TIME_BYTES], "big") > self._now_s()

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key, self._purpose + body, sha256).digest()[:_MAC_BYTES]
