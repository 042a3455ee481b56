"""Defences of acceptances: what is signed by another key, kept back, revoked, dated back, or not read by anybody."""

from tests.defences.defence import Defence

RULES = "relay/services/identity/rules/acceptance"
TESTS = "relay/audit/identity/test_acceptance_audit.py"
GATE_RULES = "relay/services/identity/rules/organisations/gate_acceptances.py"
PERIOD_TESTS = "relay/cli/identity/test_identity_period_command.py"
SEAL_TESTS = "relay/audit/identity/test_sealed_acceptances.py"

ACCEPTANCES = (
    Defence(
        "only the key of the credential's list may have signed it",
        f"{RULES}/credential.py",
        "    signing = judge(key_is_the_dids, issuer, record.bound.key_thumbprint)\n",
        "    signing = next(key for key in issuer.keys.values() if key.key.algorithm is KeyAlgorithm.ES256)\n",
        (f"{TESTS}::test_attack_N167_only_the_key_of_the_credentials_list_may_have_signed",),
    ),
    Defence(
        "records of an acceptance stand under its header",
        "relay/audit/identity/auditor.py",
        "    judge(claims_are_proven, root, acceptance.claims, acceptance.proof)\n",
        "    del judge, root, acceptance\n",
        (f"{TESTS}::test_attack_N168_records_are_of_one_header_all_there_and_none_beside",),
    ),
    Defence(
        "an acceptance shows no record that no rule reads",
        f"{RULES}/standing.py",
        "    more = sorted(proven.keys() - needed)\n",
        "    more: list[bytes] = []\n",
        (f"{TESTS}::test_attack_N168_records_are_of_one_header_all_there_and_none_beside",),
    ),
    Defence(
        "the status of an accepted credential is valid",
        f"{RULES}/standing.py",
        "    judge(status_is_valid, status)\n",
        "    judge(status_is_valid, status * 0)\n",
        (f"{TESTS}::test_attack_N170_the_status_is_that_of_the_credentials_own_index_in_the_newest_list",),
    ),
    Defence(
        "a log entry beside a key that counts is read by nobody",
        f"{RULES}/standing.py",
        "    if logged is not None and key.end.state is KeyState.ACTIVE and issuer.record.is_active:\n",
        "    if False:\n",
        (f"{SEAL_TESTS}::test_attack_N178_the_key_of_seals_ends_as_others_do",),
    ),
    Defence(
        "a type is of a schema that its issuer is accredited for",
        f"{RULES}/credential.py",
        "    if known not in (None, found):\n",
        "    if False:\n",
        (f"{TESTS}::test_attack_N174_nothing_shows_that_an_issuer_is_accredited_for_a_type_of_no_schema",),
    ),
    Defence(
        "a seal that is presented is its issuer's",
        f"{RULES}/seal.py",
        "    if seal.issuer != issuer:\n",
        "    if False:\n",
        (f"{SEAL_TESTS}::test_attack_N178_a_seal_is_its_issuers_and_its_holders_for_one_call",),
    ),
    Defence(
        "a resolver's document is the one that the records make",
        "relay/verify/credentials/resolver_answers.py",
        "    if answered != recorded:\n",
        "    if False:\n",
        ("relay/services/identity/resolver/test_resolver.py::test_attack_N162_a_resolver_gives_another_document",),
    ),
    Defence(
        "an accepted seal was issued over the list that was looked into",
        GATE_RULES,
        "    if logged.entry.list_number != event.list_number:\n",
        "    if False:\n",
        (f"{PERIOD_TESTS}::test_attack_N213_acceptances_that_log_or_lists_deny_are_found",),
    ),
    Defence(
        "a seal that was revoked by the list's last change is not accepted after it",
        GATE_RULES,
        "    if after and event.list_height >= statuses.changed_height:\n",
        "    if False:\n",
        (f"{PERIOD_TESTS}::test_an_acceptance_of_what_was_revoked_in_the_period_is_refused_or_named",),
    ),
    Defence(
        "an accepted seal was logged before its key had ended",
        GATE_RULES,
        "    if logged.position >= record.end.log_size:\n",
        "    if False:\n",
        (f"{PERIOD_TESTS}::test_attack_N213_acceptances_that_log_or_lists_deny_are_found",),
    ),
    Defence(
        "an issuer's log is kept whole over a period",
        "relay/services/identity/rules/organisations/period.py",
        "    if size and root_of_leaves(leaves) != root:\n",
        "    if False:\n",
        (f"{PERIOD_TESTS}::test_attack_N177_an_issuance_a_revocation_or_a_rotation_is_hidden_or_invented",),
    ),
)
