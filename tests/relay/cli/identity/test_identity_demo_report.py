"""The report of `hutong identity demo`: a step that breaks off, says nothing or is missing is never good."""

import io
import json

import pytest
from rich.console import Console

from hutong.relay.demo.identity.report import UNSAID, Report, print_report
from hutong.relay.local.processes import DemoFailed


def begun():
    said, ticks = [], iter(range(100))
    return Report(said.append, lambda: float(next(ticks))), said


def test_steps_are_kept_with_verdict_time_and_figures():
    report, said = begun()
    with report.step("revoke") as outcome:
        outcome.say("40 credentials", revoked=40)
    fields = json.loads(json.dumps(report.fields(1)))
    assert fields["good"] and fields["steps"] == [
        {"step": "revoke", "as_it_should_be": True, "verdict": "40 credentials", "duration_s": 1.0, "revoked": 40}
    ]
    assert said == ["revoke: 40 credentials"]
    assert not report.is_good(2), "a step is missing"


def test_what_says_nothing_is_bad_or_raises_is_not_good():
    report, said = begun()
    with report.step("silent"):
        pass
    with report.step("refused") as outcome:
        outcome.say("accepted", good=False)
    with pytest.raises(DemoFailed), report.step("broken") as outcome:
        outcome.say("accepted")
        raise DemoFailed("the hub is gone")
    assert [(step.verdict, step.is_as_it_should_be) for step in report.steps] == [
        (UNSAID, False),
        ("accepted", False),
        ("the hub is gone", False),
    ]
    assert not report.is_good(3) and all(line.endswith("(NOT as it should be)") for line in said)
    out = io.StringIO()
    print_report(Console(file=out, width=200), report)
    assert out.getvalue().count("NOT as it should be") == 3
