"""The kinds of statements that evidence is made of, one a file: what each says in JSON, and what shows it."""

from hutong.relay.audit.cases.statements.entry import ENTRY, EntryStatement, ShownEntry, judge_entry
from hutong.relay.audit.cases.statements.form import NAME, SPEC, name_of
from hutong.relay.audit.cases.statements.kinds import Statement, read_statement, statement_fields
from hutong.relay.audit.cases.statements.message import (
    MESSAGE,
    Fate,
    MessageStatement,
    Said,
    ShownMessage,
    fate_of,
    message_ended_so,
    said_by,
)
from hutong.relay.audit.cases.statements.report import REPORT, ReportStatement, ShownReport, judge_report
from hutong.relay.audit.cases.statements.seal import (
    SEAL,
    NamedClaim,
    SealStatement,
    ShownCredential,
    judge_sealed,
)
from hutong.relay.audit.cases.statements.state import STATE, ShownState, StateStatement, state_held_so

__all__ = [
    "ENTRY",
    "MESSAGE",
    "NAME",
    "REPORT",
    "SEAL",
    "SPEC",
    "STATE",
    "EntryStatement",
    "Fate",
    "MessageStatement",
    "NamedClaim",
    "ReportStatement",
    "Said",
    "SealStatement",
    "ShownCredential",
    "ShownEntry",
    "ShownMessage",
    "ShownReport",
    "ShownState",
    "StateStatement",
    "Statement",
    "fate_of",
    "judge_entry",
    "judge_report",
    "judge_sealed",
    "message_ended_so",
    "name_of",
    "read_statement",
    "said_by",
    "state_held_so",
    "statement_fields",
]
