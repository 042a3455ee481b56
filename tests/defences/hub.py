"""Defences of the hub: packets, tokens, clients, administration, consensus."""

from tests.defences.defence import Defence

PACKETS = "relay/hub/application/packets/packets.py"
PACKET_TESTS = "relay/hub/application/packets/test_hub_packet_attacks.py"
CLIENTS = "relay/hub/application/clients.py"
CLIENT_TESTS = "relay/hub/application/clients/test_hub_client_attacks.py"
TRANSFER = "relay/hub/application/transfer/app.py"
BANK = "relay/hub/application/transfer/bank.py"
HOSTILE_CHAIN = "relay/hub/application/transfer/test_scenario_hostile_chain_drains_nothing.py"
FROZEN_CLIENT = "relay/hub/application/clients/test_scenario_frozen_client_pays_once.py"

AUDIT_CLIENTS = "relay/hub/application/clients/test_hub_audit_clients.py"

HUB = (
    Defence(
        "one client for each remote client",
        CLIENTS,
        "            if self._proven_store(other) == mine:\n",
        "            if False:\n",
        (f"{AUDIT_CLIENTS}::test_audit_M5_second_client_of_the_same_counterparty_is_refused",),
    ),
    Defence(
        "states from before a recovery are dead at all heights",
        CLIENTS,
        "            generation = Recovered.of(self._store, subject_id).generation + 1\n",
        "            generation = 0\n",
        (f"{AUDIT_CLIENTS}::test_audit_M4_forked_states_above_a_lower_substitute_are_dead",),
    ),
    Defence(
        "receipt check",
        PACKETS,
        "        if self.store.get(receipt_key(packet)) is not None:\n            self.emit(abi.NOOP_EVENT, (), ())\n",
        "        if False:\n            self.emit(abi.NOOP_EVENT, (), ())\n",
        (f"{PACKET_TESTS}::test_attack_E1_hub_receive_twice_by_two_relayers",),
    ),
    Defence(
        "expiry at receive",
        PACKETS,
        "if self.now_s >= packet.timeout_timestamp_s:",
        "if self.now_s > packet.timeout_timestamp_s:",
        (f"{PACKET_TESTS}::test_attack_E2_hub_receive_at_the_timeout_and_a_second_before",),
    ),
    Defence(
        "timeout boundary",
        PACKETS,
        "if timestamp_s < packet.timeout_timestamp_s:",
        "if timestamp_s < packet.timeout_timestamp_s - 1:",
        (f"{PACKET_TESTS}::test_attack_E2_hub_timeout_proven_at_the_timeout_and_a_second_before",),
    ),
    Defence(
        "commitment deleted at settlement",
        PACKETS,
        "        self._delete_path(key)\n        self.quotas",
        "        self.quotas",
        (f"{PACKET_TESTS}::test_attack_E4_hub_acknowledge_twice_and_timeout_after_it",),
    ),
    Defence(
        "commitment compared at settlement",
        PACKETS,
        "        if stored != expected:\n            raise CommitmentMismatch",
        "        if False:\n            raise CommitmentMismatch",
        (f"{PACKET_TESTS}::test_attack_E5_hub_acknowledge_with_one_field_changed",),
    ),
    Defence(
        "counterparty check",
        PACKETS,
        "        if expected != other_client:\n",
        "        if False:\n",
        (f"{PACKET_TESTS}::test_attack_E7_hub_packet_of_one_client_presented_at_another",),
    ),
    Defence(
        "pause",
        PACKETS,
        "        if self.paused:\n",
        "        if False:\n",
        (f"{PACKET_TESTS}::test_attack_E20_hub_pause_loses_nothing_and_timeouts_go_on_after_it",),
    ),
    Defence(
        "one payload a packet",
        PACKETS,
        "    if len(packet.payloads) != 1:\n",
        "    if False:\n",
        (f"{PACKET_TESTS}::test_attack_E9_hub_packet_with_two_payloads",),
    ),
    Defence(
        "frozen check before leg 2",
        PACKETS,
        "        self.clients.require_active(source_client)\n",
        "",
        (f"{PACKET_TESTS}::test_attack_E14_hub_forward_to_a_client_that_cannot_carry_it",),
    ),
    Defence(
        "bound on the forward's timeout",
        PACKETS,
        "if not self.now_s < timeout_s <= self.now_s + self.MAX_HORIZON_S:",
        "if not self.now_s < timeout_s:",
        (f"{PACKET_TESTS}::test_attack_E13_hub_forward_with_a_timeout_that_is_invalid",),
    ),
    Defence(
        "a share of a quota",
        "relay/hub/application/packets/shared_quotas.py",
        "            raise ShareExceeded(client_id, charge, share, free)\n",
        "            pass\n",
        (
            "relay/hub/application/packets/test_hub_shared_quotas.py::test_audit_M1_one_origin_does_not_shut_a_chain_for_others",
        ),
    ),
    Defence(
        "redemptions are counted apart",
        "relay/hub/application/packets/shared_quotas.py",
        "        if denom.is_returning(TRANSFER_PORT, next_client):\n",
        "        if False:\n",
        (
            "relay/hub/application/packets/test_hub_shared_quotas.py::test_audit_M1_tokens_on_their_way_home_are_counted_apart",
        ),
    ),
    Defence(
        "near timeouts of a greedy share",
        "relay/hub/application/packets/shared_quotas.py",
        "            raise TimeoutTooFar(client_id, charge, share, timeout_s, now_s + GREEDY_HORIZON_S)\n",
        "            pass\n",
        (
            "relay/hub/application/packets/test_hub_shared_quotas.py::test_who_holds_much_may_only_send_what_is_settled_soon",
        ),
    ),
    Defence(
        "quota per client",
        PACKETS,
        "        self.quotas.check(source_client, payload, origin, timeout_s, self.now_s)\n",
        "",
        (
            "relay/hub/application/packets/test_hub_quotas.py::test_over_quota_is_an_error_acknowledgement_with_the_reason",
        ),
    ),
    Defence(
        "quota given back once, at settlement",
        PACKETS,
        "        self.quotas.packet_settled(packet)\n",
        "",
        (
            (
                "relay/hub/application/packets/test_hub_quotas.py"
                "::test_attack_E19_quota_never_blocks_a_settlement_or_a_refund_and_is_given_back_once"
            ),
        ),
    ),
    Defence(
        "stamp written from the proven packet (origin client)",
        "relay/hub/application/packets/forwarder.py",
        "            client_id=packet.destination_client,\n",
        "            client_id=packet.source_client,\n",
        (f"{PACKET_TESTS}::test_attack_F11_hub_stamp_names_the_proven_origin_whatever_the_sender_writes",),
    ),
    Defence(
        "stamp written from the proven packet (source port)",
        "relay/hub/application/packets/forwarder.py",
        "            source_port=payload.source_port,\n",
        "            source_port=request.destination_port,\n",
        (f"{PACKET_TESTS}::test_attack_F11_hub_stamp_names_the_proven_origin_whatever_the_sender_writes",),
    ),
    Defence(
        "no way back to the client that it came from",
        "relay/hub/application/packets/routes.py",
        "    if next_client == leg_1.destination_client:\n",
        "    if False:\n",
        (
            "relay/hub/application/transfer/test_hub_token_attacks.py::test_attack_E18_hub_a_memo_cannot_make_tokens_go_in_circles",
        ),
    ),
    Defence(
        "escrow per client",
        BANK,
        "        return keys.transfer_escrow_key(self.client_id, denom.digest)\n",
        '        return keys.transfer_escrow_key("bft-evm-0", denom.digest)\n',
        (f"{HOSTILE_CHAIN}::test_attack_F2_c_brings_home_a_token_that_it_was_never_sent",),
    ),
    Defence(
        "supply bounded to 256 bits",
        BANK,
        "            if supply + amount > MAX_SUPPLY:\n",
        "            if False:\n",
        (f"{HOSTILE_CHAIN}::test_attack_F1_c_mints_up_to_256_bits_and_no_more_and_nobody_else_feels_it",),
    ),
    Defence(
        "tokens come from port transfer only",
        TRANSFER,
        "    if payload.source_port != TRANSFER_PORT:\n",
        "    if False:\n",
        (f"{HOSTILE_CHAIN}::test_attack_F2_another_port_of_a_s_router_mints_nothing",),
    ),
    Defence(
        "received denominations are prefixed with the client",
        TRANSFER,
        "sent.prefixed(payload.destination_port, packet.destination_client), Supply()",
        "sent, Supply()",
        (f"{HOSTILE_CHAIN}::test_attack_F9_two_chains_with_one_token_address_get_two_vouchers",),
    ),
    Defence(
        "forwarded sender stands under its chain",
        TRANSFER,
        '        sender = f"{packet.destination_client}/{arrival.data.sender}"\n',
        "        sender = arrival.data.sender\n",
        (
            (
                "relay/hub/application/transfer/test_hub_denom_attacks.py"
                "::test_attack_F11_hub_a_forwarded_sender_stands_under_the_chain_that_was_proven"
            ),
        ),
    ),
    Defence(
        "frozen check of every proof",
        CLIENTS,
        "        if status is not ClientStatus.ACTIVE:\n            raise ClientNotActive",
        "        if False:\n            raise ClientNotActive",
        (f"{FROZEN_CLIENT}::test_a_double_spend_of_a_frozen_client_is_refused_and_the_stuck_packet_settles_once",),
    ),
    Defence(
        "consensus floor after recovery",
        CLIENTS,
        "return None if height < self._floor else self._store.get(self._prefix + height.to_key())",
        "return self._store.get(self._prefix + height.to_key())",
        (f"{AUDIT_CLIENTS}::test_attack_C17_hub_by_earlier_rules_states_below_the_floor_are_dead",),
    ),
    Defence(
        "attestation client under its own identifier only",
        CLIENTS,
        "        light_client.check_destination(client_state, Destination(chain_id, router, client_id))\n",
        "",
        (
            (
                "relay/hub/application/clients/test_hub_attestation_attacks.py"
                "::test_attack_D5_hub_client_is_created_only_as_what_its_scope_names"
            ),
        ),
    ),
    Defence(
        "substitute newer than the subject",
        CLIENTS,
        "        elif latest <= replaced:\n",
        "        elif False:\n",
        (f"{AUDIT_CLIENTS}::test_audit_M4_before_rules_version_3_it_was_for_ever",),
    ),
    Defence(
        "counterparty registered once",
        CLIENTS,
        '        if self._store.get(key) is not None:\n            raise PredicateFailed("counterparty_registered_once"',
        '        if False:\n            raise PredicateFailed("counterparty_registered_once"',
        (f"{PACKET_TESTS}::test_attack_E14_hub_counterparty_registered_twice_by_a_stranger_or_with_an_empty_prefix",),
    ),
    Defence(
        "threshold of the admins is at least one",
        "relay/hub/application/admin.py",
        "        if not 1 <= self.threshold <= len(self.addresses):\n",
        "        if not 0 <= self.threshold <= len(self.addresses):\n",
        (f"{CLIENT_TESTS}::test_attack_D4_hub_admin_set_with_a_threshold_that_is_invalid",),
    ),
    Defence(
        "native modules not by DELEGATECALL or CALLCODE",
        "relay/evm/vm/rules.py",
        "    if not module.address == message.code_address == message.storage_address == message.to:\n",
        "    if False:\n",
        (
            "relay/hub/application/machine/test_hub_native_modules.py::test_attack_native_delegatecall_to_the_hubs_modules",
        ),
    ),
    Defence(
        "last-signed record on disk before a signature leaves",
        "relay/hub/engine/signer.py",
        "        write_durably(self._home / LAST_SIGNED_FILE, encode_last_signed(record))\n",
        "",
        (
            "relay/hub/application/test_hub_determinism.py::test_attack_C45_hub_crash_at_each_write_point_never_signs_twice",
        ),
    ),
    Defence(
        "what is sent can be settled",
        "relay/hub/application/transfer/app.py",
        "    if len(value) > MAX_VALUE_BYTES:\n",
        "    if False:\n",
        (
            "relay/hub/application/transfer/test_hub_token_audit.py::test_attack_E18_hub_json_that_outgrows_its_settlement_is_not_sent",
        ),
    ),
    Defence(
        "what is sent can come home",
        "relay/hub/application/transfer/app.py",
        "        denom.prefixed(TRANSFER_PORT, _LONGEST_CLIENT_ID)\n",
        "        pass\n",
        (
            "relay/hub/application/transfer/test_hub_token_audit.py::test_attack_F3_hub_sends_no_denomination_that_could_not_come_home",
        ),
    ),
    Defence(
        "no refusal in the interpreter's words",
        "light_clients/interface/json_text.py",
        '        raise MalformedInput(field, "is not JSON") from error\n',
        '        raise MalformedInput(field, f"is not JSON: {error}") from error\n',
        (
            "relay/hub/application/transfer/test_hub_token_audit.py::test_attack_H_hub_a_memo_cannot_split_validators_of_two_pythons",
        ),
    ),
)
