"""Defences of the cases whose files lie in trusted storage, as auditors judge them."""

from tests.defences.defence import Defence

HUB = "relay/audit/cases/storage/hub_records.py"
COURT = "relay/audit/cases/storage/court_evidence.py"
MODEL = "relay/audit/cases/storage/model_receipts.py"
MODEL_TESTS = "relay/audit/cases/storage/test_model_receipts_rule.py"
AUDITS = f"{MODEL_TESTS}::test_attack_J21_audits_that_show_no_repair"
COURT_TESTS = "relay/audit/cases/storage/test_court_evidence_rule.py"
OLDER = f"{COURT_TESTS}::test_attack_J21_a_recording_that_may_be_older_than_the_seed"
ACCESS = f"{COURT_TESTS}::test_attack_J21_an_access_without_an_order"

STORAGE_CASES = (
    Defence(
        "the hub had no seed before what holds it",
        HUB,
        "    if before.statement.value is not None:\n",
        "    if before.statement.value == b'':\n",
        (OLDER,),
    ),
    Defence(
        "a seed that nobody revealed for dates nothing",
        HUB,
        "    if seed.is_weak:\n",
        "    if seed.reveals < 0:\n",
        (OLDER,),
    ),
    Defence(
        "the header in a seed is later than its absence",
        HUB,
        "    if seed.header_height <= before.statement.height.revision_height:\n",
        "    if seed.header_height < 0:\n",
        (OLDER,),
    ),
    Defence(
        "a recording has the seed that dates it",
        COURT,
        "    if seed not in head:\n",
        "    if not seed:\n",
        (OLDER,),
    ),
    Defence(
        "an access is under an order for this exhibit",
        COURT,
        '    if what.to_bytes(32, "big") != keccak256(record):\n',
        "    if not what:\n",
        (ACCESS,),
    ),
    Defence(
        "an access ends with its order",
        COURT,
        "    if time_s >= until_s:\n",
        "    if not time_s:\n",
        (ACCESS,),
    ),
    Defence(
        "a repaired operator holds the set that it missed",
        MODEL,
        "    if len(roots) != 1:\n",
        "    if len(roots) < 1:\n",
        (AUDITS,),
    ),
    Defence(
        "an audit under a seed without secrets shows no repair",
        MODEL,
        "    if verdict.reveals == 0:\n",
        "    if verdict.reveals < 0:\n",
        (AUDITS,),
    ),
    Defence(
        "a receipt names the approval that it is shown for",
        MODEL,
        '    if form["approval"].decode() != approval:\n',
        "    if not approval:\n",
        (f"{MODEL_TESTS}::test_attack_J21_a_receipt_of_another_model_or_of_no_batch",),
    ),
)
