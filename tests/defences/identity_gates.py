"""Defences of contracts that accept credentials, and of the rules of seals."""

from tests.defences.defence import Defence

GATE = "contracts/src/services/CredentialGate.sol"
CACHE = "contracts/src/services/IdentityCache.sol"
SEALS = "contracts/src/libraries/Seals.sol"
GATE_TESTS = "contracts/identity/test_credential_gate.py"
CACHE_TESTS = "contracts/identity/test_identity_cache.py"
RULES = "relay/services/identity/rules/seals"
RULE_TESTS = "relay/services/identity/rules/seals/test_seals.py"

IDENTITY_GATES = (
    Defence(
        "a seal of another schema is refused",
        GATE,
        "        require(said.schema == schema, OtherSchema(said.schema, schema));\n",
        "        require(said.schema == schema || schema != 0, OtherSchema(said.schema, schema));\n",
        (f"{GATE_TESTS}::test_attack_N72_a_seal_is_its_issuers_whole_and_in_time",),
    ),
    Defence(
        "a seal whose last second has passed is refused",
        GATE,
        "        require(time <= said.notAfter, SealOver(said.notAfter, time));\n",
        "",
        (f"{GATE_TESTS}::test_attack_N72_a_seal_is_its_issuers_whole_and_in_time",),
    ),
    Defence(
        "a header that everybody knows is now, whatever a proposer's clock says",
        GATE,
        "known.newestHeaderTime > block.timestamp ? known.newestHeaderTime : block.timestamp;\n",
        "known.newestHeaderTime > type(uint64).max ? known.newestHeaderTime : block.timestamp;\n",
        (f"{GATE_TESTS}::test_attack_N76_a_clock_that_is_held_back_is_no_help",),
    ),
    Defence(
        "a list that is too old is refused",
        GATE,
        "        require(time - list.headerTime <= MAX_AGE, StaleList(list.headerTime, MAX_AGE, time));\n",
        "",
        (f"{GATE_TESTS}::test_attack_N76_nothing_is_accepted_after_its_age_once_the_hub_is_silent",),
    ),
    Defence(
        "an issuer's standing that is too old is refused",
        GATE,
        "        require(time - issuer.headerTime <= MAX_AGE, StaleIssuer(issuer.headerTime, MAX_AGE, time));\n",
        "",
        (f"{GATE_TESTS}::test_attack_N76_the_issuer_grows_old_too",),
    ),
    Defence(
        "a list of a past epoch is refused",
        GATE,
        "        require(list.epoch >= known.newestEpoch, ListOfPastEpoch(list.epoch, known.newestEpoch));\n",
        "",
        (f"{GATE_TESTS}::test_attack_N78_records_of_a_past_epoch_are_refused",),
    ),
    Defence(
        "a standing of a past epoch is refused",
        GATE,
        "        require(issuer.epoch >= known.newestEpoch, IssuerOfPastEpoch(issuer.epoch, known.newestEpoch));\n",
        "",
        (f"{GATE_TESTS}::test_attack_N78_records_of_a_past_epoch_are_refused",),
    ),
    Defence(
        "a list that was never opened is refused",
        GATE,
        "        require(list.bits != 0, ListUnknown(said.issuer, said.list));\n",
        "",
        (f"{GATE_TESTS}::test_attack_N77_a_list_is_of_the_key_the_schema_and_the_issuer",),
    ),
    Defence(
        "a list is of the key and schema of the seal",
        GATE,
        "        require(standing == list.standing, ListOfAnother(list.standing, standing));\n",
        "        require(standing != 0, ListOfAnother(list.standing, standing));\n",
        (
            f"{GATE_TESTS}::test_attack_N77_a_list_is_of_the_key_the_schema_and_the_issuer",
            f"{GATE_TESTS}::test_attack_N77_a_list_for_another_schema_is_refused_though_its_issuer_stands",
        ),
    ),
    Defence(
        "a standing with a flaw is refused",
        GATE,
        "        if (flaw != Flaw.None) {\n",
        "        if (flaw > Flaw.AccreditorNotActive) {\n",
        (
            f"{GATE_TESTS}::test_attack_N73_a_key_counts_for_contracts_alone_and_within_its_window",
            f"{CACHE_TESTS}::test_attack_N75_a_middle_level_that_is_revoked_ends_what_is_below_it_and_nothing_else",
        ),
    ),
    Defence(
        "a window that has ended since ends the standing",
        GATE,
        "        require(time < standing.validUntil, StandingOver(standing.validUntil, time));\n",
        "        require(time != 0, StandingOver(standing.validUntil, time));\n",
        (f"{CACHE_TESTS}::test_attack_N75_a_window_that_ends_between_header_and_block_ends_the_standing",),
    ),
    Defence(
        "the issuer's key signed the seal",
        GATE,
        "        require(signed, SealNotSigned(seal));\n",
        "        require(signed || seal != 0, SealNotSigned(seal));\n",
        (f"{GATE_TESTS}::test_attack_N72_a_seal_is_its_issuers_whole_and_in_time",),
    ),
    Defence(
        "under a key that has ended the log decides",
        GATE,
        "        if (standing.ended) _requireLogged(shown, seal, known);\n",
        "        if (standing.ended && seal == 0) _requireLogged(shown, seal, known);\n",
        (f"{GATE_TESTS}::test_attack_N74_only_what_was_logged_before_its_key_ended_outlives_it",),
    ),
    Defence(
        "an empty log lets nothing pass",
        GATE,
        "        require(standing.endLogSize != 0, NothingLogged(shown.seal.issuer));\n",
        "",
        (f"{GATE_TESTS}::test_attack_N74_a_compromise_takes_later_entries_and_leaves_earlier_ones",),
    ),
    Defence(
        "an index beyond the list is refused",
        GATE,
        "        require(index < size, IndexOutOfRange(shown.seal.index, size));\n",
        "        require(size != 0, IndexOutOfRange(shown.seal.index, size));\n",
        (f"{GATE_TESTS}::test_attack_N77_an_index_beyond_the_list_is_refused",),
    ),
    Defence(
        "a status path has the tree's depth",
        GATE,
        "        require(length == list.depth, OtherPathLength(length, list.depth));\n",
        "        require(length < 256, OtherPathLength(length, list.depth));\n",
        (f"{GATE_TESTS}::test_attack_N77_the_status_is_read_at_its_place_under_the_lists_root",),
    ),
    Defence(
        "a status stands under the list's root",
        GATE,
        "        require(root == list.root, StatusNotProven(root, list.root));\n",
        "        require(root != 0, StatusNotProven(root, list.root));\n",
        (f"{GATE_TESTS}::test_attack_N77_the_status_is_read_at_its_place_under_the_lists_root",),
    ),
    Defence(
        "a status that is not 0 is refused",
        GATE,
        "        require(status == 0, CredentialRevoked(status));\n",
        "        require(status < 2, CredentialRevoked(status));\n",
        (f"{GATE_TESTS}::test_attack_N77_the_status_is_read_at_its_place_under_the_lists_root",),
    ),
    Defence(
        "a claim stands under the seal's root",
        SEALS,
        "MerkleProof.verifyCalldata(claim.path, root, leaf);\n",
        "(root != 0 || MerkleProof.verifyCalldata(claim.path, root, leaf));\n",
        (f"{GATE_TESTS}::test_attack_N71_claims_are_the_seals",),
    ),
    Defence(
        "a presentation whose deadline has passed is refused",
        GATE,
        "        require(time <= shown.deadline, PresentationOver(shown.deadline, time));\n",
        "        require(time != 0, PresentationOver(shown.deadline, time));\n",
        (f"{GATE_TESTS}::test_attack_N70_a_presentation_ends_with_its_deadline_and_has_one_form",),
    ),
    Defence(
        "a nonce counts once",
        GATE,
        "        _nonces[holder][nonce >> 8] = bits | bit;\n",
        "        _nonces[holder][nonce >> 8] = bits;\n",
        (f"{GATE_TESTS}::test_attack_N70_a_presentation_is_good_once",),
    ),
    Defence(
        "the holder signed this presentation",
        GATE,
        "        require(failure == ECDSA.RecoverError.NoError && account == holder, HolderNotSigned(holder));\n",
        "        require(failure == ECDSA.RecoverError.NoError && account != address(0), HolderNotSigned(holder));\n",
        (f"{GATE_TESTS}::test_attack_N70_a_presentation_is_for_one_gate_chain_caller_call_and_time",),
    ),
    Defence(
        "what is kept is replaced by a later height alone",
        CACHE,
        "        if (kept.height >= standing.height) return;\n        StatusList memory list;\n",
        "        if (kept.height == type(uint64).max) return;\n        StatusList memory list;\n",
        (f"{GATE_TESTS}::test_attack_N76_what_is_kept_is_replaced_by_a_later_height_alone",),
    ),
    Defence(
        "an epoch that was seen is not forgotten",
        CACHE,
        "        if (_epochs[client][query.issuer] < standing.epoch) _epochs[client][query.issuer] = standing.epoch;\n",
        "        _epochs[client][query.issuer] = standing.epoch;\n",
        (f"{GATE_TESTS}::test_attack_N78_an_epoch_that_was_seen_is_not_forgotten_for_an_earlier_root",),
    ),
    Defence(
        "a record is the one that is needed",
        CACHE,
        "keccak256(records[place].key) == keyHash, WrongRecord(used));\n",
        "keyHash != 0, WrongRecord(used));\n",
        (f"{CACHE_TESTS}::test_attack_N80_the_records_are_those_that_are_asked_for_and_no_byte_of_them_is_another",),
    ),
    Defence(
        "records stand under the hub's root",
        CACHE,
        "        SmtMultiproof.verify(state.root, claims, proof);\n",
        "        if (claims.length == 0) SmtMultiproof.verify(state.root, claims, proof);\n",
        (f"{CACHE_TESTS}::test_attack_N80_the_records_are_those_that_are_asked_for_and_no_byte_of_them_is_another",),
    ),
    Defence(
        "nothing is kept or read over a client that is not active",
        CACHE,
        "        require(status == ClientStatus.Active, HubClientNotActive(status));\n",
        "        require(uint8(status) < 3, HubClientNotActive(status));\n",
        (
            f"{CACHE_TESTS}::test_attack_N79_nothing_is_read_over_a_client_that_is_frozen_or_was_migrated_away",
            f"{CACHE_TESTS}::test_attack_N79_nothing_is_read_over_a_client_that_has_expired",
        ),
    ),
    Defence(
        "a level has less depth than the one above it",
        CACHE,
        "            if (level != 0 && below >= depth) {\n",
        "            if (level > MAX_LEVELS && below >= depth) {\n",
        (f"{CACHE_TESTS}::test_attack_N75_a_broken_chain_is_kept_as_broken_at_every_level",),
    ),
    Defence(
        "an accreditor is registered and not deactivated",
        CACHE,
        "            if (!_isActive(_next(IdentityRecords.didKey(subject), records, places, shown))) {\n",
        "            if (_next(IdentityRecords.didKey(subject), records, places, shown).length == 1) {\n",
        (f"{CACHE_TESTS}::test_attack_N75_a_broken_chain_is_kept_as_broken_at_every_level",),
    ),
    Defence(
        "claims of one seal have one name and one salt each",
        f"{RULES}/claim_tree.py",
        "            if first == second:\n",
        "            if first is None:\n",
        (f"{RULE_TESTS}::test_attack_N71_a_node_is_no_claim_and_a_text_no_number",),
    ),
    Defence(
        "a presentation is of the seal that it names",
        f"{RULES}/signatures.py",
        "    if presentation.seal_digest != seal_digest(seal):\n",
        '    if presentation.seal_digest == b"":\n',
        (f"{RULE_TESTS}::test_attack_N70_a_presentation_is_for_one_gate_chain_caller_nonce_deadline_seal_and_call",),
    ),
    Defence(
        "a P-256 signature of a seal has a low s",
        f"{RULES}/signatures.py",
        "    if s > P256_ORDER // 2:\n",
        "    if s > P256_ORDER:\n",
        (f"{RULE_TESTS}::test_a_seal_may_be_signed_with_p256_in_its_low_form_alone",),
    ),
)
