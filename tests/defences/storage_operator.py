"""Defences of operators of trusted storage: receipts that rest on nothing, tokens of others, shards let go, rot."""

from tests.defences.defence import Defence

OPERATOR = "relay/services/storage/operator"
ENGINES = "relay/services/storage/engines"
RULES = "relay/services/storage/rules/operator_api"
PUT_TESTS = "relay/services/storage/operator/test_operator_puts.py"
READ_TESTS = "relay/services/storage/operator/test_operator_reads.py"
PART_TESTS = "relay/services/storage/operator/test_operator_parts.py"
SCRUB_TESTS = "relay/services/storage/operator/test_scrub.py"
ENGINE_TESTS = "relay/services/storage/engines/test_engines.py"
API_TESTS = "relay/services/storage/rules/test_operator_api.py"

STORAGE_OPERATOR = (
    Defence(
        "a shard has the root that it was put with",
        f"{OPERATOR}/desk.py",
        "            if root != asked.root:\n",
        "            if root[:0] != asked.root[:0]:\n",
        (f"{PUT_TESTS}::test_attack_S40_other_bytes_than_those_of_the_root_are_not_kept",),
    ),
    Defence(
        "a shard is read back before its receipt",
        f"{OPERATOR}/shelf.py",
        "            is_same = self.engine.read_back(name) == octets\n",
        "            is_same = True\n",
        (f"{PUT_TESTS}::test_attack_S40_an_engine_that_reads_back_other_bytes_gives_no_receipt",),
    ),
    Defence(
        "a journal keeps what an engine may lose",
        f"{ENGINES}/durability.py",
        "            self._engine.replace(name, kept)\n",
        "            pass\n",
        (
            f"{PUT_TESTS}::test_attack_S40_no_receipt_rests_on_what_an_engine_had_not_synced",
            f"{ENGINE_TESTS}::test_what_was_answered_outlives_a_loss_of_power",
        ),
    ),
    Defence(
        "no receipt rests on an engine that is not durable",
        f"{OPERATOR}/shelf.py",
        "        if not engine.is_durable:\n",
        "        if not engine.kind:\n",
        (f"{PUT_TESTS}::test_attack_S40_no_receipt_rests_on_what_an_engine_had_not_synced",),
    ),
    Defence(
        "a token is signed by its writer for this operator",
        f"{RULES}/access.py",
        "    judge(struct_is_signed_by, signed.access, signed.signature, account)\n",
        "",
        (f"{API_TESTS}::test_attack_S41_a_token_is_good_for_one_operator",),
    ),
    Defence(
        "a token gives the right that is used",
        f"{RULES}/access.py",
        "    judge(access_gives_the_right, signed.access, right)\n",
        "",
        (f"{PUT_TESTS}::test_attack_S41_a_put_needs_a_token_that_gives_it",),
    ),
    Defence(
        "only a repairer names another owner",
        f"{OPERATOR}/app.py",
        "        if not known.served.is_repairer:\n",
        "        if not known.served.writer:\n",
        (f"{PUT_TESTS}::test_attack_S41_writers_see_their_own_shards_alone",),
    ),
    Defence(
        "a part is signed over what is held",
        f"{OPERATOR}/desk.py",
        "            await self._in_thread(self._check_entries, writer, owner, asked)\n",
        "",
        (
            f"{PART_TESTS}::test_attack_S42_a_part_is_signed_when_all_of_it_is_held",
            f"{PART_TESTS}::test_attack_S42_parts_of_several_batches_do_not_count_a_shard_twice",
        ),
    ),
    Defence(
        "a bound shard goes after its removal alone",
        f"{OPERATOR}/desk.py",
        "                    await self.check_removed(held)\n",
        "                    pass\n",
        (f"{READ_TESTS}::test_attack_S42_a_signed_shard_is_retained_until_its_removal_is_on_the_hub",),
    ),
    Defence(
        "answers are judged before they are signed",
        f"{OPERATOR}/answering.py",
        "            judge_answer(VERIFY, challenge, number, answer, removals)\n",
        "            pass\n",
        (f"{PART_TESTS}::test_attack_S43_no_answer_leaves_that_the_hub_would_fail",),
    ),
    Defence(
        "a scrub compares a shard with its root",
        f"{OPERATOR}/shelf.py",
        "        if root_of_outboard(held.height, hashes) != held.root:\n",
        "        if not root_of_outboard(held.height, hashes):\n",
        (f"{SCRUB_TESTS}::test_attack_S43_another_shard_in_its_place_is_named",),
    ),
    Defence(
        "a span is judged by its hash before it is handed on",
        f"{RULES}/spans.py",
        "        judge.tacitly(span_has_its_hash, number, octets[at * size : (at + 1) * size], hashes[number])\n",
        "        pass\n",
        (f"{API_TESTS}::test_attack_S43_a_wrong_span_is_never_handed_on",),
    ),
    Defence(
        "one client has one turn of what anybody may ask",
        f"{OPERATOR}/desk.py",
        "            async with self._turn(own), self._turn(self._audits):\n",
        "            async with self._turn(self._audits):\n",
        (
            "relay/services/storage/operator/test_strangers.py::test_attack_S46_a_stranger_that_asks_without_end_keeps_no_auditor_out",
        ),
    ),
    Defence(
        "what a client says of its address is not believed without a proxy",
        f"{OPERATOR}/requests.py",
        '    said = headers_of(scope, b"x-forwarded-for") if is_behind_proxy else []\n',
        '    said = headers_of(scope, b"x-forwarded-for")\n',
        (
            "relay/services/storage/operator/test_strangers.py::test_attack_S46_a_stranger_that_asks_without_end_keeps_no_auditor_out",
        ),
    ),
)
