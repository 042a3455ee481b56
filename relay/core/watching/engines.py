"""The engines of cryptography by which the relay judges headers and proofs before it pays for them: tried, and watched.

A wrong one makes it pay for what chains refuse, or refuse what is good and blame endpoints for it. It can make no chain accept
anything: each judges for itself. So the relay does not start with an engine that fails its known answers, and one that
is contradicted later is told of (`/readyz`, `hutong_engine`), while the relay goes on: what it does stays judged by the chains.
"""

from pathlib import Path

import trio

from hutong.light_clients.crypto.engines import (
    ALGORITHMS,
    Algorithm,
    EngineContradicted,
    NotInstalled,
    Use,
    try_engine,
)
from hutong.relay.acceleration.engine_watch import EVERY_S, EngineWatch, EngineWrong
from hutong.relay.acceleration.measuring import version_of
from hutong.relay.base.threads import Runner
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.readiness import Readiness
from hutong.relay.telemetry import Metrics, get_logger


def _judging() -> tuple[Algorithm, ...]:
    """Of all light clients, whether a configured chain needs them or not: they are tried in 40 ms."""
    return tuple(one for one in ALGORITHMS.values() if one.use is Use.CONSENSUS)


def refuse_wrong_engines() -> None:
    """Ask every engine that is installed what has a known answer. Blocking, for 0.1 s.

    Raises:
        StartRefused: one answers otherwise.
    """
    for algorithm in _judging():
        try:
            try_engine(algorithm, algorithm.engines[0])
        except NotInstalled:
            continue  # whoever needs it says so when it is asked
        except EngineContradicted as error:
            raise StartRefused(f"{error}; try `hutong accel` here and on another machine") from None


class WatchedEngines:
    """The watch of one relay."""

    def __init__(self, home: Path, metrics: Metrics, readiness: Readiness, run: Runner) -> None:
        """`home` gets the folder of evidence at the first contradiction; `run` runs what blocks."""
        self._watch = EngineWatch(home)
        self._metrics = metrics.engines
        self._readiness = readiness
        self._run = run
        self._log = get_logger("engines")

    async def run(self) -> None:
        """For ever, a round each EVERY_S seconds.

        Raises:
            OSError: a question could not be kept. The supervisor calls it again.
        """
        await self.tell()
        while True:
            await trio.sleep(EVERY_S)
            await self.look()

    async def tell(self) -> None:
        """Say which engines are in use."""
        for algorithm in _judging():
            engine = algorithm.engines[0]
            if algorithm.name not in self._watch.wrong and await self._run(engine.is_installed):
                self._metrics.in_use(algorithm.name, engine.name, version_of(engine.distribution))

    async def look(self) -> None:
        """One round. An engine that is contradicted is told of, and asked no more.

        Raises:
            OSError: as `run`.
        """
        try:
            self._metrics.asked(await self._run(self._watch.ask))
        except EngineWrong as error:
            found = error.found
            engine = ALGORITHMS[found.algorithm].engines[0]
            self._metrics.contradicted(found.algorithm, found.engine, version_of(engine.distribution))
            self._readiness.refused(f"engine of {found.algorithm}", str(error))
            self._log.error("an engine of cryptography computes wrongly", algorithm=found.algorithm, reason=str(error))
