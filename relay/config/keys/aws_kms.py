"""A key in AWS KMS. Whose account and by which credentials, the environment says, as for every client of AWS.

Example:

    [chains.key]
    kind = "aws-kms"
    key_id = "alias/relay-alpha"         # an id, an alias or an ARN
    region = "eu-central-1"
    public_key = "0279be66…"             # 33 bytes of hex, compressed: another key's signature is refused
    # curve = "p256"                     # of a key for credentials, spec ECC_NIST_P256
"""

from collections.abc import Hashable
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from hutong.relay.config.fields import url_of
from hutong.relay.config.keys.key_base import KeyBase
from hutong.relay.config.keys.public_key import Curve, check_public_key


class AwsKmsConfig(KeyBase):
    """Which key (of spec ECC_SECG_P256K1 or ECC_NIST_P256, usage SIGN_VERIFY), and where."""

    kind: Literal["aws-kms"]
    key_id: Annotated[str, Field(min_length=1, max_length=2048, pattern=r"^[A-Za-z0-9:/_-]+$")]
    region: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+$")]
    curve: Curve = "secp256k1"
    public_key: str
    endpoint_url: Annotated[str, url_of("http", "https")] | None = None
    """Of a store that is not Amazon's, or of an endpoint inside a private network."""
    timeout_ms: Annotated[int, Field(ge=50, le=120_000)] = 5_000
    """One request."""
    in_flight: Annotated[int, Field(ge=1, le=64)] = 8
    """Requests at once."""

    @field_validator("public_key", mode="after")
    @classmethod
    def _is_on_the_curve(cls, text: str, info: ValidationInfo) -> str:
        return check_public_key(text, info.data.get("curve", "secp256k1"))

    @property
    def key_curve(self) -> Curve:
        """See `KeyBase`."""
        return self.curve

    @property
    def key(self) -> bytes:
        """The public key, 33 bytes."""
        return bytes.fromhex(self.public_key)

    @property
    def place(self) -> str:
        """See `KeyBase`."""
        return f"aws-kms {self.region} {self.key_id}"

    @property
    def same_key(self) -> Hashable:
        """See `KeyBase`."""
        return self.key
