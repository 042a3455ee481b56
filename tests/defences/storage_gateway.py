"""Defences of a gateway of trusted storage: what was answered stored stays, whatever crosses it."""

from tests.defences.defence import Defence

GATEWAY = "relay/services/storage/gateway"
COMPACTION_TESTS = "relay/services/storage/gateway/upkeep/test_compaction.py"
PUTS = "relay/services/storage/gateway/test_put_and_get.py"
PACE = "relay/services/storage/gateway/test_pace.py"
PLAIN = "relay/services/storage/gateway/test_plain_door.py"
LYING = "relay/services/storage/gateway/test_lying_shards.py"
LISTED = f"{GATEWAY}/test_listed_packs.py"
BUCKET_TESTS = "relay/services/storage/gateway/test_lost_buckets.py"

STORAGE_GATEWAY = (
    Defence(
        "a bucket is not removed while a key is changed in it",
        f"{GATEWAY}/store.py",
        "        if any(bucket == name and key for bucket, key in self._locks):\n",
        "        if any(bucket == name and not key[:0] == b'' for bucket, key in self._locks):\n",
        (f"{BUCKET_TESTS}::test_attack_S60_bucket_is_not_removed_under_a_put",),
    ),
    Defence(
        "a key is changed in the bucket that was looked up",
        f"{GATEWAY}/store.py",
        "            if objects.bucket_of(one, bucket.name).number != bucket.number:\n",
        "            if not bucket.name:\n",
        (f"{BUCKET_TESTS}::test_attack_S60_put_whose_bucket_went_is_not_stored",),
    ),
    Defence(
        "no status is sent before the first byte is there",
        f"{GATEWAY}/s3/answers.py",
        "    started = False\n",
        "    started = True\n    await send(start)\n",
        (
            "relay/services/storage/gateway/test_put_and_get.py::test_object_whose_operators_go_after_its_first_bytes_is_an_error_and_not_a_cut_answer",
        ),
    ),
    Defence(
        "a bucket with objects outlives the event of its removal",
        f"{GATEWAY}/reindexing.py",
        "    if number is None:\n        number = objects.add_bucket(",
        "    if True:\n        number = objects.add_bucket(",
        (f"{BUCKET_TESTS}::test_attack_S60_events_told_twice_lose_no_catalogue",),
    ),
    Defence(
        "a pack that the catalogue names is not let go",
        f"{GATEWAY}/reindexing.py",
        "            packs.end_removal(statements, name)\n",
        "            pass\n",
        (f"{COMPACTION_TESTS}::test_attack_S60_a_pack_that_is_to_go_stays_once_reindex_names_it",),
    ),
    Defence(
        "who claims fewest shards of a pack is believed",
        f"{GATEWAY}/listed_packs.py",
        "        if other is None or claimed[claim.operator] < claimed[other.operator]:\n",
        "        if True:\n",
        (f"{LISTED}::test_attack_S62_who_claims_every_shard_is_believed_of_no_others",),
    ),
    Defence(
        "pages of an operator's list ascend",
        f"{GATEWAY}/listed_packs.py",
        "        if following <= after:\n",
        "        if False:\n",
        (f"{LISTED}::test_attack_S62_a_list_that_goes_round_has_an_end",),
    ),
    Defence(
        "a change that cannot be told fails alone",
        f"{GATEWAY}/committing.py",
        "                if closing is not None:\n                    raise\n",
        "                if True:\n                    raise\n",
        (f"{PUTS}::test_attack_S63_a_change_that_cannot_be_told_or_made_fails_alone",),
    ),
    Defence(
        "a change that cannot be made is undone alone",
        "relay/services/storage/catalogue/database.py",
        '            self.run("ROLLBACK TO SAVEPOINT apart")\n',
        "            pass\n",
        (f"{PUTS}::test_attack_S63_a_change_that_cannot_be_told_or_made_fails_alone",),
    ),
    Defence(
        "a removal that was done is answered so again",
        f"{GATEWAY}/plain/app.py",
        "            if await self._remembered(name) is None:\n                raise\n",
        "            raise\n",
        (f"{PLAIN}::test_attack_S63_the_same_removal_asked_for_twice_at_once_is_answered_twice",),
    ),
    Defence(
        "the silent are passed by where a run is rebuilt",
        f"{GATEWAY}/pack_reading.py",
        "            while waiting:  # whoever is silent is not waited for where others are left\n",
        "            while False:\n",
        (f"{PACE}::test_attack_S64_silent_operators_among_those_that_a_run_is_rebuilt_of_are_passed_by",),
    ),
    Defence(
        "a section's kind is believed where all shards agree on it",
        f"{GATEWAY}/upkeep/heads.py",
        "    if kind != SectionKind.CATALOGUE and await reader.is_agreed(source, _last_row_at(source)):\n",
        "    if kind != SectionKind.CATALOGUE:\n",
        (f"{LYING}::test_attack_S62_a_kind_that_flips_under_the_mask_hides_no_pack",),
    ),
    Defence(
        "roots of a pack that is read are those of its body",
        f"{GATEWAY}/upkeep/heads.py",
        "    return replace(source, roots=reader.roots_of(source, body)), _events(body, catalogue_root)\n",
        "    return source, _events(body, catalogue_root)\n",
        (f"{LYING}::test_attack_S62_a_parity_shard_that_is_another_has_not_its_listed_root",),
    ),
    Defence(
        "signatures that a stranger left out are added",
        f"{GATEWAY}/rpc_hub.py",
        "        if not lacking:\n            return ()\n",
        "        if True:\n            return ()\n",
        (
            "relay/services/storage/gateway/test_stripped_batches.py::test_attack_S65_a_batch_that_a_stranger_stripped_has_all_its_signatures",
        ),
    ),
    Defence(
        "a degraded batch is whole by the pack's own root",
        f"{GATEWAY}/upkeep/degraded.py",
        "            is_it = placed is not None and placed.entry.root == pack.roots[shard]\n",
        "            is_it = placed is not None\n",
        (
            "relay/services/storage/repairer/test_degraded_batches.py::test_attack_S66_a_batch_is_degraded_until_its_repair_is_on_the_hub",
        ),
    ),
    Defence(
        "a degraded batch is whole by a pack that is its own",
        f"{GATEWAY}/upkeep/degraded.py",
        "                if placed is not None and placed.log_entry.batch == batch.number:\n",
        "                if placed is not None:\n",
        (
            "relay/services/storage/repairer/test_degraded_batches.py::test_attack_S66_a_pack_of_another_batch_makes_no_batch_whole",
        ),
    ),
)
