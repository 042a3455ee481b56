"""What every search engine does: it finds what the rules say matches, and nothing else, in the one order."""

from random import Random

import pytest

from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.rules.terms.query import matches, parse_query
from hutong.relay.services.directory.search.engine import EntryOperation
from tests.relay.services.directory.rules.terms.entries import CHINESE, ENGLISH, documents

FACETS = ({"publisher": ("did:web:a.example",)}, {"publisher": ("did:web:b.example",), "origin": ("hub:1", "evm:7")})


def put(sequence, document):
    return EntryOperation(sequence, document["@id"], entry_text(document, FACETS[sequence % 2]))


def operations(count, seed=3):
    """Entries, of which some are put again with other words and some are withdrawn, with numbers left out."""
    random = Random(seed)
    said, sequence = [], 0
    for document in documents(count, seed):
        said.append(put(sequence, document))
        sequence += random.choice((1, 1, 3))
        if random.random() < 0.2:
            older = random.choice(said)
            fresh = documents(1, sequence)[0] | {"@id": older.entry}
            said.append(put(sequence, fresh) if random.random() < 0.6 else EntryOperation(sequence, older.entry, None))
            sequence += 1
    return said


def standing(said):
    """Last operation of each entry that has one with a text."""
    last = {operation.entry: operation for operation in said}
    return [one for one in sorted(last.values(), key=lambda one: -one.sequence) if one.text is not None]


def drawn_query(random):
    """A query of one to three parts."""
    word, pair = random.choice(ENGLISH), random.choice(CHINESE)
    parts = [
        word,
        pair,
        "".join(random.sample(CHINESE, 2)),
        random.choice("京交流水医"),
        f'"{word} {random.choice(ENGLISH)}"',
    ]
    parts += [
        f'"{pair}{random.choice(CHINESE)}"',
        f"{word[:3]}*",
        f"theme:urn:theme:{random.randrange(5)}",
        "origin:hub:1",
    ]
    parts += [f"id:urn:ds:{random.randrange(9)}", "publisher:did:web:a.example", f"{word}x", "a.b", "can't"]
    return " ".join(random.sample(parts, random.randint(1, 3)))


def pages(engine, query, limit):
    found, before = [], None
    while True:
        page = engine.search(query, before, limit)
        found.append(page)
        if page.before is None:
            return found
        before = page.before


class EngineConformance:
    """A test class with a fixture `again`, which opens the same index once more."""

    @pytest.fixture
    def engine(self, again):
        return again()

    def test_an_index_of_nothing_finds_nothing(self, engine):
        page = engine.search(parse_query("traffic"))
        assert (engine.size, page.hits, page.total, page.size, page.before) == (0, (), 0, 0, None)

    def test_it_finds_what_matches_and_nothing_else(self, engine):
        said = operations(150)
        engine.apply(said)
        assert engine.size == said[-1].sequence + 1
        for seed in range(30):
            query = parse_query(drawn_query(Random(seed)))
            expected = [(one.sequence, one.entry) for one in standing(said) if matches(query, one.text)]
            page = engine.search(query, limit=1_000)
            assert ([(hit.sequence, hit.entry) for hit in page.hits], page.total) == (expected, len(expected)), query

    def test_pages_follow_one_another(self, engine):
        said = operations(150)
        engine.apply(said)
        query = parse_query("theme:urn:theme:1")
        whole = engine.search(query, limit=1_000).hits
        found = pages(engine, query, 7)
        assert tuple(hit for page in found for hit in page.hits) == whole
        assert {page.total for page in found} == {len(whole)}
        assert all(len(page.hits) == 7 for page in found[:-1])

    def test_what_is_added_between_pages_moves_no_hit(self, engine):
        said = operations(150)
        engine.apply(said[:-10])
        query = parse_query("theme:urn:theme:2")
        first = engine.search(query, limit=5)
        rest = engine.search(query, first.before, 1_000).hits
        engine.apply([put(said[-1].sequence + 5, documents(1, 9)[0] | {"@id": "urn:new", "theme": ["urn:theme:2"]})])
        assert engine.search(query, first.before, 1_000).hits == rest

    def test_read_at_once_and_bit_by_bit_it_is_the_same(self, engine):
        said = operations(60)
        for at in range(0, len(said), 30):
            engine.apply(said[at : at + 30])
        for text in ("theme:urn:theme:1", "theme:urn:theme:3", "traffic", "交通"):
            query = parse_query(text)
            expected = tuple(one.sequence for one in standing(said) if matches(query, one.text))
            assert tuple(hit.sequence for hit in engine.search(query, limit=1_000).hits) == expected

    def test_it_goes_on_where_it_was_closed(self, again):
        said = operations(40)
        first = again()
        first.apply(said, 500)
        first.close()
        engine = again()
        assert engine.size == 500
        engine.apply([], 600)
        assert engine.size == 600

    def test_attack_R7_what_does_not_follow_is_refused_and_changes_nothing(self, engine):
        said = operations(20)
        engine.apply(said[:10])
        size = engine.size
        for wrong, until in ((said[5:], None), ([said[12], said[11]], None), ([said[12]], size)):
            with pytest.raises(ValueError, match="operation"):
                engine.apply(wrong, until)
        assert engine.size == size
        assert engine.search(parse_query(f"id:{said[12].entry}")).total == 0
        engine.apply(said[10:])

    def test_attack_R7_operators_of_an_engine_are_words(self, engine):
        said = operations(30)
        engine.apply(said)
        for text in (
            "road AND bus",
            "(road OR bus)",
            "+road -bus",
            "road~2 bus^3",
            "terms:road",
            "[a TO z]",
            "road & ! | <-> bus",
        ):
            query = parse_query(text)
            expected = [one.sequence for one in standing(said) if matches(query, one.text)]
            assert [hit.sequence for hit in engine.search(query, limit=1_000).hits] == expected, text

    @pytest.mark.parametrize("limit", [0, -1, 1_001])
    def test_attack_R7_pages_have_a_bound(self, engine, limit):
        with pytest.raises(ValueError, match="1 to 1000 hits"):
            engine.search(parse_query("road"), limit=limit)

    def test_marks_of_terms_are_no_operators(self, engine):
        texts = ["O'Neill's data", "data.gov_x", "a:b", "1,000.5", "it''s"]
        said = [put(number, {"@id": f"urn:x:{number}", "title": text}) for number, text in enumerate(texts)]
        engine.apply(said)
        for number, text in enumerate(texts):
            assert said[number].sequence in [hit.sequence for hit in engine.search(parse_query(f'"{text}"')).hits]
