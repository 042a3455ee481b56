"""Where the time of a push goes: what a change has come to, stage by stage, as the nodes of the three chains say it."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rich.table import Table

from bench.direct_lane import BenchFailed, Rpc
from bench.hub.records_lane import LOOK_S, RecordsLane
from hutong.adapters.evm.hub_reader import HUB_CLIENT, LATEST_HEIGHT
from hutong.adapters.hub.clients import GET_CLIENT_STATE
from hutong.adapters.hub.observing import GET_OBSERVATION, OBSERVATIONS_ADDRESS, OBSERVED_TOPIC
from hutong.adapters.hub.settings import CLIENT_MANAGER_ADDRESS
from hutong.light_clients.bft_evm.codec import decode_client_state
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.records import decode_observation

SENT_TO_HUB = "sent: the hub's pool has a transaction of the relay"
CLIENT_ON_HUB = "the hub's client of A has the block"
RECORD_ON_HUB = "the hub's record has the value"
HEADER_OF_HUB = "a header of the hub proves it"
SENT_TO_B = "sent: B's pool has a transaction of the relay"
CLIENT_ON_B = "B's client of the hub has such a header"
READABLE = "readable on B"
STAGES = (SENT_TO_HUB, CLIENT_ON_HUB, RECORD_ON_HUB, HEADER_OF_HUB, SENT_TO_B, CLIENT_ON_B)
"""READABLE follows, and is asked of the reader itself."""

Found = TypeVar("Found")


@dataclass
class StageClock:
    """Of one change: begin it when the block with the change was seen, then `look` until the value is readable."""

    lane: RecordsLane
    block: int
    """Of A, with the change."""
    wanted: bytes
    begun_s: float
    nonces: tuple[int, int]
    """Of the relay's accounts on the hub and on B, with what their pools had then."""

    def __post_init__(self) -> None:
        self.seen_s: list[float] = []
        """Since `begun_s`, in the order of STAGES."""
        self._record_height = 0
        self._asks: tuple[Callable[[], bool], ...] = (
            lambda: self._nonces()[0] > self.nonces[0],
            lambda: self._client_on_hub() >= self.block,
            self._has_record,
            lambda: int(self.lane.hub_rpc("eth_blockNumber"), 16) > self._record_height,
            lambda: self._nonces()[1] > self.nonces[1],
            lambda: self._client_on_b() > self._record_height,
        )

    @classmethod
    def begin(cls, lane: RecordsLane, block: int, wanted: bytes, begun_s: float) -> "StageClock":
        """Args: `block` of A holds the change; `wanted` is the value after it, 32 bytes; `begun_s` of `time.monotonic`."""
        return cls(lane, block, wanted, begun_s, nonces_of(lane))

    def look(self) -> None:
        """Pass every stage that has come; a stage is asked for once those before it have come."""
        while len(self.seen_s) < len(STAGES) and self._asks[len(self.seen_s)]():
            self.seen_s.append(time.monotonic() - self.begun_s)

    def end(self, readable_s: float) -> tuple[float, ...]:
        """Seconds of each stage since the one before it; those that were not seen before the value was take nothing."""
        seen = [*self.seen_s, *[readable_s] * (len(STAGES) - len(self.seen_s)), readable_s]
        return tuple(now - before for before, now in zip([0.0, *seen], seen, strict=False))

    def _nonces(self) -> tuple[int, int]:
        return nonces_of(self.lane)

    def _client_on_hub(self) -> int:
        data = GET_CLIENT_STATE.encode(self.lane.a.seen.client_on_hub)
        (state,) = GET_CLIENT_STATE.decode(_call(self.lane.hub_rpc, CLIENT_MANAGER_ADDRESS, data))
        return decode_client_state(state).latest_height.revision_height

    def _has_record(self) -> bool:
        hub, key = self.lane.hub_rpc, self.lane.key
        (raw,) = GET_OBSERVATION.decode(_call(hub, OBSERVATIONS_ADDRESS, GET_OBSERVATION.encode(key)))
        if not raw or decode_observation(raw).value != self.wanted:
            return False
        newest = int(hub("eth_blockNumber"), 16)
        topics = [f"0x{OBSERVED_TOPIC.hex()}", f"0x{keccak256(key).hex()}"]
        asked = {"address": f"0x{OBSERVATIONS_ADDRESS.hex()}", "topics": topics, "fromBlock": hex(max(1, newest - 100))}
        logs = hub("eth_getLogs", asked)
        if not logs:
            raise BenchFailed(f"the hub has a record and no event of it in blocks {newest - 100} to {newest}")
        self._record_height = int(logs[-1]["blockNumber"], 16)
        return True

    def _client_on_b(self) -> int:
        b = self.lane.b.rpc
        (client,) = HUB_CLIENT.decode(_call(b, bytes.fromhex(self.lane.reader[2:]), HUB_CLIENT.encode()))
        (height,) = LATEST_HEIGHT.decode(_call(b, bytes.fromhex(client[2:]), LATEST_HEIGHT.encode()))
        return int(height[1])


def nonces_of(lane: RecordsLane) -> tuple[int, int]:
    """The next nonces of the relay's accounts on the hub and on B, after all that waits in their pools."""
    hub = lane.hub_rpc("eth_getTransactionCount", lane.relayer.address, "pending")
    b = lane.b.rpc("eth_getTransactionCount", lane.b.relayer.address, "pending")
    return int(hub, 16), int(b, 16)


def _call(rpc: Rpc, to: bytes, data: bytes) -> bytes:
    return bytes.fromhex(rpc("eth_call", {"to": f"0x{to.hex()}", "data": f"0x{data.hex()}"}, "latest")[2:])


def stage_table(changes: list[tuple[float, ...]]) -> Table:
    """Seconds that each stage took after the one before it, over all changes. Needs two changes."""
    table = Table(title="where the time goes, s", title_justify="left")
    table.add_column("stage")
    for name in ("p50", "p95", "most", "since the block, p50"):
        table.add_column(name, justify="right")
    since = [0.0] * len(changes)
    for number, name in enumerate((*STAGES, READABLE)):
        took = [change[number] for change in changes]
        since = [before + now for before, now in zip(since, took, strict=True)]
        figures = (statistics.median(took), p95(took), max(took), statistics.median(since))
        table.add_row(name, *(f"{figure:.2f}" for figure in figures))
    return table


def p95(seconds: list[float]) -> float:
    """Of at least two."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def wait_for(what: Callable[[], Found | None], clock: StageClock | None, deadline_s: float) -> Found | None:
    """What is found, looked for every LOOK_S with the stages before it; None at the deadline (`time.monotonic`)."""
    while (found := what()) is None and time.monotonic() <= deadline_s:
        if clock is not None:
            clock.look()
        time.sleep(LOOK_S)
    return found
