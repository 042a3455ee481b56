"""Defences of the hub's application under CometBFT."""

from tests.defences.defence import Defence

SERVER = "relay/hub/abci/server.py"
CALLS = "relay/hub/abci/calls.py"
POOL = "relay/hub/abci/pool.py"
TESTS = "relay/hub/abci/test_abci_server.py"
FRAMING_TESTS = "relay/hub/abci/test_abci_framing.py"
HOME_TESTS = "relay/hub/abci/test_cometbft_home.py"

ABCI = (
    Defence(
        "blocks in the order of nonces",
        CALLS,
        "prepare_proposal(pool.candidates(), request.max_tx_bytes)",
        "prepare_proposal(reversed(list(pool.candidates())), request.max_tx_bytes)",
        (f"{TESTS}::test_a_block_takes_a_senders_transactions_by_nonce_whatever_order_cometbft_has_them_in",),
    ),
    Defence(
        "a replaced transaction leaves CometBFT's pool",
        POOL,
        "                self._add(transaction, self._application.check_sender(transaction))\n",
        "                self._application.check_sender(transaction)\n",
        (f"{TESTS}::test_a_transaction_that_was_replaced_leaves_cometbfts_pool_at_the_next_recheck",),
    ),
    Defence(
        "what was in a block for nothing is forgotten",
        POOL,
        "            if transaction_hash not in included:\n",
        "            if False:\n",
        (f"{TESTS}::test_what_was_in_a_block_for_nothing_is_forgotten",),
    ),
    Defence(
        "the pool ends with its CometBFT",
        SERVER,
        '            if kind == "check_tx" and self._pool_owner is not stream:\n',
        "            if False:\n",
        (f"{TESTS}::test_the_pool_is_that_of_one_mempool_connection",),
    ),
    Defence(
        "strangers' requests halt nothing",
        CALLS,
        "        if kind not in FORGIVING_CALLS:\n",
        "        if True:\n",
        (f"{TESTS}::test_a_defect_that_a_stranger_finds_refuses_his_request_and_halts_nothing",),
    ),
    Defence(
        "connections bounded",
        SERVER,
        "        if self._open >= MAX_CONNECTIONS:\n",
        "        if False:\n",
        (f"{TESTS}::test_attack_H_abci_connections_are_bounded",),
    ),
    Defence(
        "request length bounded",
        "relay/hub/abci/framing.py",
        "        if length > MAX_REQUEST_BYTES and self._buffer[start] != _CHUNK_TAG:\n",
        "        if False:\n",
        (f"{FRAMING_TESTS}::test_attack_H_abci_a_length_is_bounded_before_its_bytes_come",),
    ),
    Defence(
        "CometBFT's genesis compared",
        "relay/hub/abci/machine.py",
        "        check_genesis(self.genesis, request)\n",
        "",
        (f"{TESTS}::test_another_genesis_in_cometbft_is_refused_by_the_field_and_the_process_ends",),
    ),
    Defence(
        "loopback only",
        "relay/hub/abci/address.py",
        "    if not loopback:\n",
        "    if False:\n",
        ("relay/hub/abci/test_cometbft_home.py::test_attack_H_abci_the_applications_door_is_not_open_to_the_network",),
    ),
    Defence(
        "genesis and chain do not mix",
        "relay/hub/abci/machine.py",
        "        if self.application.state.view_at(height).get(GENESIS_KEY) != self.genesis.digest:\n",
        "        if False:\n",
        (f"{TESTS}::test_the_database_of_another_genesis_is_refused",),
    ),
)
