"""Who may ask an operator, and for what: a token that a writer's account signed for one operator and a time (docs/spec/storage-operator-api.md)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, ClassVar, Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import check_number, check_some_hash
from hutong.relay.services.identity.rules.seals.signatures import SIGNATURE_BYTES
from hutong.relay.services.storage.rules.commitments.fields import HASH_BYTES, Fields
from hutong.relay.services.storage.rules.lifecycle.signed import struct_is_signed_by

SPEC: Final = "docs/spec/storage-operator-api.md"
MAX_ACCESS_S: Final = 86_400
"""How far ahead a token may end."""
TOKEN_VERSION: Final = 1
TOKEN_CHARS: Final = 143
SCHEME: Final = "Bearer "


class Rights(IntFlag):
    """What a token is for."""

    READ = 1
    WRITE = 2


_KNOWN_RIGHTS: Final = 3


@dataclass(frozen=True, slots=True)
class StorageAccess:
    """Whoever holds it acts for `writer` at `operator` until `not_after_s` (Unix seconds), within `rights`."""

    TYPE: ClassVar[str] = "StorageAccess(bytes32 hub,bytes32 writer,bytes32 operator,uint8 rights,uint64 notAfter)"
    hub: bytes
    writer: bytes
    operator: bytes
    rights: int
    not_after_s: int

    def __post_init__(self) -> None:
        for field, value in (("hub", self.hub), ("writer", self.writer), ("operator", self.operator)):
            check_some_hash(f"access.{field}", value)
        check_number("access.rights", self.rights, most=255)
        check_number("access.not_after", self.not_after_s)

    def members(self) -> tuple[Any, ...]:
        """See `SignedStruct`."""
        return (self.hub, self.writer, self.operator, self.rights, self.not_after_s)


@dataclass(frozen=True, slots=True)
class SignedAccess:
    """An access and the writer's signature under it, 65 bytes."""

    access: StorageAccess
    signature: bytes


def encode_token(signed: SignedAccess) -> str:
    """143 characters. Hub and operator are not in it: who reads it knows its own."""
    access = signed.access
    number = access.rights.to_bytes(1, "big") + access.not_after_s.to_bytes(8, "big")
    octets = bytes([TOKEN_VERSION]) + access.writer + number + signed.signature
    return urlsafe_b64encode(octets).decode().rstrip("=")


def decode_token(token: str, hub: bytes, operator: bytes) -> SignedAccess:
    """Inverse of `encode_token`, as operator `operator` of hub `hub` reads it. Nothing is judged yet.

    Raises:
        MalformedInput: another version or length, not base64url, or a spelling that no encoder has.
    """
    if len(token) != TOKEN_CHARS or not token.isascii():
        raise MalformedInput("token", "another length", got=len(token), expected=TOKEN_CHARS)
    octets = urlsafe_b64decode(token + "=")
    if urlsafe_b64encode(octets).decode().rstrip("=") != token:
        raise MalformedInput("token", "is not base64url in its one spelling")
    fields = Fields(octets, "token")
    fields.kind(TOKEN_VERSION)
    writer, rights, not_after_s = fields.take(HASH_BYTES), fields.number(1), fields.number(8)
    signed = SignedAccess(StorageAccess(hub, writer, operator, rights, not_after_s), fields.take(SIGNATURE_BYTES))
    fields.end()
    return signed


@rule(SPEC)
def access_is_in_time(access: StorageAccess, now_s: int) -> None:
    """The token is not over, and not made for longer than a day.

    Raises:
        PredicateFailed: it is.
    """
    if not now_s <= access.not_after_s <= now_s + MAX_ACCESS_S:
        raise PredicateFailed(
            "access_is_in_time", "is over, or ends more than a day ahead", got=access.not_after_s, expected=now_s
        )


@rule(SPEC)
def access_gives_the_right(access: StorageAccess, right: Rights) -> None:
    """The token is for what is asked, and names no right that nobody knows.

    Raises:
        PredicateFailed: it is for something else.
    """
    if not access.rights & right or access.rights > _KNOWN_RIGHTS:
        raise PredicateFailed("access_gives_the_right", "not this right", got=access.rights, expected=int(right))


def judge_access(judge: Judge, signed: SignedAccess, right: Rights, account: bytes, now_s: int) -> None:
    """That a token lets its holder ask for this now.

    Args:
        account: 20 bytes, the writer's, as configuration or hub say it.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(access_is_in_time, signed.access, now_s)
    judge(struct_is_signed_by, signed.access, signed.signature, account)
    judge(access_gives_the_right, signed.access, right)
