"""Defences of the contracts; turning one off recompiles the contracts that use its file."""

from tests.defences.defence import Defence

ROUTER = "contracts/src/Router.sol"
STORE = "contracts/src/PacketStore.sol"
MAILBOX = "contracts/src/apps/Mailbox.sol"
HUB_CLIENT = "contracts/src/clients/HubClient.sol"
COMMIT = "contracts/src/libraries/TendermintCommit.sol"
SMT = "contracts/src/libraries/Ics23Smt.sol"
ATTESTATION = "contracts/src/clients/AttestationClient.sol"
PACKETS = "contracts/test_router_packets.py"
CLIENTS = "contracts/test_router_clients.py"
MAILBOX_TESTS = "contracts/test_mailbox.py"
HEADERS = "contracts/clients/test_hub_client_headers.py"
PROOFS = "contracts/clients/test_hub_client_proofs.py"
ATTESTATION_TESTS = "contracts/clients/test_attestation_client.py"

AUDIT_CLIENTS = "contracts/clients/test_audit_clients.py"
REGISTRY = "contracts/src/ClientRegistry.sol"

CONTRACTS = (
    Defence(
        "the receiver gets the gas that was asked for",
        MAILBOX,
        "        if (gasleft() < receiveGas * 64 / 63 + CALL_OVERHEAD) _revertWithoutReason();\n",
        "        if (gasleft() < MIN_CALLBACK_GAS * 64 / 63 + CALL_OVERHEAD) _revertWithoutReason();\n",
        (
            "contracts/test_parity_receive_gas.py::test_parity_row_16_a_relayer_that_gives_less_than_was_asked_settles_nothing",
        ),
    ),
    Defence(
        "one client for each remote client",
        REGISTRY,
        "        require(bytes(bound).length == 0, CounterpartyTaken(remoteClientId, bound));\n",
        "",
        (f"{AUDIT_CLIENTS}::test_audit_M5_contract_second_client_of_the_same_counterparty_is_refused",),
    ),
    Defence(
        "receipt check",
        STORE,
        "        if (stored == receipt) return false;\n        require(stored == 0, "
        "IBCPacketReceiptMismatch(stored, receipt));\n",
        "",
        (f"{PACKETS}::test_attack_E1_contract_receive_twice",),
    ),
    Defence(
        "expiry at receive",
        ROUTER,
        "            packet.timeoutTimestamp > block.timestamp,\n",
        "            packet.timeoutTimestamp >= block.timestamp,\n",
        (f"{PACKETS}::test_attack_E2_contract_receive_at_the_timeout",),
    ),
    Defence(
        "timeout boundary",
        ROUTER,
        "            counterpartyTimestamp >= packet.timeoutTimestamp,\n",
        "            counterpartyTimestamp >= packet.timeoutTimestamp - 1,\n",
        (f"{PACKETS}::test_attack_E2_contract_timeout_before_its_time",),
    ),
    Defence(
        "commitment deleted before the callback",
        STORE,
        "        delete values[slot];\n        return true;\n",
        "        return true;\n",
        (
            f"{PACKETS}::test_attack_E11_contract_commitment_is_gone_before_the_callback",
            f"{PACKETS}::test_attack_E4_contract_settlement_happens_once",
        ),
    ),
    Defence(
        "reentrancy guard",
        ROUTER,
        "    function recvPacket(MsgRecvPacket calldata msg_) external nonReentrant whenNotPaused",
        "    function recvPacket(MsgRecvPacket calldata msg_) external whenNotPaused",
        (f"{PACKETS}::test_attack_E11_contract_receive_callback_calls_back",),
    ),
    Defence(
        "gas starvation rule",
        ROUTER,
        "            require(size != 0 && gasleft() >= gasBefore / MIN_UNUSED_GAS_FRACTION, IBCFailedCallback());\n",
        "",
        (f"{PACKETS}::test_attack_E12_contract_callback_without_a_reason_leaves_the_packet",),
    ),
    Defence(
        "a batch call gets its gas",
        ROUTER,
        "            require(available >= needed, InsufficientBatchGas(i, available, needed));\n",
        "            if (available < needed) needed = available;\n",
        (f"{CLIENTS}::test_attack_E12_contract_batch_with_too_little_gas_reverts_whole",),
    ),
    Defence(
        "batches hold relay calls only",
        ROUTER,
        "            _checkBatchSelector(i, calls[i].data);\n",
        "",
        (f"{CLIENTS}::test_attack_F12_contract_batches_hold_relay_calls_only",),
    ),
    Defence(
        "counterparty check",
        ROUTER,
        "            Identifiers.equal(counterparty.clientId, remoteClient),\n",
        "            true,\n",
        (f"{PACKETS}::test_attack_E7_contract_packet_at_another_client_with_the_same_counterparty", PACKETS),
    ),
    Defence(
        "stamp check: source port",
        MAILBOX,
        '        require(stamp.sourcePort.equal(Gmp.PORT), InvalidStamp("sourcePort"));\n',
        "",
        (f"{MAILBOX_TESTS}::test_attack_stamp_forgery_contract",),
    ),
    Defence(
        "stamp check: hub client",
        MAILBOX,
        "            bytes(_hubClientId).length != 0 && msg_.destinationClient.equal(_hubClientId),\n",
        "            bytes(_hubClientId).length != 0,\n",
        (f"{MAILBOX_TESTS}::test_attack_stamp_forgery_contract_forwarder_of_another_chain",),
    ),
    Defence(
        "stamp check: known peer",
        MAILBOX,
        "        require(bytes(chain).length != 0, UnknownPeer(stamp.clientId));\n",
        "",
        (MAILBOX_TESTS,),
    ),
    Defence(
        "system contracts are never called (Poly)",
        MAILBOX,
        "receiver != address(this) && !ROUTER.isSystemContract(receiver),",
        "receiver != address(this),",
        (f"{MAILBOX_TESTS}::test_attack_A_contract_poly_system_contracts_are_never_called",),
    ),
    Defence(
        "caller check of callbacks",
        MAILBOX,
        "        require(msg.sender == address(ROUTER), OnlyRouter(msg.sender));\n",
        "",
        (f"{MAILBOX_TESTS}::test_attack_F11_contract_callbacks_are_the_routers",),
    ),
    Defence(
        "two thirds of the header's own power",
        COMMIT,
        "            signedPower += tally.validators[i].power;\n            if (signedPower > needed) return;\n",
        "            signedPower += tally.validators[i].power;\n            if (signedPower >= needed) return;\n",
        (f"{HEADERS}::test_attack_C1_contract_two_thirds_exactly_is_too_little",),
    ),
    Defence(
        "trust level of the trusted power",
        COMMIT,
        "            signedPower += trusted[index].power;\n            if (signedPower > needed) return;\n",
        "            signedPower += trusted[index].power;\n            if (signedPower >= needed) return;\n",
        (f"{HEADERS}::test_attack_C1_contract_trust_level_exactly_is_too_little",),
    ),
    Defence(
        "low-s",
        COMMIT,
        "            uint256(signature.s) <= HALF_ORDER && signer != address(0)\n",
        "            signer != address(0)\n",
        (f"{HEADERS}::test_attack_D2_contract_high_s_twin_of_a_valid_signature",),
    ),
    Defence(
        "distinct keys in a validator set",
        COMMIT,
        '            require(_isNew(table, validators, i), IHubClient.InvalidValidatorSet("a key stands twice"));\n',
        "",
        (f"{HEADERS}::test_attack_C2_contract_refuses_a_doubled_key_without_its_encoder",),
    ),
    Defence(
        "frozen check",
        HUB_CLIENT,
        "        require(!_frozen, FrozenClient());\n",
        "",
        (f"{HEADERS}::test_attack_C17_contract_valid_evidence_freezes_for_good",),
    ),
    Defence(
        "expiry of trusted states",
        HUB_CLIENT,
        "        require(expiresAt > _nowNs(), TrustedStateExpired(expiresAt, _nowNs()));\n",
        "",
        (f"{HEADERS}::test_attack_C10_contract_expired_trusted_state_while_a_newer_is_fresh",),
    ),
    Defence(
        "headers not from the future",
        HUB_CLIENT,
        "        require(headerNs < limitNs, HeaderFromFuture(headerNs, limitNs));\n",
        "",
        (f"{HEADERS}::test_attack_C9_contract_time_at_and_around_the_drift",),
    ),
    Defence(
        "SMT neighbours adjacent",
        SMT,
        "            _requireAdjacent(proof.left, proof.right);\n",
        "",
        (f"{PROOFS}::test_attack_B22_contract_neighbours_with_a_key_between_swapped_identical",),
    ),
    Defence(
        "SMT lone neighbour is the outermost",
        SMT,
        "            require(_isLeftMost(proof.right, proof.right.siblings.length), "
        'IHubClient.InvalidProof("not left-most"));\n',
        "",
        (f"{PROOFS}::test_attack_B21_contract_lone_neighbour_that_is_not_the_outermost",),
    ),
    Defence(
        "distinct signers of an attestation",
        ATTESTATION,
        "            require(signer > last, SignersNotAscending(i, signer));\n",
        "",
        (f"{ATTESTATION_TESTS}::test_attack_D1_contract_signer_counted_twice",),
    ),
    Defence(
        "threshold of attestors",
        ATTESTATION,
        "count != 0 && count >= _threshold\n",
        "count != 0\n",
        (f"{ATTESTATION_TESTS}::test_attack_A_contract_below_the_threshold_or_with_a_verifier_of_its_own",),
    ),
    Defence(
        "threshold is at least one, and more than half",
        ATTESTATION,
        "            clientState.threshold <= count && uint256(clientState.threshold) * 2 > count,\n",
        "            clientState.threshold <= count,\n",
        (f"{ATTESTATION_TESTS}::test_attack_D4_contract_constructor_refuses_unfit_states", ATTESTATION_TESTS),
    ),
    Defence(
        "low-s of attestations",
        "contracts/src/libraries/Attested.sol",
        "        if (s > HALF_ORDER || (v != 27 && v != 28)) return address(0);\n",
        "        if (v != 27 && v != 28) return address(0);\n",
        (f"{ATTESTATION_TESTS}::test_attack_D2_contract_every_signature_has_one_form",),
    ),
    Defence(
        "attested for the height of the proof",
        ATTESTATION,
        '        require(attestedHeight == height.revisionHeight, InvalidProof("attested at another height"));\n',
        '        require(attestedHeight != 0, InvalidProof("attested at another height"));\n',
        (f"{ATTESTATION_TESTS}::test_attack_D7_contract_heights_and_units",),
    ),
    Defence(
        "attestation client under its own identifier only",
        "contracts/src/ClientRegistry.sol",
        "        require(IClientStatus(client).servesClient(address(this), clientId), InvalidLightClient(client));\n",
        "        require(bytes(clientId).length != 0, InvalidLightClient(client));\n",
        (
            (
                "contracts/test_attested_lane.py"
                "::test_attack_D5_contract_router_takes_a_client_only_under_its_own_identifier"
            ),
        ),
    ),
    Defence(
        "domain separation: this chain",
        ATTESTATION,
        "        require(block.chainid == _chainId, WrongChainId(_chainId, block.chainid));\n",
        "",
        (f"{ATTESTATION_TESTS}::test_attack_D5_contract_fork_of_this_chain",),
    ),
)
