"""Who a gateway is on a hub, and how it signs."""

from collections.abc import Callable
from dataclasses import dataclass

from hutong.relay.keys import Signer
from hutong.relay.services.storage.rules.lifecycle.signed import DOMAIN, SignedStruct, struct_hash


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer of a hub: ids of 32 bytes, the account's key, and the clock."""

    hub: bytes
    writer: bytes
    signer: Signer
    now_s: Callable[[], int]

    async def sign(self, struct: SignedStruct) -> bytes:
        """65 bytes by the writer's account.

        Raises:
            SigningFailed: the key is elsewhere and does not answer.
        """
        return await self.signer.sign_typed_data(DOMAIN, struct_hash(struct))
