"""The vectors of docs/spec/directory-terms.md."""

import json
import re
from pathlib import Path

from hutong.light_clients.interface import VERIFY
from hutong.relay.services.directory.rules.terms.answer import answer_query, decode_answer, encode_answer, judge_answer
from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.rules.terms.query import parse_query
from hutong.relay.services.directory.rules.terms.words import all_terms, terms_in_order
from tests.relay.services.directory.rules.terms.entries import index_of

PAGE = Path(__file__).parents[6] / "docs" / "spec" / "directory-terms.md"
(BLOCK,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
VECTORS = json.loads(BLOCK)


def test_texts_have_the_terms_of_the_page():
    for vector in VECTORS["texts"]:
        assert terms_in_order(vector["text"]) == vector["in_order"]
        assert sorted(all_terms(vector["text"]) - set(vector["in_order"])) == vector["besides"]


def test_entries_have_the_digest_and_the_answer_of_the_page():
    index = index_of(dict(enumerate(map(entry_text, VECTORS["entries"])))).provable()
    head = index.head
    shown = {"size": head.size, "leaves": head.leaves, "root": head.root.hex(), "digest": head.digest.hex()}
    assert shown == VECTORS["head"]
    query = parse_query(VECTORS["query"])
    answer = answer_query(index, query, VECTORS["answer"]["hits"])
    assert json.loads(encode_answer(answer)) == VECTORS["answer"]
    judge_answer(VERIFY, decode_answer(json.dumps(VECTORS["answer"]).encode()), query, head.digest)
