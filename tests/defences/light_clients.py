"""Defences of the verifiers: consensus, proofs, signatures, encodings, attestations."""

from tests.defences.defence import Defence

TENDERMINT = "light_clients/tendermint/predicates.py"
COMMITS = "light_clients/tendermint/test_tendermint_commit_attacks.py"
HEADERS = "light_clients/tendermint/test_tendermint_header_attacks.py"
BFT_EVM = "light_clients/bft_evm/predicates.py"
BFT_EVM_TESTS = "light_clients/bft_evm/test_attacks.py"
NEIGHBOURS = "light_clients/proofs/ics23/neighbours.py"
ABSENCE = "light_clients/proofs/test_ics23_absence.py"
WAY = "relay/verify/tendermint_bisection.py"
WAY_TESTS = "relay/cli/audit/test_verify_tendermint_way.py"
BATCH = "light_clients/proofs/test_ics23_batch.py"
CLAIM = "light_clients/proofs/ics23/claim.py"
ATTESTATION = "light_clients/attestation/predicates.py"
IBFT_TESTS = "light_clients/bft_evm/test_ibft_attacks.py"
CLIQUE = "light_clients/clique/predicates.py"
CLIQUE_CLIENT = "light_clients/clique/client.py"
CLIQUE_TESTS = "light_clients/clique/test_clique_attacks.py"
VOTES_TESTS = "light_clients/clique/test_snapshot.py"
ATTESTATION_TESTS = "light_clients/attestation/test_attestation_attacks.py"
ETHEREUM = "light_clients/ethereum/predicates.py"
ETHEREUM_TESTS = "light_clients/ethereum/test_ethereum_attacks.py"
ETHEREUM_STATES = "light_clients/ethereum/test_ethereum_state_attacks.py"
ETHEREUM_KEYS = "light_clients/ethereum/test_ethereum_key_attacks.py"
DIGEST = "light_clients/attestation/digest.py"

TRUSTING = "light_clients/interface/trusting.py"
UPGRADE = "light_clients/tendermint/upgrade.py"
UPGRADE_TESTS = "light_clients/tendermint/test_tendermint_upgrade.py"

LIGHT_CLIENTS = (
    Defence(
        "upgrades into a later revision only",
        UPGRADE,
        "    if got.revision_number <= expected.revision_number:\n",
        "    if got <= expected:\n",
        (f"{UPGRADE_TESTS}::test_attack_C19_upgrade_within_a_revision_or_back",),
    ),
    Defence(
        "what a client chooses is not a relayer's at an upgrade",
        UPGRADE,
        "        trust_level=client.trust_level,\n",
        "        trust_level=chosen.trust_level,\n",
        (f"{UPGRADE_TESTS}::test_attack_C19_fields_that_a_relayer_smuggles_are_not_read",),
    ),
    Defence(
        "an upgrade is proven at the client's last height",
        UPGRADE,
        "{client.latest_height.revision_height}/{item}",
        "6/{item}",
        (f"{UPGRADE_TESTS}::test_attack_C19_client_upgrade_at_another_height_than_the_latest",),
    ),
    Defence(
        "both states of an upgrade are the committed ones",
        UPGRADE,
        "committed_consensus(upgrade.consensus_state),\n        ),\n    ):",
        "committed_consensus(upgrade.consensus_state),\n        ),\n    )[:1]:",
        (f"{UPGRADE_TESTS}::test_attack_C19_consensus_state_of_the_upgrade_is_the_committed_one",),
    ),
    Defence(
        "two thirds of the header's own power",
        TENDERMINT,
        '    _demand(tallied > needed, name, f"signed power of {total}"',
        '    _demand(tallied >= needed, name, f"signed power of {total}"',
        (f"{COMMITS}::test_attack_C1_two_thirds_exactly_is_refused_and_one_more_passes",),
    ),
    Defence(
        "trust level of the trusted power",
        TENDERMINT,
        "    if tallied <= needed:\n        raise InsufficientTrust",
        "    if tallied < needed:\n        raise InsufficientTrust",
        (f"{COMMITS}::test_attack_C1_trust_level_exactly_is_not_enough_and_one_more_passes",),
    ),
    Defence(
        "distinct signers in the trusted set",
        TENDERMINT,
        "        if validator.address in counted:\n",
        "        if False:\n",
        (f"{COMMITS}::test_attack_C2_validator_counted_twice_by_address_in_the_trusted_set",),
    ),
    Defence(
        "expiry of trusted states",
        TRUSTING,
        "    if edge_ns <= now_ns:\n",
        "    if edge_ns < now_ns:\n",
        (f"{HEADERS}::test_attack_C10_trusting_period_at_its_edge",),
    ),
    Defence(
        "headers not from the future",
        TRUSTING,
        "    if timestamp_ns >= bound_ns:\n",
        "    if timestamp_ns > bound_ns:\n",
        (f"{HEADERS}::test_attack_C9_header_time_at_the_drift_bound",),
    ),
    Defence(
        "header time after the trusted time",
        TENDERMINT,
        "        time_ns > trusted_time_ns,\n",
        "        True,\n",
        (f"{HEADERS}::test_attack_C9_header_time_not_after_the_trusted_time",),
    ),
    Defence(
        "one-third overlap with the trusted validators",
        BFT_EVM,
        "    return trusted_validators // 3 + 1\n",
        "    return trusted_validators // 3\n",
        (
            (
                f"{BFT_EVM_TESTS}"
                "::test_attack_C1_bft_evm_exactly_a_third_of_the_trusted_validators_fails_and_one_more_passes"
            ),
        ),
    ),
    Defence(
        "quorum of the header's own validators",
        BFT_EVM,
        "    return (2 * validators + 2) // 3\n",
        "    return 2 * validators // 3\n",
        (f"{BFT_EVM_TESTS}::test_attack_C1_bft_evm_exactly_two_thirds_rounded_up_passes_and_one_less_fails",),
    ),
    Defence(
        "distinct signers of seals",
        BFT_EVM,
        "        if signer in committers:\n",
        "        if False:\n",
        (f"{BFT_EVM_TESTS}::test_attack_C2_bft_evm_validator_that_seals_twice_counts_once_and_is_refused",),
    ),
    Defence(
        "seals by listed validators",
        BFT_EVM,
        "        if signer not in listed:\n",
        "        if False:\n",
        (f"{BFT_EVM_TESTS}::test_attack_C5_bft_evm_seal_of_a_stranger",),
    ),
    Defence(
        "two thirds of a sync committee",
        ETHEREUM,
        "    if got < min_participants:\n",
        "    if False:\n",
        (f"{ETHEREUM_TESTS}::test_attack_C30_participation_of_two_thirds_exactly",),
    ),
    Defence(
        "slots of an update in order",
        ETHEREUM,
        "    if not update.signature_slot > update.attested_slot >= update.finalized_slot:\n",
        "    if not update.signature_slot >= update.attested_slot >= update.finalized_slot:\n",
        (f"{ETHEREUM_TESTS}::test_attack_C31_signature_slot_not_after_the_attested_slot",),
    ),
    Defence(
        "no sync committee period is skipped",
        ETHEREUM,
        "    if signed not in (period, period + 1) or (signed == period + 1 and trusted.next_root is None):\n",
        "    if signed == period + 1 and trusted.next_root is None:\n",
        (f"{ETHEREUM_TESTS}::test_attack_C32_keys_of_an_earlier_committee_open_nothing_after_rotation",),
    ),
    Defence(
        "the sync committee is the trusted one",
        ETHEREUM,
        '    if got != expected:\n        raise PredicateFailed("committee_is_trusted"',
        '    if False:\n        raise PredicateFailed("committee_is_trusted"',
        (f"{ETHEREUM_KEYS}::test_attack_C35_rogue_key_committee_is_not_the_trusted_one",),
    ),
    Defence(
        "a known next sync committee stays",
        ETHEREUM,
        "    if got != trusted.next_root:\n",
        "    if False:\n",
        (f"{ETHEREUM_TESTS}::test_attack_C32_next_committee_is_not_the_known_one",),
    ),
    Defence(
        "a next sync committee counts once a final header elected it",
        "light_clients/ethereum/verification.py",
        "        if finalized_period == period:\n",
        "        if True:\n",
        (f"{ETHEREUM_TESTS}::test_attack_C32_next_committee_that_no_final_header_elected",),
    ),
    Defence(
        "no execution block from the future",
        "light_clients/ethereum/client.py",
        "execution_of(finalized_header_of(shown)).timestamp_s * NANOSECONDS_PER_SECOND\n",
        "1\n",
        (f"{ETHEREUM_STATES}::test_attack_C9_execution_block_from_the_future_is_not_believed",),
    ),
    Defence(
        "no finalized header without a branch",
        ETHEREUM,
        "    if header is None and not update.finality_branch:\n",
        "    if not update.finality_branch:\n",
        (f"{ETHEREUM_STATES}::test_attack_C33_finalized_header_without_a_branch_is_never_proven",),
    ),
    Defence(
        "forks that ruled a believed header are not changed",
        "light_clients/ethereum/forks.py",
        "for fork in network.forks if fork.epoch <= epoch))",
        "for fork in network.forks if fork.epoch < 1))",
        (f"{ETHEREUM_STATES}::test_recovery_may_change_what_is_scheduled_after_the_newest_header",),
    ),
    Defence(
        "an active client takes a schedule and nothing else",
        "light_clients/ethereum/client.py",
        "            replace(new, network=old.network) != old\n",
        "            False\n",
        (
            "relay/hub/application/clients/test_hub_ethereum_client.py::test_active_client_learns_of_a_fork_without_waiting_to_expire",
        ),
    ),
    Defence(
        "infinity is no BLS key",
        "light_clients/crypto/bls.py",
        "    if len(data) != PUBLIC_KEY_BYTES or data[0] & (_COMPRESSED | _INFINITY) != _COMPRESSED:\n",
        "    if len(data) != PUBLIC_KEY_BYTES:\n",
        (
            f"{ETHEREUM_KEYS}::test_attack_C35_committee_with_a_bad_key",
            "light_clients/crypto/test_bls.py::test_infinity_never_counts_as_a_key_or_a_signature",
        ),
    ),
    Defence(
        "nodes before a normalized branch are zero",
        "light_clients/proofs/ssz/branch.py",
        "    if any(node != ZERO_CHUNK for node in branch[:extra]):\n",
        "    if False:\n",
        ("light_clients/proofs/test_ssz.py::test_attack_B46_branch_of_an_earlier_fork_in_a_later_container",),
    ),
    Defence(
        "a branch has the length of its generalized index",
        "light_clients/proofs/ssz/branch.py",
        "    if len(branch) != depth:\n",
        "    if False:\n",
        ("light_clients/proofs/test_ssz.py::test_attack_B45_branch_of_another_depth",),
    ),
    Defence(
        "account proof of the configured router",
        "light_clients/ibc/evm_router.py",
        '    if account is None:\n        raise PredicateFailed("router_account_proven", "the state has no account at',
        '    if account is None:\n        return bytes(31) + b"\\1"\n    if False:\n'
        '        raise PredicateFailed("router_account_proven", "the state has no account at',
        (f"{BFT_EVM_TESTS}::test_attack_B37_bft_evm_account_proof_of_another_address",),
    ),
    Defence(
        "Istanbul's proposer is a validator",
        BFT_EVM,
        "    if proposer not in validators:\n",
        "    if False:\n",
        (f"{IBFT_TESTS}::test_attack_C4_istanbul_proposer_must_be_a_validator",),
    ),
    Defence(
        "contract's list is of the header's own parent",
        "light_clients/bft_evm/contract.py",
        "    if got != header.execution.parent_hash:\n",
        "    if False:\n",
        (f"{IBFT_TESTS}::test_attack_C7_contract_parent_that_is_not_the_headers",),
    ),
    Defence(
        "contract's list is whole",
        "light_clients/bft_evm/contract.py",
        "    if count != len(element_nodes):\n",
        "    count = len(element_nodes)\n    if False:\n",
        (f"{IBFT_TESTS}::test_attack_C1_contract_list_cut_to_fit_the_seals",),
    ),
    Defence(
        "Clique: only signers seal",
        CLIQUE,
        "    if signer not in snapshot.signers:\n",
        "    if False:\n",
        (f"{CLIQUE_TESTS}::test_attack_C5_clique_seal_of_a_stranger",),
    ),
    Defence(
        "Clique: no signer seals too often",
        CLIQUE,
        "    if signer in recents_before(snapshot):\n",
        "    if False:\n",
        (f"{CLIQUE_TESTS}::test_attack_C2_clique_signer_that_seals_too_often",),
    ),
    Defence(
        "Clique: difficulty is the turn's",
        CLIQUE,
        "    if block.execution.difficulty != difficulty:\n",
        "    if False:\n",
        (f"{CLIQUE_TESTS}::test_attack_C51_clique_difficulty_that_is_not_the_turns",),
    ),
    Defence(
        "Clique: enough blocks on top",
        CLIQUE,
        "    if above < confirmations:\n",
        "    if above + 1 < confirmations:\n",
        (f"{CLIQUE_TESTS}::test_attack_C50_clique_too_few_confirmations",),
    ),
    Defence(
        "Clique: a majority on top",
        CLIQUE,
        "    if count < snapshot.limit:\n",
        "    if False:\n",
        (f"{CLIQUE_TESTS}::test_attack_C1_clique_a_minority_is_never_enough",),
    ),
    Defence(
        "Clique: the heaviest branch",
        CLIQUE_CLIENT,
        "        predicates.branch_is_heaviest(client, *_head_of(branch, client))\n",
        "",
        (f"{CLIQUE_TESTS}::test_attack_C51_clique_lighter_branch_is_not_taken_above_what_was_shown",),
    ),
    Defence(
        "Clique: a stale block is no evidence",
        CLIQUE_CLIENT,
        "        if not branch.buries(contradicted.revision_height, client.confirmations):\n",
        "        if False:\n",
        (f"{CLIQUE_TESTS}::test_attack_C50_clique_stale_block_at_a_believed_height_freezes_nobody",),
    ),
    Defence(
        "Clique: a checkpoint forgets votes",
        "light_clients/clique/snapshot.py",
        "    votes = () if is_checkpoint(header.number, epoch_length) else snapshot.votes\n",
        "    votes = snapshot.votes\n",
        (f"{VOTES_TESTS}::test_votes_do_not_survive_a_checkpoint",),
    ),
    Defence(
        "Clique: a dropped signer's votes go with it",
        "light_clients/clique/snapshot.py",
        "if dropped not in (vote.candidate, vote.signer))",
        "if dropped != vote.candidate)",
        (f"{VOTES_TESTS}::test_votes_of_eip_225",),
    ),
    Defence(
        "every proof node is hashed",
        "light_clients/proofs/mpt/trie.py",
        "        if digest != reference:\n",
        "        if False:\n",
        ("light_clients/proofs/test_mpt.py::test_attack_B35_missing_and_reordered_nodes",),
    ),
    Defence(
        "router's account has code",
        "light_clients/ibc/evm_router.py",
        "    if not account.has_code:\n",
        "    if False:\n",
        (f"{BFT_EVM_TESTS}::test_attack_B40_bft_evm_account_without_code_is_no_router",),
    ),
    Defence(
        "neighbours adjacent (branches)",
        NEIGHBOURS,
        "or right_branch != left_branch + 1:",
        "or False:",
        (f"{ABSENCE}::test_attack_B22_branches_of_a_wide_node_with_one_between",),
    ),
    Defence(
        "neighbours adjacent (nothing between)",
        NEIGHBOURS,
        "    return is_right_most(spec, left_below[:-1]) and is_left_most(spec, right_below[:-1])\n",
        "    return True\n",
        (f"{ABSENCE}::test_attack_B22_a_key_between_the_neighbours",),
    ),
    Defence(
        "a path joins the one before it only at the same node",
        CLAIM,
        "if before.nodes[joint] == nodes[-1]:",
        "if True:",
        (f"{BATCH}::test_attack_B15_forged_value_after_an_honest_neighbour",),
    ),
    Defence(
        "steps that a longer path lifts are judged anew",
        CLAIM,
        "if before is None or len(path) > len(before.path) else",
        "if before is None else",
        (f"{BATCH}::test_attack_B5_steps_that_a_longer_path_lifts_are_judged_at_their_new_layers",),
    ),
    Defence(
        "a way's next block has the validators that were announced",
        WAY,
        "header.time_ns, header.next_validators_hash), block",
        "header.time_ns, validator_set_hash(block.validators)), block",
        (f"{WAY_TESTS}::test_attack_C8_next_block_by_validators_that_were_not_announced",),
    ),
    Defence(
        "low-s",
        "light_clients/crypto/secp256k1.py",
        "    if not _scalars_in_range(signature, low_s=not allow_high_s):\n",
        "    if not _scalars_in_range(signature, low_s=False):\n",
        (f"{ATTESTATION_TESTS}::test_attack_D2_attestation_every_signature_has_one_form",),
    ),
    Defence(
        "ABI padding is zero",
        "light_clients/ibc/abi_codec.py",
        "    if padded > len(data) or data[end:padded] != _ZEROS[: padded - end]:\n",
        "    if padded > len(data):\n",
        ("light_clients/ibc/test_abi_codec.py::test_attack_F4_padding_that_is_not_zero_is_another_encoding",),
    ),
    Defence(
        "ABI layout bounded before it is decoded",
        "light_clients/ibc/abi.py",
        "    check_canonical_layout(tuple(types), data, field)\n",
        "",
        ("light_clients/ibc/test_abi.py",),
    ),
    Defence(
        "protobuf re-encoded and compared",
        "light_clients/protobuf/canonical.py",
        "    if message.SerializeToString(deterministic=True) != data:\n",
        "    if False:\n",
        ("light_clients/protobuf/test_canonical.py::test_attack_H_other_encodings_of_a_value",),
    ),
    Defence(
        "frozen check of the attestation client",
        TRUSTING,
        "    if client.is_frozen:\n",
        "    if False:\n",
        (f"{ATTESTATION_TESTS}::test_attack_C17_attestation_frozen_client_does_nothing",),
    ),
    Defence(
        "threshold of attestors",
        ATTESTATION,
        "    if not client.threshold <= count <= len(client.attestors):\n",
        "    if not 1 <= count <= len(client.attestors):\n",
        (f"{ATTESTATION_TESTS}::test_attack_A_attestation_below_the_threshold_or_with_a_verifier_of_its_own",),
    ),
    Defence(
        "threshold is at least one, and more than half",
        "light_clients/attestation/types.py",
        "    if not count < 2 * threshold <= 2 * count:\n",
        "    if not 0 <= 2 * threshold <= 2 * count:\n",
        (f"{ATTESTATION_TESTS}::test_attack_D4_attestation_client_states_with_unfit_sets",),
    ),
    Defence(
        "distinct signers of an attestation",
        ATTESTATION,
        "        if signer <= last:\n",
        "        if False:\n",
        (f"{ATTESTATION_TESTS}::test_attack_D1_attestation_signer_counted_twice",),
    ),
    Defence(
        "signers are attestors",
        ATTESTATION,
        "        if signer not in client.attestors:\n",
        "        if False:\n",
        (f"{ATTESTATION_TESTS}::test_attack_D3_attestation_strangers_and_the_set_before_a_recovery",),
    ),
    Defence(
        "attested times are seconds",
        "light_clients/attestation/types.py",
        "MAX_TIMESTAMP_S = 2**40 - 1\n",
        "MAX_TIMESTAMP_S = 2**64 - 1\n",
        (f"{ATTESTATION_TESTS}::test_attack_D7_attestation_heights_and_units",),
    ),
    Defence(
        "no path twice in a list",
        "light_clients/attestation/types.py",
        "        if any(first >= second for first, second in pairwise(paths)):\n",
        "        if False:\n",
        (f"{ATTESTATION_TESTS}::test_attack_D9_attestation_packet_lists",),
    ),
    Defence(
        "time order of attested states",
        "light_clients/attestation/client.py",
        "    if before is not None and codec",
        "    if False and codec",
        (f"{ATTESTATION_TESTS}::test_attack_C15_attestation_time_order_of_stored_states",),
    ),
    Defence(
        "attested for the height of the proof",
        ATTESTATION,
        "    if packets.height != state.height:\n",
        "    if False:\n",
        (f"{ATTESTATION_TESTS}::test_attack_D7_attestation_heights_and_units",),
    ),
    Defence(
        "domain separation: type tag",
        DIGEST,
        'scope_hash(scope) + kind.to_bytes(32, "big")',
        "scope_hash(scope) + bytes(32)",
        (ATTESTATION_TESTS,),
    ),
    Defence(
        "domain separation: destination client",
        DIGEST,
        "        scope.destination_client_id.encode(),\n",
        "",
        (f"{ATTESTATION_TESTS}::test_attack_D5_attestation_replay_to_every_other_destination",),
    ),
    Defence(
        "domain separation: source router",
        DIGEST,
        "        scope.source_router,\n",
        "",
        (f"{ATTESTATION_TESTS}::test_attack_D5_attestation_replay_to_every_other_destination",),
    ),
)
