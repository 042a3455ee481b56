"""Which kinds of statements there are, and how JSON tells them apart."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hutong.light_clients.interface.document import Document, Members
from hutong.relay.audit.cases.statements.entry import ENTRY, EntryStatement, entry_fields, read_entry
from hutong.relay.audit.cases.statements.form import name_of
from hutong.relay.audit.cases.statements.message import MESSAGE, MessageStatement, message_fields, read_message
from hutong.relay.audit.cases.statements.report import (
    REPORT,
    ReportStatement,
    read_report_statement,
    report_fields,
)
from hutong.relay.audit.cases.statements.seal import SEAL, SealStatement, read_seal, seal_fields
from hutong.relay.audit.cases.statements.state import STATE, StateStatement, read_state, state_fields

Statement: TypeAlias = MessageStatement | StateStatement | EntryStatement | ReportStatement | SealStatement
MAX_KIND_CHARS = 64
_READERS: Mapping[str, Callable[[str, Members], Statement]] = {
    MESSAGE: read_message,
    STATE: read_state,
    ENTRY: read_entry,
    REPORT: read_report_statement,
    SEAL: read_seal,
}


def statement_fields(statement: Statement) -> dict[str, Any]:
    """A statement as it stands in JSON."""
    match statement:
        case MessageStatement():
            kind, fields = MESSAGE, message_fields(statement)
        case StateStatement():
            kind, fields = STATE, state_fields(statement)
        case EntryStatement():
            kind, fields = ENTRY, entry_fields(statement)
        case ReportStatement():
            kind, fields = REPORT, report_fields(statement)
        case SealStatement():
            kind, fields = SEAL, seal_fields(statement)
    return {"id": statement.id, "kind": kind} | fields


def read_statement(document: Document) -> Statement:
    """Inverse of `statement_fields`.

    Raises:
        MalformedInput: naming the field; also for a kind that is not known.
    """
    with document.members() as fields:
        name = name_of(fields["id"], "the name of a statement")
        kind = fields["kind"]
        reader = _READERS.get(kind.ascii(MAX_KIND_CHARS))
        if reader is None:
            raise kind.refused("unknown", kind.value, list(_READERS))
        return reader(name, fields)
