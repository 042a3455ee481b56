"""Defences of the bitcoin client: rules over headers, most work, the transaction tree, who may publish."""

from tests.defences.defence import Defence

HEADERS = "light_clients/bitcoin/predicates.py"
VERIFICATION = "light_clients/bitcoin/verification.py"
WORK = "light_clients/bitcoin/work.py"
CHAIN = "light_clients/bitcoin/chain.py"
MERKLE = "light_clients/bitcoin/merkle.py"
MESSAGES = "light_clients/bitcoin/messages.py"
MEMBERSHIP = "light_clients/bitcoin/membership.py"
ATTACKS = "light_clients/bitcoin/test_bitcoin_attacks.py"
TREE = "light_clients/bitcoin/test_bitcoin_merkle.py"
RULES = "light_clients/bitcoin/test_bitcoin_work.py"
HUB = "relay/hub/application/clients/test_hub_bitcoin_client.py"

BITCOIN = (
    Defence(
        "bits as the chain demands",
        HEADERS,
        "    if header.bits != expected:\n",
        "    if target_of(header.bits) > target_of(expected) * 4:\n",
        (f"{ATTACKS}::test_attack_C51_bitcoin_fork_of_low_difficulty",),
    ),
    Defence(
        "retarget clamp",
        WORK,
        "    timespan_s = min(max(last_time_s - first_time_s, least), most)\n",
        "    timespan_s = max(last_time_s - first_time_s, least)\n",
        (f"{RULES}::test_difficulty_falls_at_most_fourfold",),
    ),
    Defence(
        "testnet4 keeps the difficulty of the period's first block",
        WORK,
        "        base = parent.period_first_bits if parameters.enforces_bip94 else parent.bits\n",
        "        base = parent.bits\n",
        (f"{RULES}::test_retarget_of_testnet3_starts_from_the_last_block_and_of_testnet4_from_the_first",),
    ),
    Defence(
        "no time warp at a period's start",
        CHAIN,
        "    if run.parameters.enforces_bip94:\n",
        "    if False:\n",
        (f"{RULES}::test_attack_C51_bitcoin_time_warp_at_the_boundary_is_refused_where_bip94_holds",),
    ),
    Defence(
        "headers name their parents",
        HEADERS,
        "    if header.previous_block_hash != parent_hash:\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_C53_bitcoin_valid_work_on_another_parent",),
    ),
    Defence(
        "the hash meets the target",
        HEADERS,
        "    if not meets_target(block_hash, target):\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_C53_bitcoin_work_that_misses_the_target",),
    ),
    Defence(
        "later than the median",
        HEADERS,
        "    if header.time_s <= parent.median_time_past_s:\n",
        "    if header.time_s < parent.median_time_past_s:\n",
        (f"{ATTACKS}::test_attack_C9_bitcoin_header_time_at_its_two_bounds",),
    ),
    Defence(
        "confirmation depth",
        HEADERS,
        "    if depth < needed:\n",
        "    if depth < needed - 1:\n",
        (f"{ATTACKS}::test_attack_C51_bitcoin_too_few_confirmations",),
    ),
    Defence(
        "a lighter fork neither replaces nor freezes",
        VERIFICATION,
        "    if not heavier:\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_C50_bitcoin_lighter_or_equal_fork_neither_replaces_nor_freezes",),
    ),
    Defence(
        "a heavier chain without a believed block freezes",
        VERIFICATION,
        "        if codec.decode_consensus_state(found[1]).block_hash != run.at(at).block_hash:\n",
        "        if False:\n",
        (f"{ATTACKS}::test_attack_C50_bitcoin_reorganisation_below_the_depth_after_delivery_stops_the_route",),
    ),
    Defence(
        "no node repeats its left neighbour",
        MERKLE,
        "            if sibling == node:\n",
        "            if False:\n",
        (f"{TREE}::test_attack_B45_bitcoin_last_leaf_of_an_odd_level_stands_at_one_place",),
    ),
    Defence(
        "no repeated node in partial trees",
        MERKLE,
        "        if left == right:\n",
        "        if False:\n",
        (f"{TREE}::test_attack_B45_bitcoin_block_with_its_tail_repeated_has_no_root_for_us",),
    ),
    Defence(
        "no transaction of 64 bytes",
        MERKLE,
        "    if len(transaction.serialized) == AMBIGUOUS_TRANSACTION_BYTES:\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_B47_bitcoin_transaction_of_64_bytes_commits_to_nothing",),
    ),
    Defence(
        "leaves are as deep as the coinbase",
        MERKLE,
        "    if len(branch.siblings) != steps:\n",
        "    if False:\n",
        (f"{TREE}::test_attack_B47_bitcoin_leaf_below_a_64_byte_transaction_fails_at_the_coinbases_depth",),
    ),
    Defence(
        "the publisher's output is spent",
        MESSAGES,
        "    if script != publisher_script:\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_B37_bitcoin_message_that_the_publisher_did_not_pay_for",),
    ),
    Defence(
        "the spent output is the funding transaction's",
        MESSAGES,
        "    if spent.txid != funding.txid:\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_B37_bitcoin_funding_transaction_of_another_output",),
    ),
    Defence(
        "headers of a proof end in the believed block",
        MEMBERSHIP,
        "    if hashes[-1] != state.block_hash:\n",
        "    if False:\n",
        (f"{ATTACKS}::test_attack_B11_bitcoin_proof_at_another_block",),
    ),
    Defence(
        "nothing is sent where nothing can time out",
        "relay/hub/application/packets/packets.py",
        "        self.clients.require_timeouts(source_client)\n",
        "",
        (f"{HUB}::test_nothing_is_sent_where_nothing_can_time_out",),
    ),
)
