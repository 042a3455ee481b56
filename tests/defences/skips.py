"""Defences of skips: who signs that a block counts as empty, what the next block needs, who follows."""

from tests.defences.defence import Defence

CERTIFICATE = "light_clients/tendermint/skip_certificate.py"
SIGNING = "relay/hub/consensus/signing.py"
BLOCKS = "relay/hub/application/skipped_blocks.py"
MARKER = "relay/hub/skipping/marker.py"
GUARD = "relay/hub/chain/execution_guard.py"
FOLLOWING = "relay/hub/engine/following.py"
CERTIFICATE_TESTS = "light_clients/tendermint/test_skip_certificate.py"
SIGNING_TESTS = "relay/hub/skipping/test_hub_skip_signing.py"
BLOCK_TESTS = "relay/hub/skipping/test_hub_skipped_blocks.py"
GUARD_TESTS = "relay/hub/application/machine/test_hub_execution_guard.py"
ABCI_TESTS = "relay/hub/abci/test_abci_skips.py"
MODEL = "models/test_skip_model.py"

SKIPS = (
    Defence(
        "a skip by more than two thirds",
        CERTIFICATE,
        "    if not power * 3 > total * 2:\n",
        "    if not power * 3 >= total * 2:\n",
        (f"{CERTIFICATE_TESTS}::test_attack_C47_exactly_two_thirds_and_two_of_four_are_too_few",),
    ),
    Defence(
        "a skip by members",
        CERTIFICATE,
        "        if one.public_key not in powers:\n            raise PredicateFailed(",
        "        if one.public_key not in powers:\n            continue\n            raise PredicateFailed(",
        (f"{CERTIFICATE_TESTS}::test_attack_C47_strangers_and_false_signatures_refuse_the_whole",),
    ),
    Defence(
        "a skip is signed",
        CERTIFICATE,
        "        if not secp256k1.verify_low_s(one.public_key, digest, one.signature):\n",
        "        if False:\n",
        (f"{CERTIFICATE_TESTS}::test_attack_C47_strangers_and_false_signatures_refuse_the_whole",),
    ),
    Defence(
        "a signer of a skip counts once",
        CERTIFICATE,
        "    if keys != sorted(set(keys)):\n",
        "    if False:\n",
        (f"{CERTIFICATE_TESTS}::test_attack_C47_one_signer_twice_is_malformed",),
    ),
    Defence(
        "a skip of this very block and state",
        CERTIFICATE,
        "    if certificate.statement != statement:\n",
        "    if False:\n",
        (f"{CERTIFICATE_TESTS}::test_attack_C47_another_chain_height_block_or_state_is_refused",),
    ),
    Defence(
        "who voted above a block signs no skip of it",
        SIGNING,
        "    if record.height > statement.height:\n",
        "    if False:\n",
        (
            f"{SIGNING_TESTS}::test_attack_C48_a_vote_above_the_block_forbids_the_skip",
            f"{MODEL}::test_attack_C48_no_order_has_a_certificate_beside_a_commit_over_the_executed_state",
        ),
    ),
    Defence(
        "one skip a height",
        SIGNING,
        "    if known is not None and known.statement.height >= statement.height:\n",
        "    if False:\n",
        (f"{SIGNING_TESTS}::test_attack_C48_a_second_skip_of_a_height_or_an_earlier_one_is_refused",),
    ),
    Defence(
        "who signed a skip executes no more",
        SIGNING,
        "    if skip is None or skip.statement.height != decided.height:\n",
        "    if True:\n",
        (
            f"{SIGNING_TESTS}::test_attack_C48_who_signed_may_not_execute_that_block_and_others_may",
            f"{MODEL}::test_attack_C48_no_order_has_a_certificate_beside_a_commit_over_the_executed_state",
            f"{ABCI_TESTS}::test_attack_C48_an_application_whose_key_signed_executes_the_block_for_nobody",
        ),
    ),
    Defence(
        "a decided height keeps the promise of a skip",
        SIGNING,
        "    return LastSigned(height, skip=record.skip) if record.height < height else record\n",
        "    return LastSigned(height) if record.height < height else record\n",
        (f"{SIGNING_TESTS}::test_votes_and_decided_heights_keep_the_promise_in_the_record",),
    ),
    Defence(
        "the block after a skipped one begins with its certificate",
        BLOCKS,
        "    if not claimed:\n",
        "    if not claimed:\n        return None\n    if not claimed:\n",
        (f"{BLOCK_TESTS}::test_attack_C47_the_next_block_needs_a_certificate_of_that_block_first",),
    ),
    Defence(
        "no certificate where nothing was skipped",
        BLOCKS,
        '            raise PredicateFailed("skip_certificate_unwanted", "the last block was executed")\n',
        "            return decode_certificate(transactions[0])\n",
        (f"{BLOCK_TESTS}::test_attack_C47_a_certificate_where_no_block_was_skipped_is_refused",),
    ),
    Defence(
        "no skip beside a commit of the next height",
        BLOCKS,
        "        if statement.height < newest and self.certificate(statement.height) is None:\n",
        "        if False:\n",
        (f"{BLOCK_TESTS}::test_attack_C48_a_skip_beside_a_commit_of_the_next_height_is_refused",),
    ),
    Defence(
        "no skip before rules version 3",
        BLOCKS,
        "        if version < rules_versions.BOUNDED_EXECUTION:\n",
        "        if False:\n",
        (f"{BLOCK_TESTS}::test_rules_before_version_3_know_no_skip",),
    ),
    Defence(
        "a skipped block is judged before it becomes a state",
        "relay/hub/application/application.py",
        "            self._check_skip(request, request.skip)\n",
        "",
        (f"{BLOCK_TESTS}::test_attack_C48_a_skip_that_two_of_four_need_is_refused",),
    ),
    Defence(
        "who executed a block signs no skip",
        MARKER,
        "        if self.stage is Stage.EXECUTED:\n            return None\n",
        "",
        (f"{GUARD_TESTS}::test_a_marker_returns_as_it_was_written_and_a_torn_one_says_nothing",),
    ),
    Defence(
        "one kill is no failure",
        MARKER,
        "UNFINISHED_MEANS_FAILED = 2\n",
        "UNFINISHED_MEANS_FAILED = 1\n",
        (f"{GUARD_TESTS}::test_a_process_that_was_killed_twice_in_one_block_could_not_execute_it",),
    ),
    Defence(
        "a full disk is no failure of the block",
        GUARD,
        "        except NOT_THE_BLOCKS_FAULT as error:\n",
        "        except ZeroDivisionError as error:\n",
        (f"{GUARD_TESTS}::test_a_full_disk_or_missing_rules_are_no_reason_to_skip",),
    ),
    Defence(
        "execution is bounded in time",
        GUARD,
        "        if took_s > self._limits.time_s:\n",
        "        if took_s > 20:\n",
        (f"{GUARD_TESTS}::test_a_runaway_is_stopped_at_its_time_and_the_reason_is_on_disk",),
    ),
    Defence(
        "a block is taken back and applied in one write",
        FOLLOWING,
        "        with overlay.batch() as batch:\n            take_off(batch, overlay, ledger, height - 1)\n",
        "        with store.batch() as batch:\n            take_off(batch, store, ledger, height - 1)\n",
        (f"{BLOCK_TESTS}::test_attack_C45_a_crash_while_a_block_is_taken_back_leaves_the_chain_as_it_was",),
    ),
)
