"""Defences of evidence of cases in general, and of the case of swaps, as auditors judge them."""

from tests.defences.defence import Defence

AUDITOR = "relay/audit/cases/auditor.py"
SWAPS = "relay/audit/cases/swaps.py"
AUDITOR_TESTS = "relay/audit/cases/test_case_audit.py"
SWAPS_TESTS = "relay/audit/cases/test_swaps_rule.py"

SWAP_CASE = (
    Defence(
        "a bundle that many statements name is judged once",
        AUDITOR,
        "        if statement.bundle not in self._told:\n",
        "        if statement.bundle:\n",
        (f"{AUDITOR_TESTS}::test_attack_J21_a_packet_stated_many_times_costs_one_judgement",),
    ),
    Defence(
        "balances of a case are of one moment",
        SWAPS,
        "        if height != first:\n",
        "        if not height:\n",
        (f"{SWAPS_TESTS}::test_attack_J21_balances_of_several_moments",),
    ),
    Defence(
        "balances of a case are read after its trades",
        SWAPS,
        "                if leg.chain_id_of(proof.claim) == chain_id and proof.height > height:\n",
        "                if leg.chain_id_of(proof.claim) == chain_id and not height:\n",
        (f"{SWAPS_TESTS}::test_attack_J21_balances_of_before_a_trade",),
    ),
)
