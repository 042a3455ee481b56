"""Defences of the fisco-bcos client and of rotating attestors."""

from tests.defences.defence import Defence

PREDICATES = "light_clients/fisco_bcos/predicates.py"
MERKLE = "light_clients/fisco_bcos/merkle.py"
MEMBERSHIP = "light_clients/fisco_bcos/membership.py"
SUITE = "light_clients/fisco_bcos/suite.py"
HEADERS = "light_clients/fisco_bcos/test_fisco_attacks.py"
EVENTS = "light_clients/fisco_bcos/test_fisco_event_attacks.py"
RPC_RECEIPT = "light_clients/fisco_bcos/rpc_receipt.py"
LEAVES = "light_clients/fisco_bcos/test_fisco_leaves.py"
ATTESTATION = "light_clients/attestation/predicates.py"
ROTATION = "light_clients/attestation/test_attestation_rotation.py"
GM_GENESIS = "relay/hub/application/test_hub_gm_genesis.py"
AT_HUB = "relay/hub/application/clients/test_hub_fisco_bcos.py"

FISCO_BCOS = (
    Defence(
        "the root is no lone leaf of a block of many",
        RPC_RECEIPT,
        "        if not self.steps and not self.is_leaf and transactions != 1:\n",
        "        if False:\n",
        (f"{LEAVES}::test_attack_B47_fisco_root_is_no_lone_leaf_unless_the_block_has_one_transaction",),
    ),
    Defence(
        "an inner node of generation 3 is not shown to be a leaf",
        RPC_RECEIPT,
        " and suite.digest(crypto_suite, hashed) == leaf_hash\n",
        "\n",
        (f"{LEAVES}::test_attack_B47_fisco_inner_node_of_generation_3_is_never_shown_to_be_a_leaf",),
    ),
    Defence(
        "fields as long as an inner node's show no leaf",
        RPC_RECEIPT,
        "len(hashed) not in leaf_v3.INNER_NODE_BYTES and ",
        "",
        (f"{LEAVES}::test_attack_B47_fisco_fields_as_long_as_an_inner_node_show_nothing",),
    ),
    Defence(
        "two thirds of the header's own weight",
        PREDICATES,
        "    return total - (total - 1) // 3\n",
        "    return total - total // 3\n",
        (f"{HEADERS}::test_attack_C1_fisco_more_than_two_thirds_passes_and_one_less_fails",),
    ),
    Defence(
        "more than a third of the trusted weight",
        PREDICATES,
        "    return total // 3 + 1\n",
        "    return total // 3\n",
        (f"{HEADERS}::test_attack_C1_fisco_exactly_a_third_of_the_trusted_sealers_fails_and_one_more_passes",),
    ),
    Defence(
        "a sealer signs once",
        PREDICATES,
        "        if index in seen:\n",
        "        if False:\n",
        (f"{HEADERS}::test_attack_C2_fisco_sealer_that_signs_twice_is_refused",),
    ),
    Defence(
        "a sealer is listed once",
        PREDICATES,
        "    if len({sealer.public_key for sealer in sealers}) != len(sealers):\n",
        "    if False:\n",
        (f"{HEADERS}::test_attack_C2_fisco_sealer_listed_twice_is_refused",),
    ),
    Defence(
        "the list of generation 3 is the trusted one",
        PREDICATES,
        "    if tuple(sorted(header.block.sealers)) != trusted:\n",
        "    if False:\n",
        (
            f"{HEADERS}::test_attack_C7_fisco_list_that_the_leader_of_generation_3_made_up_is_refused",
            f"{HEADERS}::test_attack_C7_fisco_extra_data_of_generation_3_cannot_become_sealers",
        ),
    ),
    Defence(
        "expiry of trusted states of FISCO BCOS",
        "light_clients/interface/trusting.py",
        "    if edge_ns <= now_ns:\n",
        "    if edge_ns < now_ns:\n",
        (f"{HEADERS}::test_attack_C10_fisco_trusting_period_at_its_edge",),
    ),
    Defence(
        "the newest state of FISCO BCOS is not made old",
        PREDICATES,
        "    if header.height > latest:\n",
        "    if False:\n",
        (f"{HEADERS}::test_attack_C9_fisco_leader_who_dates_a_block_back_cannot_expire_the_client",),
    ),
    Defence(
        "validators with and without SM2 answer alike",
        "light_clients/fisco_bcos/client.py",
        "        if client.crypto_suite not in self._crypto_suites:\n",
        "        suite.check_installed(client.crypto_suite)\n        if client.crypto_suite not in self._crypto_suites:\n",
        (
            "relay/hub/application/clients/test_hub_fisco_bcos.py::test_attack_G18_hub_answers_alike_with_and_without_the_extra",
        ),
    ),
    Defence(
        "evidence of one block is none",
        PREDICATES,
        "    if first == block_hash(crypto_suite, header_2):\n",
        "    if False:\n",
        (f"{HEADERS}::test_attack_C16_fisco_what_must_not_freeze",),
    ),
    Defence(
        "the key beside an SM2 signature is the sealer's",
        SUITE,
        '    if signature[gm.SIGNATURE_BYTES :] not in (b"", public_key):\n',
        "    if False:\n",
        (f"{HEADERS}::test_attack_D2_fisco_sm2_signature_that_brings_another_key",),
    ),
    Defence(
        "siblings stand at their places",
        MERKLE,
        "            if not _stands_at(sibling, sibling_place, is_leaf=number == 0):\n",
        "            if False:\n",
        (f"{EVENTS}::test_attack_B47_fisco_inner_node_or_shifted_bytes_as_a_leaf",),
    ),
    Defence(
        "the root of an empty tree proves nothing",
        MERKLE,
        '    if not any(root):\n        raise PredicateFailed(name, "the root is not set", got=root)\n    if not 0 <= index',
        "    if not 0 <= index",
        (f"{EVENTS}::test_attack_B11_fisco_proof_under_another_root",),
    ),
    Defence(
        "events of a failed transaction",
        MEMBERSHIP,
        "    if receipt.status != STATUS_SUCCESS:\n",
        "    if False:\n",
        (f"{EVENTS}::test_attack_B37_fisco_event_of_a_transaction_that_failed",),
    ),
    Defence(
        "events of another contract",
        MEMBERSHIP,
        "    if log.address != client.router_address:\n",
        "    if False:\n",
        (f"{EVENTS}::test_attack_B37_fisco_event_of_another_contract",),
    ),
    Defence(
        "events of generation 3",
        MEMBERSHIP,
        "    if client.generation is Generation.V3:\n",
        "    if False:\n",
        (f"{EVENTS}::test_attack_B37_fisco_events_of_generation_3_are_refused_by_name",),
    ),
    Defence(
        "the previous attestors within their window",
        ATTESTATION,
        "    if height > until:\n",
        "    if False:\n",
        (f"{ROTATION}::test_attack_D3_attestation_previous_set_after_its_window",),
    ),
    Defence(
        "two sets under one number freeze",
        ATTESTATION,
        "    return first.set_number == second.set_number and not first.names_set_of(second)\n",
        "    return False\n",
        (f"{ROTATION}::test_attack_D8_attestation_two_sets_with_one_number_freeze",),
    ),
    Defence(
        "rotations are numbered",
        ATTESTATION,
        "    if rotation.set_number != client.set_number + 1:\n",
        "    if False:\n",
        (f"{ROTATION}::test_attack_D3_attestation_rotation_is_used_once_and_none_is_skipped",),
    ),
    Defence(
        "the previous attestors cannot rotate",
        ATTESTATION,
        "    previous = None if kind is AttestationKind.ROTATION else client.as_previous()\n",
        "    previous = client.as_previous()\n",
        (f"{ROTATION}::test_attack_D3_attestation_who_may_rotate",),
    ),
    Defence(
        "rotations from before a recovery",
        "light_clients/attestation/client.py",
        "        set_number = max(old.set_number, new.set_number)\n",
        "        set_number = new.set_number\n",
        (f"{ROTATION}::test_attack_D3_attestation_rotation_from_before_a_recovery",),
    ),
    Defence(
        "the public digest is chosen",
        "light_clients/attestation/digest.py",
        "    if client.digest_form is DigestForm.PUBLIC and kind in (AttestationKind.STATE, AttestationKind.PACKETS):\n",
        "    if kind in (AttestationKind.STATE, AttestationKind.PACKETS):\n",
        (f"{ROTATION}::test_attack_D5_attestation_public_digest_is_good_only_where_it_was_chosen",),
    ),
    Defence(
        "nothing is sent over a client whose chain proves no absence",
        "light_clients/fisco_bcos/client.py",
        "    proves_absence: ClassVar[bool] = False\n",
        "    proves_absence: ClassVar[bool] = True\n",
        (f"{AT_HUB}::test_nothing_is_sent_where_nothing_can_time_out",),
    ),
    Defence(
        "a hub offers what every validator has",
        "light_clients/table.py",
        "    return {client_type: client.without_extras() for client_type, client in LIGHT_CLIENTS.items()}\n",
        "    return dict(LIGHT_CLIENTS)\n",
        (f"{AT_HUB}::test_attack_G18_hub_suite_that_not_every_validator_has_is_refused",),
    ),
    Defence(
        "a hub offers SM2 where its genesis names the library alone",
        "relay/hub/application/application.py",
        "    return clients_with_gm() if genesis.runtime.has_gm else clients_without_extras()\n",
        "    return clients_with_gm()\n",
        (f"{AT_HUB}::test_attack_G18_hub_suite_that_not_every_validator_has_is_refused",),
    ),
    Defence(
        "a library that genesis names is the pinned one",
        "relay/hub/application/revision/consensus_libraries.py",
        "    for distribution, expected in {**PINNED, **besides}.items():\n",
        "    for distribution, expected in PINNED.items():\n",
        (f"{GM_GENESIS}::test_attack_G18_hub_installed_library_of_choice_is_the_pinned_one",),
    ),
    Defence(
        "a genesis that names SM2 fixes its corpus too",
        "relay/hub/application/self_test.py",
        "    return sha256(own + _hash_of(corpus_file(GM_CORPUS))) if with_gm else own\n",
        "    return own\n",
        (f"{GM_GENESIS}::test_attack_G18_hub_genesis_that_names_the_library_and_not_its_corpus_is_refused",),
    ),
    Defence(
        "messages in which SM2 may be pay for it",
        "relay/hub/application/module.py",
        "    byte = gas.GM_MESSAGE_BYTE if is_slow else gas.CLIENT_MESSAGE_BYTE\n",
        "    byte = gas.CLIENT_MESSAGE_BYTE\n",
        (f"{AT_HUB}::test_a_message_in_which_sm2_may_be_pays_for_it",),
    ),
)
