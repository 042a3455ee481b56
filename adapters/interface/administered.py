"""What the admins of a chain decide for packets."""

from typing import Protocol

from hutong.adapters.interface.chain import Chain
from hutong.adapters.interface.clients import ClientInfo
from hutong.light_clients.interface import Height


class Administered(Chain, Protocol):
    """What the admins of a chain decide for packets: its light clients of other chains, and whether packets move."""

    async def client(self, client_id: str) -> ClientInfo:
        """A light client of this chain, as it is stored; read without a proof.

        Raises:
            UnknownClient: there is no client of that name.
            NotSupported: its type is one that this adapter cannot read.
        """

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """The state that a client of this chain stores at exactly `height`, in the Python light client's encoding.

        Nothing here is proven: the caller compares it with what it verified itself.

        Returns:
            None if the client stores none at that height.
        """

    async def paused(self) -> bool:
        """Whether the router's admins have stopped packets for now: refusals by `prepare` are then nobody's fault."""
