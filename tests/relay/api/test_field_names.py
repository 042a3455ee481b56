"""A field has one name: the explorer, the SDK and the ledger's words against the OpenAPI document."""

import json
import re
from pathlib import Path

import pytest

from docs.site.http_api import api_document
from hutong.relay import api
from hutong.relay.ledger.values import messages as ledger_words
from hutong.relay.schemas import words
from hutong.relay.sdk import calls
from hutong.relay.sdk.sending import MessageDemand, TransferDemand

FOLDER = Path(api.__file__).parent / "explorer"
OF_THE_LANGUAGE = frozenset(
    """abort abs activeElement add addEventListener altKey append apply blur bottom button catch ceil
    checkpoint childNodes children classList clear clientX clipboard close closest codePointAt contains contentRect
    createElement createElementNS ctrlKey currentTarget dataset dateTime delete dispatchEvent documentElement entries
    every exec filter finally find findIndex findLast firstChild flat flatMap floor focus fromEntries get
    getAttribute getBoundingClientRect getElementById getItem getPropertyValue groupBy has includes indexOf join json
    lastEventId left length localeCompare log10 map matches max metaKey min nextSibling nodeName now observe ok
    padStart parse parseFloat prepend preventDefault push querySelector querySelectorAll race readyState reduce remove
    removeAttribute replace replaceAll replaceChildren replaceWith resolve right round row scroll scrollIntoView set
    setAttribute setItem signal slice some splice split startsWith stopPropagation stringify style tabIndex target test
    textContent then toFixed toLocaleString toLocaleTimeString toLowerCase toReversed toSorted toString toggle top trim
    values width writeText x y CLOSED Object String new of this toml one""".split()
)
"""Of JavaScript and the browser, and what follows a dot in the name of a file or a spread."""
OF_THE_EXPLORER = frozenset(
    """above before below byOwnClock clients figures filters form forth heading hidden home hubs icon item kinds
    known lane listCells look mark missing more names narrow ofBlock options organisations otherFilters page parts
    query reading restart roots rowHeight rows say select series show shown sign standing starts steps stream
    summary svg theme tokens tone totalTiles view waits ways wide words APPS UNITS STATE_FILTER""".split()
)
"""What its modules hand to each other."""


@pytest.fixture(scope="module")
def document():
    return api_document()


def named(document):
    """Every field of an answer or a request, and every parameter."""
    fields = {name for schema in document["components"]["schemas"].values() for name in schema.get("properties", {})}
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    return fields | {parameter["name"] for one in operations for parameter in one.get("parameters", ())}


def scripts():
    files = sorted(FOLDER.rglob("*.js"))
    assert len(files) > 20
    for file in files:
        text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
        yield file, re.sub(r"(?<!:)//[^\n]*", "", text)


def names_read(text):
    """After a dot outside of quotes, and in braces that take a value apart."""
    code = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    yield from re.findall(r"\??\.([A-Za-z_]\w*)", code)
    for parts in re.findall(
        r"(?:const|let)\s*\{([^{}]*)\}\s*(?:=|of\b)|[(,]\s*\{([^{}]*)\}[^{}()]*\)\s*(?:=>|\{)", code
    ):
        for part in "".join(parts).split(","):
            if (name := re.match(r"\s*([A-Za-z_]\w*)", part)) is not None:
                yield name[1]


def test_every_field_that_the_explorer_reads_is_in_the_document(document):
    fields, seen = named(document), set()
    for file, text in scripts():
        for name in names_read(text):
            seen.add(name)
            assert name in fields | OF_THE_LANGUAGE | OF_THE_EXPLORER, f"{file.name} reads {name}: no answer has it"
    others = OF_THE_LANGUAGE | OF_THE_EXPLORER
    assert not others - seen and not others & fields, "no script reads these any more, or the document has them"
    assert {"sent_at", "waits_for", "a_to_b", "look_alike", "timed_out", "predicates", "next"} <= seen & fields


def test_names_that_the_explorer_has_in_quotes_are_fields_or_words_of_the_document(document):
    """Such as those of a series, which it reads by name."""
    said = {word for schema in document["components"]["schemas"].values() for word in schema.get("enum", ())}
    quoted = {name for _, text in scripts() for name in re.findall(r'"([a-z][a-z0-9]*(?:_[a-z0-9]+)+)"', text)}
    assert {"p50_s", "message_id"} <= quoted
    assert not quoted - named(document) - said


@pytest.mark.parametrize("kind", ["App", "MessageState", "MessageStage", "FoundKind"])
def test_the_ledger_the_answers_and_the_document_have_the_same_words(document, kind):
    listed = list(getattr(words, kind).listed())
    assert (
        listed
        == [word.value for word in getattr(ledger_words, kind)]
        == document["components"]["schemas"][kind]["enum"]
    )
    assert getattr(words, kind)("a word of a newer server") is getattr(words, kind).UNKNOWN


def test_the_sdk_asks_with_the_names_of_the_document(document):
    schemas = document["components"]["schemas"]
    ways = {"via": "hub", "client": "client-0", "next_client": "client-1"}
    for demand, kind in (
        (TransferDemand("alpha", "beta", "0xaa", 1, "0xbb", "0xcc", **ways), "PrepareTransfer"),
        (MessageDemand("alpha", "beta", "0xbb", "0xcc", b"hello", receive_gas=1, **ways), "PrepareMessage"),
    ):
        assert set(json.loads(calls.prepare(demand).body)) == set(schemas[kind]["properties"])
    submission = calls.submit("alpha", b"\1", "order-1").body
    assert set(json.loads(submission)) == set(schemas["SubmitTransaction"]["properties"])
    parameters = {one["name"] for one in document["paths"]["/v1/messages"]["get"]["parameters"]}
    assert set(calls.FilterFields.__annotations__) == parameters - {"cursor", "limit"}
