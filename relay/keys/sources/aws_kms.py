"""The kind `aws-kms`: a key in AWS KMS, by boto3. It was tried against moto and recorded answers, not against AWS.

KMS returns DER with either s and no recovery id, and takes a digest for whatever its algorithm's name says: ECDSA_SHA_256 over
MessageType DIGEST signs the 32 bytes of Keccak-256 as well. Source: AWS KMS API reference, Sign.
"""

from typing import Any

import trio

from hutong.adapters.interface import SignerFaulty, SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import p256, secp256k1
from hutong.relay.base.extras import install_hint
from hutong.relay.config import AwsKmsConfig
from hutong.relay.keys.documents import Hashing, SigningDocument
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.signatures import check_signable, checked_p256_signature, finished_signature
from hutong.relay.keys.source import KeyAlgorithm, SourceHealth

ATTEMPTS = 3
"""Of one call, by boto3's standard mode, which waits longer each time and knows what is throttled."""
MAX_RAW_BYTES = 4096
"""Longer messages are hashed before they are sent."""
_SPKI_BYTES = {KeyAlgorithm.SECP256K1: 88, KeyAlgorithm.P256: 91}
"""Of a key in DER; its last 64 bytes are the point's x ‖ y."""
_ALGORITHM = "ECDSA_SHA_256"
_PASSES = frozenset(
    {"ThrottlingException", "KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException", "LimitExceededException"}
    | {"InternalFailure", "ServiceUnavailable", "RequestTimeout"}
)  # fmt: skip
"""Errors that a later attempt may not meet."""


class AwsKmsKey:
    """One key. Requests block in threads, `in_flight` at a time; one that its caller gave up may have signed."""

    def __init__(self, config: AwsKmsConfig) -> None:
        """Raises KeyUnavailable where the library is not installed, or the environment says nothing usable."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise KeyUnavailable(config.place, f"needs the extra kms; {install_hint('kms')}") from None
        limit_s = config.timeout_ms / 1000
        options = Config(
            connect_timeout=limit_s,
            read_timeout=limit_s,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            max_pool_connections=config.in_flight,
        )
        try:
            self._client = boto3.Session().client(
                "kms", region_name=config.region, endpoint_url=config.endpoint_url, config=options
            )
        except (BotoCoreError, ValueError) as error:
            raise KeyUnavailable(config.place, f"the environment does not say how to reach it: {error}") from None
        self._config = config
        self._limiter = trio.CapacityLimiter(config.in_flight)

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._config.place

    @property
    def algorithm(self) -> KeyAlgorithm:
        """See `KeySource`."""
        return KeyAlgorithm(self._config.curve)

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._config.key

    async def sign(self, document: SigningDocument) -> bytes:
        """See `KeySource`. Equal documents have another signature each time."""
        check_signable(self.name, self.algorithm, document)
        is_raw = document.hashing is Hashing.SHA256 and len(document.preimage) <= MAX_RAW_BYTES
        answer = await self._ask(
            self._client.sign,
            Message=document.preimage if is_raw else document.digest,
            MessageType="RAW" if is_raw else "DIGEST",
            SigningAlgorithm=_ALGORITHM,
        )
        der = answer.get("Signature") or b""
        if self.algorithm is KeyAlgorithm.P256:
            return checked_p256_signature(self.name, self.public_key, document, p256.signature_of_der(der) or b"")
        r_and_s = secp256k1.signature_of_der(der)
        if r_and_s is None:
            raise SignerFaulty(self.name, "gave what is not a signature in DER")
        return finished_signature(self.name, self.public_key, document.digest, r_and_s)

    async def health(self) -> SourceHealth:
        """See `KeySource`: the key is there, and is the pinned one."""
        try:
            answer = await self._ask(self._client.get_public_key)
        except (SignerUnavailable, SigningRefused) as error:
            return SourceHealth(ready=False, detail=str(error))
        der = answer.get("PublicKey") or b""
        if (
            len(der) != _SPKI_BYTES[self.algorithm]
            or self._compressed(der[-p256.COORDINATES_BYTES :]) != self.public_key
        ):
            return SourceHealth(ready=False, detail=f"{self.name}: is another key than {self.public_key.hex()}")
        return SourceHealth(ready=True, detail=f"{self.name}: has the key")

    def _compressed(self, coordinates: bytes) -> bytes | None:
        if self.algorithm is KeyAlgorithm.P256:
            return p256.compress(coordinates)
        return secp256k1.compress(b"\x04" + coordinates)

    async def aclose(self) -> None:
        """See `KeySource`."""
        self._client.close()

    async def _ask(self, call: Any, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        def ask() -> dict[str, Any]:
            found: dict[str, Any] = call(KeyId=self._config.key_id, **arguments)
            return found

        try:
            return await trio.to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._limiter)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in _PASSES or status >= 500:
                raise SignerUnavailable(self.name, f"answers {code[:80]}") from None
            raise SigningRefused(self.name, f"refuses with {code[:80]}") from None
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise SigningRefused(self.name, f"the environment has no credentials: {type(error).__name__}") from None
        except BotoCoreError as error:
            raise SignerUnavailable(self.name, f"gives no answer: {type(error).__name__}") from None
