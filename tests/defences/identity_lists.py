"""Defences of status lists, queries and W3C credentials: a status that is another's, stale or lowered; a word that nobody signed."""

from tests.defences.defence import Defence

STATUS = "relay/services/identity/rules/status"
DCQL = "relay/services/identity/rules/dcql"
VC2 = "relay/services/identity/rules/vc2"
TREE_TESTS = "relay/services/identity/rules/status/test_chunk_tree.py"
CLAIM_TESTS = "relay/services/identity/rules/status/test_list_claims.py"
TOKEN_TESTS = "relay/services/identity/rules/status/test_status_token.py"
DCQL_TESTS = "relay/services/identity/rules/dcql/test_dcql.py"
DOCUMENT_TESTS = "relay/services/identity/rules/vc2/test_data_model.py"
ENVELOPE_TESTS = "relay/services/identity/rules/vc2/test_envelope.py"
PROOF_TESTS = "relay/services/identity/rules/vc2/test_data_integrity.py"

IDENTITY_LISTS = (
    Defence(
        "a list is inflated to its bound",
        f"{STATUS}/inflating.py",
        "            if held > max_bytes:\n",
        "            if held > max_bytes * 8:\n",
        (f"{CLAIM_TESTS}::test_attack_N25_a_gigabyte_in_a_megabyte_is_refused_within_64_mib",),
    ),
    Defence(
        "a compressed list is one stream to its end",
        f"{STATUS}/inflating.py",
        "    if reader.unused_data:\n",
        "    if False:\n",
        (f"{CLAIM_TESTS}::test_attack_N26_compressed_bytes_that_are_not_one_whole_stream",),
    ),
    Defence(
        "an index is in its list",
        f"{STATUS}/statuses.py",
        "    if not 0 <= index < statuses.size:\n",
        "    if index >= 2**40:\n",
        (f"{CLAIM_TESTS}::test_attack_N22_an_index_at_or_after_the_end",),
    ),
    Defence(
        "a path has the tree's depth",
        f"{STATUS}/chunk_tree.py",
        "    if len(proof.siblings) != shape.depth:\n",
        "    if False:\n",
        (f"{TREE_TESTS}::test_attack_N28_a_node_of_the_tree_as_chunk",),
    ),
    Defence(
        "bits of a list only rise",
        f"{STATUS}/chunk_update.py",
        "        if before & ~after or before == after:\n",
        "        if before == after:\n",
        (f"{TREE_TESTS}::test_attack_N29_an_update_that_lowers_a_bit",),
    ),
    Defence(
        "an update begins at the list's root",
        f"{STATUS}/chunk_update.py",
        "    if old[0] != root:\n",
        "    if False:\n",
        (f"{TREE_TESTS}::test_attack_N29_an_update_of_what_the_list_does_not_hold",),
    ),
    Defence(
        "an update uses every sibling",
        f"{STATUS}/chunk_update.py",
        "    if used != len(update.siblings):\n",
        "    if False:\n",
        (f"{TREE_TESTS}::test_attack_N29_an_update_with_parts_out_of_order_unused_or_missing",),
    ),
    Defence(
        "a token is of the list that is asked for",
        f"{STATUS}/list_claims.py",
        "    if claims.subject != uri:\n",
        "    if False:\n",
        (f"{CLAIM_TESTS}::test_attack_N21_the_list_of_another_uri",),
    ),
    Defence(
        "a copy of unknown age counts from its signing",
        f"{STATUS}/list_claims.py",
        "    since_s = claims.issued_at_s if fetched_at_s is None else fetched_at_s\n",
        "    since_s = now_s if fetched_at_s is None else fetched_at_s\n",
        (f"{CLAIM_TESTS}::test_attack_N20_a_copy_older_than_its_ttl",),
    ),
    Defence(
        "a list is its credential's issuer's",
        f"{STATUS}/token.py",
        "    if demand.credential_issuer is not None:\n",
        "    if False:\n",
        (f"{TOKEN_TESTS}::test_attack_N21_a_list_that_somebody_else_signed",),
    ),
    Defence(
        "a list is bound to its key",
        f"{STATUS}/proven_list.py",
        "    if proven.key_thumbprint != key_thumbprint:\n",
        "    if False:\n",
        (f"{TOKEN_TESTS}::test_attack_N21_a_list_that_is_bound_to_another_key",),
    ),
    Defence(
        "a proven list is of the newest epoch",
        f"{STATUS}/proven_list.py",
        "    if proven.epoch < newest_epoch:\n",
        "    if False:\n",
        (f"{TOKEN_TESTS}::test_attack_N20_a_record_of_an_earlier_epoch",),
    ),
    Defence(
        "a token is the one whose hash is proven",
        f"{STATUS}/proven_list.py",
        "    if digest != proven.token_sha256:\n",
        "    if False:\n",
        (f"{TOKEN_TESTS}::test_attack_N27_a_token_that_is_not_the_one_of_the_record",),
    ),
    Defence(
        "a list says to wallets what it says to contracts",
        f"{STATUS}/proven_list.py",
        "    if root != proven.root:\n",
        "    if False:\n",
        (f"{TOKEN_TESTS}::test_attack_N27_a_record_whose_token_says_something_else_than_its_root",),
    ),
    Defence(
        "values of a query are equal in type",
        f"{DCQL}/matching.py",
        "    return type(value) is type(wanted) and value == wanted\n",
        "    return value == wanted\n",
        (f"{DCQL_TESTS}::test_values_are_equal_in_type_and_code_points",),
    ),
    Defence(
        "an answer is what was asked for",
        f"{DCQL}/matching.py",
        "        if name not in asked:\n            raise",
        "        if name not in asked:\n            continue\n            raise",
        (f"{DCQL_TESTS}::test_an_answer_that_is_not_is_refused",),
    ),
    Defence(
        "a bare credential is its holder's word alone",
        f"{VC2}/data_model.py",
        "        if issuer != holder:\n",
        "        if False:\n",
        (
            f"{DOCUMENT_TESTS}::test_a_bare_credential_of_another_issuer_is_not_the_holders_to_sign",
            f"{ENVELOPE_TESTS}::test_a_presentation_that_is_not_the_holders",
        ),
    ),
    Defence(
        "a protected term keeps its meaning",
        f"{VC2}/contexts.py",
        "            if term in BASE_TERMS or (term in protected and defined[term] != meaning):\n",
        "            if False:\n",
        (f"{DOCUMENT_TESTS}::test_what_is_broken_is_refused",),
    ),
    Defence(
        "a proof is to assert",
        f"{VC2}/data_integrity.py",
        "    if purpose != ASSERTION:\n",
        "    if False:\n",
        (f"{PROOF_TESTS}::test_only_keys_that_the_issuer_names_and_only_to_assert",),
    ),
    Defence(
        "what protects a W3C credential stands in the clear",
        f"{VC2}/envelope.py",
        "            judge(what_protects_stands_in_the_clear, unpacked)\n",
        "            pass\n",
        (f"{ENVELOPE_TESTS}::test_what_protects_is_signed_in_the_clear",),
    ),
    Defence(
        "a document has the contexts that were signed",
        f"{VC2}/data_integrity.py",
        "    if held != wanted:\n",
        "    if False:\n",
        (f"{PROOF_TESTS}::test_a_document_keeps_the_contexts_that_were_signed",),
    ),
)
