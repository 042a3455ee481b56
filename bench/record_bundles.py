"""Record bundles judged offline: a record of the hub with its client's epoch, under a header of four validators."""

import time

from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.records import Asked, RecordAuditor

BUNDLES = 300
ROUNDS = 5


def rates() -> dict[str, float]:
    """Bundles a second of one core's processor time, from bytes to verdict, the best of some rounds."""
    from tests.relay.audit.records.shown_records import hub

    shown = hub()
    data = encode_record_bundle(shown.bundle)

    def auditor() -> RecordAuditor:
        return RecordAuditor(shown.checkpoint, shown.now_ns, Asked())

    def rate(*, is_known: bool) -> float:
        one = auditor()
        assert one.audit(data).is_valid
        began = time.process_time()
        for _ in range(BUNDLES):
            (one if is_known else auditor()).audit(data)
        return BUNDLES / (time.process_time() - began)

    return {
        "checkpoint and header seen for the first time": max(rate(is_known=False) for _ in range(ROUNDS)),
        "under a header that was judged before": max(rate(is_known=True) for _ in range(ROUNDS)),
    }
