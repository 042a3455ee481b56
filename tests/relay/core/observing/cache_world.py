"""An IdentityCache with a gate in a real EVM over a HubClient of a signed hub in memory, and pushers of issuers."""

from collections.abc import Callable
from pathlib import Path

import trio

from hutong.relay.core.observing.issuers import PushedIssuer
from hutong.relay.core.observing.pushing import Pusher
from hutong.relay.core.observing.to_caches import CacheCargo
from hutong.relay.dispatch import Route
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, encode_epoch_record
from hutong.relay.services.identity.rules.records.list_record import encode_list_record
from tests.contracts.evm import Reverted
from tests.contracts.identity.gate_lane import AT, ISSUER, GateLane, Shown, list_record
from tests.contracts.lane import LOCAL_CLIENT
from tests.relay.core.observing.memory_world import FIRST
from tests.relay.core.observing.reader_world import HubSource, ReaderChain, ReaderWorld
from tests.relay.core.observing.relay_part import Between, RelayPart


class TimedGateLane(GateLane):
    """With the clock that worlds ask for."""

    @property
    def now_s(self):
        return self.evm.timestamp_s


class CacheWorld(ReaderWorld):
    """As `ReaderWorld`: the issuer of `GateLane` with its list 0. `revoked` is what its list says on the hub."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, TimedGateLane())
        self.revoked: tuple[int, ...] = ()
        self.epoch = 1

    @property
    def contract(self) -> bytes:
        return self.lane.cache.address

    def revoke(self, index: int) -> None:
        """The hub's next block has it."""
        self.revoked, self.epoch = (*self.revoked, index), self.epoch + 1
        self.put_records(
            {
                keys.list_key(ISSUER, 0): encode_list_record(list_record(self.revoked)),
                keys.epoch_key(ISSUER): encode_epoch_record(EpochRecord(self.epoch, AT)),
            }
        )

    def put_records(self, records: dict[bytes, bytes]) -> None:
        for key, value in records.items():
            self.lane.lane.chain.put(key, value)

    def verdict(self, shown: Shown) -> str:
        """What the gate says to a presentation now: "accepted", or the name of its error."""
        try:
            self.lane.mint(shown)
        except Reverted as reverted:
            return reverted.name
        return "accepted"

    async def says(self, verdict: str, shown: Shown, at_most_s: float = 60) -> float:
        """Seconds until the gate says so."""
        start_s = trio.current_time()
        with trio.fail_after(at_most_s):
            while self.verdict(shown) != verdict:  # noqa: ASYNC110
                await trio.sleep(0.2)
        return trio.current_time() - start_s

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    def process(
        self,
        *,
        signer=FIRST,
        around: Callable = lambda _, one: one,
        patience_s=1.5,
        interval_s=None,
        lists=(0,),
    ) -> "CachePusherProcess":
        pushed = PushedIssuer("clinic", ISSUER, lists, interval_s)
        return CachePusherProcess(self, pushed, signer, around, patience_s)


class CachePusherProcess(RelayPart):
    """The part of a relay that brings issuers to a cache."""

    def __init__(self, world: CacheWorld, pushed: PushedIssuer, signer, around, patience_s: float) -> None:
        adapters = {"hub": HubSource(world), "beta": ReaderChain(world)}
        super().__init__(world, Between(adapters, Route("hub", "beta", LOCAL_CLIENT)), signer, around)
        pusher = Pusher(self.context, CacheCargo(self.context, world.contract, [pushed]), patience_s)
        self.tasks = {"pusher": pusher.run}
