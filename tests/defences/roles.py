"""Defences of who holds which right on a chain's contracts."""

from tests.defences.defence import Defence

PLAN = "adapters/evm/administration/role_plan.py"
READING = "adapters/evm/administration/rights_reading.py"
DECISIONS = "adapters/evm/administration/decisions.py"
TESTS = "relay/cli/chains/test_roles_command.py"
PENDING = "relay/cli/chains/test_pending_decisions.py"
DECIDING = "relay/cli/chains/test_deciding.py"
PATHS = "relay/cli/chains/test_path_decisions.py"

ROLES = (
    Defence(
        "the deployer keeps nothing",
        PLAN,
        "            calls.append(RENOUNCE_ROLE.encode(ADMIN_ROLE, deployer))\n",
        "            calls += []\n",
        (f"{TESTS}::test_audit_H4_after_the_hand_over_the_deployers_key_can_do_nothing",),
    ),
    Defence(
        "an application's functions go to their own roles",
        PLAN,
        '            "title": title_function_roles(),\n',
        "",
        ("relay/cli/test_app_deployment.py::test_applications_get_their_ports_and_their_own_roles",),
    ),
    Defence(
        "an interrupted deployment goes on with the applications that it began with",
        "relay/administration/evm/deployment_journal.py",
        "        if not self.apps:\n",
        "        if True:\n",
        ("relay/cli/test_app_deployment.py::test_audit_H4_a_deployment_with_applications_goes_on_where_it_broke_off",),
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
        (f"{DECIDING}::test_audit_H4_what_a_multisig_decides_is_written_down_for_it",),
    ),
    Defence(
        "whoever signs does not decide as another",
        "relay/administration/addresses.py",
        '    if account == address_of(signer.address, "--keystore"):\n',
        "    if False:\n",
        (f"{DECIDING}::test_trial_N3_the_keystores_own_account_does_not_decide_as_another",),
    ),
    Defence(
        "who may not decide spends nothing",
        "relay/administration/paths.py",
        "        delay_s = await longest_delay_s(side)\n",
        "        delay_s = 0\n",
        (f"{PATHS}::test_trial_N2_who_may_not_decide_is_told_so_before_anything_is_sent",),
    ),
    Defence(
        "no path is begun whose clients expire before the decision",
        "relay/administration/paths.py",
        "        await require_outliving(side, delay_s, (for_hub, for_chain))\n",
        "",
        (f"{PATHS}::test_trial_N2_a_delay_longer_than_the_trusting_period_is_said_before_anything_is_sent",),
    ),
    Defence(
        "a path that waits is not begun a second time",
        "relay/administration/paths.py",
        "            await require_none_waits(hub_chain, evm.name, for_hub)\n",
        "            pass\n",
        (f"{PATHS}::test_trial_O9_a_path_that_waits_is_not_begun_a_second_time",),
    ),
    Defence(
        "no substitute is scheduled that expires before the delay",
        "relay/administration/router_recovery.py",
        "            await require_substitute_lasts(chain.execution, evm.name, substitute, *effect)\n",
        "",
        ("adapters/evm/test_evm_transfer.py::test_audit_H4_a_multisig_recovers_a_client",),
    ),
    Defence(
        "no call is printed for a client that expires before it",
        "relay/administration/path_joining.py",
        "        await require_lasting(side, hub, begun)\n",
        "",
        (f"{PATHS}::test_trial_N2_no_call_is_printed_for_a_client_that_expires_before_it_can_be_made",),
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
