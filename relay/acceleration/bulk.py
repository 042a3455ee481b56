"""An engine of bulk use for a daemon: the fastest that passes its known answers, with evidence of any that does not in its home."""

from pathlib import Path

from hutong.light_clients.crypto.engines import ALGORITHMS, BulkEngine, EngineContradicted
from hutong.relay.acceleration.engine_watch import EVIDENCE_DIRECTORY
from hutong.relay.acceleration.evidence import EvidenceFolder
from hutong.relay.acceleration.machine import this_machine
from hutong.relay.acceleration.measuring import version_of
from hutong.relay.telemetry import get_logger


def bulk_engine(algorithm: str, home: Path) -> BulkEngine:
    """Of an algorithm of bulk use. What contradicts an engine is kept in `home` and logged, and the engine is not used again.

    Args:
        algorithm: a name of `ALGORITHMS`.
    """
    known = ALGORITHMS[algorithm]
    evidence = EvidenceFolder(home / EVIDENCE_DIRECTORY)

    def keep(found: EngineContradicted) -> None:
        distribution = next(one.distribution for one in known.engines if one.name == found.engine)
        path = evidence.keep(found, version_of(distribution), this_machine().name)
        get_logger("engines").error(
            "an engine of cryptography computes wrongly",
            algorithm=found.algorithm,
            reason=f"{found}; the question is in {path}",
        )

    return BulkEngine(known, keep)
