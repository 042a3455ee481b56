"""Defences of searches in the data directory: matches left out, queries without bounds, keepers that lie, and keepers falsely accused."""

from tests.defences.defence import Defence

TERMS = "relay/services/directory/rules/terms"
ANSWERS, FRAUD = f"{TERMS}/test_answers.py", f"{TERMS}/test_fraud.py"
ENGINE = "relay/services/directory/search/test_tantivy.py"
MUTILATED = f"{ANSWERS}::test_attack_R6_answers_that_leave_an_entry_out_are_refused"
BLOCKS = f"{ANSWERS}::test_attack_R6_no_block_of_a_term_is_left_out"
ACCUSED = f"{FRAUD}::test_attack_R8_false_accusations_are_refused"

DIRECTORY_SEARCH = (
    Defence(
        "an answer is under the digest that is believed",
        f"{TERMS}/answer.py",
        "    if answer.head.digest != digest:\n",
        "    if answer.head.digest[:0] != digest[:0]:\n",
        (MUTILATED,),
    ),
    Defence(
        "only terms of the query are looked up",
        f"{TERMS}/answer.py",
        "    if not answer.lookups or not asked.issuperset(answer.lookups):\n",
        "    if not answer.lookups:\n",
        (MUTILATED,),
    ),
    Defence(
        "a hit has the terms that were looked up",
        f"{TERMS}/answer.py",
        "    judge(hits_are_candidates, answer, candidates)\n",
        "",
        (MUTILATED,),
    ),
    Defence(
        "no candidate is left out",
        f"{TERMS}/answer.py",
        "        if is_match and sequence not in hits:\n",
        "        if is_match and sequence < 0:\n",
        (MUTILATED,),
    ),
    Defence(
        "what was not looked up is checked with the entries",
        f"{TERMS}/answer.py",
        "    settled = query.is_terms_alone and (",
        "    settled = query.is_terms_alone or (",
        (f"{ANSWERS}::test_common_terms_are_left_to_the_reader_where_their_postings_are_long",),
    ),
    Defence(
        "before a term's leaves stands another term",
        f"{TERMS}/lookup.py",
        "    if proof.first > 0 and lookup.leaves[0].key >= low:\n",
        "    if proof.first > 0 and lookup.leaves[0].key > high:\n",
        (BLOCKS,),
    ),
    Defence(
        "after a term's leaves stands another term",
        f"{TERMS}/lookup.py",
        "lookup.leaves[-1].key <= high:\n",
        "lookup.leaves[-1].key < low:\n",
        (BLOCKS,),
    ),
    Defence(
        "leaves of a term are shown with their postings",
        f"{TERMS}/lookup.py",
        "        if low <= leaf.key <= high:\n            if leaf.postings is None:\n",
        "        if low <= leaf.key <= high and leaf.postings is not None:\n            if leaf.postings is None:\n",
        (f"{ANSWERS}::test_attack_R6_a_leaf_without_its_postings_is_refused",),
    ),
    Defence(
        "postings are within the log",
        f"{TERMS}/lookup.py",
        "    if found and found[-1] >= size:\n",
        "    if found and size < 0:\n",
        (f"{ANSWERS}::test_attack_R6_postings_beyond_the_log_are_refused",),
    ),
    Defence(
        "only what a text can have is looked up",
        f"{TERMS}/lookup.py",
        "    judge(term_can_be_in_the_index, term)\n",
        "",
        (f"{ANSWERS}::test_attack_R6_a_term_that_no_text_has_is_not_looked_up",),
    ),
    Defence(
        "postings have one spelling",
        f"{TERMS}/postings.py",
        "            if not 0 < high < _LONG:\n",
        "            if not high < _LONG:\n",
        (f"{TERMS}/test_index.py::test_attack_R6_a_long_spelling_of_postings_is_refused",),
    ),
    Defence(
        "a fraud is about the document on record",
        f"{TERMS}/fraud.py",
        "    if found != document_hash:\n",
        "    if found[:0] != document_hash[:0]:\n",
        (ACCUSED,),
    ),
    Defence(
        "a digest is not blamed for later operations",
        f"{TERMS}/fraud.py",
        "    judge(operation_is_in_the_digest, proof, head)\n",
        "",
        (ACCUSED,),
    ),
    Defence(
        "postings that agree with the entry are no fraud",
        f"{TERMS}/fraud.py",
        "    if (has_term, is_listed) != expected:\n",
        "    if (has_term, is_listed)[:0] != expected[:0]:\n",
        (f"{FRAUD}::test_attack_R8_an_honest_keeper_cannot_be_accused",),
    ),
    Defence(
        "the table of Unicode is the pinned one",
        f"{TERMS}/table.py",
        "    if sha256(data) != TABLE_HASH:\n",
        "    if not data:\n",
        (f"{TERMS}/test_words.py::test_attack_R6_another_table_is_refused",),
    ),
    Defence(
        "a query has a bound",
        f"{TERMS}/query.py",
        "    if not 0 < count <= MAX_QUERY_TERMS:\n",
        "    if not 0 < count:\n",
        (f"{TERMS}/test_query.py::test_attack_R7_queries_beyond_the_grammar_are_refused",),
    ),
    Defence(
        "a prefix says something",
        f"{TERMS}/query.py",
        "    if len(stem) < MIN_PREFIX_CHARS:\n",
        "    if not stem:\n",
        (f"{TERMS}/test_query.py::test_attack_R7_queries_beyond_the_grammar_are_refused",),
    ),
    Defence(
        "an index is replaced whole",
        "relay/services/directory/search/generations.py",
        "        make(unfinished)\n",
        '        write_durably(home / CURRENT, b"generation-9")\n        make(unfinished)\n',
        (f"{ENGINE}::test_a_build_that_fails_leaves_the_old_index",),
    ),
    Defence(
        "an index file that was changed is refused",
        "relay/services/directory/search/terms_file.py",
        "    if file.read() != expected:\n",
        "    if not file.read():\n",
        (f"{ENGINE}::test_attack_R6_a_changed_index_file_is_refused",),
    ),
    Defence(
        "operations follow one another into an index",
        "relay/services/directory/search/engine.py",
        "            if operation.sequence < self.size:\n",
        "            if operation.sequence < 0:\n",
        ("relay/services/directory/search/test_order.py::test_attack_R7_operations_that_do_not_follow_are_refused",),
    ),
    Defence(
        "who only searches begins no index",
        "relay/services/directory/search/index_home.py",
        "TantivyEngine(folder / _ENGINE, begins=False)",
        "TantivyEngine(folder / _ENGINE)",
        ("relay/services/directory/search/test_tantivy.py::test_attack_R6_an_index_that_is_gone_is_not_an_empty_one",),
    ),
    Defence(
        "a query is text that can be written",
        "relay/services/directory/rules/terms/query.py",
        "        raw = text.encode()\n",
        '        raw = text.encode(errors="surrogatepass")\n',
        ("relay/services/directory/rules/terms/test_query.py::test_attack_R7_queries_beyond_the_grammar_are_refused",),
    ),
    Defence(
        "a withdrawal accuses no keeper",
        f"{TERMS}/fraud.py",
        "    if not one.is_live or one.content.is_restricted:\n",
        "    if one.content.is_restricted:\n",
        (f"{FRAUD}::test_attack_R8_withdrawals_and_restricted_entries_accuse_nobody",),
    ),
)
