"""The key of who signs tokens of JOSE (ES256): a PEM file, as it always was, or a key's table of a kind that has P-256.

Example:

    key = "issuer.pem"                   # P-256, PKCS #8, mode 0600

    [issuer.key]                         # or
    kind = "aws-kms"
    curve = "p256"
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Tag

from hutong.relay.config.errors import Problem
from hutong.relay.config.fields import FilePath
from hutong.relay.config.keys.key_base import KeyBase
from hutong.relay.config.keys.kinds import AnyKeyConfig

FILE_TAG, TABLE_TAG = "key-file", "key-table"
"""Pydantic's words for the two forms, which no reader of a problem sees."""
P256_KINDS = ("aws-kms", "pkcs11")
"""Kinds that may hold a key of P-256, by the word of the configuration."""


def _form_of(value: Any) -> str:
    return TABLE_TAG if isinstance(value, (dict, KeyBase)) else FILE_TAG


TokenKeyConfig: TypeAlias = Annotated[
    Annotated[FilePath, Tag(FILE_TAG)] | Annotated[AnyKeyConfig, Tag(TABLE_TAG)], Discriminator(_form_of)
]


def token_key_problems(key: Path | AnyKeyConfig, field: str) -> Iterator[Problem]:
    """A key that is not of P-256, which no verifier of credentials would take.

    Args:
        field: the key's place, such as `issuer.key`.
    """
    if isinstance(key, Path) or key.key_curve == "p256":
        return
    if key.kind in P256_KINDS:
        yield Problem(f"{field}.curve", "is not p256, and tokens are signed with ES256", 'set curve = "p256"')
    else:
        known = " or ".join(f'"{one}"' for one in P256_KINDS)
        yield Problem(
            f"{field}.kind",
            f"{key.kind} signs no tokens: they need a key of P-256",
            f"set kind to {known}, or name a PEM file",
        )
