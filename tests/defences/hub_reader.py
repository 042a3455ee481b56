"""Defences of the reader of records and of multiproofs, in Solidity and in Python."""

from tests.defences.defence import Defence

READER = "contracts/src/records/HubReader.sol"
MULTIPROOF = "contracts/src/libraries/SmtMultiproof.sol"
OBSERVATIONS = "contracts/src/libraries/Observations.sol"
LIBRARY = "light_clients/records/multiproof.py"
READER_TESTS = "contracts/records/test_hub_reader.py"
PROOF_TESTS = "contracts/records/test_smt_multiproof.py"

HUB_READER = (
    Defence(
        "nothing is read by a hub client that is not active",
        READER,
        "        require(status == ClientStatus.Active, HubClientNotActive(status));\n",
        "        require(uint8(status) < 3, HubClientNotActive(status));\n",
        (
            f"{READER_TESTS}::test_attack_J11_contract_frozen_hub_client",
            f"{READER_TESTS}::test_attack_J11_contract_expired_hub_client",
        ),
    ),
    Defence(
        "a later root alone replaces what is kept",
        READER,
        "            if (_kept[root.client][keyHash].height >= root.height) continue;\n",
        "",
        (f"{READER_TESTS}::test_what_is_kept_is_replaced_by_a_later_root_alone",),
    ),
    Defence(
        "a kept epoch that is newer than the shown one counts",
        READER,
        "        if (known.height > root.height) (epoch.number, epoch.readable) = (known.number, known.readable);\n",
        "        if (known.height == type(uint64).max) (epoch.number, epoch.readable) = (known.number, known.readable);\n",
        (f"{READER_TESTS}::test_attack_J7_contract_client_was_frozen_expired_or_recovered",),
    ),
    Defence(
        "an observation needs its own client's epoch",
        READER,
        "        require(known.height >= root.height, EpochNotProven(string(observed)));\n",
        "",
        (
            f"{READER_TESTS}::test_attack_J2_contract_epoch_of_another_client",
            f"{READER_TESTS}::test_an_epoch_that_is_kept_need_not_be_shown",
        ),
    ),
    Defence(
        "a closed client's observations are not read",
        READER,
        "        require(readable, ObservedClientClosed(string(observed), current));\n",
        "        require(readable || current != 0, ObservedClientClosed(string(observed), current));\n",
        (f"{READER_TESTS}::test_attack_J7_contract_one_client_is_closed_and_the_other_is_not",),
    ),
    Defence(
        "observations of an earlier epoch are not read",
        READER,
        "        require(epoch == current, EpochRevoked(string(observed), epoch, current));\n",
        "        require(epoch != 0, EpochRevoked(string(observed), epoch, current));\n",
        (
            f"{READER_TESTS}::test_attack_J7_contract_client_was_frozen_expired_or_recovered",
            f"{READER_TESTS}::test_attack_J7_contract_observation_of_a_later_epoch_than_the_clients",
        ),
    ),
    Defence(
        "a header that is too old is refused",
        READER,
        "        require(_isFresh(answer.headerTime, terms), StaleHeader(answer.headerTime, terms.maxAge, block.timestamp));\n",
        "",
        (f"{READER_TESTS}::test_attack_J1_contract_absence_of_a_record_grows_old_too",),
    ),
    Defence(
        "a source block that is too old is refused",
        READER,
        "        require(_isFresh(answer.sourceTime, terms), StaleSource(answer.sourceTime, terms.maxAge, block.timestamp));\n",
        "",
        (f"{READER_TESTS}::test_attack_J1_contract_headers_go_on_and_observations_stop",),
    ),
    Defence(
        "a time from the future is refused",
        READER,
        "        require(time <= limit, FromFuture(time, limit));\n",
        "        require(limit != 0, FromFuture(time, limit));\n",
        (f"{READER_TESTS}::test_attack_J1_contract_source_time_from_the_future",),
    ),
    Defence(
        "fewer attestors than the caller asks for are refused",
        READER,
        "            threshold == 0 || (terms.minTrust != PROVEN_ALONE && threshold >= terms.minTrust),\n",
        "            threshold == 0 || terms.minTrust != PROVEN_ALONE,\n",
        (f"{READER_TESTS}::test_attack_J10_contract_attested_by_fewer_than_asked",),
    ),
    Defence(
        "attestors do not stand for a proof",
        READER,
        "            threshold == 0 || (terms.minTrust != PROVEN_ALONE && threshold >= terms.minTrust),\n",
        "            threshold == 0 || terms.minTrust == PROVEN_ALONE || threshold >= terms.minTrust,\n",
        (f"{READER_TESTS}::test_attack_J10_contract_attested_by_fewer_than_asked",),
    ),
    Defence(
        "a trust in an observation that means nothing is refused",
        OBSERVATIONS,
        "            uint8(kind >> 16) == ATTESTED && threshold != 0 && threshold <= attestors && attestors <= MAX_ATTESTORS,\n",
        "            uint8(kind >> 16) == ATTESTED,\n",
        (f"{READER_TESTS}::test_attack_J3_contract_malformed_record_that_the_root_holds",),
    ),
    Defence(
        "a value of an observation has its length",
        OBSERVATIONS,
        "                ofEvm ? length == WORD_BYTES : length != 0 && length <= MAX_STORE_VALUE_BYTES,\n",
        "                ofEvm ? length != 0 : length != 0 && length <= MAX_STORE_VALUE_BYTES,\n",
        (f"{READER_TESTS}::test_attack_J3_contract_malformed_record_that_the_root_holds",),
    ),
    Defence(
        "a multiproof ends at the root",
        MULTIPROOF,
        '            require(node == root, IHubClient.InvalidProof("root_matches"));\n',
        '            require(node != 0 || root != 0, IHubClient.InvalidProof("root_matches"));\n',
        (f"{PROOF_TESTS}::test_attack_J12_contract_every_bit_of_a_multiproof_counts",),
    ),
    Defence(
        "claims of a multiproof stand once, in order",
        MULTIPROOF,
        '        require(ascending, IHubClient.InvalidProof("claims_ascend"));\n',
        "",
        (f"{PROOF_TESTS}::test_attack_J12_contract_claims_in_another_order_or_twice",),
    ),
    Defence(
        "no claim of a multiproof is passed over",
        MULTIPROOF,
        '            require(any && walk.claim == walk.claimsEnd, IHubClient.InvalidProof("every_claim_ends"));\n',
        "",
        (f"{PROOF_TESTS}::test_attack_J12_contract_nothing_of_a_multiproof_is_left_over",),
    ),
    Defence(
        "no sibling of a multiproof is left over",
        MULTIPROOF,
        "                walk.sibling == _siblingsAt(proof) + proof.siblings.length * 32,\n",
        "                walk.sibling != 0,\n",
        (f"{PROOF_TESTS}::test_attack_J12_contract_nothing_of_a_multiproof_is_left_over",),
    ),
    Defence(
        "a leaf does not show the absence of its own key",
        MULTIPROOF,
        "                    _word(claim + 0x20) == 0 && !(isNeighbour && claimed == path),\n",
        "                    _word(claim + 0x20) == 0,\n",
        (f"{PROOF_TESTS}::test_attack_B20_contract_absence_of_what_is_there",),
    ),
    Defence(
        "multiproof in Python: a leaf does not show the absence of its own key",
        LIBRARY,
        '        _require(path not in self.paths[first : self.claim], "claim_is_absent")\n',
        "",
        (f"{PROOF_TESTS}::test_attack_B20_contract_absence_of_what_is_there",),
    ),
    Defence(
        "multiproof in Python: it ends at the root",
        LIBRARY,
        '    _require(top.hash == root, "root_matches")\n',
        "",
        (
            "light_clients/records/test_multiproof_vectors.py::test_attack_J12_multiproof_of_the_page_with_any_byte_changed",
        ),
    ),
    Defence(
        "multiproof in Python: no claim is passed over",
        LIBRARY,
        '    _require(walk.claim == len(paths) and node is not None, "every_claim_ends")\n',
        "",
        (f"{PROOF_TESTS}::test_attack_J12_contract_nothing_of_a_multiproof_is_left_over",),
    ),
    Defence(
        "multiproof in Python: no sibling is left over",
        LIBRARY,
        '    _require(walk.sibling == len(proof.siblings), "every_sibling_is_used")\n',
        "",
        (f"{PROOF_TESTS}::test_attack_J12_contract_nothing_of_a_multiproof_is_left_over",),
    ),
)
