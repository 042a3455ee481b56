"""Defences of the relay: endpoints that lie, crashes, fees, secrets."""

from tests.defences.defence import Defence

FAULTS = "relay/core/test_faults.py"
LIES = "adapters/evm/test_evm_lies.py"
RPC = "adapters/rpc/test_rpc_client.py"
NONCE = "relay/core/account/account.py"

VAIN = "relay/core/route/test_not_paid_twice.py"

RELAY = (
    Defence(
        "events re-read from state",
        "relay/core/watching/confirmation.py",
        "    if stored != expected:\n",
        "    if False:\n",
        ("relay/core/watching/test_confirmation.py::test_attack_G2_an_event_becomes_a_job_only_if_state_holds_it",),
    ),
    Defence(
        "recorded before broadcast",
        NONCE,
        "                    await self._recorder.signed(signed, jobs, evidence)\n                now_s",
        "                    pass\n                now_s",
        ("relay/core/test_crash.py::test_attack_G3_crash_between_two_steps",),
    ),
    Defence(
        "transactions sent before a restart are followed",
        NONCE,
        "        for signed, jobs in await self._recorder.unended():\n",
        "        for signed, jobs in []:\n",
        ("relay/core/test_crash.py::test_attack_G3_crash_between_two_steps",),
    ),
    Defence(
        "looks at the chain before paying",
        "relay/core/route/worker.py",
        "            return await self._destination.receipt(packet.destination_client, packet.sequence, height) is not None\n",
        "            return False\n",
        (f"{FAULTS}::test_attack_G7_packet_received_by_another_and_not_yet_settled_is_not_paid_for",),
    ),
    Defence(
        "proofs verified before they are paid for",
        "relay/core/route/batch.py",
        "        verify_proof(judge, client, proof, path)\n",
        "        pass\n",
        (f"{FAULTS}::test_attack_G1_a_corrupt_proof_alone_costs_its_endpoint_the_trust",),
    ),
    Defence(
        "fee cap",
        "relay/core/account/fee_caps.py",
        "    if prepared.fee_cap_wei > limits.max_fee_wei:\n",
        "    if False:\n",
        (f"{FAULTS}::test_attack_G8_transaction_above_the_fee_cap_waits",),
    ),
    Defence(
        "endpoint that runs ahead is left",
        "adapters/evm/bft/events.py",
        "        if overlaps(accepted.validators, head.committers):\n            return None\n",
        "        if True:\n            return None\n",
        (f"{LIES}::test_attack_G1_endpoint_runs_ahead_with_its_own_validators",),
    ),
    Defence(
        "seals of a head counted",
        "adapters/evm/bft/headers.py",
        "    quorum_of_own_validators(len(validators), committers, rules.quorum_rule)\n",
        "",
        (f"{LIES}::test_attack_G1_head_without_a_quorum_of_seals",),
    ),
    Defence(
        "block hash recomputed",
        "adapters/evm/bft/headers.py",
        "    if got != block.hash:\n",
        "    if False:\n",
        (f"{LIES}::test_attack_G1_forged_header_field",),
    ),
    Defence(
        "distrusted endpoint is left",
        "adapters/rpc/endpoint.py",
        "        self._mismatched = True\n",
        "        self._quarantined_until_s = 0.0\n        return\n",
        (f"{RPC}::test_attack_G1_distrusted_endpoint_is_left_while_another_exists",),
    ),
    Defence(
        "chain id of an endpoint",
        "adapters/ics26/execution.py",
        "    if got != chain_id:\n",
        "    if False:\n",
        ("adapters/evm/test_evm_devnet.py::test_attack_G1_endpoint_of_another_chain_is_refused",),
    ),
    Defence(
        "bounded attempts",
        "relay/dispatch/queue.py",
        "        if counted and again.failures >= self.max_attempts:\n",
        "        if False:\n",
        ("relay/dispatch/test_queue.py::test_attack_G6_poison_message_ends_as_dead_letter_and_delays_nobody",),
    ),
    Defence(
        "a kind of failing jobs hides no other",
        "relay/dispatch/scripts.py",
        "  local stratum = redis.call('HGET', KEYS[7], id) or ''\n",
        "  local stratum = ''\n",
        ("relay/dispatch/test_queue.py::test_attack_G6_many_of_one_kind_hide_no_other",),
    ),
    Defence(
        "what rests is leased to who picks it",
        "relay/dispatch/scripts.py",
        "      redis.call('ZADD', KEYS[6], ARGV[3], id)\n",
        "",
        ("relay/dispatch/test_queue.py::test_parity_row_37_a_dead_letter_is_a_label_and_is_picked_again",),
    ),
    Defence(
        "a round of simulations waits for the next",
        "relay/core/route/prober.py",
        "            await trio.sleep(gap_s)\n",
        "            await trio.sleep(1)\n",
        ("relay/core/route/test_retries.py::test_parity_pain_14_poison_costs_less_than_a_request_a_second",),
    ),
    Defence(
        "the newest state is read before paying",
        "relay/core/route/worker.py",
        "        if may_be_newer and await self._is_done(job, NEWEST):\n",
        "        if False:\n",
        (f"{VAIN}::test_parity_row_55_newest_state_is_read_before_paying",),
    ),
    Defence(
        "a message that found its work done is not ours",
        "relay/core/account/recording.py",
        "        None if index in outcome.noops else job\n",
        "        job\n",
        (f"{VAIN}::test_trial_T4_a_step_that_another_did_is_superseded_with_its_transaction",),
    ),
    Defence(
        "relays of several owners take turns",
        "relay/core/route/worker.py",
        "        if wait_s > 0:\n",
        "        if False:\n",
        ("relay/core/route/test_turns.py::test_parity_row_54_without_turns_everything_is_paid_twice",),
    ),
    Defence(
        "a pending transaction holds nobody for long",
        "relay/core/watching/turns.py",
        "            if now_s - self._pooled_since.first(job.id, now_s) < MOST_POOL_WAIT_S:\n",
        "            if True:\n",
        (
            "relay/core/route/test_turns.py::test_attack_G7_a_transaction_that_stays_in_the_pool_holds_a_packet_for_seconds_alone",
        ),
    ),
    Defence(
        "jobs are enqueued once",
        "relay/dispatch/scripts.py",
        "  if known(ARGV[i]) then\n    answer",
        "  if false then\n    answer",
        ("relay/dispatch/test_queue.py::test_enqueue_is_idempotent_by_packet_id",),
    ),
    Defence(
        "a job whose stream entry is gone is not known",
        "relay/dispatch/scripts.py",
        "  return ms and (ms > oldest_ms or",
        "  return place or (ms > oldest_ms or",
        ("relay/dispatch/test_queue.py::test_attack_G5_jobs_that_were_trimmed_from_the_stream_are_enqueued_again",),
    ),
    Defence(
        "a nonce that was used is given up",
        NONCE,
        '                    await self._lost(entry, "another transaction with this key used the nonce")\n',
        "                    pass\n",
        (f"{FAULTS}::test_attack_G4_pending_transaction_whose_nonce_another_program_uses_is_given_up",),
    ),
    Defence(
        "what is found is offered before a pass ends",
        "relay/core/watching/clearer.py",
        "                await self._offer(missing)\n                raise failures[-1]\n",
        "                raise failures[-1]\n",
        (f"{FAULTS}::test_attack_G6_packets_that_cannot_be_looked_at_do_not_take_the_others_along",),
    ),
    Defence(
        "a socket that refuses ends no relay",
        "adapters/rpc/subscription.py",
        "        except Exception as error:  # of the library's",
        "        except BadAnswer as error:  # of the library's",
        ("adapters/rpc/test_rpc_subscription.py::test_attack_G1_socket_that_refuses_the_handshake_ends_no_task",),
    ),
    Defence(
        "nothing is kept after a compressed answer",
        "adapters/rpc/transport.py",
        "            if chunk and self._gzip.eof:\n",
        "            if False:\n",
        (f"{RPC}::test_attack_G1_compressed_answer_that_never_ends_is_left_at_once",),
    ),
)
