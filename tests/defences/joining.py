"""Defences of nodes that join, restore, roll back and prune: what is believed of members and files, and what is never signed."""

from tests.defences.defence import Defence

BLOCK_SYNC = "relay/hub/engine/block_sync.py"
SNAPSHOTS = "relay/hub/joining/member_snapshots.py"
FOLLOW = "relay/hub/joining/light_follow.py"
RECORD = "relay/hub/engine/signing_record.py"
BACKUP = "relay/hub/upkeep/backup.py"
JOINS = "relay/hub/joining/test_hub_joining.py"
LYING = "relay/hub/joining/test_hub_joining_lies.py"
BACKUPS = "relay/hub/upkeep/test_hub_backup.py"
PRUNING = "relay/hub/chain/test_hub_pruning.py"
LIES = f"{LYING}::test_a_member_that_lies_or_fails_is_named_and_the_next_one_asked"
COMMITS = f"{LYING}::test_attack_C42_a_joining_node_believes_no_block_without_its_own_commit"
RECORDS = f"{JOINS}::test_attack_C45_a_key_whose_votes_are_on_the_chain_above_its_record_does_not_start"
RESTORES = f"{BACKUPS}::test_attack_C45_a_restored_key_signs_only_from_its_newest_record_or_above_a_height"
KEPT = f"{PRUNING}::test_what_stays_is_what_the_kept_states_need_and_answers_as_before"

JOINING = (
    Defence(
        "two thirds of the state's own set",
        BLOCK_SYNC,
        "    predicates.two_thirds_signed(validators, commit, predicates.CommitSignatures(chain_id, commit))\n",
        "",
        (f"{JOINS}::test_more_than_two_thirds_of_the_states_own_set_are_needed",),
    ),
    Defence(
        "every entry of a commit",
        BLOCK_SYNC,
        "        if not vote_is_signed(chain_id, validators, vote):\n",
        "        if False:\n",
        (COMMITS,),
    ),
    Defence(
        "commit is for the block's parts",
        BLOCK_SYNC,
        "    if commit.block_id != block_id:\n",
        "    if False:\n",
        (COMMITS,),
    ),
    Defence(
        "block follows from the node's own state",
        BLOCK_SYNC,
        "            accepted = ledger.accepts(block)\n",
        "            accepted = True\n",
        (f"{JOINS}::test_attack_C44_a_block_that_all_signed_and_that_contradicts_the_state_stops_the_node",),
    ),
    Defence(
        "proposer whose turn it was",
        BLOCK_SYNC,
        "        check_turn(tip.validators, block, commit.round)\n",
        "",
        (f"{LYING}::test_a_member_that_lies_about_whose_turn_it_is_is_found_by_the_blocks_and_left",),
    ),
    Defence(
        "header is the trusted one",
        FOLLOW,
        "            if got != trusted.hash:\n",
        "            if False:\n",
        (LIES,),
    ),
    Defence(
        "trusting period of the trusted header",
        FOLLOW,
        "        if known.time_ns + self._options.trusting_period_ns <= now_ns:\n",
        "        if False:\n",
        (f"{JOINS}::test_a_trusted_header_older_than_the_trusting_period_carries_nothing",),
    ),
    Defence(
        "what stands beside the state is the header's",
        SNAPSHOTS,
        "        if got != expected:\n            raise PredicateFailed(name",
        "        if False:\n            raise PredicateFailed(name",
        (LIES,),
    ),
    Defence(
        "chain passes through the trusted header",
        "relay/hub/joining/joining.py",
        "        if stored is not None and stored.block_id.hash != trusted.hash:\n",
        "        if False:\n",
        (f"{LYING}::test_attack_C40_a_fork_that_all_validators_signed_is_not_joined_past_the_trusted_header",),
    ),
    Defence(
        "no start on half a snapshot",
        "relay/hub/process/start.py",
        "        if restoration_is_unfinished(store):\n",
        "        if False:\n",
        (f"{JOINS}::test_a_node_does_not_start_on_a_half_restored_snapshot",),
    ),
    Defence(
        "answers of members are bounded",
        "relay/base/http.py",
        "        if len(body) > max_bytes:\n",
        "        if False:\n",
        (f"{LYING}::test_an_endless_answer_is_left_at_the_bound",),
    ),
    Defence(
        "sign above a height only once the chain is there",
        RECORD,
        "    if is_floor(record) and height < record.height:\n",
        "    if False:\n",
        (RECORDS,),
    ),
    Defence(
        "own votes on the chain above the record",
        RECORD,
        "    if own is not None:\n",
        "    if False:\n",
        (RECORDS,),
    ),
    Defence(
        "a restored key needs its past",
        BACKUP,
        "    if key is not None and not told:\n",
        "    if False:\n",
        (RESTORES,),
    ),
    Defence(
        "last-signed record not older than the backup's",
        BACKUP,
        "    if at < at_kept or record.height < own or (at == at_kept and not set(kept.signed) <= set(record.signed)):\n",
        "    if False:\n",
        (RESTORES,),
    ),
    Defence(
        "sign above what the backup shows",
        BACKUP,
        "        if signing.above < least:\n",
        "        if False:\n",
        (RESTORES,),
    ),
    Defence(
        "hash of the backup file",
        "relay/hub/upkeep/backup_file.py",
        "        if got != expected:\n",
        "        if False:\n",
        (f"{BACKUPS}::test_a_changed_cut_or_longer_backup_is_malformed",),
    ),
    Defence(
        "no join with a key that lacks its record",
        "relay/hub/joining/joining.py",
        "            if (home / VALIDATOR_KEY_FILE).exists():\n",
        "            if False:\n",
        (f"{JOINS}::test_attack_C45_a_key_without_its_record_is_not_joined_with",),
    ),
    Defence(
        "no rollback below what was signed",
        "relay/hub/upkeep/rollback.py",
        "        if sign_above is None and signed > target:\n",
        "        if False:\n",
        (f"{BACKUPS}::test_attack_C45_a_rollback_below_what_the_key_signed_needs_a_height_to_sign_above",),
    ),
    Defence(
        "places of a shared EVM node are counted",
        "relay/hub/application/machine/evm_pruning.py",
        "        places += change\n",
        "        places = max(change, 0)\n",
        (KEPT,),
    ),
    Defence(
        "a row that came back is kept",
        "relay/hub/state/versions.py",
        "            mark_needed(batch, STALE_TABLE, node_row(node_hash))\n",
        "",
        (f"{PRUNING}::test_nodes_and_values_that_go_and_come_back_outlive_the_pruning",),
    ),
    Defence(
        "the newest states stay",
        "relay/hub/chain/pruning.py",
        "            if version > newest - LEAST_STATES or self._application.state.root(version) is None:\n",
        "            if version >= newest or self._application.state.root(version) is None:\n",
        (KEPT,),
    ),
)
