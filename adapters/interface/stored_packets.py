"""The three records that a chain's store has of a packet, read alike on every chain."""

from abc import ABC, abstractmethod

from hutong.adapters.interface.packet_records import At
from hutong.light_clients.ibc.commitment import PathKind


class StoredPackets(ABC):
    """A kind of chain says how it reads one record: see `PacketRecords` for what each holds."""

    @abstractmethod
    async def _stored(self, client_id: str, kind: PathKind, sequence: int, height: At) -> bytes | None:
        """What is stored at the packet's ICS-24 key, without a proof; None where nothing is.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
            EndpointUnavailable: no endpoint gave a usable answer.
        """

    async def commitment(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        """See `PacketRecords.commitment`; what is stored at the packet's ICS-24 key, without a proof.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
            EndpointUnavailable: no endpoint gave a usable answer.
        """
        return await self._stored(client_id, PathKind.COMMITMENT, sequence, height)

    async def receipt(self, client_id: str, sequence: int, height: At = None) -> bytes | None:
        """See `PacketRecords.receipt`; what is stored at the packet's ICS-24 key, without a proof.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
            EndpointUnavailable: no endpoint gave a usable answer.
        """
        return await self._stored(client_id, PathKind.RECEIPT, sequence, height)

    async def acknowledgement_commitment(
        self, client_id: str, sequence: int, height: int | None = None
    ) -> bytes | None:
        """See `PacketRecords.acknowledgement_commitment`; what is stored at its ICS-24 key, without a proof.

        Raises:
            HeightUnavailable: no endpoint has the state of that height.
            EndpointUnavailable: no endpoint gave a usable answer.
        """
        return await self._stored(client_id, PathKind.ACKNOWLEDGEMENT, sequence, height)
