"""Defences of the cases in which lots are recalled, as auditors judge them, and of their example contracts."""

from tests.defences.defence import Defence

ANCHORED = "relay/audit/cases/anchored.py"
RECALLS = "relay/audit/cases/recalls.py"
COLD = "relay/audit/cases/cold_chain.py"
FOOD = "relay/audit/cases/food_lots.py"
CERTIFICATES = "relay/audit/cases/certificates.py"
SHOP = "contracts/src/examples/ExampleShop.sol"
BOOK = "contracts/src/examples/ExampleLotBook.sol"
COLD_TESTS = "relay/audit/cases/test_cold_chain_rule.py"
FOOD_TESTS = "relay/audit/cases/test_food_lots_rule.py"
EXAMPLES = "contracts/test_lot_examples.py"
REMOVED = f"{COLD_TESTS}::test_attack_J21_a_removed_hour_is_detected"
RECALL_OF = f"{COLD_TESTS}::test_attack_J21_a_recall_of_somebody_else_or_of_another_lot_is_refused"
LATE = f"{COLD_TESTS}::test_attack_J21_a_recall_that_is_late_is_refused"

LOT_CASES = (
    Defence(
        "no entry of a window is left out",
        ANCHORED,
        "        if said is None:\n            raise",
        "        if said is None:\n            continue\n        if False:\n            raise",
        (REMOVED,),
    ),
    Defence(
        "an entry is of its own place",
        ANCHORED,
        "        if (said.index, said.size, said.offset) != (index, count, offset):\n",
        "        if False:\n",
        (REMOVED,),
    ),
    Defence(
        "every hour of the window has its reading",
        COLD,
        "    if times != list(range(anchored.from_time_s, anchored.to_time_s, HOUR_S)):\n",
        "    if times != sorted(times):\n",
        (REMOVED,),
    ),
    Defence(
        "no hour is too warm",
        COLD,
        "        if reading.tenths_c > WARMEST_TENTHS_C:\n",
        "        if False:\n",
        (f"{COLD_TESTS}::test_attack_J21_a_warm_or_foreign_reading_is_detected",),
    ),
    Defence(
        "a reading is of the lot",
        COLD,
        '    if match is None or match["lot"] != lot.encode():\n',
        "    if match is None:\n",
        (f"{COLD_TESTS}::test_attack_J21_a_warm_or_foreign_reading_is_detected",),
    ),
    Defence(
        "a recall is the maker's, and the shop's",
        RECALLS,
        "    if (sender, receiver.lower()) != wanted:\n",
        "    if receiver.lower() != wanted[1]:\n",
        (RECALL_OF,),
    ),
    Defence(
        "shops are told the same lots",
        RECALLS,
        '    inquiry.about("recall")(recalls_agree, recalls)\n',
        "",
        (RECALL_OF,),
    ),
    Defence(
        "a recall blocks in time",
        RECALLS,
        "    if not 0 <= took_s <= LIMIT_S:\n",
        "    if not 0 <= took_s:\n",
        (LATE,),
    ),
    Defence(
        "a recall was not sent before the time that it says",
        RECALLS,
        "    if recall.told_s > sent_from_s:\n",
        "    if False:\n",
        (f"{COLD_TESTS}::test_attack_J21_a_recall_that_may_have_been_sent_before_its_time_is_refused",),
    ),
    Defence(
        "a recall names what is affected, and nothing else",
        FOOD,
        "    if named != affected:\n",
        "    if not named <= affected:\n",
        (f"{FOOD_TESTS}::test_attack_J21_a_recall_that_names_too_few_or_too_many_is_refused",),
    ),
    Defence(
        "no more is taken of a lot than is left",
        FOOD,
        "            if not 0 < taken <= left.get(source, 0):\n",
        "            if source not in left:\n",
        (f"{FOOD_TESTS}::test_attack_J21_more_out_of_a_lot_than_in_it_is_refused",),
    ),
    Defence(
        "a window has entries",
        ANCHORED,
        "    if count == 0:\n",
        "    if False:\n",
        (f"{COLD_TESTS}::test_attack_J21_a_list_of_before_the_anchor",),
    ),
    Defence(
        "a forged recall was a recall to a shop",
        RECALLS,
        "    if found not in shops:\n",
        "    if False:\n",
        (f"{COLD_TESTS}::test_attack_J21_a_refused_message_that_is_no_recall_to_a_shop",),
    ),
    Defence(
        "the book is not read before the recall",
        FOOD,
        "    if head.statement.time_s < recall.told_s:\n",
        "    if False:\n",
        (f"{FOOD_TESTS}::test_attack_J21_a_book_of_before_the_recall",),
    ),
    Defence(
        "no more comes out than goes in",
        FOOD,
        "        if record.inputs and record.amount > total:\n",
        "        if False:\n",
        (f"{FOOD_TESTS}::test_attack_J21_more_out_of_a_lot_than_in_it_is_refused",),
    ),
    Defence(
        "a harvest has its certificate",
        FOOD,
        "    judge(harvests_are_certified, records, certificates)\n",
        "",
        (f"{FOOD_TESTS}::test_attack_J21_a_harvest_without_its_certificate_is_refused",),
    ),
    Defence(
        "anchored records are the book's",
        FOOD,
        '    if int.from_bytes(computed, "big") != head:\n',
        "    if False:\n",
        (f"{FOOD_TESTS}::test_attack_J21_records_that_the_book_did_not_take_are_refused",),
    ),
    Defence(
        "the example shop hears its maker alone",
        SHOP,
        "        require(origin.chain.equal(_makerChain) && sender.equal(_maker), NotTheMaker(origin.chain, sender));\n",
        "",
        (f"{EXAMPLES}::test_attack_F11_contract_nobody_but_the_maker_recalls",),
    ),
    Defence(
        "the example shop gives out nothing that is recalled",
        SHOP,
        "        require(recalledAt[lot] == 0, LotRecalled(lot, recalledAt[lot]));\n",
        "",
        (f"{EXAMPLES}::test_a_recalled_lot_is_not_given_out_and_others_are",),
    ),
    Defence(
        "the example book takes certified harvests alone",
        BOOK,
        "        require(CERTIFICATES.includes(root, abi.encode(lot, amount), index, siblings), NotCertified(lot));\n",
        "",
        (f"{EXAMPLES}::test_no_harvest_without_the_farms_certificate",),
    ),
    Defence(
        "the example certificates are of their issuer alone",
        "contracts/src/examples/ExampleCertificates.sol",
        "        require(origin.chain.equal(_log) && sender.equal(_issuer), NotTheIssuer(origin.chain, sender));\n",
        "",
        (f"{EXAMPLES}::test_attack_F11_contract_nobody_but_the_issuer_certifies",),
    ),
    Defence(
        "certificates are the farm's, and came to the contract that is meant",
        CERTIFICATES,
        "    if (sender, receiver.lower()) != wanted:\n",
        "    if False:\n",
        (f"{FOOD_TESTS}::test_attack_J21_a_harvest_without_its_certificate_is_refused",),
    ),
    Defence(
        "certificates came by a message of the farm's log",
        CERTIFICATES,
        "    judge(message_is_between, message, trust, LOG, CHAIN)\n",
        "",
        (f"{FOOD_TESTS}::test_attack_J21_a_harvest_without_its_certificate_is_refused",),
    ),
    Defence(
        "somebody else's certificates were refused",
        CERTIFICATES,
        '    if sender == f"0x{trust.person(ISSUER).hex()}" or receiver.lower() != _contract(trust):\n',
        "    if False:\n",
        (f"{FOOD_TESTS}::test_attack_J21_forged_certificates_that_were_none",),
    ),
    Defence(
        "the example book lets no more out than goes in",
        BOOK,
        "        require(amount <= total, TooMuch(lot, amount, total));\n",
        "",
        (f"{EXAMPLES}::test_no_more_comes_out_than_goes_in",),
    ),
)
