"""What an IdentityCache keeps, as its chain's nodes say, and the call that brings it something newer."""

from dataclasses import dataclass
from typing import Final

from hutong.adapters.evm.identity_cache import FACTS
from hutong.adapters.evm.routed_calls import RoutedCalls
from hutong.adapters.ics26.batch import intrinsic_gas_of
from hutong.adapters.interface import PreparedTransaction, RefusedByChain
from hutong.light_clients.crypto.hashes import keccak256

ISSUER_SYNCED_TOPIC: Final = keccak256(b"IssuerSynced(bytes32,bytes32,uint64,uint64,uint8)")
_NOTHING_KEPT: Final = ("ListNotSynced", "IssuerNotSynced")

_CALL_GAS = 150_000
"""The call, and what router and HubClient are asked."""
_STANDING_GAS = 200_000
"""Seven words kept, and the event."""
_LIST_GAS = 110_000
"""Three words kept, and the event."""
_RECORD_GAS = 20_000
"""Its key and value, and its place in the proof."""
_SIBLING_GAS = 1_000
"""A hash takes 350."""
_GAS_PER_BYTE = 24
"""Hashes and copies to memory."""


@dataclass(frozen=True, slots=True)
class SyncShape:
    """What the price of a call of `sync` goes by."""

    lists: int
    records: int
    siblings: int


@dataclass(frozen=True, slots=True)
class CachedList:
    """What a cache keeps of a status list and of whoever seals over it. Times are Unix seconds of hub headers.

    `flaw` is the number of the contract's `Flaw`. `newest_epoch` is the highest of the issuer that was ever shown.
    """

    newest_epoch: int
    epoch: int
    root: bytes
    flaw: int
    has_ended: bool
    height: int
    header_time_s: int


def sync_gas(shape: SyncShape, data_bytes: int) -> int:
    """At most what a call of `sync` uses, also where nothing is kept yet (docs/performance.md).

    Args:
        data_bytes: of the call's data.
    """
    kept_gas = _STANDING_GAS + _LIST_GAS * shape.lists
    proof_gas = _RECORD_GAS * shape.records + _SIBLING_GAS * shape.siblings
    return intrinsic_gas_of(data_bytes) + _CALL_GAS + kept_gas + proof_gas + _GAS_PER_BYTE * data_bytes


class CacheCalls(RoutedCalls):
    """Of one IdentityCache."""

    async def kept(self, issuer: bytes, number: int) -> CachedList | None:
        """What is kept of a list, however old; None where nothing is. The older of list and standing says height and time.

        Raises:
            BadAnswer: not an answer of an IdentityCache. RefusedByChain: its client of the hub is not active.
            EndpointUnavailable: no endpoint answers.
        """
        try:
            returned = await self._execution.call(self._contract, FACTS.encode(issuer, number))
        except RefusedByChain as refused:
            if refused.name in _NOTHING_KEPT:
                return None
            raise
        return decode_cached(returned)

    async def synced_in(self, transaction_hash: bytes) -> bool:
        """Whether a mined transaction was the first to show the issuer at its height; False where it is not known.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
        return any(log.topics[:1] == (ISSUER_SYNCED_TOPIC,) for log in await self._logs(transaction_hash))

    async def prepare_sync(self, data: bytes, sender: str) -> PreparedTransaction:
        """Simulate and price a call of `sync` (`encode_sync`). Nothing is signed or sent.

        Raises:
            RefusedByChain: the cache refuses it.
            BatchTooLarge: more bytes or gas than a transaction may have.
        """
        return await self._prepare(data, sender)

    async def prepare_sync_after_update(self, data: bytes, shape: SyncShape, sender: str) -> PreparedTransaction:
        """Bound and price a call of `sync` under a header that is in no block yet, so that no node can simulate it.

        What the cache would refuse is for the caller to have judged.

        Raises:
            BatchTooLarge: more bytes or gas than a transaction may have.
            EndpointUnavailable: no endpoint says the price of gas.
        """
        return await self._prepare_bounded(data, sync_gas(shape, len(data)), sender)


def decode_cached(returned: bytes) -> CachedList:
    """What `facts` returned.

    Raises:
        BadAnswer: not an answer of an IdentityCache.
    """
    (facts,) = FACTS.decode(returned)
    _, newest_epoch, status_list, standing = facts
    root, _, height, header_time_s, epoch, bits, _, _ = status_list
    _, _, flaw, _, has_ended, standing_height, standing_time_s, standing_epoch, *_ = standing
    if bits:  # else the issuer had opened no such list, and nothing is said of its standing
        height, header_time_s = min(height, standing_height), min(header_time_s, standing_time_s)
        epoch = min(epoch, standing_epoch)
    return CachedList(newest_epoch, epoch, root, flaw, has_ended, height, header_time_s)
