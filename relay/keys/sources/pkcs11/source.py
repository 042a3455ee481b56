"""One key on a token. Low s, the recovery id and the check of every signature are made here, outside the token's process."""

from typing import Any

from hutong.adapters.interface.errors import SignerFaulty, SigningFailed
from hutong.relay.config import Pkcs11Config
from hutong.relay.keys.documents import SigningDocument
from hutong.relay.keys.signatures import check_signable, checked_p256_signature, finished_signature
from hutong.relay.keys.source import KeyAlgorithm, SourceHealth
from hutong.relay.keys.sources.pkcs11.place import checked_place, place_in, uncompressed
from hutong.relay.keys.sources.pkcs11.pool import leave_pool, pool_of


class Pkcs11Key:
    """A key of secp256k1 or P-256. `timeout_ms` bounds one answer of the token, not the time in line for it."""

    def __init__(self, config: Pkcs11Config) -> None:
        """Raises KeyUnavailable as `checked_place`. The token itself may be away."""
        self._place = checked_place(place_in(config), config.place)
        self._name = config.place
        self._public_key = config.key
        self._processes = config.processes
        self._limit_s = config.timeout_ms / 1000
        self._algorithm = KeyAlgorithm(config.curve)
        point = uncompressed(self._algorithm, config.key)
        self._asked = {"key_id": config.key_id, "curve": config.curve, "point": point.hex()}

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._name

    @property
    def algorithm(self) -> KeyAlgorithm:
        """See `KeySource`."""
        return self._algorithm

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._public_key

    async def sign(self, document: SigningDocument) -> bytes:
        """See `KeySource`. Equal documents have another signature each time: tokens draw their nonces."""
        check_signable(self.name, self.algorithm, document)
        answer = await self._ask("sign", {**self._asked, "digest": document.digest.hex()})
        try:
            r_and_s = bytes.fromhex(answer)
        except (TypeError, ValueError):
            raise SignerFaulty(self.name, "gave what is not a signature") from None
        if self.algorithm is KeyAlgorithm.P256:
            return checked_p256_signature(self.name, self.public_key, document, r_and_s)
        return finished_signature(self.name, self.public_key, document.digest, r_and_s)

    async def health(self) -> SourceHealth:
        """See `KeySource`: the token is there, takes the PIN and has the key, which cannot leave it."""
        try:
            said = await self._ask("find", self._asked)
        except SigningFailed as error:
            return SourceHealth(ready=False, detail=str(error))
        return SourceHealth(ready=True, detail=f"{self.name}: has the key ({said})")

    async def _ask(self, deed: str, about: dict[str, Any]) -> Any:
        pool = pool_of(self._place, self, self._processes)
        return await pool.ask(self.name, deed, about, self._limit_s)

    async def aclose(self) -> None:
        """See `KeySource`. Processes end when no other key on the token is used."""
        await leave_pool(self._place, self)
