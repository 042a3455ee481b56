"""Defences of the data directory: agreements that permit more than was offered, and what is not known taken as fulfilled."""

from tests.defences.defence import Defence

RULES = "relay/services/directory/rules/policy"
TESTS = "relay/services/directory/rules/policy"
READING, DECIDING, REFINING = (f"{TESTS}/test_{name}.py" for name in ("reading", "deciding", "refining"))
DOCUMENTS = "relay/services/directory/rules/entries/test_documents.py"
RANGES = "light_clients/proofs/test_merkle_ranges.py::test_attack_R5_a_mutilated_range_is_refused"
OLDER = "relay/services/directory/rules/entries/test_pages.py::test_attack_R5_a_page_counts_as_its_head_does"
BEYOND = f"{REFINING}::test_attack_R1_a_permission_beyond_the_offer_is_refused"
OTHER_CHANGE = f"{REFINING}::test_attack_R1_every_other_change_is_refused_by_name"
DENIED = f"{DECIDING}::test_attack_R2_every_other_request_is_denied"
FOREIGN = f"{DECIDING}::test_attack_R2_foreign_words_never_permit_and_always_forbid"

LOG = "relay/services/directory/rules/log"
FOLLOWING = "relay/services/directory/rules/log/test_following.py"
OPERATION_PAGES = "relay/services/directory/rules/log/test_operation_pages.py"
OF_THE_HEAD = f"{OPERATION_PAGES}::test_attack_R11_a_page_is_of_the_facet_and_head_that_were_asked_for"
NOT_FOLLOWING = f"{FOLLOWING}::test_attack_R11_what_does_not_follow_is_refused"
FORGED_LOG = f"{FOLLOWING}::test_attack_R11_a_log_with_a_hole_or_a_forgery_is_refused"
SHARES = f"{FOLLOWING}::test_attack_R13_a_publisher_has_a_share_of_a_block_and_a_total"
UNSAID = f"{FOLLOWING}::test_attack_R14_nothing_is_withheld_silently"
LEFT_FACET = f"{FOLLOWING}::test_a_facet_shows_that_an_entry_left_it"
CONTENTS = "relay/services/directory/rules/log/test_contents.py"

HUB = "relay/hub/application/directory"
MODULE = "relay/hub/application/directory/test_directory_module.py"

DIRECTORY = (
    Defence(
        "a permission is within the offer's",
        f"{RULES}/refining.py",
        "    if found is not None:\n        return _Miss(2",
        "    if found is not None and not found:\n        return _Miss(2",
        (BEYOND,),
    ),
    Defence(
        "an action is one that was offered",
        f"{RULES}/refining.py",
        "    if not action_includes(offered.action, one.action):\n",
        "    if not action_includes(offered.action, one.action) and one.action in offered.action:\n",
        (BEYOND,),
    ),
    Defence(
        "a duty is as strict as the offer's",
        f"{RULES}/refining.py",
        "    return way_out(_known(one.conditions), _known(asked.conditions), trees) is None\n",
        "    return True\n",
        (BEYOND,),
    ),
    Defence(
        "what the offer forbids is forbidden",
        f"{RULES}/refining.py",
        "    judge(prohibitions_are_kept, agreement, offer, trees)\n",
        "",
        (OTHER_CHANGE,),
    ),
    Defence(
        "an agreement has the offer's target and parties",
        f"{RULES}/refining.py",
        "    judge(parties_and_target_are_those_of_the_offer, agreement, offer)\n",
        "",
        (OTHER_CHANGE,),
    ),
    Defence(
        "no rule of an agreement is for somebody else",
        f"{RULES}/refining.py",
        "    judge(rules_are_for_the_assignee_and_the_target, agreement)\n",
        "",
        (OTHER_CHANGE,),
    ),
    Defence(
        "no permission has a word without a meaning",
        f"{RULES}/refining.py",
        "    judge(permissions_are_of_the_profile, agreement)\n",
        "",
        (OTHER_CHANGE,),
    ),
    Defence(
        "obligations are kept",
        f"{RULES}/refining.py",
        "    judge(obligations_are_kept, agreement, offer, trees)\n",
        "",
        (f"{REFINING}::test_attack_R1_obligations_and_foreign_duties_are_kept_as_they_stand",),
    ),
    Defence(
        "comparisons have a bound",
        f"{RULES}/samples.py",
        "        if combinations > MAX_COMBINATIONS:\n",
        "        if combinations < 0:\n",
        (f"{REFINING}::test_attack_R1_a_comparison_that_would_take_too_long_is_refused",),
    ),
    Defence(
        "only what is true permits",
        f"{RULES}/deciding.py",
        "    permitted = allowed is Truth.TRUE and",
        "    permitted = allowed is not Truth.FALSE and",
        (FOREIGN, DENIED),
    ),
    Defence(
        "a prohibition that is not known forbids",
        f"{RULES}/deciding.py",
        "forbidden is Truth.FALSE and",
        "forbidden is not Truth.TRUE and",
        (FOREIGN,),
    ),
    Defence(
        "whoever asks for all of it asks for what is forbidden",
        f"{RULES}/deciding.py",
        "        included = included or action_includes(request.action, one.action)\n",
        "        included = included or request.action == one.action\n",
        (DENIED,),
    ),
    Defence(
        "an offer permits nothing",
        f"{RULES}/deciding.py",
        " and policy.type is not PolicyType.OFFER\n",
        "\n",
        (f"{DECIDING}::test_attack_R2_an_offer_permits_nothing",),
    ),
    Defence(
        "names in no hierarchy are unknown",
        f"{RULES}/constraint.py",
        "        return Truth.UNKNOWN\n    if operator is Operator.EQ:\n",
        "        return Truth.of(is_excluding)\n    if operator is Operator.EQ:\n",
        (f"{DECIDING}::test_attack_R2_what_may_be_the_forbidden_purpose_is_denied",),
    ),
    Defence(
        "an excluded purpose excludes what stands above it",
        f"{RULES}/constraint.py",
        "        return Truth.of(not tree.is_within(value, right) and not tree.is_within(right, value))\n",
        "        return Truth.of(not tree.is_within(value, right))\n",
        (f"{DECIDING}::test_attack_R2_what_may_be_the_forbidden_purpose_is_denied",),
    ),
    Defence(
        "a policy has no members without a meaning",
        f"{RULES}/spelling.py",
        "        if known is not None and short not in known:\n",
        "        if known is not None and not short:\n",
        (f"{READING}::test_attack_R3_what_the_profile_does_not_have_is_refused",),
    ),
    Defence(
        "an agreement names its parties and its time",
        f"{RULES}/reading.py",
        '        if name not in fields:\n            raise MalformedInput(f"policy.{name}", "an agreement has one")\n',
        '        if not name:\n            raise MalformedInput(f"policy.{name}", "an agreement has one")\n',
        (f"{READING}::test_attack_R3_an_agreement_without_a_party_is_refused",),
    ),
    Defence(
        "a context is the pinned one",
        "relay/services/directory/rules/entries/document.py",
        "    if stated not in [[one] for one in CONTEXTS]:\n",
        "    if stated[0] not in CONTEXTS:\n",
        (DOCUMENTS + "::test_attack_R4_documents_that_mean_two_things_are_refused",),
    ),
    Defence(
        "nothing below the top changes what members mean",
        "relay/services/directory/rules/entries/document.py",
        '        for name, member in value.items():\n            if name in _NOT_HERE or (name == "@context" and not is_top):\n',
        "        for name, member in value.items():\n            if name in _NOT_HERE and is_top:\n",
        (DOCUMENTS + "::test_attack_R4_documents_that_mean_two_things_are_refused",),
    ),
    Defence(
        "an address is one of the web",
        "relay/services/directory/rules/entries/document.py",
        "        if not isinstance(address, str) or not address.lower().startswith(SCHEMES):\n",
        "        if not address:\n",
        (DOCUMENTS + "::test_attack_R4_addresses_that_run_or_read_are_refused",),
    ),
    Defence(
        "an offer is of its data set",
        "relay/services/directory/rules/entries/document.py",
        "    if offer.type is not PolicyType.OFFER or offer.target != dataset:\n",
        "    if offer.type is PolicyType.AGREEMENT:\n",
        (DOCUMENTS + "::test_attack_R4_documents_that_mean_two_things_are_refused",),
    ),
    Defence(
        "a catalogue names an entry once",
        "relay/services/directory/rules/entries/catalogues.py",
        "        if name in found:\n",
        "        if not name:\n",
        (DOCUMENTS + "::test_attack_R5_what_is_no_catalogue_is_refused",),
    ),
    Defence(
        "a range has a node for each subtree outside of it",
        "light_clients/proofs/merkle/ranges.py",
        "    if len(proof.nodes) != expected:\n",
        "    if len(proof.nodes) < expected:\n",
        (RANGES,),
    ),
    Defence(
        "a range leads to the root",
        "light_clients/proofs/merkle/ranges.py",
        "    if computed != root:\n",
        "    if computed[:0] != root[:0]:\n",
        (RANGES,),
    ),
    Defence(
        "a page counts as many entries as its head",
        "relay/services/directory/rules/entries/pages.py",
        "    judge(page_is_of_this_head, page, head)\n",
        "",
        (OLDER,),
    ),
    Defence(
        "entries of a page ascend",
        "relay/services/directory/rules/entries/pages.py",
        "        if before.encode() >= after.encode():\n",
        "        if before.encode() == after.encode():\n",
        (
            "relay/services/directory/rules/entries/test_pages.py::test_attack_R5_a_page_of_another_order_or_without_a_name_is_refused",
        ),
    ),
    Defence(
        "an operation follows the version that stands",
        f"{LOG}/following.py",
        "    if given.follows != version:\n",
        "    if given.follows > version:\n",
        (NOT_FOLLOWING,),
    ),
    Defence(
        "what is put is not there, what is updated or withdrawn is",
        f"{LOG}/following.py",
        "    if is_there == (given.kind is OperationKind.PUT):\n",
        "    if standing is None and given.kind is not OperationKind.PUT:\n",
        (NOT_FOLLOWING,),
    ),
    Defence(
        "an entry has time left when it is put",
        f"{LOG}/following.py",
        "    if until and until <= now_s:\n",
        "    if until and until < now_s:\n",
        (f"{FOLLOWING}::test_an_entry_has_time_left_when_it_is_put",),
    ),
    Defence(
        "a publisher stays within its share of a block",
        f"{LOG}/following.py",
        "    if before + count > parameters.block_operations:\n",
        "    if count > parameters.block_operations:\n",
        (SHARES,),
    ),
    Defence(
        "a publisher stays within its records",
        f"{LOG}/following.py",
        "    if brought and after > publisher.records:\n",
        "    if brought > publisher.records:\n",
        (SHARES,),
    ),
    Defence(
        "a facet learns of an entry that leaves it",
        f"{LOG}/following.py",
        "    before = () if standing is None else standing.facets\n",
        "    before = ()\n",
        (LEFT_FACET,),
    ),
    Defence(
        "an operation names the one before it",
        f"{LOG}/replaying.py",
        "    if one.previous != leaf:\n",
        "    if one.previous != leaf and one.version == 1:\n",
        (FORGED_LOG,),
    ),
    Defence(
        "a page counts as its facet's head does",
        f"{LOG}/pages.py",
        "    judge(page_counts_as_its_head, page, head)\n",
        "",
        (OF_THE_HEAD,),
    ),
    Defence(
        "a page is of the facet that was asked for",
        f"{LOG}/pages.py",
        "    judge(page_is_of_this_facet, page, facet)\n",
        "",
        (OF_THE_HEAD,),
    ),
    Defence(
        "each entry is shown or named as withheld",
        f"{LOG}/replaying.py",
        "    if missing:\n",
        "    if missing and withheld:\n",
        (UNSAID,),
    ),
    Defence(
        "an open entry is not withheld",
        f"{LOG}/replaying.py",
        "        if not entries[entry].content.is_restricted:\n",
        "        if not entries[entry].is_live:\n",
        (UNSAID,),
    ),
    Defence(
        "a document is the one that its entry has the hash of",
        f"{LOG}/contents.py",
        "    if got != content.document:\n",
        "    if got != content.document and salt is None:\n",
        (f"{CONTENTS}::test_attack_R11_another_document_is_not_of_the_entry",),
    ),
    Defence(
        "a publisher's account alone publishes for it",
        f"{HUB}/publishing.py",
        "    if by.caller != record.account:\n",
        "    if by.caller == bytes(20):\n",
        (f"{MODULE}::test_attack_R13_strangers_and_other_publishers_write_nothing",),
    ),
    Defence(
        "the module asks what stands",
        f"{HUB}/publishing.py",
        "        VERIFY(operation_follows, one, standing)\n",
        "",
        (f"{MODULE}::test_attack_R13_what_does_not_follow_changes_nothing",),
    ),
    Defence(
        "the module asks whether time is left",
        f"{HUB}/publishing.py",
        "        VERIFY(entry_is_not_over, one, registry.now.time_s)\n",
        "",
        (f"{MODULE}::test_attack_R13_what_does_not_follow_changes_nothing",),
    ),
    Defence(
        "heads that a publisher brings are its records",
        f"{HUB}/publishing.py",
        "record, entries + len(heads.brought)))\n",
        "record, entries))\n",
        (f"{MODULE}::test_attack_R13_a_publisher_fills_neither_blocks_nor_the_state",),
    ),
    Defence(
        "a call has no more operations than governance allows",
        f"{HUB}/module.py",
        "decode_operations(given, registry.parameters().call_operations)",
        "decode_operations(given)",
        (f"{MODULE}::test_attack_R13_a_publisher_fills_neither_blocks_nor_the_state",),
    ),
    Defence(
        "a publisher that is named no longer is gone",
        f"{HUB}/membership.py",
        "        registry.store.delete(keys.publisher_key(publisher))\n",
        "",
        (f"{MODULE}::test_attack_R13_whoever_is_named_no_longer_publishes_nothing",),
    ),
    Defence(
        "a head does not make all facets of an operation",
        f"{LOG}/following.py",
        "one.is_live and one.has(facet))\n",
        "one.is_live and facet in one.facets)\n",
        (f"{FOLLOWING}::test_attack_R17_a_head_costs_as_much_however_many_facets_its_entry_has",),
    ),
)
