"""A page of operations judged offline: the record bundle of its head first, then the page under that head."""

from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import CheckVerdict, MalformedInput
from hutong.light_clients.interface.judge import audit
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import MAX_RECORD_BUNDLE_BYTES, RecordKey
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.records import Asked, RecordAuditor, RecordReport
from hutong.relay.services.directory.rules.log.pages import (
    MAX_PAGE_BYTES,
    OperationsPage,
    decode_operations_page,
    judge_operations_page,
)
from hutong.relay.services.directory.rules.records.facets import Facet, FacetHead, decode_head
from hutong.relay.services.directory.rules.records.keys import head_key
from hutong.relay.verify.inputs import UnusableInput, read_file


@dataclass(frozen=True, slots=True)
class JudgedPage:
    """`head` and `verdicts` are there where the record holds."""

    page: OperationsPage
    record: RecordReport
    head: FacetHead | None
    verdicts: tuple[CheckVerdict, ...]

    @property
    def is_whole(self) -> bool:
        """Whether head and page hold."""
        return self.head is not None and self.verdicts[-1].held


def judge_operations_file(
    page: Path, record: Path, facet: Facet | None, checkpoint: Checkpoint, asked: Asked, now_ns: int
) -> JudgedPage:
    """What every rule says of a page of any origin, and of the record of its head.

    Args:
        facet: the one that was asked for; None: the one that the page names.
        asked: how old the head's header may be, and at which time.

    Raises:
        UnusableInput: a file cannot be read, the checkpoint is of another hub, or the record is not of the facet's head.
    """
    try:
        read = decode_operations_page(read_file(page, MAX_PAGE_BYTES))
        asked.demand(0, 0)
        report = RecordAuditor(checkpoint, now_ns, asked).audit(read_file(record, MAX_RECORD_BUNDLE_BYTES))
        wanted = read.facet if facet is None else facet
        if not report.is_valid or report.bundle is None:
            return JudgedPage(read, report, None, ())
        key = RecordKey(head_key(wanted))
        value = next((one.value for one in report.bundle.statements if one.what == key), None)
        if value is None:
            raise UnusableInput(f"{record} shows no head of this facet")
        head = decode_head(value)
        return JudgedPage(read, report, head, audit(judge_operations_page, read, wanted, head))
    except (MalformedInput, MissingTrust) as error:
        raise UnusableInput(f"{page}, {record}: {error}") from None
