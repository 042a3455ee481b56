"""What CI refuses of the demo's reports: each demand taken away from a good report, one by one."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECK_DEMO = Path(__file__).resolve().parents[4] / ".ci" / "check-demo"
SETTLED = {
    "refused": 0,
    "duplicates": 0,
    "lost": 0,
    "unsettled": 0,
    "paid_duplicates": 0,
    "duration_s": 200.0,
}
LANE = SETTLED | {
    "sent": 100,
    "delivered": 90,
    "acknowledged": 90,
    "timed_out": 10,
    "refunded": 10,
    "supply_conserved": {"alpha": True, "beta": True, "gamma": True},
}
COMETBFT = LANE | {
    "validators": {
        "count": 4,
        "crashes": [{"validator": "hub-4", "height": 57, "back_at_height": 63}],
        "joined": {"node": "hub-5", "snapshot_height": 60, "level_at_height": 90},
        "agreed_height": 135,
    }
}
PEERS = LANE | {"validators": COMETBFT["validators"] | {"joined": None}}
WAY = {"sent": 200, "delivered": 200, "acknowledged": 200}
COSMOS = SETTLED | {
    "transfers": {way: dict(WAY) for way in ("simd_to_alpha", "alpha_to_simd", "home_to_simd", "home_to_alpha")},
    "sent": 840,
    "delivered": 800,
    "acknowledged": 800,
    "timed_out": 40,
    "refunded": 40,
    "timed_out_first_leg": {"simd": 10, "alpha": 10},
    "timed_out_second_leg": {"simd": 10, "alpha": 10},
    "supply_conserved_abroad": {"simd": True, "hub": True, "alpha": True},
    "supply_conserved": {"simd": True, "hub": True, "alpha": True},
    "most_abroad": {"simd": "200000000000000020100", "alpha": "200000000000000060100"},
    "kills": 3,
    "in_flight_at_kills": [37, 120, 20],
    "client_status": {"Active": 143},
    "client_status_after_evidence": "Frozen",
}
COSMOS_OVER_PEERS = COSMOS | {"validators": PEERS["validators"]}
COSMOS_OVER_COMETBFT = COSMOS | {"validators": COMETBFT["validators"]}


def changed(report: dict, path: str, value: object) -> dict:
    """A copy with the field at `a.b` set."""
    report = copy.deepcopy(report)
    *parents, last = path.split(".")
    inner = report
    for name in parents:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[last] = value
    return report


@pytest.fixture
def verdict(tmp_path):
    def judge(report: dict, *options: str) -> str:
        """The empty text of a good report, else what is not true."""
        file = tmp_path / "report.json"
        file.write_text(json.dumps(report))
        result = subprocess.run([sys.executable, str(CHECK_DEMO), str(file), *options], capture_output=True, text=True)
        assert (result.returncode == 0) == (not result.stderr), result.stderr
        return result.stderr.strip()

    return judge


@pytest.mark.parametrize(
    ("report", "options"),
    [
        (LANE, ["100"]),
        (COMETBFT, ["100", "--hub", "cometbft"]),
        (PEERS, ["100", "--validators", "4"]),
        (COSMOS, ["--cosmos", "200", "20"]),
        (changed(COSMOS, "paid_duplicates", 6), ["--cosmos", "200", "20"]),
        (COSMOS_OVER_PEERS, ["--cosmos", "200", "20", "--validators", "4"]),
        (COSMOS_OVER_COMETBFT, ["--cosmos", "200", "20", "--hub", "cometbft"]),
    ],
)
def test_good_reports_are_taken(verdict, report, options):
    assert verdict(report, *options) == ""


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("lost", 1, "nothing lost"),
        ("unsettled", 1, "nothing lost"),
        ("duplicates", 1, "nothing twice"),
        ("refused", 1, "nothing refused"),
        ("acknowledged", 89, "all settled; what was acknowledged was delivered"),
        ("delivered", 91, "what was acknowledged was delivered"),
        ("timed_out", 11, "some timed out, all of them refunded"),
        ("supply_conserved.beta", False, "every token accounted for on three chains"),
        ("paid_duplicates", 1, "nothing paid in vain"),
        ("sent", 101, "all settled; everything sent"),
        ("duration_s", 301.0, "5 minutes"),
        ("validators.count", 3, "four validators"),
        ("validators.crashes", [], "one killed and level again"),
        ("validators.crashes.0.back_at_height", 57, "one killed and level again"),
        ("validators.joined", None, "one joined from a snapshot"),
        ("validators.joined.snapshot_height", 0, "one joined from a snapshot"),
        ("validators.agreed_height", None, "one state on all"),
    ],
)
def test_a_lane_over_cometbft_with_anything_less_is_refused(verdict, path, value, reason):
    assert verdict(changed(COMETBFT, path, value), "100", "--hub", "cometbft") == f"not true: {reason}"


def test_a_report_of_the_other_engine_is_refused(verdict):
    assert "four validators" in verdict(LANE, "100", "--hub", "cometbft")
    assert verdict(COMETBFT, "100") == "not true: the hub's own engine"
    assert verdict(PEERS, "100", "--hub", "cometbft") == "not true: one joined from a snapshot"
    assert "four validators" in verdict(LANE, "100", "--validators", "4")
    assert verdict(changed(PEERS, "validators.crashes", []), "100", "--validators", "4") == (
        "not true: one killed and level again"
    )


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("lost", 1, "nothing lost"),
        ("duplicates", 1, "nothing twice"),
        ("refused", 1, "nothing refused"),
        ("acknowledged", 799, "all settled; what was acknowledged was delivered"),
        ("refunded", 39, "all settled; some timed out, all of them refunded"),
        ("supply_conserved.simd", False, "every token accounted for on three chains"),
        ("supply_conserved.hub", False, "every token accounted for on three chains"),
        ("supply_conserved_abroad.alpha", False, "every token accounted for while abroad"),
        ("most_abroad.simd", "0", "tokens of both chains abroad"),
        ("transfers.simd_to_alpha.delivered", 199, "200 simd_to_alpha, delivered and acknowledged"),
        ("transfers.home_to_simd.acknowledged", 199, "200 home_to_simd, delivered and acknowledged"),
        ("timed_out_first_leg.simd", 9, "20 refunded on the first leg"),
        ("timed_out_second_leg", {"simd": 0, "alpha": 20}, "both ways late on the second leg"),
        ("kills", 2, "3 kills, each with a packet in flight"),
        ("in_flight_at_kills", [3, 0, 5], "3 kills, each with a packet in flight"),
        ("paid_duplicates", 7, "at most 2 paid duplicates a kill"),
        ("client_status", {"Active": 140, "Expired": 1}, "simd's client Active throughout"),
        ("client_status", {"Active": 3}, "asked often"),
        ("client_status_after_evidence", "Active", "then frozen by evidence"),
        ("duration_s", 601.0, "10 minutes"),
    ],
)
def test_a_cosmos_run_with_anything_less_is_refused(verdict, path, value, reason):
    assert verdict(changed(COSMOS, path, value), "--cosmos", "200", "20") == f"not true: {reason}"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("lost", 1, "nothing lost"),
        ("kills", 2, "3 kills, each with a packet in flight"),
        ("client_status_after_evidence", "Active", "then frozen by evidence"),
        ("validators.count", 3, "four validators"),
        ("validators.crashes", [], "one killed and level again"),
        ("validators.crashes.0.back_at_height", 57, "one killed and level again"),
        ("validators.agreed_height", None, "one state on all"),
    ],
)
def test_a_cosmos_run_over_four_peers_with_anything_less_is_refused(verdict, path, value, reason):
    report = changed(COSMOS_OVER_PEERS, path, value)
    assert verdict(report, "--cosmos", "200", "20", "--validators", "4") == f"not true: {reason}"


def test_a_cosmos_report_of_another_hub_is_refused(verdict):
    assert "four validators" in verdict(COSMOS, "--cosmos", "200", "20", "--validators", "4")
    assert verdict(COSMOS_OVER_PEERS, "--cosmos", "200", "20") == "not true: the hub's own engine"
    assert verdict(COSMOS_OVER_PEERS, "--cosmos", "200", "20", "--hub", "cometbft") == (
        "not true: one joined from a snapshot"
    )
