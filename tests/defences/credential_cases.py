"""Defences of the example contracts of cases with credentials, and of the rules by which auditors judge who asked there."""

from tests.defences.defence import Defence

EXAMPLES = "contracts/src/examples"
BOOK = f"{EXAMPLES}/ExamplePrescriptions.sol"
INSPECTIONS = f"{EXAMPLES}/ExampleInspections.sol"
OPERATORS = f"{EXAMPLES}/ExampleOperators.sol"
CLEARING = f"{EXAMPLES}/ExampleClearing.sol"
CREDIT = f"{EXAMPLES}/ExampleLetterOfCredit.sol"
HEALTH = "contracts/identity/test_case_prescriptions.py"
CLEARED = "contracts/identity/test_case_clearing.py"
TRADE = "contracts/identity/test_case_trade.py"
RULES = "relay/audit/cases/credentials"
REPORTS = f"{CLEARED}::test_attack_N195_reports_are_an_operators_by_the_mailbox"
UNCONFIRMED = f"{CLEARED}::test_attack_N195_nothing_is_paid_before_all_have_confirmed_what_all_reported"
OTHER_BILL = f"{TRADE}::test_attack_N196_a_bill_of_another_cargo_carrier_or_holder_is_not_paid"
LATE = f"{TRADE}::test_attack_N196_after_the_deadline_both_go_back_once"
PAID_ONCE = f"{TRADE}::test_attack_N196_a_bill_is_paid_once_and_the_bank_has_it"

CREDENTIAL_CASES = (
    Defence(
        "the example prescriptions hear the Mailbox alone",
        BOOK,
        "        require(msg.sender == MAILBOX, OnlyMailbox(msg.sender));\n",
        "",
        (f"{HEALTH}::test_attack_N193_a_strangers_message_dispenses_nothing",),
    ),
    Defence(
        "the example prescriptions hear their pharmacies alone",
        BOOK,
        "        require(isPharmacy[keccak256(abi.encode(origin.chain, sender))], NotAPharmacy(origin.chain, sender));\n",
        "",
        (f"{HEALTH}::test_attack_N193_a_strangers_message_dispenses_nothing",),
    ),
    Defence(
        "a pharmacy is an account on its own chain",
        BOOK,
        "isPharmacy[keccak256(abi.encode(origin.chain, sender))]",
        'isPharmacy[keccak256(abi.encode("e1", sender))] || isPharmacy[keccak256(abi.encode("e2", sender))]',
        (f"{HEALTH}::test_attack_N193_a_strangers_message_dispenses_nothing",),
    ),
    Defence(
        "a refill of the example prescriptions is dispensed once",
        BOOK,
        "        require(now_ != 0 && leaves == now_ - 1, Spent(prescription, leaves, now_));\n",
        "        require(now_ != 0 && leaves < now_, Spent(prescription, leaves, now_));\n",
        (f"{HEALTH}::test_attack_N193_the_second_of_two_who_leave_as_many_is_refused",),
    ),
    Defence(
        "the example inspections take entries under a licence alone",
        INSPECTIONS,
        "_accept(licence, LICENCE, abi.encode(title, mileage, time));\n",
        "keccak256(abi.encode(licence.seal, LICENCE));\n",
        (f"{HEALTH}::test_attack_N194_a_mileage_that_goes_down_or_of_nobody_licensed",),
    ),
    Defence(
        "an operator of the example clearing is licensed",
        OPERATORS,
        "        _accept(licence, LICENCE, abi.encode(place, source));\n",
        "        require(LICENCE != 0);\n",
        (f"{CLEARED}::test_attack_N195_an_operator_without_its_own_licence",),
    ),
    Defence(
        "a place of the example clearing is taken once",
        OPERATORS,
        "accounts[place] == address(0) && ",
        "",
        (f"{CLEARED}::test_attack_N195_a_place_or_a_source_that_somebody_has",),
    ),
    Defence(
        "an operator of the example clearing has one place",
        OPERATORS,
        " && !hasPlace[named]",
        "",
        (f"{CLEARED}::test_attack_N195_one_operator_has_one_place_whatever_licences_it_has",),
    ),
    Defence(
        "a source of the example clearing reports for one place",
        OPERATORS,
        " && !hasPlace[source]",
        "",
        (f"{CLEARED}::test_attack_N195_a_place_or_a_source_that_somebody_has",),
    ),
    Defence(
        "the example clearing hears the Mailbox alone",
        CLEARING,
        "msg.sender == MAILBOX && ",
        "",
        (REPORTS,),
    ),
    Defence(
        "the example clearing hears operators from their chains alone",
        CLEARING,
        "sources[place] != keccak256(abi.encode(origin.chain, sender))",
        "(sources[place] != keccak256(abi.encode(origin.chain, sender)) && place != 0)",
        (REPORTS,),
    ),
    Defence(
        "a day of the example clearing is reported once",
        CLEARING,
        " && reports[day][place] == 0, NotNow",
        ", NotNow",
        (REPORTS,),
    ),
    Defence(
        "operators of the example clearing confirm for themselves",
        CLEARING,
        "        require(accounts[place] == msg.sender, NotNow(day, place));\n",
        "",
        (UNCONFIRMED,),
    ),
    Defence(
        "the example clearing pays what all have reported",
        CLEARING,
        "reports[day][i % 3] != 0 && ",
        "",
        (UNCONFIRMED,),
    ),
    Defence(
        "the example clearing pays what all have confirmed",
        CLEARING,
        " && seen == keccak256(abi.encode(reports[day]))",
        " && seen != 0",
        (UNCONFIRMED,),
    ),
    Defence(
        "the example letter of credit pays once",
        CREDIT,
        "paidFor == 0 && block.timestamp <= terms.deadline",
        "block.timestamp <= terms.deadline",
        (PAID_ONCE,),
    ),
    Defence(
        "the example letter of credit is not paid late",
        CREDIT,
        "paidFor == 0 && block.timestamp <= terms.deadline",
        "paidFor == 0",
        (LATE,),
    ),
    Defence(
        "the example letter of credit pays for its own cargo",
        CREDIT,
        "title.content == terms.cargo && ",
        "",
        (OTHER_BILL,),
    ),
    Defence(
        "the example letter of credit pays for a bill of the licensed carrier",
        CREDIT,
        " && Identifiers.equal(title.issuer, Identifiers.toHex(licence.seal.holder))",
        "",
        (OTHER_BILL,),
    ),
    Defence(
        "the example letter of credit pays for a bill that it has",
        CREDIT,
        "        require(TITLE.holderOf(bill) == address(this), BillNotHere(bill, title.holder));\n",
        "",
        (OTHER_BILL,),
    ),
    Defence(
        "the example letter of credit keeps the money until its deadline",
        CREDIT,
        "paidFor == 0 && block.timestamp > terms.deadline",
        "paidFor == 0",
        (LATE,),
    ),
    Defence(
        "the example letter of credit gives back once, and nothing that was paid for",
        CREDIT,
        "paidFor == 0 && block.timestamp > terms.deadline",
        "block.timestamp > terms.deadline",
        (PAID_ONCE, LATE),
    ),
    Defence(
        "the example cargo is released against its bill",
        f"{EXAMPLES}/ExampleCargo.sol",
        "        require(holder == address(this), NotSurrendered(bill, holder));\n",
        "",
        (f"{TRADE}::test_attack_N196_cargo_is_released_once_against_its_bill",),
    ),
    Defence(
        "the example cargo is released once",
        f"{EXAMPLES}/ExampleCargo.sol",
        "        TITLE.retire(bill);\n",
        "",
        (f"{TRADE}::test_attack_N196_cargo_is_released_once_against_its_bill",),
    ),
    Defence(
        "the example customs is shown what is declared alone",
        f"{EXAMPLES}/ExampleCustoms.sol",
        "        require(manifest.disclosures.length == 2, TooMuchShown(manifest.disclosures.length));\n",
        "",
        (f"{TRADE}::test_attack_N196_customs_is_shown_what_is_declared_and_nothing_else",),
    ),
    Defence(
        "the example employer is shown degree and year alone",
        f"{EXAMPLES}/ExampleEmployer.sol",
        "        require(diploma.disclosures.length == 2, TooMuchShown(diploma.disclosures.length));\n",
        "",
        (f"{TRADE}::test_attack_N192_a_diploma_applies_once_and_shows_degree_and_year_alone",),
    ),
    Defence(
        "a diploma applies at the example employer once",
        f"{EXAMPLES}/ExampleEmployer.sol",
        "        require(applications[seal] == 0, AppliedAlready(seal));\n",
        "",
        (f"{TRADE}::test_attack_N192_a_diploma_applies_once_and_shows_degree_and_year_alone",),
    ),
    Defence(
        "who dispenses is the pharmacist that the auditor means",
        f"{RULES}/prescriptions.py",
        "sender == person_text(trust, PHARMACIST), message",
        "True, message",
        (f"{RULES}/test_prescriptions_rule.py::test_attack_N193_another_licence_book_chain_or_name",),
    ),
    Defence(
        "a place's licence names its operator",
        f"{RULES}/one_ticket.py",
        "    if said != (operator,):\n",
        "    if False:\n",
        (f"{RULES}/test_one_ticket_rule.py::test_attack_N195_other_payments_places_or_licences",),
    ),
)
