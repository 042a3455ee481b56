"""Defences of the cases that stand on feeds, as auditors judge them."""

from tests.defences.defence import Defence

REPORT = "relay/audit/cases/statements/report.py"
MEANT = "relay/audit/cases/feeds_meant.py"
NUMBERED = "relay/audit/cases/numbered.py"
TOLL = "relay/audit/cases/congestion_toll.py"
GREEN = "relay/audit/cases/green_certificates.py"
TOLL_TESTS = "relay/audit/cases/test_congestion_toll_rule.py"
GREEN_TESTS = "relay/audit/cases/test_green_certificates_rule.py"

FEED_CASES = (
    Defence(
        "reports lie under their own feed's slot",
        REPORT,
        "    if not isinstance(what, SlotPlace) or what.slot != slot:\n",
        "    if not isinstance(what, SlotPlace):\n",
        (f"{TOLL_TESTS}::test_attack_J21_reports_under_what_is_not_their_feeds_slot",),
    ),
    Defence(
        "evidence's reports are signed by the feed's signers",
        REPORT,
        "    made = judge_round(judge, statement.feed, statement.time_s, statement.reports)\n",
        "    made = judge_round(lambda one, *given: None, statement.feed, statement.time_s, statement.reports)\n",
        (f"{TOLL_TESTS}::test_attack_J21_reports_that_signers_did_not_sign",),
    ),
    Defence(
        "a round that stands is the one that the reports make",
        MEANT,
        "    if report.made != stands:\n",
        "    if report.made.time_s != stands.time_s:\n",
        (
            f"{TOLL_TESTS}::test_attack_J21_rounds_do_not_ascend_or_do_not_stand",
            f"{GREEN_TESTS}::test_attack_J21_another_reading_on_one_of_the_chains",
        ),
    ),
    Defence(
        "a renamed statement is another evidence",
        NUMBERED,
        "        if name != expected:\n",
        "        if not name:\n",
        (
            f"{TOLL_TESTS}::test_attack_J21_a_round_under_another_name",
            f"{GREEN_TESTS}::test_attack_J21_a_move_under_another_name_or_left_out",
        ),
    ),
    Defence(
        "no price of a day is left out or changed",
        TOLL,
        '    if running != day.to_bytes(32, "big"):\n',
        "    if not running:\n",
        (
            f"{TOLL_TESTS}::test_attack_J21_a_round_left_out_put_in_or_changed_is_not_the_day_that_the_contract_had",
            f"{TOLL_TESTS}::test_attack_J21_another_rule_than_the_published_one",
        ),
    ),
    Defence(
        "a day has no round twice",
        TOLL,
        "    if times != sorted(set(times)):\n",
        "    if not times:\n",
        (f"{TOLL_TESTS}::test_attack_J21_rounds_do_not_ascend_or_do_not_stand",),
    ),
    Defence(
        "the toll alone announces its price",
        TOLL,
        "    if found != meant:\n",
        "    if found[1] != meant[1]:\n",
        (f"{TOLL_TESTS}::test_attack_J21_an_announcement_of_another_sender_receiver_or_fate",),
    ),
    Defence(
        "what was announced is of a round that is shown",
        TOLL,
        "    if announced not in made:\n",
        "    if not announced:\n",
        (f"{TOLL_TESTS}::test_attack_J21_an_announcement_of_a_round_that_is_not_shown",),
    ),
    Defence(
        "what was made is not counted before the reading",
        GREEN,
        "    if got < expected:\n",
        "    if not got:\n",
        (f"{GREEN_TESTS}::test_attack_J21_what_was_made_before_the_reading",),
    ),
    Defence(
        "no more certificates than metered energy",
        GREEN,
        "    if not (sums.tokens + sums.certified <= metered and sums.claimed <= sums.certified):\n",
        "    if not sums.claimed <= sums.certified:\n",
        (f"{GREEN_TESTS}::test_attack_J21_more_made_than_metered_or_claimed_than_made",),
    ),
    Defence(
        "a certificate is claimed once",
        GREEN,
        "    if len(set(ids)) != len(ids):\n",
        "    if not certificates:\n",
        (f"{GREEN_TESTS}::test_attack_J21_a_certificate_claimed_twice",),
    ),
    Defence(
        "a claimed certificate is used nowhere else",
        GREEN,
        "    if word & 0xFF != expected:\n",
        "    if not word:\n",
        (f"{GREEN_TESTS}::test_attack_J21_a_title_that_is_still_usable",),
    ),
    Defence(
        "a certificate is the registry's own",
        GREEN,
        "    if home or trace or issuer != registry:\n",
        "    if not registry:\n",
        (f"{GREEN_TESTS}::test_attack_J21_a_title_that_is_no_certificate_of_the_registry",),
    ),
    Defence(
        "anchored readings are the rounds of the day",
        "relay/audit/cases/readings.py",
        "    if list(entries) != [reading_of(one) for one in rounds]:\n",
        "    if not entries:\n",
        (f"{TOLL_TESTS}::test_attack_J21_a_day_of_which_other_readings_are_anchored",),
    ),
    Defence(
        "anchored readings are of the time of the day",
        "relay/audit/cases/readings.py",
        "    if (window.from_time_s, window.to_time_s) != expected:\n",
        "    if False:\n",
        (f"{TOLL_TESTS}::test_attack_J21_a_day_of_which_other_readings_are_anchored",),
    ),
    Defence(
        "tokens on the buyer's chain are kept at home",
        GREEN,
        "    if not sale <= sums.sold <= sums.away <= sums.tokens:\n",
        "    if not sale <= sums.sold:\n",
        (f"{GREEN_TESTS}::test_attack_J21_tokens_on_the_buyers_chain_that_nobody_keeps_at_home",),
    ),
    Defence(
        "a sale is of the registry's token",
        GREEN,
        "    if data.denom != registry:\n",
        "    if False:\n",
        (f"{GREEN_TESTS}::test_attack_J21_a_sale_of_another_token_or_one_that_did_not_arrive",),
    ),
    Defence(
        "the registry's words are of one block",
        GREEN,
        "        if height != first:\n",
        "        if False:\n",
        (f"{GREEN_TESTS}::test_attack_J21_what_was_made_before_the_reading",),
    ),
)
