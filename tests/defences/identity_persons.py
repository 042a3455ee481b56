"""Defences of persons: who signed what, in which place, in what order, and for how long it waits."""

from tests.defences.defence import Defence

RULES = "relay/services/identity/rules/persons"
MODULE = "relay/hub/application/identity"
RULE_TESTS = "relay/services/identity/rules/persons/test_persons_rules.py"
TREE_TESTS = "relay/services/identity/rules/persons/test_shard_tree.py"
PAGE_TESTS = "relay/services/identity/rules/persons/test_persons_page.py"
HUB_TESTS = "relay/hub/application/identity/test_persons_attacks.py"
SERVICE = "relay/services/identity/registrar"
SERVICE_TESTS = "relay/services/identity/registrar/test_registrar_service.py"
REGISTERS = f"{RULE_TESTS}::test_attack_N91_a_registration_is_signed_by_the_key_that_it_registers"
NEXT_KEY = f"{RULE_TESTS}::test_attack_N94_a_stolen_present_key_changes_nothing_beside_a_next_one"
ONCE = f"{RULE_TESTS}::test_attack_N95_a_change_counts_once_at_its_place_for_its_values"
QUORUM = f"{RULE_TESTS}::test_attack_N98_a_recovery_needs_its_quorum_of_the_persons_guardians"
CANCEL = f"{RULE_TESTS}::test_attack_N99_the_present_key_cancels_until_the_delays_last_second"
SHOWN_AGAIN = f"{RULE_TESTS}::test_attack_N100_what_was_cancelled_or_has_expired_begins_nothing"
SIBLINGS = f"{TREE_TESTS}::test_attack_N93_a_shared_proof_uses_every_sibling_once"
EDGE = f"{TREE_TESTS}::test_attack_N92_an_append_names_the_edge_that_stands"
WRITERS = f"{HUB_TESTS}::test_attack_N103_only_an_accredited_registrars_log_key_writes"


def row(name: str, file: str, source: str, without: str, test: str) -> Defence:
    """One line of source, indented as it stands."""
    return Defence(name, file, source, without, (test,))


IDENTITY_PERSONS = (
    row(
        "a person's identifier is of its place",
        f"{RULES}/person.py",
        '    position = place.shard.to_bytes(8, "big") + place.index.to_bytes(4, "big")\n',
        "    position = bytes(12)\n",
        f"{PAGE_TESTS}::test_attack_N90_an_identifier_is_of_its_hub_registrar_place_and_salt",
    ),
    row(
        "a person holds the key that is registered",
        f"{RULES}/registering.py",
        "        if recover_eth_address(digest, recoverable_form(entry.signature)) != entry.control.account:\n",
        "        if False:\n",
        REGISTERS,
    ),
    row(
        "a salt or key is once in a batch",
        f"{RULES}/registering.py",
        "    if min(len(salts), len(accounts)) != len(entries):\n",
        "    if False:\n",
        f"{RULE_TESTS}::test_attack_N90_no_salt_or_key_is_twice_in_a_batch",
    ),
    row(
        "a shard ends",
        f"{RULES}/registering.py",
        "    if count + more > MAX_LEAVES:\n",
        "    if False:\n",
        f"{RULE_TESTS}::test_attack_N92_a_shard_ends",
    ),
    row(
        "an edge is of the shard's tree",
        f"{RULES}/shard_tree.py",
        "    found = root_of_edge(count, edge)\n    if found != root:\n",
        "    found = root_of_edge(count, edge)\n    if False:\n",
        EDGE,
    ),
    row(
        "an edge has its number of nodes",
        f"{RULES}/shard_tree.py",
        "    if len(edge) != count.bit_count():\n",
        "    if len(edge) < count.bit_count():\n",
        EDGE,
    ),
    row(
        "changes begin at the shard's root",
        f"{RULES}/shard_tree.py",
        '    if found != root:\n        raise PredicateFailed("changes_lead_from_root"',
        '    if False:\n        raise PredicateFailed("changes_lead_from_root"',
        SIBLINGS,
    ),
    row("changes use every sibling", f"{RULES}/shard_tree.py", "    if used != given:\n", "    if False:\n", SIBLINGS),
    row(
        "one change of a leaf in a batch",
        f"{RULES}/shard_tree.py",
        "        if not last < change.index < count:\n",
        "        if not last <= change.index < count:\n",
        f"{TREE_TESTS}::test_attack_N96_one_leaf_changes_once_in_a_batch",
    ),
    row(
        "a path has the tree's depth",
        f"{RULES}/shard_tree.py",
        "    if len(path) != DEPTH:\n",
        "    if False:\n",
        SIBLINGS,
    ),
    row(
        "the committed key alone follows",
        f"{RULES}/changing.py",
        "    if found != before.next_key:\n",
        "    if False:\n",
        NEXT_KEY,
    ),
    row(
        "who decides on a change signs it",
        f"{RULES}/signed.py",
        "    if found != account:\n",
        "    if False:\n",
        NEXT_KEY,
    ),
    row(
        "changes of a person are counted",
        f"{RULES}/changing.py",
        "        sequence=before.sequence + 1,\n",
        "        sequence=before.sequence,\n",
        ONCE,
    ),
    row(
        "a change is of its place",
        f"{RULES}/signed.py",
        "    return type_hash + place.registrar + _word(place.shard) + _word(place.index)\n",
        "    return type_hash + place.registrar + _word(place.shard)\n",
        ONCE,
    ),
    row(
        "a person alone changes once a day",
        f"{RULES}/changing.py",
        "    if person.own_s and now_s < due_s:\n",
        "    if False:\n",
        f"{RULE_TESTS}::test_attack_N97_a_person_alone_changes_once_a_day",
    ),
    row(
        "guardians reach their threshold",
        f"{RULES}/recovering.py",
        "    if not policy.guardians or found < policy.threshold:\n",
        "    if not policy.guardians or found < 1:\n",
        QUORUM,
    ),
    row(
        "guardians of nobody recover nobody",
        f"{RULES}/recovering.py",
        "    if not policy.guardians or found < policy.threshold:\n",
        "    if found < policy.threshold:\n",
        f"{RULE_TESTS}::test_attack_N98_a_registrar_recovers_whom_lets_it_and_no_guardians_of_none",
    ),
    row(
        "a leaf commits to its policy of recovery",
        f"{RULES}/recovering.py",
        "    if found != person.control.recovery:\n",
        "    if False:\n",
        QUORUM,
    ),
    row(
        "a registrar recovers whom lets it",
        f"{RULES}/recovering.py",
        "    if not policy.registrar_may:\n",
        "    if False:\n",
        QUORUM,
    ),
    row(
        "approvals expire",
        f"{RULES}/recovering.py",
        "    if not now_s <= expires_s <= now_s + MAX_APPROVAL_LIFE_S:\n",
        "    if not expires_s <= now_s + MAX_APPROVAL_LIFE_S:\n",
        SHOWN_AGAIN,
    ),
    row(
        "what was cancelled stays cancelled",
        f"{RULES}/recovering.py",
        "    if expires_s is not None and expires_s <= standing.expires_s:\n",
        "    if False:\n",
        SHOWN_AGAIN,
    ),
    row(
        "a registrar's start keeps what was cancelled",
        f"{RULES}/recovering.py",
        "    expires_s = max(demand.expires_s, standing.expires_s if standing is not None and standing.leaf == leaf else 0)\n",
        "    expires_s = demand.expires_s\n",
        f"{RULE_TESTS}::test_attack_N100_a_registrars_start_keeps_cancelled_approvals_cancelled",
    ),
    row(
        "the present key cancels until the delay is over",
        f"{RULES}/recovering.py",
        "    if record.is_cancelled or now_s >= record.effective_s:\n",
        "    if record.is_cancelled:\n",
        CANCEL,
    ),
    row(
        "a recovery waits for its delay",
        f"{RULES}/recovering.py",
        "    if record.is_cancelled or now_s < record.effective_s:\n",
        "    if record.is_cancelled:\n",
        CANCEL,
    ),
    row(
        "a change ends a recovery",
        f"{RULES}/recovering.py",
        "    if record.leaf != leaf:\n",
        "    if False:\n",
        f"{RULE_TESTS}::test_attack_N101_a_recovery_of_what_a_person_was_takes_no_effect",
    ),
    row(
        "a recovery is cleared when it is over",
        f"{RULES}/recovering.py",
        "    if not is_over(record, now_s):\n",
        "    if False:\n",
        f"{RULE_TESTS}::test_attack_N102_a_recovery_is_cleared_when_it_counts_for_nothing",
    ),
    row(
        "recoveries have their room",
        f"{MODULE}/persons.py",
        "    if number > MAX_RECOVERIES:\n",
        "    if False:\n",
        f"{HUB_TESTS}::test_attack_N102_neither_guardians_nor_registrar_take_the_others_room",
    ),
    row(
        "persons are off where it is said",
        f"{MODULE}/persons.py",
        "    if not registry.parameters().persons:\n",
        "    if False:\n",
        f"{HUB_TESTS}::test_attack_N103_a_hub_of_organisations_registers_no_person",
    ),
    row(
        "a registrar is accredited",
        f"{MODULE}/persons.py",
        "    require_accredited(registry, shard[0], PERSONS_SCHEMA)\n    record = find_shard",
        "    record = find_shard",
        WRITERS,
    ),
    row(
        "a person's proof is told to its keys and guardians",
        f"{RULES}/asking.py",
        "    judge(asked_in_time, expires_s, now_s)\n    return judge(asker_is_of_person, person, policy, proof_request_digest(hub, place, expires_s), signature)\n",
        "    return bytes(20)\n",
        f"{SERVICE_TESTS}::test_attack_N211_strangers_register_read_and_change_nobody",
    ),
    row(
        "a batch whose answer was lost is sent again as it was",
        f"{SERVICE}/writing.py",
        "        if not sent or not self._is_overtaken(sent):\n",
        "        if not sent:\n",
        f"{SERVICE_TESTS}::test_attack_N212_a_batch_that_comes_late_beside_its_second_sending",
    ),
    row(
        "an invitation lets one registration in",
        f"{SERVICE}/invitations.py",
        "    if row is None or row.expires_s <= now_s or row.receipt not in {None, receipt}:\n",
        "    if row is None:\n",
        f"{SERVICE_TESTS}::test_attack_N211_strangers_register_read_and_change_nobody",
    ),
    row(
        "a shard begins after a full one",
        f"{MODULE}/persons.py",
        "    if number and require_shard(registry, (registrar, number - 1)).count < MAX_LEAVES:\n",
        "    if False:\n",
        WRITERS,
    ),
    row(
        "what changes a shard is a transaction",
        f"{MODULE}/persons_calls.py",
        "        if call.depth:\n",
        "        if False:\n",
        f"{HUB_TESTS}::test_attack_N105_a_contract_changes_no_shard",
    ),
)
