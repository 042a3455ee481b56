"""Defences of the adapters of CometBFT chains: endpoints that lie about blocks, results, state and history."""

from tests.defences.defence import Defence

LIES = "adapters/cosmos/test_cosmos_lies.py"
EVENTS = "adapters/cosmos/reading/events.py"
HISTORY = "adapters/cosmos/reading/history.py"
COMET = "adapters/cometbft/rpc.py"

COSMOS = (
    Defence(
        "a head whose validators nobody shows is left",
        "adapters/cometbft/blocks.py",
        "            except _UNSIGNED as error:\n                reasons",
        "            except VerificationError as error:\n                reasons",
        ("adapters/cometbft/test_comet_rpc.py::test_attack_G1_hub_far_head_without_validators",),
    ),
    Defence(
        "results hash to the next header's",
        EVENTS,
        "            if following is not None and following.last_results_hash != results.hash:\n",
        "            if False:\n",
        (f"{LIES}::test_attack_G1_simd_success_is_called_failure",),
    ),
    Defence(
        "transactions of the newest block are not hidden",
        EVENTS,
        "            if bool(results.transactions) is (header.data_hash == NO_TRANSACTIONS):\n",
        "            if False:\n",
        (f"{LIES}::test_attack_G1_simd_transactions_of_the_newest_block_are_hidden",),
    ),
    Defence(
        "transactions hash to the header's data",
        "adapters/cometbft/results.py",
        "        if data_hash(found) != expected:\n",
        "        if False:\n",
        (f"{LIES}::test_attack_G1_simd_transaction_that_the_block_does_not_hold",),
    ),
    Defence(
        "an event agrees with its packet",
        EVENTS,
        "        if key in event.attributes and event.attributes[key] != value:\n",
        "        if False:\n",
        (f"{LIES}::test_attack_G1_simd_event_that_contradicts_itself",),
    ),
    Defence(
        "failed transactions emitted nothing",
        EVENTS,
        "        if result.code == OK and result.events\n    ]",
        "        if result.events\n    ]",
        ("adapters/cosmos/test_cosmos_events.py::test_events_of_failed_transactions_did_not_happen",),
    ),
    Defence(
        "history agrees with the commitment",
        HISTORY,
        "            if event is not None and committed not in (None, _commitment(event)):\n",
        "            if False:\n",
        (f"{LIES}::test_attack_G2_simd_history_that_state_contradicts",),
    ),
    Defence(
        "history hides nothing that state shows",
        HISTORY,
        "            if event is None and is_first and not passed_over(packets):\n",
        "            if False:\n",
        (f"{LIES}::test_attack_G1_simd_hidden_event_of_a_packet_that_state_shows",),
    ),
    Defence(
        "pruned state is no absence",
        COMET,
        "        if log and not value:\n",
        "        if False:\n",
        (f"{LIES}::test_attack_G10_simd_a_pruned_state_is_no_absence",),
    ),
    Defence(
        "answer is for the key that was asked",
        COMET,
        '        if answered_key is not None and base64_bytes(answered_key) not in (data, b""):\n',
        "        if False:\n",
        (f"{LIES}::test_attack_G1_simd_value_under_another_key",),
    ),
    Defence(
        "a block that was not executed is no head",
        COMET,
        "            if executed[0] < heads[0].header.height:\n",
        "            if False:\n",
        ("adapters/cosmos/test_cosmos_reads.py::test_a_block_that_the_application_has_not_executed_is_no_head",),
    ),
    Defence(
        "headers in bulk link",
        COMET,
        "                if after.last_block_id.hash != header_hash(before):\n",
        "                if False:\n",
        (f"{LIES}::test_attack_G1_simd_headers_that_are_no_chain",),
    ),
    Defence(
        "proofs hold under the app hash",
        "adapters/cometbft/proofs.py",
        "                verify_chained(self._format.specs, proof, header.app_hash, (*stores, key), answer.value)\n",
        "                pass\n",
        (f"{LIES}::test_attack_G1_simd_forged_proof",),
    ),
    Defence(
        "commitments are those of the client that was asked for",
        "adapters/cosmos/reading/unsettled.py",
        "    if any(state.client_id != client_id for state in response.commitments):\n",
        "    if False:\n",
        (f"{LIES}::test_attack_G1_simd_list_of_commitments_is_forged",),
    ),
)
