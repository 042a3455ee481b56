"""Defences of the hub's storage module: each switched off once, and who must notice."""

from tests.defences.defence import Defence

HUB = "relay/hub/application/storage"
RULES = "relay/services/storage/rules"
TESTS = "relay/hub/application/storage"
BATCHES = f"{TESTS}/test_storage_batches.py"
EPOCHS = f"{TESTS}/test_storage_epochs.py"
ANSWERS = f"{TESTS}/test_storage_answers.py"
REMOVALS = f"{TESTS}/test_storage_removals.py"
AUDITS = "relay/services/storage/rules/test_audits.py"

STORAGE_MODULE = (
    Defence(
        "a batch is signed by its writer",
        f"{HUB}/storing.py",
        "    struct_is_signed_by(WriterBatch(hub, batch.writer, batch.sequence, hashed), signature, party.account)\n",
        "    WriterBatch(hub, batch.writer, batch.sequence, hashed)\n",
        (f"{BATCHES}::test_attack_S9_nobody_stores_in_a_writers_name",),
    ),
    Defence(
        "a part is signed by its operator",
        f"{HUB}/storing.py",
        "    struct_is_signed_by(part, given.signature, operator.account)\n",
        "",
        (f"{BATCHES}::test_attack_S9_a_part_signed_by_another_or_for_another_batch_is_refused",),
    ),
    Defence(
        "enough operators sign a batch",
        f"{RULES}/storing.py",
        "    if signed < receipts_needed(shape):\n",
        "    if signed < 1:\n",
        (f"{BATCHES}::test_attack_S9_a_batch_that_too_few_operators_signed_is_refused",),
    ),
    Defence(
        "a batch lies in its group",
        f"{HUB}/storing.py",
        "    batch_is_placed(parts, placement_is_possible(placing, group))\n",
        "    placement_is_possible(placing, group)\n",
        (f"{BATCHES}::test_attack_S20_a_batch_outside_of_its_group_is_refused",),
    ),
    Defence(
        "parts of a batch are alike",
        f"{HUB}/storing.py",
        "    parts_are_alike(parts)\n",
        "",
        (f"{BATCHES}::test_attack_S20_parts_of_other_sizes_and_twice_the_same_operator_are_refused",),
    ),
    Defence(
        "a part that comes late is the batch's",
        f"{HUB}/storing.py",
        "    part_is_of_the_batch(hashes, index, given.part, record.parts)\n",
        "",
        (f"{BATCHES}::test_an_operator_that_was_late_signs_its_part_once",),
    ),
    Defence(
        "a part is signed once",
        f"{HUB}/storing.py",
        "    if record.signed >> index & 1:\n",
        "    if record.signed >> index > 2**300:\n",
        (f"{BATCHES}::test_an_operator_that_was_late_signs_its_part_once",),
    ),
    Defence(
        "sets are cut before the epoch's first block",
        f"{HUB}/epochs.py",
        "            record = SetRecord(log.operator_set, height - 1)\n",
        "            record = SetRecord(log.operator_set, height)\n",
        (f"{EPOCHS}::test_sets_are_cut_as_they_stood_before_the_epochs_first_block",),
    ),
    Defence(
        "a secret in the header's block is early",
        f"{HUB}/revealing.py",
        "    return height > clock.header_height\n",
        "    return height >= clock.header_height\n",
        (f"{EPOCHS}::test_attack_S5_an_early_reveal_is_recorded_and_lost",),
    ),
    Defence(
        "a secret that was public is lost",
        f"{HUB}/revealing.py",
        "    if registry.store.get(seen) is not None:\n",
        "    if not seen:\n",
        (f"{EPOCHS}::test_attack_S5_a_secret_that_was_public_is_recorded_and_lost",),
    ),
    Defence(
        "the first commitment stands",
        f"{HUB}/revealing.py",
        "    faulty = replace(standing, faults=standing.faults | Fault.CHANGED)\n",
        "    faulty = replace(standing, commitment=commitment)\n",
        (f"{EPOCHS}::test_attack_S5_another_secret_and_a_changed_commitment_are_recorded",),
    ),
    Defence(
        "a withheld secret is recorded",
        f"{HUB}/epochs.py",
        "    return replace(record, state=SecretState.LOST, faults=record.faults | Fault.WITHHELD)\n",
        "    return replace(record, state=SecretState.LOST)\n",
        (f"{EPOCHS}::test_attack_S5_a_withheld_secret_is_recorded_and_leaves_its_commitment_in_the_seed",),
    ),
    Defence(
        "answers are the operator's",
        f"{HUB}/answering.py",
        "    struct_is_signed_by(signed, given.signature, registry.operator(operator).account)\n",
        "    registry.operator(operator)\n",
        (f"{ANSWERS}::test_attack_S6_nobody_makes_an_operator_fail_or_pass",),
    ),
    Defence(
        "wrong answers fail for good",
        f"{HUB}/answering.py",
        "        write_verdict(registry, operator, (epoch, Outcome.FAILED), (set_record, seed), done)\n",
        "",
        (f"{ANSWERS}::test_attack_S3_wrong_answers_fail_at_once_and_for_good",),
    ),
    Defence(
        "answers come in order",
        f"{HUB}/answering.py",
        "    if given.first != done.held + done.removed:\n",
        "    if given.first > seed.probes:\n",
        (f"{ANSWERS}::test_answers_come_in_parts_and_in_order",),
    ),
    Defence(
        "a weak seed proves nothing",
        f"{HUB}/answering.py",
        "    elif seed.is_weak:\n",
        "    elif seed.probes < 0:\n",
        (f"{ANSWERS}::test_a_pass_under_a_weak_seed_proves_nothing",),
    ),
    Defence(
        "whoever does not answer has missed",
        f"{HUB}/epochs.py",
        "        write_verdict(registry, operator, (clock.epoch, Outcome.MISSED), (set_record, seed), done)\n",
        "",
        (f"{ANSWERS}::test_answers_after_the_time_before_the_seed_and_of_other_epochs_are_not_taken",),
    ),
    Defence(
        "the owner removes",
        f"{HUB}/removing.py",
        "    require_account(caller, registry.party(PartyRole.WRITER, owner).account)\n",
        "    registry.party(PartyRole.WRITER, owner)\n",
        (f"{REMOVALS}::test_attack_S7_no_removal_before_retention_whoever_asks",),
    ),
    Defence(
        "entries that are removed are of the owner's batch",
        f"{HUB}/removing.py",
        "    entries_are_of_the_batch(number, entries)\n",
        "",
        (f"{REMOVALS}::test_attack_S7_another_writers_pack_of_the_same_name_removes_nothing",),
    ),
    Defence(
        "a hold only becomes later",
        f"{HUB}/removing.py",
        "    hold_becomes_later(registry.hold_until_s(pack), until_s, registry.now.time_s)\n",
        "",
        (f"{REMOVALS}::test_attack_S7_a_hold_is_longer_than_retention_and_only_becomes_longer",),
    ),
    Defence(
        "a removal counts after the retention of the very entry",
        f"{RULES}/audits/judging.py",
        "    if removed.time_s <= entry.retain_until_s:\n",
        "    if removed.time_s < 0:\n",
        (f"{AUDITS}::test_attack_S7_a_removal_counts_only_after_the_retention_of_the_probed_entry",),
    ),
    Defence(
        "no organisation has more than a pack can lose",
        f"{RULES}/placement.py",
        "        if organisations[one.organisation] == limit or sites[one.site] == limit:\n",
        "        if sites[one.site] == limit:\n",
        (
            "relay/services/storage/rules/test_placement.py::test_no_organisation_or_site_has_more_than_the_pack_can_lose",
        ),
    ),
)
