"""Defences of governance by the validators: whose votes count, when a decision is made, whose keys come in, when rules change."""

from tests.defences.defence import Defence

PROPOSALS = "relay/hub/application/governance/proposals.py"
MEMBERS = "relay/hub/application/governance/members.py"
SCHEDULE = "relay/hub/application/governance/schedule.py"
COMING = "relay/hub/application/governance/coming.py"
MODULE = "relay/hub/application/governance/module.py"
LEDGER = "relay/hub/chain/ledger.py"
TESTS = "relay/hub/application/governance/test_hub_governance.py"
KEYS = "relay/hub/application/governance/test_hub_key_rotation.py"
LATER = "relay/hub/application/governance/test_hub_schedule.py"
NEXT = "relay/hub/application/governance/test_hub_next_revision.py"
OWN_DATABASE = f"{NEXT}::test_attack_a_database_is_opened_under_its_own_genesis_only"
AFTER_PRUNING = "relay/hub/joining/test_hub_joining_revision.py::test_a_node_starts_again_after_the_joint_was_pruned"
FORGED_PROOFS = f"{KEYS}::test_attack_C42_a_key_comes_in_only_signed_by_itself_for_this_operator_and_hub"
VOTING = "relay/cli/hub/test_hub_vote_command.py"
EARLIER = "relay/hub/application/governance/test_hub_earlier_revision.py"

GOVERNANCE = (
    Defence(
        "strictly more than two thirds",
        PROPOSALS,
        "        return 3 * self.approved_power > 2 * self.total_power\n",
        "        return 3 * self.approved_power >= 2 * self.total_power\n",
        (f"{TESTS}::test_two_thirds_are_not_enough_and_one_unit_more_is",),
    ),
    Defence(
        "the tally asks for approval",
        PROPOSALS,
        "            if raw is not None and Vote.decode(raw).approve:\n",
        "            if raw is not None:\n",
        (f"{TESTS}::test_attack_C42_a_vote_counts_once_and_may_be_withdrawn",),
    ),
    Defence(
        "execution counts again",
        PROPOSALS,
        "        if not tally.passes:\n",
        "        if False:\n",
        (f"{TESTS}::test_two_thirds_are_not_enough_and_one_unit_more_is",),
    ),
    Defence(
        "executed once",
        PROPOSALS,
        "        if status is Status.EXECUTED:\n",
        "        if False:\n",
        (f"{TESTS}::test_attack_C42_a_vote_counts_once_and_may_be_withdrawn",),
    ),
    Defence(
        "expired proposals are closed",
        PROPOSALS,
        "self._now_s >= proposal.expires_s:\n",
        "self._now_s > proposal.expires_s:\n",
        (f"{TESTS}::test_a_proposal_expires_at_its_second_and_not_before",),
    ),
    Defence(
        "open proposals of one validator",
        PROPOSALS,
        "        if len(still_open) >= MAX_OPEN_PROPOSALS:\n",
        "        if False:\n",
        (f"{TESTS}::test_attack_one_validator_cannot_fill_the_state_with_proposals",),
    ),
    Defence(
        "a removed validator's operator is gone",
        MEMBERS,
        "            self._store.delete(keys.operator_account_key(operator.account))\n",
        "            pass\n",
        (f"{TESTS}::test_attack_C43_votes_of_a_removed_validator_do_not_count",),
    ),
    Defence(
        "a new key proves its possession",
        MEMBERS,
        " or not secp256k1.verify_low_s(public_key, digest, proof):\n",
        ":\n",
        (FORGED_PROOFS,),
    ),
    Defence(
        "possession is for one hub",
        MEMBERS,
        "        digest = possession_digest(self._chain_id, account, public_key)\n",
        "        digest = possession_digest('hutong-2' if proof != bytes(64) else self._chain_id, account, public_key)\n",
        (FORGED_PROOFS,),
    ),
    Defence(
        "no key twice",
        MEMBERS,
        "        if self._store.get(keys.used_key_key(public_key)) is not None:\n",
        "        if False:\n",
        (
            f"{KEYS}::test_attack_C40_a_key_is_nobodys_twice",
            f"{TESTS}::test_attack_C42_a_key_that_left_never_comes_back_with_its_old_votes",
        ),
    ),
    Defence(
        "one swap a day",
        MEMBERS,
        "        if operator.rotated_s and self._now_s < earliest_s:\n",
        "        if False:\n",
        (f"{KEYS}::test_a_key_is_swapped_once_a_day_at_most",),
    ),
    Defence(
        "one validator an operator",
        MEMBERS,
        "        if account == bytes(20) or self._store.get(keys.operator_account_key(account)) is not None:\n",
        "        if False:\n",
        (f"{KEYS}::test_what_is_no_new_member_is_not_admitted",),
    ),
    Defence(
        "a swap obeys the overlap",
        "relay/hub/application/validators.py",
        "    _check_set(before_block, changed, new)\n",
        "    _check_set(changed, changed, new)\n",
        (f"{KEYS}::test_a_swap_obeys_the_rule_of_overlap_over_the_whole_block",),
    ),
    Defence(
        "a vote without gas for its action is none",
        MODULE,
        "            if not result.return_data:\n",
        "            if False:\n",
        (f"{TESTS}::test_attack_a_voter_that_gives_too_little_gas_cannot_spoil_a_decision",),
    ),
    Defence(
        "notice before rules change",
        SCHEDULE,
        "        if not earliest <= height <= latest:\n",
        "        if False:\n",
        (f"{LATER}::test_a_change_of_rules_is_one_forward_in_time_and_can_be_withdrawn",),
    ),
    Defence(
        "rules go forward",
        SCHEDULE,
        "        if not present < version <= MAX_RULES_VERSION:\n",
        "        if False:\n",
        (f"{LATER}::test_a_change_of_rules_is_one_forward_in_time_and_can_be_withdrawn",),
    ),
    Defence(
        "parameters have bounds",
        SCHEDULE,
        "        if not low <= value <= high:\n",
        "        if False:\n",
        (f"{LATER}::test_parameters_change_within_their_bounds_and_no_others_do",),
    ),
    Defence(
        "the set is fixed at the end",
        SCHEDULE,
        "        if end is not None and self._height >= end - 1:\n",
        "        if False:\n",
        (f"{LATER}::test_attack_C43_the_set_is_fixed_at_the_end_and_clients_follow_it",),
    ),
    Defence(
        "no block of rules that are not here",
        COMING,
        "        if version not in self._known_rules:\n",
        "        if False:\n",
        (f"{LATER}::test_software_without_the_coming_rules_halts_before_their_height_with_one_sentence",),
    ),
    Defence(
        "no block after the end",
        COMING,
        "        if end is not None and height > end:\n",
        "        if False:\n",
        (f"{LATER}::test_attack_C43_the_set_is_fixed_at_the_end_and_clients_follow_it",),
    ),
    Defence(
        "a proposal names the version in force",
        "relay/hub/application/application.py",
        " or app_version != self.coming.rules_version(last + 1):\n",
        ":\n",
        (f"{LATER}::test_attack_C43_rules_change_at_their_height_and_not_a_block_before",),
    ),
    Defence(
        "admins of the first rules know no later kind",
        "relay/hub/application/admin.py",
        "        return FIRST_KINDS\n",
        "        return frozenset(ActionKind)\n",
        (f"{LATER}::test_recorded_admin_chains_know_no_later_kind",),
    ),
    Defence(
        "a pause lets settlements through",
        "relay/hub/application/packets/packets.py",
        "        return _only_payload(packet) if self._settles_while_paused else self._relayable(packet)\n",
        "        return self._relayable(packet)\n",
        (f"{LATER}::test_attack_E20_a_pause_refuses_what_is_new_and_pays_back_what_is_old",),
    ),
    Defence(
        "the database holds the block that the genesis continues",
        LEDGER,
        "        if (last.block_id.hash, results.app_hash) != (continues.block_hash, continues.app_hash):\n",
        "        if False:\n",
        (OWN_DATABASE,),
    ),
    Defence(
        "a later revision's database is not opened under the first genesis",
        LEDGER,
        "        if newest is not None and newest.header.chain_id != genesis.chain_id:\n",
        "        if False:\n",
        (OWN_DATABASE, AFTER_PRUNING),
    ),
    Defence(
        "a later revision is followed under the genesis that it began with",
        LEDGER,
        "        if height > continues.height and begun not in (None, genesis.digest):\n",
        "        if False:\n",
        (AFTER_PRUNING,),
    ),
    Defence(
        "a one-process hub is not voted to a stop",
        "relay/administration/hub/governance.py",
        "        if motion.change is not None:\n",
        "        if False:\n",
        ("relay/cli/hub/test_hub_governance_commands.py::test_a_new_member_makes_a_candidate_that_the_members_admit",),
    ),
    Defence(
        "a candidate's proof is checked before it is proposed",
        "relay/administration/hub/candidates.py",
        "    if not secp256k1.verify_low_s(found.public_key, digest, found.proof):\n",
        "    if False:\n",
        ("relay/cli/hub/test_hub_governance_commands.py::test_a_new_member_makes_a_candidate_that_the_members_admit",),
    ),
    Defence(
        "others vote for what was proposed",
        "adapters/hub/governance.py",
        "        if not is_proven:\n",
        "        if False:\n",
        (f"{VOTING}::test_attack_G1_an_endpoint_that_names_another_proposal_gets_no_vote_for_it",),
    ),
    Defence(
        "a proven proposal is compared with what was asked for",
        "adapters/hub/proven_proposals.py",
        "            if got != expected:\n",
        "            if False:\n",
        (f"{VOTING}::test_attack_G1_an_endpoint_that_names_another_proposal_gets_no_vote_for_it",),
    ),
    Defence(
        "an operator signs for its hub's chain id",
        "adapters/hub/verified_state.py",
        "        if got != expected:\n",
        "        if False:\n",
        (f"{VOTING}::test_attack_G1_a_transaction_is_not_signed_for_another_chain",),
    ),
    Defence(
        "a trusted header is trusted for its period",
        "adapters/hub/verified_state.py",
        "        if expired_at_ns <= now_ns:\n",
        "        if False:\n",
        (f"{VOTING}::test_a_vote_is_proven_from_a_header_that_the_operator_trusts_within_its_period",),
    ),
    Defence(
        "an old block is read by its own rules",
        "relay/hub/rpc/chain.py",
        "            version = self._header_version(block.number)\n",
        "            pass\n",
        (f"{EARLIER}::test_a_call_at_an_old_block_runs_by_the_rules_of_that_block",),
    ),
    Defence(
        "a later genesis does not name earlier validators",
        "relay/hub/application/governance/authority.py",
        " if height >= self.base_height else _EarlierPowers(self.base_height)\n",
        "\n",
        (f"{EARLIER}::test_validators_of_an_earlier_revision_are_not_made_up_from_the_later_genesis",),
    ),
)
