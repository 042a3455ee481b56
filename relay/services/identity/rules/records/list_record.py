"""What stands under `identity/list/`: the root of a status list, and the key that it is bound to."""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import (
    HASH_BYTES,
    check_bytes,
    check_number,
    check_some_hash,
    decode_value,
    encode_value,
)
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape

STRUCT: Final = "(bytes32,bytes32,bytes32,bytes32,bytes32,uint256,uint192)"
FORM: Final = Struct(">4Q")
"""Bits, size, opened, sealed: the member of 256 bits. Of persons by the million there are thousands of lists: each word counts."""
CHANGES: Final = Struct(">3Q")
"""Updates, height and time of the last change: the member of 192 bits."""
NO_TOKEN: Final = bytes(HASH_BYTES)


@dataclass(frozen=True, slots=True)
class ListBinding:
    """The keys that issue over a list, and the schema under whose accreditation it was opened.

    `seal_thumbprint` is the key of the seals beside the credentials, where that is another one; zero where there is none.
    """

    key_thumbprint: bytes
    schema: bytes
    seal_thumbprint: bytes = bytes(HASH_BYTES)

    def __post_init__(self) -> None:
        check_some_hash("list.key_thumbprint", self.key_thumbprint)
        check_bytes("list.schema", self.schema)
        check_bytes("list.seal_thumbprint", self.seal_thumbprint)
        if self.seal_thumbprint == self.key_thumbprint:
            raise MalformedInput("list.seal_thumbprint", "is another key, or zero", got=self.seal_thumbprint)

    @property
    def thumbprints(self) -> tuple[bytes, ...]:
        """Of each key that it is bound to: one or two."""
        return (self.key_thumbprint, self.seal_thumbprint) if any(self.seal_thumbprint) else (self.key_thumbprint,)


@dataclass(frozen=True, slots=True)
class ListRecord:
    """A status list of an issuer.

    `root` is over its chunks (docs/spec/identity-status.md). `token_hash` is the SHA-256 of the newest Status List Token,
    zero before the first. `sealed_s` is 0 while the list is open: no credential is issued over a sealed one, and its bits
    still rise. `updates` counts the changes of the root.
    """

    root: bytes
    shape: TreeShape
    bound: ListBinding
    opened_s: int
    sealed_s: int
    token_hash: bytes
    updates: int
    changed: Moment

    def __post_init__(self) -> None:
        check_bytes("list.root", self.root)
        check_number("list.opened_s", self.opened_s)
        check_number("list.sealed_s", self.sealed_s)
        check_bytes("list.token_hash", self.token_hash)
        check_number("list.updates", self.updates)

    @property
    def is_sealed(self) -> bool:
        """Whether no credential is issued over it any more."""
        return self.sealed_s != 0


def encode_list_record(record: ListRecord) -> bytes:
    """Inverse of `decode_list_record`."""
    bound, shape = record.bound, record.shape
    return encode_value(
        STRUCT,
        (
            record.root,
            bound.key_thumbprint,
            bound.seal_thumbprint,
            bound.schema,
            record.token_hash,
            int.from_bytes(FORM.pack(shape.bits, shape.size, record.opened_s, record.sealed_s), "big"),
            int.from_bytes(CHANGES.pack(record.updates, record.changed.height, record.changed.time_s), "big"),
        ),
    )


def decode_list_record(data: bytes) -> ListRecord:
    """The record of a status list.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    root, thumbprint, seal_thumbprint, schema, token_hash, form, changes = decode_value(STRUCT, data, "list")
    bits, size, opened_s, sealed_s = FORM.unpack(form.to_bytes(FORM.size, "big"))
    updates, height, time_s = CHANGES.unpack(changes.to_bytes(CHANGES.size, "big"))
    return ListRecord(
        root,
        TreeShape(bits, size),
        ListBinding(thumbprint, schema, seal_thumbprint),
        opened_s,
        sealed_s,
        token_hash,
        updates,
        Moment(height, time_s),
    )
