"""Defences of records: what is observed, who writes, and which records are read as good."""

from tests.defences.defence import Defence

READING = "light_clients/records/reading.py"
PROVING = "relay/hub/application/observations/proving.py"
MODULE = "relay/hub/application/observations/module.py"
KEEPING = "relay/hub/application/observations/keeping.py"
WRITERS = "relay/hub/application/observations/writers.py"
READING_TESTS = "light_clients/records/test_record_reading.py"
ROOT_TESTS = "light_clients/records/test_state_roots.py"
PLACE_TESTS = "light_clients/records/test_evm_places.py"
NODE_TESTS = "light_clients/proofs/test_mpt_node_set.py"
HUB_TESTS = "relay/hub/application/observations/test_observation_attacks.py"
EPOCH_TESTS = "relay/hub/application/observations/test_epochs.py"
WRITER_TESTS = "relay/hub/application/observations/test_writers.py"
AUDIT_TESTS = "relay/audit/records/test_record_audit.py"
TAKING_UP_TESTS = "relay/hub/application/observations/test_taking_up_records.py"

RECORDS = (
    Defence(
        "a closed client is not read",
        READING,
        "    if not epoch.is_readable:\n",
        "    if False:\n",
        (f"{READING_TESTS}::test_attack_J7_a_closed_client_is_not_read",),
    ),
    Defence(
        "a record of another epoch is not read",
        READING,
        "    if observation.epoch != epoch.number:\n",
        "    if False:\n",
        (f"{READING_TESTS}::test_attack_J7_an_observation_of_another_epoch_is_not_read",),
    ),
    Defence(
        "an epoch is the one of the record's client",
        READING,
        "    value = proven.get(epoch_key(client_id))\n",
        "    value = next((value for key, value in proven.items() if key.startswith(epoch_key(client_id)[:19])), None)\n",
        (f"{READING_TESTS}::test_attack_J2_the_epoch_of_another_client_vouches_for_nothing",),
    ),
    Defence(
        "an old record is not read",
        READING,
        "    if demand.now_s >= time_s + demand.max_age_s:\n",
        "    if False:\n",
        (f"{READING_TESTS}::test_attack_J1_at_the_demanded_age_a_record_is_too_old",),
    ),
    Defence(
        "the source's own time counts too",
        READING,
        "    judge(source_is_fresh, observation.source_time_s, demand)\n",
        "",
        (f"{READING_TESTS}::test_attack_J1_new_headers_do_not_freshen_an_old_observation",),
    ),
    Defence(
        "a record from the future is not read",
        READING,
        "    if time_s > demand.now_s + demand.max_drift_s:\n",
        "    if False:\n",
        (f"{READING_TESTS}::test_attack_J1_times_ahead_count_as_now_within_the_drift",),
    ),
    Defence(
        "attested is not proven",
        READING,
        "    if trust.kind is TrustKind.ATTESTED and (",
        "    if False and (",
        (f"{READING_TESTS}::test_attack_J10_trust_is_what_the_reader_asks",),
    ),
    Defence(
        "a slot is of an account with code",
        "light_clients/records/evm_places.py",
        "    if account is None or not account.has_code:\n",
        "    if account is None:\n",
        (f"{PLACE_TESTS}::test_attack_J4_a_slot_of_an_account_without_code_says_nothing",),
    ),
    Defence(
        "every node of a set is used",
        "light_clients/records/evm_places.py",
        "    judge(every_node_used, known)\n",
        "",
        (f"{PLACE_TESTS}::test_attack_J5_the_proof_of_another_account_shows_nothing",),
    ),
    Defence(
        "a set of nodes has one order",
        "light_clients/proofs/mpt/node_set.py",
        "            if digest <= last:\n",
        "            if False:\n",
        (f"{NODE_TESTS}::test_a_set_has_one_order_and_no_node_twice",),
    ),
    Defence(
        "bft-evm: the shown update is what is stored",
        "light_clients/bft_evm/client.py",
        "        judge(shown_header_is_believed, _judge_shown(judge, client, consensus_states, header, now_ns), height)\n",
        "        _judge_shown(judge, client, consensus_states, header, now_ns)\n",
        (
            f"{ROOT_TESTS}::test_bft_evm_header_that_contradicts_the_stored_state_shows_no_root",
            f"{ROOT_TESTS}::test_attack_J9_what_is_shown_of_one_height_is_not_of_another",
        ),
    ),
    Defence(
        "clique: the shown header is the believed one",
        "light_clients/clique/client.py",
        "    if got != state.block_hash:\n",
        "    if False:\n",
        (f"{ROOT_TESTS}::test_attack_J9_clique_header_of_a_sibling_shows_no_root",),
    ),
    Defence(
        "attestation: a root is attested of its own height",
        "light_clients/attestation/predicates.py",
        "    if Height(0, attested.height) != height:\n",
        "    if False:\n",
        (f"{ROOT_TESTS}::test_attack_J9_what_is_shown_of_one_height_is_not_of_another",),
    ),
    Defence(
        "attestation: a root is signed as a root",
        "light_clients/attestation/client.py",
        "        signed_by = _judge_signatures(judge, client, AttestationKind.STATE_ROOT, attestation)\n",
        "        signed_by = _judge_signatures(judge, client, AttestationKind.STATE, attestation)\n",
        (f"{ROOT_TESTS}::test_attack_J9_a_state_attestation_is_not_one_of_a_root",),
    ),
    Defence(
        "no evidence is made of roots",
        "light_clients/attestation/codec.py",
        "    if kind not in EVIDENCE_KINDS:\n",
        "    if kind not in tuple(AttestationKind):\n",
        (f"{ROOT_TESTS}::test_no_evidence_is_made_of_state_roots",),
    ),
    Defence(
        "an older height replaces nothing",
        KEEPING,
        "        if present.epoch == observation.epoch and present.height >= observation.height:\n",
        "        if present.epoch == observation.epoch and present.height == observation.height:\n",
        (f"{HUB_TESTS}::test_attack_J6_an_older_height_never_replaces_a_newer_one",),
    ),
    Defence(
        "one height has one value",
        KEEPING,
        "            if present.height == observation.height and present.value != observation.value:\n",
        "            if False:\n",
        (f"{HUB_TESTS}::test_attack_J6_two_values_of_one_height_contradict_each_other",),
    ),
    Defence(
        "what is observed is of the present epoch",
        MODULE,
        "        epoch = refresh_epoch(store, clients, client_id)\n",
        "        epoch = epoch_of(store, client_id) or refresh_epoch(store, clients, client_id)\n",
        (f"{EPOCH_TESTS}::test_what_is_observed_in_the_block_of_a_recovery_is_of_the_new_epoch",),
    ),
    Defence(
        "epochs are compared after each block",
        "relay/hub/application/application.py",
        "        close_block(opened.frame, self.light_clients)\n",
        "",
        (f"{EPOCH_TESTS}::test_attack_J7_expiry_closes_the_epoch_without_any_transaction",),
    ),
    Defence(
        "a recovery is another epoch",
        "light_clients/records/types.py",
        "        if (is_readable, generation) == (self.is_readable, self.generation):\n",
        "        if is_readable == self.is_readable:\n",
        (f"{EPOCH_TESTS}::test_frozen_and_recovered_in_one_block_is_another_epoch_all_the_same",),
    ),
    Defence(
        "strangers open no keys",
        WRITERS,
        "            if not limit:\n",
        "            if False:\n",
        (f"{HUB_TESTS}::test_attack_J8_a_stranger_opens_no_key",),
    ),
    Defence(
        "a writer's keys are bounded",
        WRITERS,
        "            if count >= limit:\n",
        "            if False:\n",
        (f"{HUB_TESTS}::test_attack_J8_a_writer_opens_no_more_keys_than_its_limit",),
    ),
    Defence(
        "nobody closes another's key",
        WRITERS,
        "        if opener != caller and (self.is_open or self.limit(opener)):\n",
        "        if False:\n",
        (f"{HUB_TESTS}::test_attack_J8_nobody_closes_the_key_of_another",),
    ),
    Defence(
        "items come once and in one order",
        PROVING,
        "    if any(first.key >= second.key for first, second in pairwise(decoded)):\n",
        "    if False:\n",
        (f"{HUB_TESTS}::test_attack_J3_items_are_bounded_ascending_and_of_known_kinds",),
    ),
    Defence(
        "kinds of version 4 are unknown before it",
        "relay/hub/application/admin.py",
        "    if rules_version >= rules_versions.RECORDS:\n",
        "    if rules_version:\n",
        (f"{WRITER_TESTS}::test_admins_of_earlier_rules_do_not_know_the_kinds",),
    ),
    Defence(
        "a module is not there before its rules version",
        "relay/hub/application/application.py",
        "for address, module in modules.items() if module.since <= version}",
        "for address, module in modules.items()}",
        (f"{TAKING_UP_TESTS}::test_a_new_hub_has_the_account_from_genesis_on",),
    ),
    Defence(
        "a block that brings a module is written though it is empty",
        "relay/hub/application/application.py",
        "        if executed or opened.founds_modules:\n",
        "        if executed:\n",
        (f"{TAKING_UP_TESTS}::test_the_account_is_there_from_the_height_on_also_in_an_empty_block",),
    ),
    Defence(
        "an attested chain's own state is only attested",
        "relay/audit/records/statements.py",
        "            judge(trust_is_enough, attested, demand.min_trust)\n",
        "            del attested\n",
        (f"{AUDIT_TESTS}::test_attack_J10_the_state_of_an_attested_chain_is_attested_too",),
    ),
    Defence(
        "a rotation is no attested state",
        "relay/audit/records/states.py",
        "    if is_rotation_update(entry.header):\n",
        "    if False:\n",
        (f"{AUDIT_TESTS}::test_attack_J3_a_rotation_of_attestors_is_no_state",),
    ),
)
