"""Finalized blocks that this adapter has seen, and the updates and committees that lead a client to them."""

from bisect import bisect_left
from collections import OrderedDict

from hutong.adapters.evm.ethereum.beacon_api import MAX_UPDATES_ASKED, BeaconApi, ServedUpdate
from hutong.adapters.interface import AdapterError, HeightUnavailable, RpcRefused
from hutong.light_clients.ethereum import (
    Bootstrap,
    LightClientHeader,
    Network,
    SyncCommittee,
    TrustedCommittees,
    beacon_block_root,
    sync_committee_root,
)
from hutong.light_clients.ethereum.verification import after_update

MAX_FINALIZED = 512
"""Two days of mainnet's epochs."""
MAX_PERIODS = 64
"""Of one catching up: ten weeks of mainnet, far more than a trusting period should be."""
MAX_COMMITTEES = 16
MAX_PERIOD_UPDATES = 64


def finalized_header_of(served: ServedUpdate) -> LightClientHeader:
    """The finalized header of an update that came through `decode_finality_update`.

    Raises:
        ValueError: the update names none: it came some other way.
    """
    header = served.update.finalized_header
    if header is None:
        raise ValueError("the update names no finalized header")
    return header


class Finality:
    """Memory of one chain. Beacon nodes serve the newest finality update alone, so those seen are kept."""

    def __init__(self, chain: str, api: BeaconApi, network: Network) -> None:
        self._chain = chain
        self._api = api
        self._network = network
        self._finalized: dict[int, ServedUpdate] = {}
        self._slots: list[int] = []
        self._committees: OrderedDict[bytes, SyncCommittee] = OrderedDict()
        self._period_updates: OrderedDict[int, ServedUpdate] = OrderedDict()

    def learn(self, served: ServedUpdate) -> None:
        """Keep a finality update; of two for one block the first."""
        slot = served.update.finalized_slot
        if slot not in self._finalized:
            self._slots.insert(bisect_left(self._slots, slot), slot)
            self._finalized[slot] = served
            while len(self._slots) > MAX_FINALIZED:
                del self._finalized[self._slots.pop(0)]

    def forget(self, served: ServedUpdate) -> None:
        """Forget an update that turned out to be signed by nobody: another node may serve the real one for its block."""
        slot = served.update.finalized_slot
        if self._finalized.get(slot) == served:
            del self._finalized[slot]
            self._slots.remove(slot)
        for period in [period for period, known in self._period_updates.items() if known == served]:
            del self._period_updates[period]

    def learn_committee(self, committee: SyncCommittee) -> None:
        """Keep the members of a sync committee by their root: the newest MAX_COMMITTEES. They are not verified here."""
        self._committees[sync_committee_root(committee)] = committee
        while len(self._committees) > MAX_COMMITTEES:
            self._committees.popitem(last=False)

    def at_or_above(self, slot: int) -> int | None:
        """The first finalized slot seen that is not below `slot`; None if none was seen yet.

        The state there can be proven, and holds what `slot` did.
        """
        index = bisect_left(self._slots, slot)
        return self._slots[index] if index < len(self._slots) else None

    def header(self, slot: int) -> LightClientHeader | None:
        """The finalized header of exactly `slot`, if it was seen."""
        served = self._finalized.get(slot)
        return None if served is None else finalized_header_of(served)

    async def way(self, committees: TrustedCommittees, target_slot: int) -> list[ServedUpdate]:
        """Updates that bring a client with these committees to the finalized block of `target_slot`, in order.

        They are the best one of each sync committee period that the client missed, and the one that names the block.

        Raises:
            HeightUnavailable: no node keeps the updates of a missed period, the block was not seen to be final here, or
                the client has gone past the period in which it was signed.
            EndpointUnavailable: the beacon nodes do not answer.
        """
        final = self._finalized.get(target_slot) or self._best_to(target_slot)
        if final is None:
            raise HeightUnavailable(self._chain, target_slot, "was not seen to be final while this process ran")
        period_at = self._network.period_at
        signed_in = period_at(final.update.signature_slot)
        way: list[ServedUpdate] = []
        while True:
            period = period_at(committees.finalized_slot)
            if signed_in < period:
                raise HeightUnavailable(
                    self._chain, target_slot, f"was signed in period {signed_in}, the client is in {period}"
                )
            if signed_in == period or (signed_in == period + 1 and committees.next_root is not None):
                return [*way, final]
            if len(way) == MAX_PERIODS:
                raise HeightUnavailable(self._chain, target_slot, f"is more than {MAX_PERIODS} periods ahead")
            needed = period if committees.next_root is None else period + 1
            step = await self._period_update(needed, signed_in)
            moved = after_update(committees, step.update, self._network)
            if moved == committees:
                raise HeightUnavailable(
                    self._chain, target_slot, f"the best update of period {needed} shows no next committee to be final"
                )
            committees = moved
            way.append(step)

    def _best_to(self, slot: int) -> ServedUpdate | None:
        return next((one for one in self._period_updates.values() if one.update.finalized_slot == slot), None)

    async def _period_update(self, period: int, current_period: int) -> ServedUpdate:
        known = self._period_updates.get(period)
        if known is None:
            count = max(1, min(MAX_UPDATES_ASKED, current_period - period))
            try:
                updates = await self._api.updates(period, count)
            except RpcRefused as error:
                raise HeightUnavailable(self._chain, period, f"no update of this period: {error}") from error
            if not updates:
                raise HeightUnavailable(self._chain, period, "beacon nodes keep no update of this period")
            for index, served in enumerate(updates):
                if period + index < current_period:  # the best of a period that has not ended may be bettered
                    self._period_updates[period + index] = served
            while len(self._period_updates) > MAX_PERIOD_UPDATES:
                self._period_updates.popitem(last=False)
            known = updates[0]
        if known.update.next_sync_committee is not None:
            self.learn_committee(known.update.next_sync_committee)
        return known

    async def committee(self, root: bytes, period: int) -> SyncCommittee:
        """The members of the committee of `period`, whose root a client trusts.

        Raises:
            HeightUnavailable: no node gives it any more.
            EndpointUnavailable: the beacon nodes do not answer.
        """
        known = self._committees.get(root)
        if known is not None:
            return known
        reason = "is in no answer of the beacon nodes"
        if period > 0:
            try:
                await self._period_update(period - 1, period)
            except (HeightUnavailable, RpcRefused) as error:
                reason = str(error)
        if root not in self._committees:
            for slot in reversed(self._slots):
                if self._network.period_at(slot) == period:
                    try:
                        await self.bootstrap(beacon_block_root(finalized_header_of(self._finalized[slot]).beacon))
                    except AdapterError as error:
                        reason = str(error)
                    break
        if root not in self._committees:
            raise HeightUnavailable(self._chain, period, f"the sync committee of this period: {reason}")
        return self._committees[root]

    async def bootstrap(self, block_root: bytes) -> Bootstrap:
        """The bootstrap of a finalized block by its root of 32 bytes, not verified; its committee is kept.

        Raises:
            RpcRefused: the nodes have none of this block.
            EndpointUnavailable: no endpoint gave a well-formed one.
        """
        bootstrap = await self._api.bootstrap(block_root)
        self.learn_committee(bootstrap.current_sync_committee)
        return bootstrap
