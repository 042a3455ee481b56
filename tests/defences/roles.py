"""Defences of who holds which right on a chain's contracts."""

from tests.defences.defence import Defence

PLAN = "adapters/evm/administration/role_plan.py"
READING = "adapters/evm/administration/rights_reading.py"
DECISIONS = "adapters/evm/administration/decisions.py"
TESTS = "relay/cli/chains/test_roles_command.py"
PENDING = "relay/cli/chains/test_pending_decisions.py"

ROLES = (
    Defence(
        "the deployer keeps nothing",
        PLAN,
        "            calls.append(RENOUNCE_ROLE.encode(ADMIN_ROLE, deployer))\n",
        "            calls += []\n",
        (f"{TESTS}::test_audit_H4_after_the_hand_over_the_deployers_key_can_do_nothing",),
    ),
    Defence(
        "no role is given to the deployer",
        PLAN,
        "            if deployer in members:\n",
        "            if False:\n",
        (f"{TESTS}::test_audit_H4_roles_that_guard_nothing_are_refused_before_anything_is_sent",),
    ),
    Defence(
        "the admin's delay covers the migrator's",
        PLAN,
        "        if delays.admin_s < delays.migrator_s:\n",
        "        if False:\n",
        (f"{TESTS}::test_audit_H4_roles_that_guard_nothing_are_refused_before_anything_is_sent",),
    ),
    Defence(
        "the admin's role has a delay",
        PLAN,
        "            ADMIN_ROLE: role((self.admin,), delays.admin_s),\n",
        "            ADMIN_ROLE: role((self.admin,), 0),\n",
        (f"{TESTS}::test_audit_M2_guardians_are_not_replaced_at_once",),
    ),
    Defence(
        "what another account decides is not signed here",
        "adapters/evm/administration/deciding.py",
        "        if self._account == self._own:\n",
        "        if True:\n",
        ("relay/cli/chains/test_deciding.py::test_audit_H4_what_a_multisig_decides_is_written_down_for_it",),
    ),
    Defence(
        "roles and selectors of events are looked at",
        READING,
        "        return {ADMIN_ROLE, *ROLE_NAMES, *self._mentioned, *self.members, *self.grant_delays}\n",
        "        return {ADMIN_ROLE, *ROLE_NAMES}\n",
        (f"{TESTS}::test_audit_H4_a_grant_after_the_file_is_seen",),
    ),
    Defence(
        "a scheduled call that deviates is not clean",
        "relay/cli/chains/roles.py",
        "    clean = not wrong and not any(deviating for _, deviating in pending)\n",
        "    clean = not wrong\n",
        (f"{PENDING}::test_audit_H4_a_grant_that_nobody_wrote_down_is_said_while_it_can_be_stopped",),
    ),
    Defence(
        "a call of the manager that cannot be read deviates",
        DECISIONS,
        "    if worded is None or worded.function not in signatures(ARTIFACTS[MANAGER]).values():\n        return None\n",
        "    if worded is None or worded.function not in signatures(ARTIFACTS[MANAGER]).values():\n        return found\n",
        (f"{PENDING}::test_audit_H4_a_call_with_a_byte_too_much_is_made_all_the_same",),
    ),
    Defence(
        "scheduled arguments do not write on the terminal",
        "adapters/evm/administration/wording.py",
        "    cut = json.dumps(value[:MAX_SHOWN_CHARACTERS])\n",
        "    cut = f'\"{value[:MAX_SHOWN_CHARACTERS]}\"'\n",
        (f"{PENDING}::test_audit_H4_what_the_file_says_already_or_says_nothing_of_is_no_deviation",),
    ),
    Defence(
        "a schedule without an end is asked of the manager",
        READING,
        "        if ready_at_s != call.ready_at_s:\n",
        "        if False:\n",
        (f"{PENDING}::test_audit_H4_an_endpoint_that_hides_how_a_call_ended_is_refused",),
    ),
)
