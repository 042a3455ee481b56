"""Defences of the hub's rules versions: what a node checks at its start, precompiles, and who may run code."""

from tests.defences.defence import Defence

PRECOMPILES = "relay/evm/vm/precompiles.py"
GENESIS = "relay/hub/application/genesis.py"
NAMED_CODE = "relay/evm/vm/named_code.py"
CODE_TESTS = "relay/hub/application/machine/test_hub_named_code.py"
PRECOMPILE_TESTS = "relay/hub/application/machine/test_hub_precompiles.py"
TAKING_UP_TESTS = "relay/hub/application/governance/test_hub_taking_up_rules.py"

RECORDED_TESTS = "relay/hub/application/test_recorded_sentences.py"

HUB_RULES = (
    Defence(
        "a replayed refusal has the words of its rules version",
        "relay/hub/application/revision/recorded_sentences.py",
        "    if rules_version < rules_versions.BOUNDED_EXECUTION:\n",
        "    if False:\n",
        (f"{RECORDED_TESTS}::test_words_follow_the_rules_version",),
    ),
    Defence(
        "a packet's recorded failure has the words of its rules version",
        "relay/hub/application/packets/packets.py",
        "        return str(as_recorded(error, self._rules_version))\n",
        "        return str(error)\n",
        (
            f"{RECORDED_TESTS}::test_failure_of_a_packet_is_recorded_in_the_words_of_its_version",
            f"{RECORDED_TESTS}::test_refused_memo_is_recorded_in_the_words_of_its_version",
        ),
    ),
    Defence(
        "a revert has the words of its rules version",
        "relay/hub/application/module.py",
        "_verification_failed(as_recorded(error, rules_version))",
        "_verification_failed(error)",
        (
            "relay/hub/application/clients/test_hub_ethereum_client.py::test_refusal_keeps_the_words_of_its_rules_version",
        ),
    ),
    Defence(
        "a node refuses an interpreter without assertions",
        GENESIS,
        "    if reason is not None:\n        raise UnfitRuntime(reason)\n    if genesis.rules_version not in",
        "    if genesis.rules_version not in",
        (f"{PRECOMPILE_TESTS}::test_audit_H3_a_node_asks_its_interpreter_too",),
    ),
    Defence(
        "libraries of genesis are those of its rules version",
        GENESIS,
        "        if wanted.get(name) != here.get(name):\n",
        "        if False:\n",
        (f"{TAKING_UP_TESTS}::test_audit_L4_a_genesis_of_other_libraries_is_refused_by_the_name_of_the_first",),
    ),
    Defence(
        "an installed library of another version stops the start",
        GENESIS,
        "    reason = unfit_library(chosen=chosen)\n    if reason is not None:\n",
        "    reason = unfit_library(chosen=chosen)\n    if reason is None and reason is not None:\n",
        (f"{TAKING_UP_TESTS}::test_audit_L4_a_node_with_another_library_does_not_start",),
    ),
    Defence(
        "RIPEMD-160 is not the host's",
        PRECOMPILES,
        "    0x03: _ripemd160,\n",
        "",
        (f"{PRECOMPILE_TESTS}::test_audit_H2_a_host_without_ripemd_executes_the_same_block",),
    ),
    Defence(
        "the point evaluation reads its setup once",
        PRECOMPILES,
        "@cache\ndef trusted_setup",
        "def trusted_setup",
        (f"{PRECOMPILE_TESTS}::test_audit_H3_a_true_proof_is_true_when_no_descriptor_is_left",),
    ),
    Defence(
        "the setup of the point evaluation is the ceremony's",
        PRECOMPILES,
        "        if sha256(path.read_bytes()) != TRUSTED_SETUP_SHA256:\n",
        "        if False:\n",
        (f"{PRECOMPILE_TESTS}::test_audit_H3_without_its_setup_a_node_of_released_rules_does_not_start",),
    ),
    Defence(
        "version 3 has no point evaluation",
        "relay/hub/application/machine/evm_rules.py",
        "    rules_versions.BOUNDED_EXECUTION: PRECOMPILES_WITHOUT_BLOBS,\n",
        "    rules_versions.BOUNDED_EXECUTION: FORK_PRECOMPILES,\n",
        (f"{PRECOMPILE_TESTS}::test_audit_H3_from_version_3_on_there_is_no_point_evaluation",),
    ),
    Defence(
        "a transaction's target is named",
        "relay/evm/vm/execution.py",
        "        self._check_target(transaction.sender, transaction.to, transaction.data)\n",
        "",
        (f"{CODE_TESTS}::test_attack_H_a_stranger_runs_no_code_on_a_fee_free_hub",),
    ),
    Defence(
        "calls obey the rule of transactions",
        "relay/evm/vm/execution.py",
        "            self._check_target(message.sender, message.to, message.data)\n",
        "            pass\n",
        (f"{CODE_TESTS}::test_calls_and_estimates_obey_the_same_rule",),
    ),
    Defence(
        "the code that an inner call runs is named",
        NAMED_CODE,
        "        return None if self.code_policy.is_contract(stores, target) else",
        "        return None if True else",
        (f"{CODE_TESTS}::test_attack_H_no_inner_call_runs_code_that_is_not_named",),
    ),
    Defence(
        "strangers create nothing through a factory",
        NAMED_CODE,
        "            if self.code_policy.is_deployer(stores, origin):\n",
        "            if True:\n",
        (f"{CODE_TESTS}::test_attack_H_only_a_deployers_transaction_creates_from_within",),
    ),
    Defence(
        "precompiles are for contracts",
        NAMED_CODE,
        "    elif start.is_precompile:\n",
        "    elif False:\n",
        (f"{CODE_TESTS}::test_attack_H_a_stranger_runs_no_code_on_a_fee_free_hub",),
    ),
    Defence(
        "data is not stored for accounts without code",
        NAMED_CODE,
        "    elif start.data:\n",
        "    elif False:\n",
        (f"{CODE_TESTS}::test_attack_H_a_stranger_runs_no_code_on_a_fee_free_hub",),
    ),
    Defence(
        "a running hub closes when it takes up version 3",
        "relay/hub/application/application.py",
        "        take_up_code_rules(view, rules_version, self.genesis.code_rules)\n",
        "",
        (f"{CODE_TESTS}::test_a_running_hub_closes_in_the_first_block_of_version_3",),
    ),
    Defence(
        "kinds of version 3 are unknown before it",
        "relay/hub/application/admin.py",
        "    return THIRD_KINDS if rules_version >= rules_versions.BOUNDED_EXECUTION else SECOND_KINDS\n",
        "    return THIRD_KINDS\n",
        (f"{CODE_TESTS}::test_kinds_of_version_3_are_unknown_before_it",),
    ),
    Defence(
        "no command runs without assertions",
        "relay/cli/main.py",
        "    reason = unfit_interpreter()\n    if reason is not None:\n",
        "    reason = None\n    if reason is not None:\n",
        (f"{PRECOMPILE_TESTS}::test_audit_H3_nothing_that_verifies_starts_without_its_assertions",),
    ),
)
