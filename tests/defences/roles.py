"""Defences of who holds which right on a chain's contracts."""

from tests.defences.defence import Defence

PLAN = "adapters/evm/administration/role_plan.py"
READING = "adapters/evm/administration/rights_reading.py"
TESTS = "relay/cli/chains/test_roles_command.py"

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
)
