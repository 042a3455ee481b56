"""Defences of record bundles and of their judgement."""

from tests.defences.defence import Defence

CODEC = "relay/archive/record_bundle.py"
STATES = "relay/audit/records/states.py"
STATEMENTS = "relay/audit/records/statements.py"
CODEC_TESTS = "relay/archive/test_record_bundle.py"
TESTS = "relay/audit/records/test_record_audit.py"
FORGERIES = "relay/audit/records/test_record_forgeries.py"

RECORD_BUNDLES = (
    Defence(
        "a record bundle has one encoding",
        CODEC,
        "    if encode_record_bundle(bundle) != data:\n",
        "    if False:\n",
        (f"{CODEC_TESTS}::test_attack_J3_other_orders_repetitions_and_spaces_are_another_file",),
    ),
    Defence(
        "statements of a record bundle ascend, none twice",
        CODEC,
        "    if any(first >= second for first, second in pairwise(order)):\n",
        "    if False:\n",
        (f"{CODEC_TESTS}::test_attack_J3_other_orders_repetitions_and_spaces_are_another_file",),
    ),
    Defence(
        "a record is not told as a store key, which has no rules of reading",
        CODEC,
        "    if isinstance(what, StorePlace) and not what.store:\n",
        "    if False:\n",
        (f"{CODEC_TESTS}::test_refused_with_its_field",),
    ),
    Defence(
        "statements stand under the header of the bundle's own height",
        STATES,
        "    if block is None or rules.height_of(block.height) != height:\n",
        "    block = block or headers.anchor\n    if False:\n",
        (f"{FORGERIES}::test_attack_J9_statements_under_another_height",),
    ),
    Defence(
        "an attested state is of the bundle's height",
        STATES,
        "    if got != height.revision_height:\n",
        "    if False:\n",
        (f"{FORGERIES}::test_attack_J9_statements_under_another_height",),
    ),
    Defence(
        "no account proof stands unread beside a header of a record bundle",
        STATES,
        "    inquiry.about(case.subject)(account_proofs_are_used, headers.blocks)\n",
        "",
        (f"{FORGERIES}::test_attack_J3_what_nobody_reads_beside_a_header",),
    ),
    Defence(
        "no seals stand unread in an update's parent",
        STATES,
        "        if not has_bare_parent(entry, rules):\n",
        "        if False:\n",
        (f"{FORGERIES}::test_attack_J3_what_nobody_reads_beside_a_header",),
    ),
    Defence(
        "what a statement says is what the state holds",
        STATEMENTS,
        "    if statement.value != value:\n",
        "    if False:\n",
        (f"{FORGERIES}::test_attack_J5_value_altered_beside_true_nodes",),
    ),
    Defence(
        "an observation is read by the rules of reading, not as any value",
        STATEMENTS,
        "    if statement.value is not None and key.startswith(OBSERVED):\n",
        "    if False:\n",
        (f"{TESTS}::test_attack_J2_the_epoch_is_left_out_or_another_clients",),
    ),
    Defence(
        "ages are counted to the reader's time",
        STATEMENTS,
        "        now_s = header_time_s if self.at_s is None else self.at_s\n",
        "        now_s = header_time_s\n",
        (f"{TESTS}::test_attack_J1_a_header_older_than_asked",),
    ),
    Defence(
        "a record is of the checkpoint's chain",
        "relay/audit/records/auditor.py",
        "        if chain.chain_id != checkpoint.chain_id:\n",
        "        if False:\n",
        (f"{TESTS}::test_attack_J2_a_checkpoint_of_another_chain",),
    ),
    Defence(
        "a mistyped account is not proven for another",
        "relay/archive/written_places.py",
        '    check_checksum(account_text, account, "what")\n',
        "",
        ("relay/archive/test_written_places.py::test_refused",),
    ),
    Defence(
        "the bundle of an observation has its client's epoch",
        "relay/api/routers/records.py",
        "[RecordKey(raw)] if place is None else [RecordKey(raw), RecordKey(epoch_key(place.client_id))]",
        "[RecordKey(raw)]",
        ("relay/api/test_records.py::test_what_is_observed_is_listed_read_and_proven",),
    ),
    Defence(
        "records under one multiproof stand under the bundle's header",
        "relay/audit/records/statements.py",
        "        judge(claims_are_proven, judge(hub_has_one_tree, checkpoint, state), claims_of(bundle), bundle.multiproof)\n",
        "        judge(hub_has_one_tree, checkpoint, state)\n",
        (
            "relay/audit/records/test_record_audit.py::test_attack_J2_one_multiproof_shows_what_it_shows_and_nothing_else",
        ),
    ),
    Defence(
        "a multiproof is of a hub's one tree",
        "relay/audit/records/statements.py",
        '    if (trust.merkle_prefix, trust.proof_specs) != ((b"",), ("smt",)):\n',
        "    if False:\n",
        (
            "relay/audit/records/test_record_audit.py::test_attack_J2_one_multiproof_shows_what_it_shows_and_nothing_else",
        ),
    ),
)
