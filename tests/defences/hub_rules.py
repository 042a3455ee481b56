"""Defences of the hub's rules versions: what a node checks at its start, precompiles, and who may run code."""

from tests.defences.defence import Defence

PRECOMPILES = "relay/evm/precompiles.py"
GENESIS = "relay/hub/application/genesis.py"
NAMED_CODE = "relay/evm/named_code.py"
CODE_TESTS = "relay/hub/test_hub_named_code.py"
PRECOMPILE_TESTS = "relay/hub/test_hub_precompiles.py"
TAKING_UP_TESTS = "relay/hub/test_hub_taking_up_rules.py"

HUB_RULES = (
    Defence(
        "a node refuses an interpreter without assertions",
        GENESIS,
        "    if reason is not None:\n        raise UnfitRuntime(reason)\n    if genesis.rules_version not in",
        "    if genesis.rules_version not in",
        (PRECOMPILE_TESTS,),
    ),
    Defence(
        "libraries of genesis are those of its rules version",
        GENESIS,
        "        if wanted.get(name) != here.get(name):\n",
        "        if False:\n",
        (TAKING_UP_TESTS,),
    ),
    Defence(
        "an installed library of another version stops the start",
        GENESIS,
        "    reason = unfit_library()\n    if reason is not None:\n",
        "    reason = unfit_library()\n    if reason is None and reason is not None:\n",
        (TAKING_UP_TESTS,),
    ),
    Defence(
        "RIPEMD-160 is not the host's",
        PRECOMPILES,
        "    0x03: _ripemd160,\n",
        "",
        (PRECOMPILE_TESTS,),
    ),
    Defence(
        "the point evaluation reads its setup once",
        PRECOMPILES,
        "@cache\ndef trusted_setup",
        "def trusted_setup",
        (PRECOMPILE_TESTS,),
    ),
    Defence(
        "the setup of the point evaluation is the ceremony's",
        PRECOMPILES,
        "        if sha256(path.read_bytes()) != TRUSTED_SETUP_SHA256:\n",
        "        if False:\n",
        (PRECOMPILE_TESTS,),
    ),
    Defence(
        "version 3 has no point evaluation",
        "relay/hub/application/evm_rules.py",
        "    rules_versions.BOUNDED_EXECUTION: PRECOMPILES_WITHOUT_BLOBS,\n",
        "    rules_versions.BOUNDED_EXECUTION: FORK_PRECOMPILES,\n",
        (PRECOMPILE_TESTS,),
    ),
    Defence(
        "a transaction's target is named",
        "relay/evm/execution.py",
        "        self._check_target(transaction.sender, transaction.to, transaction.data)\n",
        "",
        (CODE_TESTS,),
    ),
    Defence(
        "calls obey the rule of transactions",
        "relay/evm/execution.py",
        "            self._check_target(message.sender, message.to, message.data)\n",
        "            pass\n",
        (CODE_TESTS,),
    ),
    Defence(
        "the code that an inner call runs is named",
        NAMED_CODE,
        "        return None if self.code_policy.is_contract(stores, target) else",
        "        return None if True else",
        (CODE_TESTS,),
    ),
    Defence(
        "strangers create nothing through a factory",
        NAMED_CODE,
        "            if self.code_policy.is_deployer(stores, origin):\n",
        "            if True:\n",
        (CODE_TESTS,),
    ),
    Defence(
        "precompiles are for contracts",
        NAMED_CODE,
        "    elif start.is_precompile:\n",
        "    elif False:\n",
        (CODE_TESTS,),
    ),
    Defence(
        "data is not stored for accounts without code",
        NAMED_CODE,
        "    elif start.data:\n",
        "    elif False:\n",
        (CODE_TESTS,),
    ),
    Defence(
        "a running hub closes when it takes up version 3",
        "relay/hub/application/application.py",
        "        take_up_code_rules(view, expected_version, self.genesis.code_rules)\n",
        "",
        (CODE_TESTS,),
    ),
    Defence(
        "kinds of version 3 are unknown before it",
        "relay/hub/application/admin.py",
        "    return frozenset(ActionKind) if rules_version >= rules_versions.BOUNDED_EXECUTION else SECOND_KINDS\n",
        "    return frozenset(ActionKind)\n",
        (CODE_TESTS,),
    ),
    Defence(
        "no command runs without assertions",
        "relay/cli/main.py",
        "    reason = unfit_interpreter()\n    if reason is not None:\n",
        "    reason = None\n    if reason is not None:\n",
        (PRECOMPILE_TESTS,),
    ),
)
