"""Defences of the hub's rules versions: what a node checks at its start, precompiles, and who may run code."""

from tests.defences.defence import Defence

PRECOMPILES = "relay/evm/precompiles.py"
GENESIS = "relay/hub/application/genesis.py"
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
        "no command runs without assertions",
        "relay/cli/main.py",
        "    reason = unfit_interpreter()\n    if reason is not None:\n",
        "    reason = None\n    if reason is not None:\n",
        (PRECOMPILE_TESTS,),
    ),
)
