"""Alarms, dashboard and handbook say the same as the code; Prometheus' own tool judges the rules."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hutong.relay.telemetry.labels import PORTS, WORKER_TYPES
from tests.docs.metric_names import SCRAPED, asked_for, registered
from tests.nodes.provision import promtool

ROOT = Path(__file__).parents[2]
DEPLOY, HANDBOOK = ROOT / "docs/deploy", ROOT / "docs/handbook"
RULES = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "grafana/hutong.json").read_text())
PAGES = {"README", "metrics", "log-events"}


def expressions():
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def test_every_metric_that_is_asked_for_is_registered_with_those_labels():
    known = registered()
    count = 0
    for where, expression in expressions():
        names = asked_for(expression)
        assert names, where
        for name, labels in names.items():
            assert name in known, f"{where}: nothing exports {name}"
            assert labels <= known[name] | SCRAPED | {"le"}, f"{where}: {name} has no labels {labels - known[name]}"
            count += 1
    assert count > 50


def test_an_expression_with_a_wrong_name_or_label_would_be_found():
    assert asked_for('sum by (chain, le) (rate(a_total{kind="x", job!~"y"}[5m])) > on (z) b') == {
        "a_total": {"kind", "job", "chain", "le", "z"},
        "b": {"chain", "le", "z"},
    }
    assert "hutong_nothing" not in registered() and registered()["backlog_size"] == {"chain", "counterparty", "channel"}


def test_every_alarm_has_its_page_and_its_row_and_the_reverse():
    alarms = {rule["alert"] for rule in RULES}
    assert {page.stem for page in HANDBOOK.glob("*.md")} - PAGES == alarms
    assert set(re.findall(r"^\| \[(Hutong\w+)\]", (HANDBOOK / "README.md").read_text(), re.MULTILINE)) == alarms
    for rule in RULES:
        page = (HANDBOOK / f"{rule['alert']}.md").read_text()
        assert rule["annotations"]["runbook"] == f"docs/handbook/{rule['alert']}.md"
        assert rule["labels"]["severity"] in ("critical", "warning")
        headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
        assert headings == ["Look at", "Do", "When it is no problem"]
        for used in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            names = set().union(*(registered()[name] for name in asked_for(rule["expr"])))
            assert used in names | SCRAPED, f"{rule['alert']}: no label {used}"


def test_the_table_of_metrics_is_what_the_code_exports():
    page = (HANDBOOK / "metrics.md").read_text()
    tables = page.partition("Left out, since")[0] + page.partition("## Our own")[2].partition("## Stages")[0]
    listed = {
        name for row in re.findall(r"^\| (`[^|]+) \|", tables, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    exported = {re.sub(r"_(bucket|sum|count)$", "", name) for name in registered() if not name.startswith("process_")}
    assert exported - {"up"} == listed
    for label in (*PORTS, *WORKER_TYPES.values()):
        assert f"`{label}`" in page


def test_parity_rows_56_and_75_the_deployment_page_names_metrics_that_there_are_and_the_dashboard_shows_them():
    rows = (DEPLOY / "README.md").read_text().partition("What to look at first")[2].partition("## PostgreSQL")[0]
    named = set(re.findall(r"`((?:hutong|backlog|wallet)_\w+)`", rows))
    known = {re.sub(r"_(bucket|sum|count)$", "", name) for name in registered()}
    shown = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
        for name in asked_for(target["expr"])
    }
    assert named <= known and len(named) > 15
    assert named - shown == set(), "each has a panel"


def test_links_between_the_pages_lead_somewhere():
    for page in (*HANDBOOK.glob("*.md"), DEPLOY / "README.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_alarm_has_a_case_in_which_it_fires():
    cases = yaml.safe_load((DEPLOY / "prometheus/alerts.test.yml").read_text())["tests"]
    fired = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]}
    assert fired == {rule["alert"] for rule in RULES}


@pytest.mark.nodes
@pytest.mark.parametrize(
    "command",
    [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"], ["check", "config", "prometheus.yml"]],
    ids=" ".join,
)
def test_promtool_agrees(command):
    result = subprocess.run(
        [promtool(), *command], cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0 and "SUCCESS" in result.stdout, result.stdout + result.stderr
