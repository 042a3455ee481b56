"""The result on a period as a file, canonical JSON (docs/spec/storage-periods.md#result): the same whoever judges it, from any copy."""

import json
from typing import Any, Final

from hutong.relay.audit.storage.findings import StorageFinding
from hutong.relay.audit.storage.period import StoragePeriod

RESULT_FORMAT: Final = "hutong-storage-period"
RESULT_VERSION: Final = 1


def encode_period(period: StoragePeriod) -> str:
    """Sorted keys, no spaces, ASCII, one line break at the end."""
    return json.dumps(period_fields(period), sort_keys=True, separators=(",", ":")) + "\n"


def period_fields(period: StoragePeriod) -> dict[str, Any]:
    """As the file has it."""
    return {
        "format": RESULT_FORMAT,
        "version": RESULT_VERSION,
        "chain_id": period.chain_id,
        "clean": period.is_clean,
        "epochs": {"first": period.first, "last": period.last},
        "files": period.files,
        "audits": period.audits,
        "operators": [
            {
                "operator": one.operator.hex(),
                "passed": one.passed,
                "failed": one.failed,
                "missed": one.missed,
                "weak": one.weak,
                "held": one.held,
                "removed": one.removed,
                "leaves": one.leaves,
            }
            for one in period.operators
        ],
        "auditors": [
            {"auditor": one.auditor.hex(), "committed": one.committed, "revealed": one.revealed}
            for one in period.auditors
        ],
        "findings": [_finding_fields(one) for one in period.findings],
    }


def _finding_fields(finding: StorageFinding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "epoch": finding.epoch,
        "operator": None if finding.operator is None else finding.operator.hex(),
        "reason": finding.reason,
        "file": finding.file,
        "rule": finding.rule,
    }
