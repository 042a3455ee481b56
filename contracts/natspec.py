"""What the compiler says of a contract's public face: its ABI joined with the NatSpec comments, as values.

Functions, events and errors come from the ABI with `userdoc` and `devdoc`; structs and enums, which those leave out, from the syntax tree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto import keccak256

_TAG = re.compile(r"^\s*@(\w+)\s*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, a returned value or a member."""

    name: str
    """Empty where it has none."""
    type: str
    """As Solidity writes it: `uint64`, `Packet`, `IHubClient.Validator[]`."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A function, event, error or constructor."""

    kind: str
    name: str
    signature: str
    """Canonical, tuples spelt out; empty for a constructor."""
    selector: str
    """4 bytes of a function or error, the first topic of an event, in hex; empty for a constructor."""
    mutability: str
    """`view`, `pure`, `payable` or empty."""
    notice: str
    details: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    indexed: frozenset[str]
    """Names of an event's indexed parameters."""
    is_library: bool
    """Declared by a library of others, whose comments are theirs."""


@dataclass(frozen=True, slots=True)
class Type:
    """A struct, or an enum whose members have no type."""

    kind: str
    name: str
    """Qualified by its contract, where it stands in one."""
    notice: str
    members: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract or interface."""

    name: str
    kind: str
    """`contract` or `interface`."""
    source: str
    """Source unit, e.g. `src/Router.sol`."""
    title: str
    notice: str
    details: str
    bases: tuple[str, ...]
    """Every contract and interface that it inherits from, nearest first, itself left out."""
    is_abstract: bool
    entries: tuple[Entry, ...]
    types: tuple[Type, ...]

    @property
    def undocumented(self) -> tuple[str, ...]:
        """Signatures of what no comment explains."""
        return tuple(
            f"{self.name}.{entry.signature or entry.kind}"
            for entry in self.entries
            if not entry.is_library
            and not (entry.notice or entry.details or any(field.meaning for field in entry.inputs))
        ) + tuple(f"{self.name}.{kind.name}" for kind in self.types if not kind.notice)


def tags(text: str) -> dict[str, str]:
    """NatSpec of the syntax tree by tag; `@param x` under `param x`. Text before any tag is the notice."""
    found: dict[str, str] = {}
    marks = list(_TAG.finditer(text))
    head = text[: marks[0].start()] if marks else text
    if head.strip():
        found["notice"] = one_line(head)
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):
        body = text[mark.end() : end]
        tag = mark.group(1)
        if tag == "param":
            name, _, body = body.partition(" ")
            tag = f"param {name}"
        found[tag] = one_line(body)
    return found


def one_line(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.split())


def canonical_type(parameter: dict[str, Any]) -> str:
    """ABI type with tuples spelt out, as signatures are hashed."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(component) for component in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def solidity_type(parameter: dict[str, Any]) -> str:
    """The type as the source has it."""
    name: str = parameter.get("internalType", parameter["type"])
    return re.sub(r"^(struct|enum|contract) ", "", name)


def entries(contract: dict[str, Any], declared: frozenset[str]) -> Iterator[Entry]:
    """Every entry of one contract of the compiler's output, in the order of the ABI; constructors if they take anything."""
    for item in contract["abi"]:
        if item["type"] != "constructor" or item["inputs"]:
            yield entry(item, contract["userdoc"], contract["devdoc"], declared)


def entry(item: dict[str, Any], userdoc: dict[str, Any], devdoc: dict[str, Any], declared: frozenset[str]) -> Entry:
    """One item of the ABI with its comments. `declared` are the names that sources of ours declare."""
    kind: str = item["type"]
    inputs = item.get("inputs", [])
    name = item.get("name", kind)
    signature = f"{name}({','.join(canonical_type(parameter) for parameter in inputs)})"
    group, key = ("methods" if kind in ("function", "constructor") else f"{kind}s"), signature
    if kind == "constructor":
        key = "constructor"
    user, dev = comments(userdoc, group, key), comments(devdoc, group, key)
    if kind == "function" and not dev and not inputs:
        dev = devdoc.get("stateVariables", {}).get(name, {})
    returned = dev.get("returns", {})
    outputs = tuple(
        Field(parameter["name"], solidity_type(parameter), one_line(returned.get(parameter["name"] or f"_{index}", "")))
        for index, parameter in enumerate(item.get("outputs", []))
    )
    digest = keccak256(signature.encode())
    mutability = item.get("stateMutability", "")
    return Entry(
        kind=kind,
        name=name,
        signature="" if kind == "constructor" else signature,
        selector={"constructor": "", "event": digest.hex()}.get(kind, digest[:4].hex()),
        mutability="" if mutability == "nonpayable" else mutability,
        notice=one_line(user.get("notice", "")),
        details=one_line(dev.get("details", "")),
        inputs=tuple(
            Field(
                parameter["name"], solidity_type(parameter), one_line(dev.get("params", {}).get(parameter["name"], ""))
            )
            for parameter in inputs
        ),
        outputs=outputs,
        indexed=frozenset(parameter["name"] for parameter in inputs if parameter.get("indexed")),
        is_library=kind != "constructor" and name not in declared,
    )


def comments(doc: dict[str, Any], group: str, key: str) -> dict[str, Any]:
    """Comments of one entry. Those of errors are lists, since a name may be declared twice."""
    found: dict[str, Any] | list[dict[str, Any]] = doc.get(group, {}).get(key, {})
    return found[0] if isinstance(found, list) else found


def types(nodes: list[dict[str, Any]]) -> Iterator[Type]:
    """Structs and enums among the nodes of a source unit or of a contract."""
    for node in nodes:
        if node["nodeType"] not in ("StructDefinition", "EnumDefinition"):
            continue
        said = tags(node.get("documentation", {}).get("text", ""))
        yield Type(
            kind="struct" if node["nodeType"] == "StructDefinition" else "enum",
            name=node["canonicalName"],
            notice=said.get("notice", ""),
            members=tuple(
                Field(member["name"], member_type(member), said.get(f"param {member['name']}", ""))
                for member in node["members"]
            ),
        )


def base_type(field: Field) -> str:
    """The field's type without array brackets."""
    return re.sub(r"\[\d*\]", "", field.type)


def member_type(member: dict[str, Any]) -> str:
    """The type of a struct's member; members of an enum have none."""
    if "typeDescriptions" not in member:
        return ""
    return re.sub(r"\b(struct|enum|contract) ", "", member["typeDescriptions"]["typeString"])


def contracts(output: dict[str, Any], below: str) -> Iterator[Contract]:
    """Contracts and interfaces of every source unit whose name starts with `below`; libraries are nobody's to call."""
    names = {
        node["id"]: node["name"]
        for unit in output["sources"].values()
        for node in unit["ast"]["nodes"]
        if node["nodeType"] == "ContractDefinition"
    }
    ours = {source: unit for source, unit in sorted(output["sources"].items()) if source.startswith(below)}
    declared = frozenset(
        member["name"]
        for unit in ours.values()
        for node in unit["ast"]["nodes"]
        for member in node.get("nodes", ())
        if "name" in member
    )
    for source, unit in ours.items():
        for node in unit["ast"]["nodes"]:
            if node["nodeType"] != "ContractDefinition" or node["contractKind"] == "library":
                continue
            compiled = output["contracts"][source][node["name"]]
            parts = tuple(entries(compiled, declared))
            shown = {base_type(field) for part in parts for field in (*part.inputs, *part.outputs)}
            yield Contract(
                name=node["name"],
                kind=node["contractKind"],
                source=source,
                title=one_line(compiled["devdoc"].get("title", "")),
                notice=one_line(compiled["userdoc"].get("notice", "")),
                details=one_line(compiled["devdoc"].get("details", "")),
                bases=tuple(names[base] for base in node["linearizedBaseContracts"][1:]),
                is_abstract=node["abstract"],
                entries=parts,
                types=tuple(
                    kind for kind in types(node["nodes"]) if node["contractKind"] == "interface" or kind.name in shown
                ),
            )


def shared_types(output: dict[str, Any], below: str) -> Iterator[tuple[str, Type]]:
    """Structs and enums that stand in no contract, with their source unit."""
    for source, unit in sorted(output["sources"].items()):
        if source.startswith(below):
            for kind in types(unit["ast"]["nodes"]):
                yield source, kind
