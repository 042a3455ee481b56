"""Which hub block an event belongs to, by the header that the validators committed."""

from collections import OrderedDict

from adapters.hub.rpc import CometRpc
from light_clients.tendermint.types import SignedHeader

CACHED_HEADERS = 512


class CommittedBlocks:
    """Committed headers never change, so the newest few are kept. Ethereum block n of a hub is its CometBFT block n."""

    def __init__(self, comet: CometRpc) -> None:
        self._comet = comet
        self._headers: OrderedDict[int, SignedHeader] = OrderedDict()

    async def header(self, height: int) -> SignedHeader:
        known = self._headers.get(height)
        if known is None:
            known = await self._comet.signed_header(height)
            self._headers[height] = known
            while len(self._headers) > CACHED_HEADERS:
                self._headers.popitem(last=False)
        return known

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(block hash, time in ns)."""
        signed = await self.header(height)
        return signed.commit.block_id.hash, signed.header.time_ns
