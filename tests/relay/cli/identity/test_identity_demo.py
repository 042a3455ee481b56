"""`hutong identity demo`, whole: every process, command and door, as a stranger runs it."""

import json
import shutil
import subprocess
import sys

import pytest

from hutong.relay.demo.identity.scenario import REVOKED, STEPS, WEB_REVOKED
from hutong.relay.local.processes import children_by_parent

pytestmark = pytest.mark.long
"""A hub, a chain, two daemons, and some forty commands."""

PATIENT_S = "3600"
"""The contract's longest age: on a busy machine a header is old before the call that stands on it is sent."""


def test_every_step_is_as_it_should_be_and_nothing_is_left_running(tmp_path):
    home = tmp_path / "demo"
    command = [sys.executable, "-P", "-m", "hutong.relay.cli", "identity", "demo", "--json", "--home", str(home)]
    done = subprocess.run([*command, "--max-age", PATIENT_S], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    steps = {step["step"]: step for step in report["steps"]}
    assert report["good"] and set(steps) == set(STEPS) and len(report["steps"]) == len(STEPS)
    assert all(step["as_it_should_be"] for step in steps.values())
    assert steps["web accepts"]["verdict"] == steps["contract accepts"]["verdict"] == "accepted"
    assert 100_000 < steps["contract accepts"]["gas"] < 300_000
    assert steps["audit"]["verdict"] == "true" and steps["audit of a changed byte"]["verdict"].startswith("false")
    assert steps["web refuses"]["verdict"].endswith(WEB_REVOKED)
    assert steps["contract refuses"]["verdict"].endswith(REVOKED)
    assert all("seconds_after_revocation" in steps[step] for step in ("web refuses", "contract refuses"))
    assert steps["links"]["offer"].startswith(("openid-credential-offer://", "haip-vci://"))
    assert {"offer.png", "request.png", "commands.txt", "visit.acceptance"} <= {one.name for one in home.iterdir()}
    assert not [pid for pids in children_by_parent().values() for pid in pids if _is_daemon_in(pid, str(home))]
    shutil.rmtree(home)


def _is_daemon_in(pid, home):
    """Whether the process is one that the demo started and waits for; helpers of the hub's end when they see that it has."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return False
    return any(home.encode() in word for word in words) and not {b"start", b"serve"}.isdisjoint(words)
