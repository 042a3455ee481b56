"""Defences of the hub's Ethereum side: what gas costs, what the pool takes, what a query may use."""

from tests.defences.defence import Defence

BASE_FEE = "relay/evm/vm/base_fee.py"
FEE_TESTS = "relay/hub/application/machine/test_hub_base_fee.py"
FORMULA_TESTS = "relay/evm/vm/test_evm_base_fee.py"
FEES = "relay/hub/application/machine/fees.py"
APPLICATION = "relay/hub/application/application.py"
LIMITS = "relay/hub/application/packets/test_hub_limits.py"
PROPOSALS = "relay/hub/application/governance/block_proposals.py"
EXECUTION = "relay/evm/vm/execution.py"
MEMPOOL = "relay/evm/chain/mempool.py"
POOL_TESTS = "relay/evm/chain/test_evm_mempool_rules.py"
MIRROR = "relay/hub/abci/pool.py"
LOGS = "relay/evm/rpc/log_query.py"
LOG_TESTS = "relay/evm/chain/test_evm_log_index.py"
SERVER = "relay/evm/rpc/server.py"
SUBSCRIPTIONS = "relay/evm/rpc/subscriptions.py"
SUBSCRIPTION_TESTS = "relay/evm/rpc/test_evm_subscriptions.py"
FRAMES = "relay/evm/vm/frames.py"
PROGRAM = "relay/evm/vm/program.py"
TOUCHED = "relay/evm/vm/touched_accounts.py"
BOUNDED_TESTS = "relay/evm/vm/test_evm_bounded_work.py"

CALLS = "relay/evm/rpc/call_processes.py"
TURNS = "relay/evm/rpc/fair_turns.py"
CALL_PROCESS = "relay/hub/process/call_process.py"
CALL_TESTS = "relay/hub/process/test_hub_call_processes.py"

BODIES = "relay/hub/chain/bodies.py"
DISK_TESTS = "relay/hub/chain/test_hub_disk.py"

LANES = "relay/evm/chain/pool_lanes.py"
LANE_TESTS = "relay/evm/chain/test_pool_lanes.py"

EVM = (
    Defence(
        "strangers' half of a pool",
        LANES,
        "        if self._open_transactions >= most_transactions // OPEN_PART:\n",
        "        if False:\n",
        (f"{LANE_TESTS}::test_audit_L2_strangers_leave_half_of_the_pool_to_relays",),
    ),
    Defence(
        "strangers' quarter of a block",
        LANES,
        "worked[Lane.NAMED] <= worked[Lane.OPEN])",
        "False)",
        (f"{LANE_TESTS}::test_audit_L2_a_block_is_three_quarters_of_relays_and_no_tip_buys_a_place",),
    ),
    Defence(
        "what does not fit ends no block",
        PROPOSALS,
        "                passed_over.add(transaction.sender)\n",
        "                break\n",
        ("relay/hub/pool/test_hub_known_relays.py::test_nobody_ends_a_block_by_stating_much_gas",),
    ),
    Defence(
        "a no-op makes nobody known",
        "relay/hub/pool/known_relays.py",
        "        return bool(result != UpdateResult.NO_OP)\n",
        "        return True\n",
        (
            (
                "relay/hub/pool/test_hub_known_relays.py"
                "::test_audit_L2_who_brought_an_update_is_known_and_who_brought_it_again_is_not"
            ),
        ),
    ),
    Defence(
        "a named writer is no stranger",
        "relay/hub/pool/known_relays.py",
        "account in self._useful or self._writes(account)\n",
        "account in self._useful\n",
        (("relay/hub/pool/test_hub_known_relays.py::test_audit_L2_a_named_writer_is_no_stranger_while_it_is_named"),),
    ),
    Defence(
        "bodies have a budget",
        BODIES,
        "        while left > self._most_bytes and end <= last:\n",
        "        while False:\n",
        (f"{DISK_TESTS}::test_audit_M3_bodies_stay_below_their_budget_and_everything_else_stays",),
    ),
    Defence(
        "the newest bodies stay",
        BODIES,
        "newest - LEAST_BODIES, first",
        "newest, first",
        (f"{DISK_TESTS}::test_audit_M3_the_newest_bodies_stay_whatever_they_take",),
    ),
    Defence(
        "a call's deadline",
        CALLS,
        "with trio.move_on_after(self._deadline_s) as deadline:",
        "with trio.move_on_after(1e6) as deadline:",
        (f"{CALL_TESTS}::test_audit_H1_a_call_ends_at_the_deadline_and_its_process_with_it",),
    ),
    Defence(
        "a start outlives who asked for it",
        CALLS,
        "        start = next((one for one in self._starts if not one.is_awaited), None)\n",
        "        start = None\n",
        (f"{CALL_TESTS}::test_a_start_outlives_the_caller_who_gives_up_and_serves_the_next",),
    ),
    Defence(
        "a call's memory",
        CALL_PROCESS,
        "    _bound_memory(memory_bytes)\n",
        "    _bound_memory(2**40)\n",
        (f"{CALL_TESTS}::test_audit_H1_a_call_has_a_bound_of_memory_and_the_next_one_is_served",),
    ),
    Defence(
        "calls take turns by caller",
        TURNS,
        "            self._queues.move_to_end(chosen)\n",
        "            pass\n",
        ("relay/evm/rpc/test_fair_turns.py::test_one_caller_with_many_requests_delays_another_by_one",),
    ),
    Defence(
        "a finished frame leaves its results alone",
        FRAMES,
        "        self.children = [after(before, child_computation)]\n",
        "        after(before, child_computation)\n",
        (f"{BOUNDED_TESTS}::test_audit_C1_a_finished_call_keeps_nothing_of_its_input",),
    ),
    Defence(
        "an error holds no frames",
        FRAMES,
        "            forget_frames_of(computation.error)\n",
        "            pass\n",
        (f"{BOUNDED_TESTS}::test_audit_C1_a_finished_call_keeps_nothing_of_its_input",),
    ),
    Defence(
        "code is read once",
        PROGRAM,
        "        self.program = code.program if isinstance(code, KnownCode) else Program(code)\n",
        "        self.program = Program(code)\n",
        (f"{BOUNDED_TESTS}::test_audit_C2_code_is_read_once_however_often_it_is_entered",),
    ),
    Defence(
        "a store learns of a checkpoint when it is written to",
        TOUCHED,
        "        self._touched.append({})\n",
        "        self._touched.append({})\n"
        "        for address in self._dirty_accounts:\n"
        "            self._touch(address)\n",
        (f"{BOUNDED_TESTS}::test_audit_H5_a_call_costs_the_same_however_many_stores_are_dirty",),
    ),
    Defence(
        "undoing forgets no slot that was read",
        TOUCHED,
        "        if before < deletions:\n",
        "        self._storage_cache.reset_cache()\n        if before < deletions:\n",
        (f"{BOUNDED_TESTS}::test_audit_H5_what_was_read_in_a_block_is_not_read_again",),
    ),
    Defence(
        "codes are read once beyond those that are kept",
        PROGRAM,
        "            known.strides = self._strides.setdefault(code_hash, Strides(len(code)))\n",
        "            known.strides = Strides(len(code))\n",
        (f"{BOUNDED_TESTS}::test_audit_C2_codes_are_read_once_when_more_are_called_than_are_kept",),
    ),
    Defence(
        "copied input is paid",
        "relay/evm/vm/work_prices.py",
        " + self.input_word_gas * ((input_bytes + 31) // 32)",
        "",
        ("relay/evm/vm/test_evm_work_prices.py::test_audit_M6_copied_input_is_paid_by_the_word",),
    ),
    Defence(
        "call input is copied once",
        FRAMES,
        "            return bytes(view[start_position : start_position + size])\n",
        "            return bytes(bytearray(view[start_position : start_position + size]))\n",
        (f"{BOUNDED_TESTS}::test_audit_M6_call_input_is_copied_once",),
    ),
    Defence(
        "a jump goes to an instruction",
        PROGRAM,
        "            is_start = start <= target and _INSTRUCTIONS.fullmatch(self.padded, start, target) is not None\n",
        "            is_start = True\n",
        (f"{BOUNDED_TESTS}::test_each_jump_target_is_what_a_walk_from_the_start_says",),
    ),
    Defence(
        "base fee held at its least",
        BASE_FEE,
        "    return max(base_fee_wei - change_wei, minimum_wei)\n",
        "    return base_fee_wei - change_wei\n",
        (f"{FORMULA_TESTS}::test_property_it_moves_by_an_eighth_at_most_and_never_below_the_minimum",),
    ),
    Defence(
        "base fee rises with crowded blocks",
        BASE_FEE,
        "max(base_fee_wei + max(change_wei, 1), minimum_wei)",
        "max(base_fee_wei + change_wei, minimum_wei)",
        (f"{FORMULA_TESTS}::test_figures",),
    ),
    Defence(
        "base fee from the state",
        FEES,
        '    return rules.base_fee_wei if stored is None else int.from_bytes(stored, "big")\n',
        "    return rules.base_fee_wei\n",
        (f"{FEE_TESTS}::test_a_node_that_joined_by_snapshot_goes_on_with_the_same_fee",),
    ),
    Defence(
        "an idle hub leaves its state alone",
        FEES,
        "    if following_wei != base_fee_wei:\n",
        "    if True:\n",
        (f"{FEE_TESTS}::test_the_fee_is_in_the_state_and_provable",),
    ),
    Defence(
        "fee cap in execution",
        EXECUTION,
        "        if transaction.max_fee_per_gas_wei < demanded_wei:\n",
        "        if False:\n",
        (f"{FEE_TESTS}::test_a_block_with_too_low_a_fee_changes_nothing_for_its_sender",),
    ),
    Defence(
        "fee cap in proposals",
        PROPOSALS,
        "            if transaction.max_fee_per_gas_wei < base_fee_wei:\n",
        "            if False:\n",
        (f"{FEE_TESTS}::test_pool_proposal_and_block_refuse_less_than_the_base_fee",),
    ),
    Defence(
        "bytes of a proposed block",
        PROPOSALS,
        "        if sum(len(raw) + FRAMING_BYTES for raw in transactions) > self._params.block_max_bytes:\n",
        "        if False:\n",
        (f"{LIMITS}::test_a_proposal_holds_no_more_bytes_than_a_block_may",),
    ),
    Defence(
        "transactions of a proposed block are counted first",
        PROPOSALS,
        "        if len(transactions) > self._params.block_max_gas // GAS_TRANSACTION:\n",
        "        if False:\n",
        (f"{LIMITS}::test_transactions_are_counted_before_they_are_decoded",),
    ),
    Defence(
        "fee cap at the pool's door",
        APPLICATION,
        "            state.check_sender(transaction, least_wei)\n",
        "            state.check_sender(transaction, 0)\n",
        (f"{FEE_TESTS}::test_pool_proposal_and_block_refuse_less_than_the_base_fee",),
    ),
    Defence(
        "proposals hold what senders can pay",
        FEES,
        "        if left_wei[sender] < 0:\n",
        "        if False:\n",
        (f"{FEE_TESTS}::test_a_proposal_takes_what_its_senders_can_pay_and_no_more",),
    ),
    Defence(
        "who waits for a lower fee does not wait for ever",
        MIRROR,
        "        if transaction.max_fee_per_gas_wei < demanded_wei:\n",
        "        if False:\n",
        (f"{FEE_TESTS}::test_under_abci_what_waits_for_a_lower_fee_waits_and_not_for_ever",),
    ),
    Defence(
        "replacement costs a tenth more",
        MEMPOOL,
        "    return max(fee_wei * (100 + REPLACEMENT_BUMP_PERCENT) // 100, fee_wei + 1)\n",
        "    return fee_wei + 1\n",
        (f"{POOL_TESTS}::test_both_fees_of_a_replacement_are_a_tenth_higher",),
    ),
    Defence(
        "an executable free transaction is not replaced for nothing",
        MEMPOOL,
        "== 0 and not is_executable:\n",
        "== 0:\n",
        (f"{POOL_TESTS}::test_behind_a_gap_the_free_replaces_the_free_some_times_and_never_what_replaced_it",),
    ),
    Defence(
        "free replacements are counted",
        MEMPOOL,
        "        if len(known.replaced) >= MAX_FREE_REPLACEMENTS:\n",
        "        if False:\n",
        (f"{POOL_TESTS}::test_behind_a_gap_the_free_replaces_the_free_some_times_and_never_what_replaced_it",),
    ),
    Defence(
        "what was replaced does not come back",
        MEMPOOL,
        "    if new.hash in known.replaced:\n",
        "    if False:\n",
        (f"{POOL_TESTS}::test_behind_a_gap_the_free_replaces_the_free_some_times_and_never_what_replaced_it",),
    ),
    Defence(
        "a balance pays for all that waits",
        MEMPOOL,
        "            if cost_wei > balance_wei:\n",
        "            if transaction.most_cost_wei > balance_wei:\n",
        (f"{POOL_TESTS}::test_a_sender_must_pay_for_all_that_waits",),
    ),
    Defence(
        "gaps are bounded",
        MEMPOOL,
        "        if transaction.nonce > account_nonce + MAX_NONCE_GAP:\n",
        "        if False:\n",
        ("relay/evm/chain/test_evm_mempool.py::test_refusals",),
    ),
    Defence(
        "old ones leave the pool",
        MEMPOOL,
        "            if oldest.arrived_s > ends_s:\n",
        "            if True:\n",
        (f"{POOL_TESTS}::test_what_no_block_took_in_an_hour_leaves",),
    ),
    Defence(
        "a run ends at the base fee",
        MEMPOOL,
        "            if run[index].transaction.max_fee_per_gas_wei < base_fee_wei:\n",
        "            if False:\n",
        (f"{POOL_TESTS}::test_a_run_ends_at_what_offers_less_than_the_base_fee_and_waits_for_it_to_fall",),
    ),
    Defence(
        "index reads bounded",
        LOGS,
        "        if self._reads > MAX_INDEX_READS:\n",
        "        if False:\n",
        (f"{LOG_TESTS}::test_index_reads_are_bounded",),
    ),
    Defence(
        "query time bounded",
        LOGS,
        "        if self._now_s() > self._ends_s:\n",
        "        if False:\n",
        (f"{LOG_TESTS}::test_a_query_ends_in_time_and_names_what_it_had_done",),
    ),
    Defence(
        "results bounded",
        LOGS,
        "                if len(found) == MAX_LOGS:\n",
        "                if False:\n",
        (f"{LOG_TESTS}::test_too_many_results_name_the_range_that_fits",),
    ),
    Defence(
        "unindexed blocks are scanned",
        LOGS,
        "    yield from range(first, scanned_to + 1)\n",
        "",
        (f"{LOG_TESTS}::test_property_index_scan_and_both_find_the_same",),
    ),
    Defence(
        "who reads nothing is dropped",
        SERVER,
        "        with trio.move_on_after(MAX_NOTIFY_S):\n",
        "        with trio.move_on_after(10**9):\n",
        (f"{SUBSCRIPTION_TESTS}::test_a_subscriber_that_reads_nothing_is_dropped_with_the_reason",),
    ),
    Defence(
        "who takes no bytes is cut off",
        SERVER,
        "send_limit_s=MAX_SEND_S, ",
        "",
        (f"{SUBSCRIPTION_TESTS}::test_attack_H_a_peer_that_reads_nothing_is_given_up_and_others_are_served",),
    ),
    Defence(
        "missed pending transactions are told",
        SUBSCRIPTIONS,
        "                if count - since > len(hashes):\n",
        "                if False:\n",
        (f"{SUBSCRIPTION_TESTS}::test_who_missed_more_than_is_remembered_is_dropped",),
    ),
)
