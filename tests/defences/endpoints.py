"""Defences of what the relay brings its endpoints, what it says of them, and what it keeps for when they have nothing more."""

from tests.defences.defence import Defence

ACCESS = "adapters/rpc/test_endpoint_access.py"
CONFIG = "relay/config/test_endpoint_config.py"
BEGINNINGS = "relay/cli/chains/test_path_beginnings.py"
CHAINS = "relay/core/test_many_chains.py"
FORKS = "relay/core/clients/test_fork_watch.py"

ENDPOINTS = (
    Defence(
        "a page of stuck packets goes on after the one before",
        "adapters/hub/stuck.py",
        "            if row.client_id != client_id or row.sequence <= last:\n",
        "            if False:\n",
        ("adapters/hub/test_hub_endless_answers.py::test_attack_G1_hub_stuck_page_that_repeats_is_refused",),
    ),
    Defence(
        "a transaction that an endpoint tells is the asked one",
        "adapters/ics26/execution.py",
        '        if fields.at("hash").data(32) != transaction_hash:\n',
        "        if False:\n",
        ("adapters/ics26/test_ics26_execution.py::test_attack_G1_another_transaction_is_not_the_refused_one",),
    ),
    Defence(
        "a log has the indexed arguments of its event",
        "adapters/ics26/events.py",
        "    if len(log.topics) != 1 + count:\n",
        "    if False:\n",
        ("adapters/ics26/test_malformed_topics.py",),
    ),
    Defence(
        "a secret goes to its host and port alone",
        "adapters/rpc/access.py",
        "            if entry.host == host.lower() and entry.port in (None, port):\n",
        "            if True:\n",
        (f"{ACCESS}::test_attack_G14_a_secret_goes_to_its_host_and_port_alone",),
    ),
    Defence(
        "what a server repeats of a secret is cut out",
        "adapters/rpc/transport.py",
        "            return redacted(answer, target.access)\n",
        "            return answer\n",
        (f"{ACCESS}::test_attack_G14_a_server_that_repeats_the_token_puts_it_into_no_error_and_no_statistics",),
    ),
    Defence(
        "a header's value is one line",
        "adapters/rpc/access.py",
        "    if _VALUE.fullmatch(value) is None:\n",
        "    if False:\n",
        (f"{ACCESS}::test_attack_G14_a_value_that_would_make_a_second_request_is_no_header",),
    ),
    Defence(
        "an authority of its own is the only one",
        "adapters/rpc/access.py",
        "        context = ssl.create_default_context(cafile=authority)\n",
        "        context = ssl._create_unverified_context()\n",
        (f"{ACCESS}::test_parity_row_57_who_lacks_one_of_them_is_not_served",),
    ),
    Defence(
        "secrets do not go in the clear",
        "relay/config/endpoints.py",
        "        if clear is not None and entry.has_secrets and not (entry.allow_plaintext or _is_loopback(host)):\n",
        "        if False:\n",
        (f"{CONFIG}::test_attack_G14_secrets_do_not_go_in_the_clear_unless_it_is_said",),
    ),
    Defence(
        "a URL holds no user",
        "relay/config/fields.py",
        "        if parts.username is not None and parts.scheme in _ENDPOINT_SCHEMES:\n",
        "        if False:\n",
        ("relay/config/test_config.py::test_attack_G14_a_user_stands_in_an_access_entry_and_in_no_url",),
    ),
    Defence(
        "files of access are private",
        "relay/config/load.py",
        "        for number, access in enumerate(chain.access):\n",
        "        for number, access in ():\n",
        (f"{CONFIG}::test_attack_G14_files_of_access_must_be_private_and_there",),
    ),
    Defence(
        "a fork watch looks at each block of the client's chain",
        "relay/core/clients/fork_watch.py",
        "                await self._heads.wait_for_height(height + 1)\n",
        "                await trio.sleep_forever()\n",
        (f"{FORKS}::test_attack_G11_row_29_evidence_stands_two_blocks_after_what_it_is_against",),
    ),
    Defence(
        "a fork watch that cannot compare says so",
        "relay/core/clients/fork_watch.py",
        "                self._see(_blinded_by(error))\n",
        "                self._see(Sight.COMPARED)\n",
        (f"{FORKS}::test_parity_row_75_a_watch_that_cannot_compare_is_seen_until_it_can",),
    ),
    Defence(
        "bytes of a packet in the ledger are compared with its commitment",
        "relay/core/watching/discovery.py",
        "        if packet_commitment(kept.packet) != commitment:\n",
        "        if False:\n",
        (
            "relay/core/history/test_packet_records.py::test_attack_G2_bytes_of_the_ledger_are_compared_with_the_commitment",
        ),
    ),
    Defence(
        "bytes of settled packets go",
        "relay/ledger/writing/packet_records.py",
        "        connection.execute(delete(RecordRow).where(RecordRow.packet_id.in_(chunk)))\n",
        "        pass\n",
        ("relay/ledger/test_ledger_sqlite.py", "relay/core/history/test_packet_records.py"),
    ),
    Defence(
        "a client begins at the pinned block and at no other",
        "relay/administration/beginnings.py",
        "    if pin is not None and states.block_hash != pin.block_hash:\n",
        "    if False:\n",
        (f"{BEGINNINGS}::test_parity_pain_23_another_block_than_the_pinned_one_is_refused",),
    ),
    Defence(
        "first blocks are confirmed by a person",
        "relay/cli/common/confirming.py",
        "        if self.yes or all(one.pinned for one in beginnings):\n",
        "        if True:\n",
        (f"{BEGINNINGS}::test_parity_pain_23_first_blocks_are_shown_and_nothing_is_made_without_a_yes",),
    ),
    Defence(
        "a liveness probe asks for no chain",
        "relay/core/relay.py",
        '            "status": "failing" if self._ended else "ok",\n',
        '            "status": "failing" if self._ended or waiting else "ok",\n',
        (f"{CHAINS}::test_parity_row_30_and_trial_T13_one_dead_chain_at_the_start_is_alive_and_not_ready",),
    ),
)
