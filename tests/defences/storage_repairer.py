"""Defences of repairs in trusted storage: another shard than the lost one, wrong peers, wrong keys."""

from tests.defences.defence import Defence

OPERATOR = "relay/services/storage/operator"
REPAIRER = "relay/services/storage/repairer"
RULES = "relay/services/storage/rules"
TESTS = "relay/services/storage/repairer/test_repairs.py"

STORAGE_REPAIRER = (
    Defence(
        "an operator signs a repair that the hub has alone",
        f"{OPERATOR}/desk.py",
        "            await self._check_repair(owner, asked.repairs, part)\n",
        "            pass\n",
        (f"{TESTS}::test_attack_S44_a_repairer_that_writes_another_shard_is_refused",),
    ),
    Defence(
        "a repair is of the owner's batch",
        f"{RULES}/repairing.py",
        "    judge(repair_is_of_the_owners_batch, record, owner)\n",
        "",
        (f"{TESTS}::test_attack_S44_a_repairer_that_writes_another_shard_is_refused",),
    ),
    Defence(
        "a repaired part is one of the batch's",
        f"{RULES}/repairing.py",
        "    judge(part_is_of_the_batch, repaired.hashes, repaired.index, lost, record.parts)\n",
        "",
        (f"{TESTS}::test_attack_S44_a_repairer_that_writes_another_shard_is_refused",),
    ),
    Defence(
        "a rebuilt body has its pack's name",
        f"{RULES}/packs/coding.py",
        "    judge(body_has_the_packs_name, name, *body)\n",
        "",
        (f"{TESTS}::test_attack_S45_another_repair_root_builds_nothing",),
    ),
    Defence(
        "a rebuilt part has the root that the hub has",
        f"{REPAIRER}/mending.py",
        "        if part != column.part.part:\n",
        "        if part == BatchState:\n",
        (f"{TESTS}::test_attack_S45_a_part_whose_writer_coded_it_wrongly_is_reported_and_not_written",),
    ),
    Defence(
        "a peer's list of shards has the root that the hub has",
        f"{REPAIRER}/siblings.py",
        "        if batch_part(entries) != column.part.part:\n",
        "        if batch_part(entries) == column:\n",
        (f"{TESTS}::test_attack_S45_a_peer_that_lists_other_shards_is_passed_over",),
    ),
)
