"""Defences of the hub's consensus among several validators: votes, locks, records, log, evidence, blocks."""

from tests.defences.defence import Defence

TRANSITION = "relay/hub/consensus/transition.py"
RECORDING = "relay/hub/consensus/recording.py"
SIGNING = "relay/hub/consensus/signing.py"
REPLAY = "relay/hub/consensus/replay.py"
EVIDENCE = "relay/hub/consensus/evidence.py"
RULES = "relay/hub/consensus/test_hub_consensus_rules.py"
RECORD_TESTS = "relay/hub/consensus/test_hub_consensus.py"
WAL_TESTS = "relay/hub/engine/test_hub_wal.py"
LOST_LOG = "relay/hub/consensus/test_hub_lost_log.py"
EVIDENCE_TESTS = "relay/hub/consensus/test_hub_evidence.py"

CONSENSUS = (
    Defence(
        "lock rule",
        TRANSITION,
        "        unlocked = state.locked_round == -1 if pol_round < 0 else state.locked_round <= pol_round\n",
        "        unlocked = True\n",
        (f"{RULES}::test_who_is_locked_prevotes_nil_for_another_block_and_again_for_its_own",),
    ),
    Defence(
        "proof of lock",
        TRANSITION,
        "if pol_round >= 0 and self._majority(pol_round, PREVOTE) != proposal.block_id:",
        "if False:",
        (f"{RULES}::test_a_newer_proof_of_lock_unlocks_and_a_claimed_one_does_not",),
    ),
    Defence(
        "a lock only by a newer proof",
        TRANSITION,
        "else state.locked_round <= pol_round\n",
        "else True\n",
        (f"{RULES}::test_a_proof_of_lock_older_than_the_own_lock_does_not_unlock",),
    ),
    Defence(
        "more than two thirds",
        "relay/hub/consensus/votes.py",
        "return power > total * 2 // 3",
        "return power >= total * 2 // 3",
        (f"{RULES}::test_attack_C40_hub_a_liars_votes_count_each_for_its_block_and_are_told_once",),
    ),
    Defence(
        "more than a third to catch up",
        "relay/hub/consensus/votes.py",
        "return power > total // 3",
        "return power >= total // 3",
        (f"{RULES}::test_a_third_of_the_others_in_a_later_round_moves_nobody_and_one_more_moves",),
    ),
    Defence(
        "votes far ahead are few",
        RECORDING,
        "        room = _with_room(state, vote)\n",
        "        room = state\n",
        (f"{RULES}::test_of_rounds_far_ahead_only_the_newest_votes_of_a_validator_are_kept",),
    ),
    Defence(
        "a liar's second vote counts",
        RECORDING,
        "        state = _with_tally(state, vote, tally.with_conflict(vote))\n",
        "        pass\n",
        (f"{RULES}::test_attack_C40_hub_a_liars_votes_count_each_for_its_block_and_are_told_once",),
    ),
    Defence(
        "the maker of a new block is its proposer",
        TRANSITION,
        "own_work = pol_round >= 0 or candidate.block.header.proposer_address == proposer\n",
        "own_work = True\n",
        (f"{RULES}::test_a_new_block_that_names_another_maker_gets_no_vote",),
    ),
    Defence(
        "content only of named blocks",
        TRANSITION,
        " or not self._is_named(block_id):",
        ":",
        (f"{RULES}::test_content_that_nobody_named_is_not_kept",),
    ),
    Defence(
        "a refused block that is decided halts",
        TRANSITION,
        "                raise RejectedBlockDecided(self.state.height, round_, block_id)\n",
        "                continue\n",
        (f"{RULES}::test_a_decided_block_that_this_node_refuses_halts_it",),
    ),
    Defence(
        "the record never goes back",
        SIGNING,
        "    if (height, round_) < (record.height, record.round):\n",
        "    if False:\n",
        (f"{RECORD_TESTS}::test_attack_C45_hub_record_refuses_contradictions_and_replays_the_same_bytes",),
    ),
    Defence(
        "the record never changes its mind",
        SIGNING,
        "            if sign_bytes_at(known.timestamp_ns) != known.sign_bytes:\n",
        "            if False:\n",
        (f"{RECORD_TESTS}::test_attack_C45_hub_record_refuses_contradictions_and_replays_the_same_bytes",),
    ),
    Defence(
        "the log on disk before a vote",
        "relay/hub/engine/driver.py",
        "        self._validator.log.sync()\n        return self._validator.signer.sign_vote(vote)\n",
        "        return self._validator.signer.sign_vote(vote)\n",
        ("relay/hub/chain/test_hub_crash_consistency.py",),
    ),
    Defence(
        "no vote of a height whose log is gone",
        REPLAY,
        "    signs = record.height < height or (record.height == height and explained)\n",
        "    signs = True\n",
        (f"{WAL_TESTS}::test_attack_C45_hub_a_lock_outlives_a_crash_at_every_byte_of_the_log",),
    ),
    Defence(
        "damage is no torn end",
        "relay/hub/consensus/event_codec.py",
        "            if start != whole:\n",
        "            if False:\n",
        (f"{WAL_TESTS}::test_damage_before_the_end_is_refused_with_its_place",),
    ),
    Defence(
        "no marker within an event of the log",
        "relay/hub/consensus/event_codec.py",
        "    return MARKER + body.replace(_STEM, _STUFFED)\n",
        "    return MARKER + body\n",
        (f"{WAL_TESTS}::test_attack_C45_hub_a_torn_write_that_holds_whole_frames_is_cut_off",),
    ),
    Defence(
        "evidence is signed",
        EVIDENCE,
        "        if not vote_is_signed(chain_id, validators, vote):\n",
        "        if False:\n",
        (f"{EVIDENCE_TESTS}::test_evidence_that_proves_nothing_is_refused_by_name",),
    ),
    Defence(
        "evidence contradicts itself",
        EVIDENCE,
        "    if block_id_key(first.block_id) >= block_id_key(second.block_id):\n",
        "    if False:\n",
        (f"{EVIDENCE_TESTS}::test_evidence_that_proves_nothing_is_refused_by_name",),
    ),
    Defence(
        "evidence within the accountable period",
        EVIDENCE,
        "    if accountable.is_over(first.height, time_ns):\n",
        "    if False:\n",
        (f"{EVIDENCE_TESTS}::test_evidence_from_before_the_accountable_period_is_refused",),
    ),
    Defence(
        "evidence once",
        "relay/hub/chain/ledger_evidence.py",
        "            if self._is_recorded(item):\n",
        "            if False:\n",
        (f"{EVIDENCE_TESTS}::test_attack_C40_hub_a_double_vote_is_recorded_once_and_shown",),
    ),
    Defence(
        "evidence within its bytes",
        EVIDENCE,
        "    if size > max_bytes:\n",
        "    if False:\n",
        (f"{EVIDENCE_TESTS}::test_a_block_with_too_much_or_repeated_evidence_is_refused",),
    ),
    Defence(
        "every signature of the last commit",
        "relay/hub/consensus/commits.py",
        "        if not vote_is_signed(chain_id, validators, vote):\n",
        "        if False:\n",
        (f"{EVIDENCE_TESTS}::test_a_block_whose_last_commit_has_a_forged_entry_is_refused",),
    ),
    Defence(
        "block time moves on",
        "relay/hub/consensus/blocks.py",
        "return max(median_time_ns(last_commit, tip.last_validators), tip.time_ns + LEAST_STEP_NS)",
        "return median_time_ns(last_commit, tip.last_validators)",
        (f"{EVIDENCE_TESTS}::test_attack_C44_hub_a_commit_of_slow_clocks_still_moves_time_on",),
    ),
    Defence(
        "without its log only a majority of its own goes on",
        "relay/hub/consensus/lost_log.py",
        "    if not above_two_thirds(power, validators.total_voting_power):\n",
        "    if False:\n",
        (f"{LOST_LOG}::test_only_more_than_two_thirds_of_the_power_goes_on",),
    ),
    Defence(
        "without its log a majority keeps to the block that it decided",
        "relay/hub/consensus/lost_log.py",
        "    return WithoutLog(record.round, signs=False, votes=",
        "    return WithoutLog(record.round + 1, signs=True, votes=",
        (
            f"{LOST_LOG}::test_a_precommit_for_a_block_is_the_last_signature_of_the_height_and_counts_again",
            "relay/hub/network/test_network_lost_log.py",
        ),
    ),
    Defence(
        "time of a refused block",
        "relay/hub/consensus/transition.py",
        "        if candidate is None or not candidate.accepted:\n            return max",
        "        if candidate is None:\n            return max",
        (
            "relay/hub/consensus/test_hub_consensus_rules.py::test_attack_C44_hub_the_time_of_a_refused_block_enters_no_vote",
        ),
    ),
    Defence(
        "record read under the lock by a start",
        "relay/hub/process/start.py",
        "        lock_home(home)\n        return FileSigner",
        "        return FileSigner",
        ("relay/hub/upkeep/test_hub_backup.py::test_attack_C45_a_node_reads_its_record_once_nobody_else_can_sign",),
    ),
)
