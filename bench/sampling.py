"""A command of hutong under a sampler: where its processor time goes, by thread and stack.

`python -m bench.sampling FILE ARGUMENTS…` runs `hutong ARGUMENTS…`; at its end FILE holds one JSON object. Each sample is
weighed by the processor time that its thread used since the last one, so a thread that waits counts for nothing.
"""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from hutong.adapters.rpc.client import RpcClient

PERIOD_S = 0.002
WRITE_EVERY_S = 5
SWITCH_INTERVAL_S = 0.0002
"""A thread is seen where it is, and not only where it gives way of itself."""
MAX_FRAMES = 60


class Sampler(threading.Thread):
    """Samples until the process ends."""

    def __init__(self, file: Path) -> None:
        super().__init__(name="sampler", daemon=True)
        self._file = file
        self._used_ns: dict[int, int] = {}
        self._own_ns: Counter[str] = Counter()
        self._below_ns: Counter[str] = Counter()
        self._edges_ns: Counter[str] = Counter()
        self._threads_ns: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()

    def run(self) -> None:
        own = threading.get_ident()
        written_at = time.monotonic()
        while True:
            if time.monotonic() > written_at + WRITE_EVERY_S:
                self.write()
                written_at = time.monotonic()
            time.sleep(PERIOD_S)
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                if ident == own or ident not in names:
                    continue
                used_ns = time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
                spent_ns = used_ns - self._used_ns.get(ident, 0)
                if spent_ns < 0:  # another thread has the identifier of one that ended
                    spent_ns = used_ns
                self._used_ns[ident] = used_ns
                if spent_ns > 0:
                    self._threads_ns[names[ident].partition(" from ")[0]] += spent_ns
                    self._count(frame, spent_ns)

    def _count(self, frame: FrameType | None, spent_ns: int) -> None:
        seen: set[str] = set()
        called = ""
        for _ in range(MAX_FRAMES):
            if frame is None:
                break
            code = frame.f_code
            place = f"{code.co_qualname} {'/'.join(code.co_filename.rsplit('/', 3)[-2:])}:{code.co_firstlineno}"
            if not seen:
                self._own_ns[place] += spent_ns
            if place not in seen:
                self._below_ns[place] += spent_ns
                if called:
                    self._edges_ns[f"{place} -> {called}"] += spent_ns
                seen.add(place)
            called, frame = place, frame.f_back

    def count_requests(self) -> None:
        """What the process asks of chains, by chain and method."""
        exchange = RpcClient._exchange

        async def counted(client: Any, endpoint: Any, request: Any, decode: Any) -> Any:
            selector = ""
            if request.method == "eth_call":
                selector = f" {request.params[0].get('to', '')[-4:]} {request.params[0]['data'][:10]}"
            self._requests[f"{client.chain} {request.method}{selector}"] += 1
            return await exchange(client, endpoint, request, decode)

        RpcClient._exchange = counted  # type: ignore[method-assign, assignment]

    def write(self) -> None:
        self._file.write_text(
            json.dumps(
                {
                    "requests": dict(self._requests.most_common()),
                    "cpu_ms": time.process_time() * 1000,
                    **{
                        name: {place: ns // 1_000_000 for place, ns in counted.most_common(400)}
                        for name, counted in (
                            ("threads_ms", self._threads_ns),
                            ("own_ms", self._own_ns),
                            ("below_ms", self._below_ns),
                            ("edges_ms", self._edges_ns),
                        )
                    },
                },
                indent=1,
            )
        )


def main() -> None:
    file, *arguments = sys.argv[1:]
    sampler = Sampler(Path(file))
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    sampler.count_requests()
    sampler.start()
    from hutong.relay.cli.main import main as run

    sys.argv = ["hutong", *arguments]
    try:
        run()
    finally:
        sampler.write()


if __name__ == "__main__":
    main()
