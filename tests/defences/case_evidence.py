"""Defences of evidence of application cases, and of the rules of the cases on swaps and reserves."""

from tests.defences.defence import Defence

CASES = "relay/audit/cases"
FORGERIES = "relay/audit/cases/test_case_forgeries.py"
JUDGED = "relay/audit/cases/test_case_audit.py"
FORM = "relay/audit/cases/test_evidence_document.py"
SWAPS = "relay/audit/cases/test_swaps_rule.py"
RESERVES = "relay/audit/cases/test_reserves_rule.py"

CASE_EVIDENCE = (
    Defence(
        "evidence has one encoding",
        f"{CASES}/document.py",
        "    if encode_evidence(evidence) != data:\n",
        "    if False:\n",
        (f"{FORM}::test_attack_J20_other_orders_repetitions_and_spaces_are_another_file",),
    ),
    Defence(
        "statements of evidence ascend, none twice",
        f"{CASES}/document.py",
        "        if first >= second:\n",
        "        if False:\n",
        (f"{FORM}::test_refused_with_its_field",),
    ),
    Defence(
        "no bundle lies in evidence that no statement names",
        f"{CASES}/document.py",
        "    if missing or spare:\n",
        "    if missing:\n",
        (f"{FORM}::test_refused_with_its_field",),
    ),
    Defence(
        "a message is the packet that its statement names",
        f"{CASES}/statements/message.py",
        "    if bundle.packet_id != statement.packet:\n",
        "    if False:\n",
        (f"{FORGERIES}::test_attack_J21_a_message_that_ended_otherwise",),
    ),
    Defence(
        "a message ended as its statement says",
        f"{CASES}/statements/message.py",
        "    if fate is not statement.fate:\n",
        "    if False:\n",
        (f"{FORGERIES}::test_attack_J21_a_message_that_ended_otherwise",),
    ),
    Defence(
        "a state is what its bundle shows: value, height and time",
        f"{CASES}/statements/state.py",
        "        if got != expected:\n",
        "        if False:\n",
        (f"{FORGERIES}::test_attack_J21_a_state_altered_alone",),
    ),
    Defence(
        "an entry lies under what a state or a message shows, never under itself",
        f"{CASES}/statements/entry.py",
        "    if source is None:\n        raise PredicateFailed(",
        "    if source is None:\n        return statement.leaf[:32].ljust(32)\n        raise PredicateFailed(",
        (f"{FORGERIES}::test_attack_J21_an_entry_under_what_nothing_shows",),
    ),
    Defence(
        "a slot is of the contract that the reader means",
        f"{CASES}/shown.py",
        "    if said.what != expected:\n",
        "    if False:\n",
        (f"{JUDGED}::test_attack_J21_true_evidence_of_another_chain_or_contract",),
    ),
    Defence(
        "a slot is of the chain and hub that the reader means",
        f"{CASES}/shown.py",
        "    if not by_hub and not by_itself:\n",
        "    if False:\n",
        (f"{JUDGED}::test_attack_J21_true_evidence_of_another_hub",),
    ),
    Defence(
        "a message went between the chains that the reader means",
        f"{CASES}/shown.py",
        "    if message.chain_ids != expected:\n",
        "    if False:\n",
        (f"{SWAPS}::test_attack_J21_trades_between_other_chains",),
    ),
    Defence(
        "what evidence concludes is computed again",
        f"{CASES}/conclusion.py",
        "    if _canonical(asserted) == _canonical(computed):\n",
        "    if True:\n",
        (f"{FORGERIES}::test_attack_J21_a_conclusion_that_does_not_follow",),
    ),
    Defence(
        "a trade is between the people and of the tokens that the reader means",
        f"{CASES}/swaps.py",
        "    if got != [maker, maker, taker, taker, bond, cash]:\n",
        "    if False:\n",
        (f"{SWAPS}::test_attack_J21_trades_of_other_people",),
    ),
    Defence(
        "no trade is counted twice",
        f"{CASES}/swaps.py",
        "    if len({trade.terms for trade in trades}) != len(trades):\n",
        "    if False:\n",
        (f"{SWAPS}::test_attack_J21_a_trade_counted_twice",),
    ),
    Defence(
        "no settled trade is left out: balances follow from the trades",
        f"{CASES}/swaps.py",
        "        if held[name] != amount:\n",
        "        if False:\n",
        (f"{SWAPS}::test_attack_J21_a_settled_trade_left_out",),
    ),
    Defence(
        "supplies are records of the hub",
        f"{CASES}/reserves.py",
        "    if state.statement.client is None:\n",
        "    if False:\n",
        (f"{RESERVES}::test_attack_J21_a_supply_by_the_chains_own_word",),
    ),
    Defence(
        "supplies and the report are of one time",
        f"{CASES}/reserves.py",
        "    if not 0 <= after_s <= apart_s:\n",
        "    if False:\n",
        (f"{RESERVES}::test_attack_J21_a_report_of_another_time",),
    ),
    Defence(
        "what exists on a Cosmos chain counts before a mint",
        "contracts/src/examples/RecordedAmounts.sol",
        "            amount = amount * 10 + uint8(value[i]) - 48;\n",
        "            amount += 0;\n",
        ("contracts/test_reserve_token.py::test_what_exists_on_a_cosmos_chain_counts_as_its_bank_module_writes_it",),
    ),
    Defence(
        "no supply is read before the report",
        f"{CASES}/reserves.py",
        "    if not 0 <= after_s <= apart_s:\n",
        "    if after_s > apart_s:\n",
        (f"{RESERVES}::test_attack_J21_a_report_of_another_time",),
    ),
    Defence(
        "how far supplies and report may lie apart is bounded",
        f"{CASES}/reserves.py",
        "and 1 <= int(text) <= MOST_APART_S):\n",
        "and int(text) >= 0):\n",
        (f"{RESERVES}::test_attack_J21_a_bound_that_the_reader_did_not_give",),
    ),
    Defence(
        "the supply of a Cosmos chain is of the denomination that is meant",
        f"{CASES}/reserves.py",
        "    if said.what != expected:\n",
        "    if False:\n",
        (f"{RESERVES}::test_attack_J21_a_cosmos_chain_left_out_or_of_another_supply",),
    ),
    Defence(
        "no more is committed than is held",
        f"{CASES}/reserves.py",
        "    if sum(committed.values()) > reserve.value:\n",
        "    if False:\n",
        (f"{RESERVES}::test_attack_J21_more_committed_than_held",),
    ),
    Defence(
        "nothing is minted past what custodians report",
        "contracts/src/examples/ExampleReserveToken.sol",
        "        require(reserve >= 0 && all <= uint128(reserve), PastReserves(all, reserve));\n",
        "        require(reserve >= 0 || all >= 0, PastReserves(all, reserve));\n",
        ("contracts/test_reserve_token.py::test_as_much_is_minted_as_is_held_and_not_one_unit_more",),
    ),
    Defence(
        "a promise is counted elsewhere before it is minted",
        "contracts/src/examples/ExampleReserveToken.sol",
        "answers[i].sourceTime > _promisedAt,",
        "answers[i].sourceTime > 0,",
        ("contracts/test_reserve_token.py::test_a_record_of_before_the_promise_is_not_enough",),
    ),
)
