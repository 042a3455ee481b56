"""The statement of a name, of one kind each: a rule with a type of its own, which a judge passes on."""

from hutong.light_clients.interface import cited
from hutong.relay.audit.cases.shown import Shown, statement_is_there
from hutong.relay.audit.cases.statements import SPEC, ShownCredential, ShownMessage, ShownReport, ShownState


def _state(shown: Shown, name: str) -> ShownState:
    return statement_is_there(shown, name, ShownState)


def _message(shown: Shown, name: str) -> ShownMessage:
    return statement_is_there(shown, name, ShownMessage)


def _report(shown: Shown, name: str) -> ShownReport:
    return statement_is_there(shown, name, ShownReport)


def _credential(shown: Shown, name: str) -> ShownCredential:
    return statement_is_there(shown, name, ShownCredential)


state_is_there = cited(_state, SPEC, "statement_is_there")
message_is_there = cited(_message, SPEC, "statement_is_there")
report_is_there = cited(_report, SPEC, "statement_is_there")
credential_is_there = cited(_credential, SPEC, "statement_is_there")
