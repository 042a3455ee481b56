"""Defences of the offline auditor and of the attestor, which signs."""

from tests.defences.defence import Defence

CLAIMS = "relay/audit/claims.py"
CHAINS = "relay/audit/chains.py"
LINKS = "relay/audit/links.py"
LEGS = "relay/archive/legs.py"
COMMITS = "relay/audit/test_commit_entries.py"
BUNDLES = "relay/audit/test_recorded_bundles.py"
PERIODS = "relay/audit/period"
ATTESTOR = "relay/attestor/attestor.py"
ATTESTOR_TESTS = "relay/attestor/test_attestor.py"

HOSTILE = "relay/base/test_hostile_folder.py"

AUDIT = (
    Defence(
        "processes of the audit import nothing from the folder that is judged",
        "relay/base/import_path.py",
        '    environment[SAFE_PATH] = "1"\n',
        "",
        (f"{HOSTILE}::test_trial_T1_forged_bundles_stay_refused_in_their_own_folder",),
    ),
    Defence(
        "no command imports anything from where it stands",
        "relay/cli/__init__.py",
        "\nleave_out_working_folder()",
        "\n",
        (f"{HOSTILE}::test_trial_T1_no_command_is_read_from_where_it_stands",),
    ),
    Defence(
        "the checkpoint says which chain a client follows",
        CLAIMS,
        "    if got != followed:\n",
        "    if False:\n",
        (
            f"{BUNDLES}::test_refused_acknowledgement_of_a_third_chain",
            f"{BUNDLES}::test_refused_acknowledgement_of_another_client_of_the_same_chain",
        ),
    ),
    Defence(
        "a timeout is shown at its time",
        CLAIMS,
        "    if time_s < leg.packet.timeout_timestamp_s:\n",
        "    if False:\n",
        ("relay/core/archiving/test_bundling.py::test_absence_before_the_timeout_is_no_timeout",),
    ),
    Defence(
        "half of a delivery is not shown as all",
        LINKS,
        "    if acknowledgement is not None and not acknowledgement.is_error and asks_to_forward(leg.packet):\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_second_leg_dropped",),
    ),
    Defence(
        "the second leg is what the first asked for",
        LINKS,
        "    judge(_stamp_matches if is_message else _tokens_match, first.packet, second.packet)\n",
        "",
        (f"{BUNDLES}::test_refused_legs_of_two_deliveries",),
    ),
    Defence(
        "a message's second leg has its stamp and its words",
        LEGS,
        "    if stamped != expected:\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_second_leg_of_another_message",),
    ),
    Defence(
        "a transfer's second leg has its tokens",
        LEGS,
        '        if got != expected:\n            raise PredicateFailed(name, f"{what} differs", got, expected)\n',
        "        pass\n",
        (f"{BUNDLES}::test_refused_tokens_of_another_transfer",),
    ),
    Defence(
        "the checkpoint's hash",
        CHAINS,
        "    if block.hash != checkpoint.hash:\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_checkpoint_hash_or_time_changed",),
    ),
    Defence(
        "parent hashes",
        CHAINS,
        "    if above.parent_hash != block.hash:\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_history_that_is_not_the_checkpoints",),
    ),
    Defence(
        "nothing goes unread beside a bare header",
        CHAINS,
        "    if not block.is_bare:\n        raise",
        "    if False:\n        raise",
        (f"{BUNDLES}::test_each_mode_needs_its_own_headers",),
    ),
    Defence(
        "every signature of a commit is read",
        "relay/audit/tendermint.py",
        "        signatures.demand_valid(name, ((index, validator.public_key),))\n",
        "        pass\n",
        (COMMITS,),
    ),
    Defence(
        "headers are remembered by all their bytes",
        CHAINS,
        '    return digest_of(case.surroundings, trusted.hash, entry.header, entry.commit or b"")\n',
        "    return digest_of(case.surroundings, trusted.hash, entry.header)\n",
        (f"{COMMITS}::test_remembered_header_with_another_commit_is_judged_anew",),
    ),
    Defence(
        "a bundle has one verdict, alone and after others",
        CHAINS,
        '    return digest_of(case.surroundings, trusted.hash, entry.header, entry.commit or b"")\n',
        '    return digest_of(case.chain.chain_id.encode(), entry.header, entry.commit or b"")\n',
        (
            f"{BUNDLES}::test_bundle_that_lacks_validators_is_refused_after_one_that_has_them",
            f"{COMMITS}::test_remembered_header_is_judged_anew_from_another_trusted_one",
        ),
    ),
    Defence(
        "validator sets are remembered by their bytes, not by their hash",
        "relay/audit/tendermint.py",
        "        if memory.validator_sets.get(encoded) is None:\n            predicates.",
        "        if validator_set_hash(validator_set) not in [v[0][0] for v in memory.validator_sets._values.values()]:"
        "\n            predicates.",
        (f"{COMMITS}::test_attack_H_remembered_validators_with_the_same_hash_and_another_address_are_judged_anew",),
    ),
    Defence(
        "accounts are remembered with their proofs",
        CHAINS,
        "        key = (case.chain.chain_id, block.entry)\n",
        "        key = (case.chain.chain_id, HeaderEntry(block.entry.header))\n",
        (f"{PERIODS}/test_agreement.py::test_refused_headers_proofs_and_sets_of_other_bundles",),
    ),
    Defence(
        "no more comes home than was sent",
        "relay/audit/period/supply.py",
        "        if came_home > sent + sent_open:\n",
        "        if False:\n",
        (f"{PERIODS}/test_supply.py::test_refused_one_unit_too_many_where_every_packet_is_here",),
    ),
    Defence(
        "what is open is not conserved yet",
        "relay/audit/period/supply.py",
        "        elif came_home + home_open > sent:\n",
        "        elif False:\n",
        (f"{PERIODS}/test_supply.py::test_undetermined_while_what_is_open_decides",),
    ),
    Defence(
        "returns may be in what is missing or refused",
        "relay/audit/period/supply.py",
        "        if reasons and conservation is Conservation.HELD:\n",
        "        if came_home + home_open > sent and conservation is Conservation.HELD:\n",
        (
            f"{PERIODS}/test_supply.py::test_undetermined_where_a_return_is_missing",
            f"{PERIODS}/test_supply.py::test_undetermined_where_an_entry_that_is_not_proven_may_be_a_return",
        ),
    ),
    Defence(
        "gaps between the first and the last",
        "relay/audit/period/missing.py",
        "for low, high in pairwise(numbers) if high > low + 1)",
        "for low, high in pairwise(numbers) if high > low + 2)",
        (f"{PERIODS}/test_replay.py::test_changed_removed_and_copied_deliveries_are_named_and_nothing_else",),
    ),
    Defence(
        "a packet twice counts once and is named",
        "relay/audit/period/halves.py",
        "        if len(entries) > 1:\n",
        "        if False:\n",
        (f"{PERIODS}/test_halves.py::test_refused_one_packet_sent_on_twice",),
    ),
    Defence(
        "a whole delivery's stamp is taken",
        "relay/audit/period/halves.py",
        "for entry in entries if len(entry.legs) > 1\n    }\n",
        "for entry in entries if False\n    }\n",
        (f"{PERIODS}/test_replay.py::test_refused_a_second_leg_alone_of_what_another_file_shows_sent_on",),
    ),
    Defence(
        "two answers to one packet are two outcomes",
        "relay/audit/period/halves.py",
        "            (leg.is_error, leg.acknowledgement_commitment) for leg",
        "            leg.is_error for leg",
        (
            f"{PERIODS}/test_halves.py::test_refused_proofs_that_cannot_both_be_true",
            f"{PERIODS}/test_replay.py::test_refused_two_answers_to_one_packet",
        ),
    ),
    Defence(
        "the report escapes what comes from outside",
        "relay/audit/period/page.py",
        "    return escape(seen, quote=True)\n",
        "    return seen\n",
        (f"{PERIODS}/test_page.py::test_hostile_texts_are_shown_and_do_nothing",),
    ),
    Defence(
        "names in the commands of a report are quoted",
        "relay/audit/period/page.py",
        '    yield f"    -- {quote(inputs.source)}"\n',
        "    yield f\"    -- '{inputs.source}'\"\n",
        (f"{PERIODS}/test_page.py::test_names_in_the_commands_to_copy_stay_single_words",),
    ),
    Defence(
        "attested times that a client would freeze on prove nothing",
        CHAINS,
        "        if time_s < before_s or (lower == higher and time_s != before_s):\n",
        "        if False:\n",
        (f"{BUNDLES}::test_attack_D8_attested_times_that_cannot_both_be_true_prove_nothing",),
    ),
    Defence(
        "the first leg's acknowledgement follows from the second",
        LINKS,
        "    if first.acknowledgement != expected:\n",
        "    if False:\n",
        (f"{BUNDLES}::test_refused_acknowledgement_that_was_not_passed_on",),
    ),
    Defence(
        "an attestor signs for its configured destinations only",
        ATTESTOR,
        "        if request.scope not in self._scopes:\n",
        "        if False:\n",
        (f"{ATTESTOR_TESTS}::test_attack_D5_it_signs_for_its_own_source_and_its_configured_clients_only",),
    ),
    Defence(
        "an attestor signs one state a height",
        ATTESTOR,
        "        state = self.record.get(request.height)\n        if state is None:\n",
        "        state = None\n        if state is None:\n",
        (f"{ATTESTOR_TESTS}::test_attack_D8_one_height_is_never_signed_with_two_states",),
    ),
)
