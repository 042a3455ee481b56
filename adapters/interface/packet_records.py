"""What a chain has recorded of packets."""

from typing import Final, Literal, Protocol

from hutong.adapters.interface.chain import Chain
from hutong.adapters.interface.events import PacketEvent

MAX_EVENT_RANGE = 1_000
"""Blocks per `packet_events` call; public nodes refuse far larger ranges."""
MAX_SEQUENCE_SCAN = 10_000
"""Sequences looked at per `unsettled_sends` call."""


NEWEST: Final = "newest"
"""The state after the newest block that an endpoint knows, which may still be undone."""

At = int | Literal["newest"] | None
"""A final height, NEWEST, or None for the head."""


class PacketRecords(Chain, Protocol):
    """What a chain has recorded of packets, in its state and in its events; read without a proof."""

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        """All packet events of the blocks `first` to `last`, both included, in order of the chain.

        Raises:
            ValueError: the range is not of 1 to MAX_EVENT_RANGE blocks.
            HeightUnavailable: `last` is above the head.
        """

    @property
    def has_unfinal_blocks(self) -> bool:
        """Whether there are blocks above the head: NEWEST then says more than the head's state, and nothing for good."""

    async def commitment(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        """Commitment of a sent, unsettled packet.

        Args:
            client_id: of this chain, the packet's source client.
            height: the state after this block is read: a final height, NEWEST, or None for the head.

        Returns:
            None if nothing was sent with this sequence, or the packet is settled.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
        """

    async def receipt(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        """Receipt of a received packet; its bytes differ between kinds of chain.

        Args:
            client_id: of this chain, the packet's destination client.
            height: the state after this block is read: a final height, NEWEST, or None for the head.

        Returns:
            None if the packet was not received.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
        """

    async def acknowledgement_commitment(
        self, client_id: str, sequence: int, height: int | None = None
    ) -> bytes | None:
        """Commitment of a written acknowledgement.

        Args:
            client_id: of this chain, the packet's destination client.
            height: the state after this block is read; None is the final head.

        Returns:
            None if the packet was not received, or its application has not answered yet.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
        """

    async def next_sequence_send(self, client_id: str) -> int:
        """The sequence that the next packet over the client will get; 1 if none was sent."""

    async def unsettled_sends(
        self, client_id: str, first_sequence: int = 1, count: int = MAX_SEQUENCE_SCAN
    ) -> tuple[int, ...]:
        """The sequences whose commitment stands: sent, and neither acknowledged nor timed out.

        Args:
            client_id: of this chain, the source client.
            first_sequence: where to begin, at least 1.
            count: how many sequences to look at from there on, at most MAX_SEQUENCE_SCAN.

        Returns:
            In ascending order.
        """

    async def sent_packet(self, client_id: str, sequence: int) -> PacketEvent | None:
        """The SEND event of a packet, wherever it is in the chain's history.

        Args:
            client_id: of this chain, the packet's source client.

        Returns:
            None if the chain has no such event. Also None if no endpoint keeps it any more, except as below.

        Raises:
            HeightUnavailable: the state shows that it was sent (Cosmos SDK chains), and no endpoint keeps its block.
        """

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        """The WRITE_ACKNOWLEDGEMENT event of a packet, wherever it is in the chain's history.

        Args:
            client_id: of this chain, the packet's destination client.

        Returns:
            None if the chain has no such event. Also None if no endpoint keeps it any more, except as below.

        Raises:
            HeightUnavailable: the state shows that it was written (Cosmos SDK chains), and no endpoint keeps its block.
        """
