"""An organisation on the city's hub as its own people know it: its DID, the key of its seals, and its status list."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from eth_account.signers.local import LocalAccount

from hutong.relay.sdk import identity

CHUNK_BYTES = 32
LIST = 0
"""Each has one list of 2^20 statuses of one bit."""


@dataclass(frozen=True)
class Organisation:
    """`signer` seals its credentials for contracts; `thumbprints` are of all its keys (RFC 7638), that one's first; `list_bytes` is its list 0 as whoever serves lists has it."""

    did: str
    signer: LocalAccount
    thumbprints: tuple[bytes, ...]
    list_bytes: bytes

    @property
    def id(self) -> bytes:
        """The 32 bytes of the DID."""
        return identity.parse_did(self.did)[1]

    @property
    def thumbprint(self) -> bytes:
        """Of the key of its seals."""
        return self.thumbprints[0]

    def free_index(self) -> int:
        """An index at random whose status is valid; two of them are one with a chance that nobody meets."""
        while True:
            index = secrets.randbelow(8 * len(self.list_bytes))
            if not self.list_bytes[index // 8] >> index % 8 & 1:
                return index

    def status_path(self, index: int) -> tuple[bytes, list[bytes]]:
        """The chunk of an index, and the siblings up to the root of its list, lowest first (docs/spec/identity-status.md)."""
        level = [self.list_bytes[at : at + CHUNK_BYTES] for at in range(0, len(self.list_bytes), CHUNK_BYTES)]
        place = index // (8 * CHUNK_BYTES)
        chunk, siblings = level[place], []
        while len(level) > 1:
            siblings.append(level[place ^ 1])
            level = [parent(level[at : at + 2]) for at in range(0, len(level), 2)]
            place //= 2
        return chunk, siblings


def parent(children: Sequence[bytes]) -> bytes:
    """A node over two."""
    return sha256(b"".join(children)).digest()
