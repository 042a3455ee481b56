"""As much of Turtle as the policies of the vectors are written in: prefixes, blank nodes, collections, typed literals."""

import re
from dataclasses import dataclass, field
from itertools import count

TOKEN = re.compile(
    r'\s+|#[^\n]*|<(?P<iri>[^>]*)>|"(?P<text>(?:[^"\\]|\\.)*)"|\^\^|@(?P<at>[A-Za-z-]+)|(?P<mark>[\[\]();,])|(?P<stop>\.(?=\s|$))'
    r"|(?P<number>[-+]?[0-9]+(?:\.[0-9]+)?)(?=[\s;,\])])|(?P<name>[A-Za-z_][\w.-]*(?<!\.)|(?=:))(?::(?P<local>[\w-]*(?:\.[\w-]+)*))?"
)
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


class Iri(str):
    """A node, named or blank."""

    __slots__ = ()


class Literal(str):
    """A text; its type is left out."""

    __slots__ = ()


@dataclass
class Graph:
    """Objects by subject and predicate, in the order of the file."""

    nodes: dict[str, dict[str, list]] = field(default_factory=dict)

    def add(self, subject, predicate, value) -> None:
        self.nodes.setdefault(subject, {}).setdefault(predicate, []).append(value)

    def objects(self, subject, predicate) -> list:
        return self.nodes.get(subject, {}).get(predicate, [])

    def subjects_of(self, type_: str) -> list[str]:
        return [subject for subject, members in self.nodes.items() if type_ in members.get(RDF_TYPE, [])]


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at, self.prefixes, self.blanks, self.graph = 0, {}, count(), Graph()

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self):
        return self.tokens[self.at]

    def document(self) -> Graph:
        while self.at < len(self.tokens):
            kind, value = self.peek()
            if (kind, value) == ("at", "prefix"):
                self.take()
                name, iri = self.take(), self.take()
                self.prefixes[name[1][0]] = iri[1]
                self.expect("stop")
                continue
            subject = self.node()
            if self.peek()[0] != "stop":
                self.members(subject)
            self.expect("stop")
        return self.graph

    def expect(self, kind, value=None) -> None:
        found = self.take()
        if found[0] != kind or value not in (None, found[1]):
            raise ValueError(f"Turtle: {found} where {kind} {value} is expected")

    def members(self, subject) -> None:
        while self.peek() not in (("mark", "]"), ("stop", ".")):
            predicate = RDF_TYPE if self.peek() == ("name", ("a", None)) and self.take() else self.node()
            self.graph.add(subject, predicate, self.node())
            while self.peek() == ("mark", ","):
                self.take()
                self.graph.add(subject, predicate, self.node())
            while self.peek() == ("mark", ";"):
                self.take()

    def node(self):
        kind, value = self.take()
        if kind == "iri":
            return Iri(value)
        if kind == "name":
            return Iri(self.prefixes[value[0]] + (value[1] or ""))
        if kind == "number":
            return Literal(value)
        if kind == "text":
            if self.at < len(self.tokens) and self.peek()[0] == "typed":
                self.take()
                self.node()
            elif self.at < len(self.tokens) and self.peek()[0] == "at":
                self.take()
            return Literal(value)
        if value == "[":
            blank = Iri(f"_:{next(self.blanks)}")
            self.members(blank)
            self.expect("mark", "]")
            return blank
        if value == "(":
            items = []
            while self.peek() != ("mark", ")"):
                items.append(self.node())
            self.take()
            return items
        raise ValueError(f"Turtle: {kind} {value}")


def _tokens(text: str):
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or match.end() == place:
            raise ValueError(f"Turtle: {text[place : place + 40]!r}")
        place, kind = match.end(), match.lastgroup
        if match[0] == "^^":
            yield "typed", "^^"
        elif kind in ("name", "local"):
            yield "name", (match["name"] or "", match["local"])
        elif kind is not None:
            yield kind, match[kind]


def read_turtle(text: str) -> Graph:
    """Raises ValueError for what is not of the subset."""
    return _Reader(text).document()
