"""did:hutong: the name of a DID that stands in a hub's records (docs/spec/identity-records.md)."""

import re
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.dids.syntax import Did

METHOD: Final = "hutong"
ID_BYTES: Final = 32
_HUB_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class HutongDid:
    """`did:hutong:<hub>:<id>`: the hub's name, and the 32 bytes under which its records stand."""

    hub: str
    id: bytes

    def __post_init__(self) -> None:
        if _HUB_NAME.fullmatch(self.hub) is None:
            raise MalformedInput("did.hub", "is not the name of a hub in a DID", got=self.hub)
        if len(self.id) != ID_BYTES:
            raise MalformedInput("did.id", "another length", got=len(self.id), expected=ID_BYTES)

    @property
    def did(self) -> Did:
        """The one spelling: the id as 64 lower-case hex digits."""
        return Did(METHOD, f"{self.hub}:{self.id.hex()}")


def parse_hutong_did(did: Did) -> HutongDid:
    """Take a did:hutong apart.

    Raises:
        MalformedInput: another method, no name of a hub, or no id of 64 lower-case hex digits.
    """
    if did.method != METHOD:
        raise MalformedInput("did.method", "is another method", got=did.method, expected=METHOD)
    hub, _, text = did.identifier.partition(":")
    if _ID.fullmatch(text) is None:
        raise MalformedInput("did.id", "is not 64 lower-case hex digits", got=text)
    return HutongDid(hub, bytes.fromhex(text))
