"""Defences of feeds: in the contract, and in the library that auditors and pushers use."""

from tests.defences.defence import Defence

CONTRACT = "contracts/src/apps/Feed.sol"
LIBRARY = "contracts/src/libraries/Feeds.sol"
PREDICATES = "light_clients/feeds/predicates.py"
TESTS = "contracts/feed/test_feed.py"
PYTHON_TESTS = "light_clients/feeds/test_feeds.py"

FEEDS = (
    Defence(
        "a round needs the threshold of reports",
        LIBRARY,
        "            count >= feed.threshold && count <= signers.length,\n",
        "            count != 0 && count <= signers.length,\n",
        (f"{TESTS}::test_attack_F18_contract_one_report_too_few_makes_no_round",),
    ),
    Defence(
        "a threshold is more than half of the signers",
        LIBRARY,
        "threshold <= count && 2 * threshold > count,",
        "threshold <= count && threshold != 0,",
        (f"{TESTS}::test_descriptions_have_bounds",),
    ),
    Defence(
        "a signer of a feed counts once in a round",
        LIBRARY,
        "            require(account > last, IFeed.SignersNotAscending(i, account, last));\n",
        "",
        (f"{TESTS}::test_attack_F18_contract_a_signer_counts_once",),
    ),
    Defence(
        "a signer is there once in a description",
        LIBRARY,
        '            require(feed.signers[i] > last, IFeed.InvalidDescription("signers"));\n',
        '            require(feed.signers[i] >= last, IFeed.InvalidDescription("signers"));\n',
        (f"{TESTS}::test_descriptions_have_bounds",),
    ),
    Defence(
        "strangers report nothing",
        LIBRARY,
        "            require(next < signers.length && signers[next] == account, IFeed.NotSigner(i, account));\n",
        "",
        (
            f"{TESTS}::test_attack_F18_contract_a_stranger_reports_nothing",
            f"{TESTS}::test_attack_F19_contract_reports_bind_feed_round_and_value",
        ),
    ),
    Defence(
        "a report binds its feed",
        LIBRARY,
        "keccak256(abi.encode(REPORT_TYPEHASH, id, time, value))",
        "keccak256(abi.encode(REPORT_TYPEHASH, bytes32(0) & id, time, value))",
        (
            f"{TESTS}::test_attack_F19_contract_reports_bind_feed_round_and_value",
            f"{TESTS}::test_contract_and_library_give_one_id_and_one_digest",
        ),
    ),
    Defence(
        "a round far ahead is refused",
        CONTRACT,
        "        require(roundTime <= limit, FromFuture(roundTime, limit));\n",
        "        require(roundTime <= type(uint64).max, FromFuture(roundTime, limit));\n",
        (f"{TESTS}::test_attack_F20_contract_a_round_far_ahead_is_refused",),
    ),
    Defence(
        "an older round replaces no newer one",
        CONTRACT,
        "        if (roundTime <= _rounds[id].time) return false;\n",
        "        if (roundTime == 0) return false;\n",
        (f"{TESTS}::test_attack_F20_contract_an_older_round_changes_nothing",),
    ),
    Defence(
        "a stale round is not read",
        CONTRACT,
        "        require(block.timestamp < uint256(round.time) + maxAge, StaleRound(round.time, maxAge, block.timestamp));\n",
        "",
        (f"{TESTS}::test_attack_F20_contract_a_stale_round_is_not_read",),
    ),
    Defence(
        "the value of a round is the median",
        LIBRARY,
        "        return values[(count - 1) / 2];\n",
        "        return values[count - 1];\n",
        (
            f"{TESTS}::test_median_of_odd_and_even_counts",
            f"{TESTS}::test_attack_F21_contract_two_liars_of_seven_move_nothing_beyond_honest_values",
        ),
    ),
    Defence(
        "an auditor counts the reports of a round",
        PREDICATES,
        "    if not feed.threshold <= len(reports) <= len(feed.signers):\n",
        "    if not reports:\n",
        (f"{PYTHON_TESTS}::test_attack_F18_rounds_of_too_few_strangers_doubles_and_twins",),
    ),
    Defence(
        "an auditor counts a signer once",
        PREDICATES,
        "        if signer <= last:\n",
        "        if not signer:\n",
        (f"{PYTHON_TESTS}::test_attack_F18_rounds_of_too_few_strangers_doubles_and_twins",),
    ),
    Defence(
        "an auditor believes no stranger's report",
        PREDICATES,
        "        if signer not in known:\n",
        "        if not known:\n",
        (
            f"{PYTHON_TESTS}::test_attack_F18_rounds_of_too_few_strangers_doubles_and_twins",
            f"{PYTHON_TESTS}::test_attack_F19_reports_of_another_feed_round_or_value",
        ),
    ),
    Defence(
        "an auditor finds a stale round",
        PREDICATES,
        "    if now_s >= time_s + max_age_s:\n",
        "    if now_s < 0:\n",
        (f"{PYTHON_TESTS}::test_attack_F20_rounds_that_are_stale_or_far_ahead",),
    ),
    Defence(
        "an auditor takes the median",
        PREDICATES,
        "    return sorted(values)[(len(values) - 1) // 2]\n",
        "    return max(values)\n",
        (
            f"{PYTHON_TESTS}::test_median_is_the_lower_one_of_the_library",
            f"{PYTHON_TESTS}::test_attack_F21_a_lying_minority_stays_between_honest_values",
        ),
    ),
)
