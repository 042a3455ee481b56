"""Status List Tokens of an issuer: signed anew when a bit rises and before one is old, and served once the hub names them."""

from collections.abc import Callable
from dataclasses import dataclass

from hutong.light_clients.crypto import sha256
from hutong.relay.services.identity.daemon.token_key import TokenKey
from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, sign_compact, write_json
from hutong.relay.services.identity.rules.status import LIST_TYP, status_list_claim
from hutong.relay.services.identity.rules.status.statuses import Statuses

LIFE_OF_TTLS = 4
"""A token expires after so many times its ttl, and is signed anew after half of that."""
HUB_PATIENCE_S = 5
"""How long a new token waits for the hub to name it. Whoever asks for no proof must hear of a revocation all the same."""
MEDIA_TYPE = "application/statuslist+jwt"


@dataclass(frozen=True, slots=True)
class ListToken:
    """One token. `version` is that of the bits in it."""

    text: str
    version: int
    issued_s: int

    @property
    def hash(self) -> bytes:
        """SHA-256, as the hub's list record has it."""
        return sha256(self.text.encode())


@dataclass(frozen=True, slots=True)
class ListSigner:
    """Who signs, and for how long: `header` has the certificates."""

    header: JsonObject
    key: TokenKey
    ttl_s: int
    now_s: Callable[[], int]

    @property
    def life_s(self) -> int:
        """From `iat` to `exp`."""
        return self.ttl_s * LIFE_OF_TTLS

    async def token(self, uri: str, statuses: Statuses, version: int) -> ListToken:
        """A token of these statuses, from now on.

        Raises:
            SigningFailed: what holds the key does not sign now.
        """
        now_s = self.now_s()
        claims: JsonObject = {
            "sub": uri,
            "iat": now_s,
            "exp": now_s + self.life_s,
            "ttl": self.ttl_s,
            "status_list": status_list_claim(statuses),
        }
        header: JsonObject = {"alg": Algorithm.ES256.value, "typ": LIST_TYP, **self.header}
        payload = write_json(claims)
        text = await self.key.signed(lambda: sign_compact(header, payload, self.key.sign))
        return ListToken(text, version, now_s)


class ListTokens:
    """The tokens of all lists of an issuer: one that is served, and one that waits for the hub."""

    def __init__(
        self,
        signer: ListSigner,
        uri_of: Callable[[int], str],
        statuses_of: Callable[[int], Statuses],
        version_of: Callable[[int], int],
    ) -> None:
        self._signer = signer
        self._uri_of = uri_of
        self._statuses_of = statuses_of
        self._version_of = version_of
        self._served: dict[int, ListToken] = {}
        self._next: dict[int, ListToken] = {}

    async def refresh(self, number: int) -> None:
        """Sign anew if a bit rose, or if the newest token has lived half its life. One task refreshes a list at a time.

        Raises:
            SigningFailed: as `ListSigner.token`; what is served stays.
        """
        newest = self._next.get(number) or self._served.get(number)
        now_s, version = self._signer.now_s(), self._version_of(number)
        if newest is None or newest.version != version or now_s - newest.issued_s >= self._signer.life_s // 2:
            token = await self._signer.token(self._uri_of(number), self._statuses_of(number), version)
            self._next[number] = token

    def next_hash(self, number: int) -> bytes | None:
        """Of the token that the hub is to name."""
        newest = self._next.get(number) or self._served.get(number)
        return None if newest is None else newest.hash

    def promote(self, number: int, named: bytes | None = None) -> None:
        """Serve the token that waits; where the hub names one, only that one."""
        waiting = self._next.get(number)
        if waiting is not None and named in (None, waiting.hash):
            self._served[number] = self._next.pop(number)

    def current(self, number: int) -> ListToken | None:
        """What is served now; None where there is no such list or nothing was signed yet."""
        waiting = self._next.get(number)
        if waiting is not None:
            waited_s = self._signer.now_s() - waiting.issued_s
            if number not in self._served or waited_s >= HUB_PATIENCE_S:
                self.promote(number)
        return self._served.get(number)
