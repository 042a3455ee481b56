"""Defences of the hub's validator set: what admins may change, how the engine applies it, when a node signs."""

from tests.defences.defence import Defence

RULES = "relay/hub/application/validators.py"
ENGINE = "relay/hub/consensus/validators.py"
LEDGER = "relay/hub/chain/ledger.py"
TESTS = "relay/hub/application/governance/test_hub_validators.py"
BAD_CHANGES = f"{TESTS}::test_attack_C12_a_bad_change_reverts_with_the_rules_name_and_leaves_the_set"
SETS = "relay/hub/consensus/test_hub_consensus.py"

VALIDATORS = (
    Defence(
        "overlap with the last block's set",
        RULES,
        "    if added + 2 * removed > total:\n",
        "    if added + removed > total:\n",
        (f"{TESTS}::test_attack_C8_whatever_the_rule_allows_every_commit_of_the_new_set_convinces_who_trusts_the_old",),
    ),
    Defence(
        "overlap counted over the block",
        RULES,
        "    check_overlap(before_block, changed)\n",
        "    check_overlap(current, changed)\n",
        (f"{TESTS}::test_the_rule_of_overlap_is_counted_over_the_whole_block",),
    ),
    Defence(
        "the set before the block is the block's own",
        "relay/hub/application/application.py",
        "            view,\n            parent,\n            request.time_ns",
        "            view,\n            view,\n            request.time_ns",
        (f"{TESTS}::test_a_block_cannot_double_the_power_twice",),
    ),
    Defence(
        "validator key on the curve",
        RULES,
        "    if power > 0 and secp256k1.decompress(public_key) is None:\n",
        "    if False:\n",
        (BAD_CHANGES,),
    ),
    Defence(
        "only members are removed",
        RULES,
        "    if power == 0 and public_key not in current:\n",
        "    if False:\n",
        (BAD_CHANGES,),
    ),
    Defence(
        "somebody is left",
        RULES,
        "    if not changed:\n",
        "    if False:\n",
        (BAD_CHANGES,),
    ),
    Defence(
        "number of validators",
        RULES,
        "    if len(changed) > MAX_VALIDATORS:\n",
        "    if False:\n",
        (f"{TESTS}::test_attack_C12_the_hundred_and_first_validator_is_refused",),
    ),
    Defence(
        "cap of the total power",
        RULES,
        "    if total > MAX_TOTAL_VOTING_POWER:\n",
        "    if False:\n",
        (BAD_CHANGES,),
    ),
    Defence(
        "newcomers start behind everyone",
        ENGINE,
        "    behind = -(updated_power + (updated_power >> 3))\n",
        "    behind = 0\n",
        (f"{SETS}::test_a_set_that_changes_has_the_priorities_that_cometbft_gave_it",),
    ),
    Defence(
        "engine refuses what CometBFT refuses",
        ENGINE,
        "        if power == 0 and address not in members:\n",
        "        if False:\n",
        (f"{SETS}::test_changes_that_would_halt_cometbft_are_refused",),
    ),
    Defence(
        "updates reach the set of two blocks on",
        LEDGER,
        "        next_validators = advance_proposer(changed_set, 1)\n",
        "        next_validators = advance_proposer(self.tip.next_validators, 1)\n",
        (f"{TESTS}::test_attack_C43_a_validator_joins_two_blocks_after_the_block_of_its_action_and_not_before",),
    ),
    Defence(
        "no signature without the power to decide",
        "relay/hub/engine/driver.py",
        "        if reason is not None:\n",
        "        if False:\n",
        ("relay/hub/engine/test_hub_standing.py::test_a_node_whose_key_decides_nothing_signs_nothing_and_says_why",),
    ),
    Defence(
        "a change that would stop the only process",
        "relay/administration/hub/validators.py",
        "        if (total - others) * 3 <= total * 2:\n",
        "        if False:\n",
        ("relay/cli/hub/test_hub_validators_command.py::test_a_change_that_is_refused_is_one_sentence",),
    ),
    Defence(
        "the listed set signed its header",
        "adapters/hub/validators.py",
        "        judge_commit(VERIFY, signed, validators, CommitSignatures(header.chain_id, signed.commit))\n",
        "        pass\n",
        ("adapters/cometbft/test_hub_set_changes.py::test_a_set_that_did_not_sign_its_header_is_not_listed",),
    ),
)
