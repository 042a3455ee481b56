"""Defences of keys that are elsewhere, and of signers that sign for others."""

from tests.defences.defence import Defence

EVM = "relay/keys/documents/evm_transaction.py"
POLICY = "relay/keys/policy.py"
RECORD = "relay/keys/record_lines.py"
SPENDING = "relay/keys/spending.py"
SIGNATURES = "relay/keys/signatures.py"
GUARDED = "relay/keys/sources/guarded.py"
SOURCE_SIGNER = "relay/hub/engine/source_signer.py"
LISTENER = "relay/keys/privval/listener.py"
SOURCE_SIGNER_TESTS = "relay/hub/engine/test_source_signer.py"
PRIVVAL_TESTS = "relay/keys/privval/test_privval_source.py"
SERVICE_TESTS = "relay/hub/remote_signer/test_privval_service.py"
TOKEN_POOL = "relay/keys/sources/pkcs11/pool.py"
TOKEN_MARK = "relay/keys/sources/pkcs11/mark.py"
MARK_TESTS = "relay/keys/test_pkcs11_mark.py"
DOCUMENT_TESTS = "relay/keys/test_documents.py"
POLICY_TESTS = "relay/keys/test_policy.py"
RECORD_TESTS = "relay/keys/test_signing_record.py"
EACH_RULE = f"{POLICY_TESTS}::test_attack_G14_each_rule_lets_one_pass_and_names_itself"

KEYS = (
    Defence(
        "a signature is the pinned key's",
        SIGNATURES,
        "        if recovered is not None and secp256k1.compress(recovered) == public_key:\n",
        "        if recovered is not None:\n",
        ("relay/keys/test_signatures.py::test_attack_G14_a_signature_that_is_not_the_keys_goes_nowhere",),
    ),
    Defence(
        "a high s is made low",
        SIGNATURES,
        "    if secp256k1.HALF_ORDER < s < secp256k1.ORDER:\n",
        "    if False:\n",
        ("relay/keys/test_signatures.py::test_either_s_is_finished_to_the_same_signature",),
    ),
    Defence(
        "a legacy transaction names its chain",
        EVM,
        "    if self.chain_id < 1:\n",
        "    if False:\n",
        (f"{DOCUMENT_TESTS}::test_unfit_transactions_are_no_document",),
    ),
    Defence(
        "fields that would not be signed are refused",
        EVM,
        '    if unknown or fields.get("accessList")',
        '    if fields.get("accessList")',
        (f"{DOCUMENT_TESTS}::test_attack_G14_fields_that_would_not_be_signed_are_refused",),
    ),
    Defence(
        "only named kinds of documents are signed",
        POLICY,
        "        if document.kind not in self.config.documents:\n",
        "        if False:\n",
        (f"{POLICY_TESTS}::test_attack_G14_only_named_kinds_are_signed",),
    ),
    Defence(
        "a policy binds contracts",
        POLICY,
        "        if self._contracts and transaction.to not in self._contracts:\n",
        "        if False:\n",
        (EACH_RULE,),
    ),
    Defence(
        "a policy binds selectors",
        POLICY,
        "        if self._selectors and transaction.selector not in self._selectors:\n",
        "        if False:\n",
        (EACH_RULE,),
    ),
    Defence(
        "a policy binds what is sent along",
        POLICY,
        "        if transaction.value_wei > self.config.value_wei:\n",
        "        if False:\n",
        (EACH_RULE,),
    ),
    Defence(
        "a clock that goes back gives no new day",
        SPENDING,
        "        if time_s // DAY_S > self._day:\n",
        "        if time_s // DAY_S != self._day:\n",
        (f"{POLICY_TESTS}::test_attack_G14_a_clock_that_goes_back_gives_no_new_day",),
    ),
    Defence(
        "what is spent outlives the process",
        GUARDED,
        "            if line.key == source.public_key and line.cost is not None:\n",
        "            if False:\n",
        (f"{RECORD_TESTS}::test_what_is_spent_outlives_the_process",),
    ),
    Defence(
        "what cannot be written down is not signed",
        GUARDED,
        "            await self._write_down(document, now_s)\n",
        "            pass\n",
        (f"{RECORD_TESTS}::test_what_cannot_be_written_down_is_not_signed",),
    ),
    Defence(
        "a line of the record follows the one before it",
        RECORD,
        "                if one.number != standing.number + 1 or previous != standing.last:\n",
        "                if False:\n",
        (f"{RECORD_TESTS}::test_a_changed_record_is_refused",),
    ),
    Defence(
        "what a key elsewhere is asked for is on record before",
        SOURCE_SIGNER,
        "        if record != self.record:\n            self._keep(record)\n        if asked",
        "        if asked",
        (f"{SOURCE_SIGNER_TESTS}::test_what_is_asked_is_on_record_before_and_its_signature_before_it_leaves",),
    ),
    Defence(
        "a vote of a key elsewhere is repeated from the record",
        SOURCE_SIGNER,
        "        if asked.signature != ASKED:\n            return asked\n",
        "",
        (f"{SOURCE_SIGNER_TESTS}::test_attack_C45_hub_a_vote_is_repeated_from_the_record_and_never_signed_again",),
    ),
    Defence(
        "a signature that was asked for and never seen is no vote",
        "relay/hub/consensus/lost_log.py",
        "    if not entry.signature:\n        return None\n",
        "",
        (f"{SOURCE_SIGNER_TESTS}::test_what_a_crash_left_without_its_signature_is_completed_or_counts_as_unknown",),
    ),
    Defence(
        "no skip is promised by a signer that signs none",
        SOURCE_SIGNER,
        "        if not self._signs_skips:\n",
        "        if False:\n",
        (f"{SOURCE_SIGNER_TESTS}::test_a_source_that_signs_no_skips_promises_none",),
    ),
    Defence(
        "a stock signer has the pinned key",
        LISTENER,
        "        if answer.public_key != self._key:\n",
        "        if False:\n",
        (f"{PRIVVAL_TESTS}::test_attack_G14_a_signer_with_another_key_is_sent_away",),
    ),
    Defence(
        "a stock signer signs what it was asked for",
        "relay/keys/sources/privval.py",
        "        if type(signed) is not type(document) or replace(signed, timestamp_ns=document.timestamp_ns) != document:\n",
        "        if False:\n",
        (f"{PRIVVAL_TESTS}::test_attack_G14_a_lying_signer_gives_nothing",),
    ),
    Defence(
        "a signer says nothing unasked",
        LISTENER,
        "        if not self._reader.is_empty:\n",
        "        if False:\n",
        (f"{PRIVVAL_TESTS}::test_attack_G14_an_answer_that_nobody_asked_for_is_not_the_next_ones",),
    ),
    Defence(
        "messages of a signer are bounded by their length alone",
        "relay/keys/privval/framing.py",
        "        if length > MAX_MESSAGE_BYTES:\n",
        "        if False:\n",
        ("relay/keys/privval/test_privval_messages.py::test_a_frame_above_its_bound_is_refused_by_its_length",),
    ),
    Defence(
        "a stock node's key leaves it only while it stands",
        "relay/hub/remote_signer/privval_home.py",
        "    _refuse_running(cometbft)\n",
        "",
        (f"{SERVICE_TESTS}::test_a_stock_node_that_runs_or_has_no_record_keeps_its_key",),
    ),
    Defence(
        "a stock node's signer signs for its chain",
        "relay/hub/remote_signer/privval_service.py",
        "        return None if chain_id == self._node.chain_id else",
        "        return None if True else",
        (f"{SERVICE_TESTS}::test_attack_C45_what_cometbfts_own_signer_refuses_is_refused",),
    ),
    Defence(
        "a key leaves a home only to the source that has it",
        "relay/hub/remote_signer/placing.py",
        "    if own.public_key != named:\n",
        "    if False:\n",
        (
            "relay/hub/remote_signer/test_key_source_commands.py::test_a_source_that_cannot_serve_leaves_the_key_where_it_is",
        ),
    ),
    Defence(
        "a policy judges the chain of votes",
        POLICY,
        "            case ConsensusVote() | ConsensusProposal() | ConsensusVoteExtension():\n                return self._of_chain(document.chain_id)\n",
        "",
        (f"{POLICY_TESTS}::test_attack_G14_votes_are_of_the_policys_chains",),
    ),
    Defence(
        "a file of the record follows the one before it",
        RECORD,
        "        if later != earlier:\n",
        "        if False:\n",
        (f"{RECORD_TESTS}::test_attack_G14_a_file_that_is_missing_or_changed_breaks_the_chain",),
    ),
    Defence(
        "lines of today that were moved away are missed",
        GUARDED,
        "        if policy.counts_days and record is not None and lacking is not None:\n",
        "        if False:\n",
        (f"{RECORD_TESTS}::test_files_of_other_days_may_be_moved_away_and_those_of_today_not",),
    ),
    Defence(
        "a key of P-256 signs tokens of its algorithm alone",
        SIGNATURES,
        "    elif document.algorithm != _OF_TOKENS[algorithm]:\n",
        "    elif False:\n",
        ("relay/keys/test_signatures.py::test_a_curve_signs_what_it_is_for",),
    ),
    Defence(
        "a signature of P-256 is the pinned key's",
        SIGNATURES,
        "    if not p256.verify(public_key, document.preimage, r_and_s):\n",
        "    if False:\n",
        ("relay/keys/test_signatures.py::test_attack_G14_a_signature_of_p256_that_is_not_the_keys_goes_nowhere",),
    ),
    Defence(
        "a token's PIN that was refused is not tried again",
        TOKEN_POOL,
        "            if self._place in _verdicts:\n",
        "            if False:\n",
        ("relay/keys/test_pkcs11_pool.py::test_attack_G14_a_refused_pin_is_never_tried_again",),
    ),
    Defence(
        "a login that the token did not answer is tried once more",
        TOKEN_POOL,
        "        if count < MOST_UNANSWERED:\n",
        "        if True:\n",
        (
            "relay/keys/test_pkcs11_pool.py::test_attack_G14_a_login_without_an_answer_is_tried_once_more_and_no_further",
        ),
    ),
    Defence(
        "a token's PIN is tried by one login at a time",
        TOKEN_POOL,
        "        async with self._opening:\n",
        "        if True:\n",
        ("relay/keys/test_pkcs11_pool.py::test_attack_G14_a_refused_pin_is_never_tried_again",),
    ),
    Defence(
        "the token's mark stops an old copy of a home",
        TOKEN_MARK,
        "            if mark.place >= self._own.place:\n",
        "            if False:\n",
        (
            f"{MARK_TESTS}::test_attack_G14_row_29_an_old_copy_of_a_home_is_refused",
            f"{MARK_TESTS}::test_attack_G14_row_29_another_vote_of_one_place_is_refused",
        ),
    ),
    Defence(
        "of two signers of one token's key one is stopped",
        TOKEN_MARK,
        "        if self._own.text not in there or tags != {self._own.tag}:\n",
        "        if False:\n",
        (
            f"{MARK_TESTS}::test_attack_G14_row_29_of_two_signers_the_first_is_stopped",
            f"{MARK_TESTS}::test_attack_G14_row_29_at_most_one_of_two_at_once_goes_on",
        ),
    ),
    Defence(
        "what lies before a token's mark is not signed",
        TOKEN_MARK,
        "        if place <= self._own.place:\n",
        "        if False:\n",
        (f"{MARK_TESTS}::test_attack_G14_row_29_what_lies_before_the_mark_is_given_up",),
    ),
)
