"""A key on a token: a hardware security module, a card or a file that behaves as one, through its library for PKCS #11.

Example:

    [chains.key]
    kind = "pkcs11"
    module = "/usr/lib/softhsm/libsofthsm2.so"   # the token's library
    token_label = "relay"                        # slots are renumbered, labels stay
    key_id = "01"                                # CKA_ID, in hex
    public_key = "0279be66…"                     # 33 bytes of hex, compressed: another key's signature is refused
    pin_file = "token.pin"                       # mode 0600
    # curve = "p256"                             # of a key for credentials
"""

from collections.abc import Hashable, Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from hutong.relay.config.fields import FilePath
from hutong.relay.config.keys.key_base import KeyBase, NamedFile
from hutong.relay.config.keys.public_key import Curve, check_public_key

MAX_ID_BYTES = 31
MAX_PROCESSES = 8


def check_key_id(text: str) -> str:
    """The CKA_ID in lower case.

    Raises:
        ValueError: it is not bytes in hex, or too long.
    """
    digits = text.removeprefix("0x").lower()
    try:
        size = len(bytes.fromhex(digits))
    except ValueError:
        size = 0
    if not 1 <= size <= MAX_ID_BYTES or 2 * size != len(digits):
        raise ValueError(f'must be the id of the key, 1 to {MAX_ID_BYTES} bytes in hex, such as "01"')
    return digits


KeyId = Annotated[str, AfterValidator(check_key_id)]
TokenLabel = Annotated[str, Field(min_length=1, max_length=32)]
"""CKA_LABEL of a token: 32 bytes, without the blanks at its end."""


class Pkcs11Config(KeyBase):
    """Which token, which of its keys, and how many of its sessions sign at once."""

    kind: Literal["pkcs11"]
    module: FilePath
    """The library runs in a process of its own, with the rights and the environment of this one."""
    token_label: TokenLabel
    token_serial: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    """Of several tokens with one label."""
    key_id: KeyId
    curve: Curve = "secp256k1"
    public_key: str
    pin_file: FilePath
    processes: Annotated[int, Field(ge=1, le=MAX_PROCESSES)] = 1
    """Each is one session. Keys on one token share them."""
    timeout_ms: Annotated[int, Field(ge=50, le=120_000)] = 5_000
    """One answer of the token. A process that takes longer is ended."""

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
        return f"pkcs11 {self.token_label} {self.key_id}"

    @property
    def same_key(self) -> Hashable:
        """See `KeyBase`."""
        return self.key

    def files(self) -> Iterator[NamedFile]:
        """See `KeyBase`."""
        yield NamedFile("pin_file", self.pin_file, is_private=True)
        yield NamedFile("module", self.module, is_private=False)
