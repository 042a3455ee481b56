"""Evidence that cases left in a city, as files of `recorded`, for tests that forge it."""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from hutong.relay.archive.checkpoint import decode_checkpoint
from hutong.relay.audit.cases import CaseAuditor, Evidence, decode_evidence, decode_trust, encode_evidence

FOLDER = Path(__file__).with_name("recorded")
CHAINS = ("hub", "e1", "e2", "p1", "l")


@cache
def data_of(case: str) -> bytes:
    return (FOLDER / f"{case}.evidence.json").read_bytes()


@cache
def evidence_of(case: str) -> Evidence:
    return decode_evidence(data_of(case))


def with_statements(case: str, *altered, **bundles: bytes) -> Evidence:
    evidence, by_id = evidence_of(case), {one.id: one for one in altered}
    statements = tuple(by_id.get(one.id, one) for one in evidence.statements)
    return replace(evidence, statements=statements, bundles={**evidence.bundles, **bundles})


@dataclass(frozen=True)
class RecordedCases:
    """Cases of one city, whose checkpoints begin with `city`. They are judged an hour after the newest."""

    city: str
    names: tuple[str, ...]

    @cached_property
    def checkpoints(self):
        files = (FOLDER / f"{self.city}-{chain}.checkpoint.json" for chain in CHAINS)
        return tuple(decode_checkpoint(file.read_bytes()) for file in files if file.exists())

    @property
    def now_ns(self) -> int:
        return max(one.time_ns for one in self.checkpoints) + 3_600 * 10**9

    def audited(self, data: bytes, case: str):
        trust = decode_trust((FOLDER / f"{case}.trust.json").read_bytes())
        return CaseAuditor(self.checkpoints, trust, self.now_ns).audit(data)

    def refusal(self, changed: Evidence):
        report = self.audited(encode_evidence(changed), changed.case)
        assert report.failure is not None
        return report.failure.subject, report.failure.check.name

    def of_kind(self, kind):
        return [(case, one) for case in self.names for one in evidence_of(case).statements if isinstance(one, kind)]


def named(found):
    """What `pytest.mark.parametrize` takes, each by its case and statement."""
    return {"argvalues": found, "ids": [f"{case} {one.id}" for case, one in found]}
