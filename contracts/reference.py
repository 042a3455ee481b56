"""The contract reference below docs/contracts: one page a contract or interface, from the NatSpec comments in `contracts/src`.

    python -m hutong.contracts.reference            write docs/contracts
    python -m hutong.contracts.reference --check    exit 1 unless the committed pages are what the sources say

The compiler is that of `hutong.contracts.compile`. Whatever is public and has no comment is refused by name.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.contracts.compile import (
    ROOT,
    SETTINGS,
    CompileError,
    collect_sources,
    ensure_packages,
    paths_below,
    run_compiler,
    standard_json,
)
from hutong.contracts.natspec import Contract, Entry, Field, Type, base_type, contracts, shared_types

PAGES = ROOT.parent / "docs" / "contracts"
SOURCES = "src/"
EXAMPLES = "src/examples/"
SHARED = "types"
"""Page of the types that stand in no contract."""
LINE_LENGTH = 100
HEADINGS = {"constructor": "Constructor", "function": "Functions", "event": "Events", "error": "Errors"}
_PAGE_NAME = re.compile(r"docs/([a-z-]+/)?([a-zA-Z0-9-]+\.md)")


class Undocumented(Exception):
    """Public parts that no comment explains."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything that gets a page."""

    pages: tuple[Contract, ...]
    abstract: dict[str, Contract]
    """What has no page: its entries stand on the pages of the contracts that inherit them."""
    shared: tuple[tuple[str, Type], ...]

    def homes(self) -> dict[str, str]:
        """Page and anchor of every type, contract and interface, by its Solidity name."""
        places = {contract.name: f"{contract.name}.md" for contract in self.pages}
        places |= {kind.name: f"{SHARED}.md#{anchor(kind.name)}" for _, kind in self.shared}
        for contract in self.pages:
            places |= {kind.name: f"{contract.name}.md#{anchor(kind.name)}" for kind in contract.types}
        return places


def compiled() -> dict[str, Any]:
    """The compiler's output with comments and syntax trees, without code."""
    sources = collect_sources(paths_below("src"))
    document = standard_json(sources, ["abi", "userdoc", "devdoc"])
    document["settings"]["outputSelection"]["*"][""] = ["ast"]
    return run_compiler(document)


def reference(output: dict[str, Any]) -> Reference:
    """What the pages say.

    Raises:
        Undocumented: something public has no comment.
    """
    found = [contract for contract in contracts(output, SOURCES) if not contract.source.startswith(EXAMPLES)]
    shared = tuple(shared_types(output, SOURCES))
    missing = [name for contract in found for name in contract.undocumented]
    missing += [kind.name for _, kind in shared if not kind.notice]
    if missing:
        raise Undocumented(", ".join(missing))
    return Reference(
        pages=tuple(contract for contract in found if not contract.is_abstract),
        abstract={contract.name: contract for contract in found if contract.is_abstract},
        shared=shared,
    )


def anchor(heading: str) -> str:
    """The anchor that Markdown readers make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")


def prose(text: str) -> str:
    """A comment as Markdown: pages of ours that it names become links, and nothing in it is read as HTML."""
    linked = _PAGE_NAME.sub(lambda match: f"[{match[2].removesuffix('.md')}](../{match[1] or ''}{match[2]})", text)
    return linked.replace("<", "&lt;")


def cell(text: str) -> str:
    """Text for one cell of a table."""
    return prose(text).replace("|", "\\|")


def type_text(field: Field, homes: dict[str, str]) -> str:
    """A type, linked to where it is explained."""
    home = homes.get(base_type(field))
    return f"[`{field.type}`]({home})" if home else f"`{field.type}`"


def table(title: str, fields: Iterable[Field], homes: dict[str, str]) -> Iterator[str]:
    """Parameters, results or members, one a row; nothing where the declaration says it all."""
    rows = [(field, cell(field.meaning)) for field in fields]
    if not any(meaning or base_type(field) in homes for field, meaning in rows):
        return
    yield f"| {title} | type | |"
    yield "| --- | --- | --- |"
    for field, meaning in rows:
        name = f"`{field.name}`" if field.name else ""
        yield f"| {name} | {type_text(field, homes)} | {meaning} |"
    yield ""


def declaration(entry: Entry) -> str:
    """How Solidity would declare it, a parameter a line where one line is too long."""
    inputs = [
        " ".join(word for word in (field.type, "indexed" * (field.name in entry.indexed), field.name) if word)
        for field in entry.inputs
    ]
    head = f"{entry.kind} {entry.name}" if entry.kind != "constructor" else entry.kind
    tail = f" {entry.mutability}" if entry.mutability else ""
    if entry.outputs:
        tail += f" returns ({', '.join(f'{field.type} {field.name}'.strip() for field in entry.outputs)})"
    line = f"{head}({', '.join(inputs)}){tail}"
    if len(line) <= LINE_LENGTH:
        return line
    return f"{head}(\n    " + ",\n    ".join(inputs) + f"\n){tail}"


def entry_lines(entry: Entry, homes: dict[str, str]) -> Iterator[str]:
    """One function, event, error or constructor."""
    if entry.kind != "constructor":
        yield f"### {entry.name}"
        yield ""
    yield "```solidity"
    yield declaration(entry)
    yield "```"
    yield ""
    words = " ".join(f"{prose(text).removesuffix('.')}." for text in (entry.notice, entry.details) if text)
    if words or entry.is_library:
        yield words or "Of OpenZeppelin's contracts."
        yield ""
    yield from table("parameter", entry.inputs, homes)
    yield from table("returns", entry.outputs, homes)
    if entry.selector:
        yield f"{'Topic' if entry.kind == 'event' else 'Selector'} `0x{entry.selector}`"
        yield ""


def type_lines(kind: Type, homes: dict[str, str]) -> Iterator[str]:
    """One struct or enum."""
    yield f"### {kind.name}"
    yield ""
    yield f"{kind.kind}. {prose(kind.notice)}"
    yield ""
    if kind.kind == "enum":
        yield ", ".join(f"{number} `{member.name}`" for number, member in enumerate(kind.members))
        yield ""
    else:
        yield from table("member", kind.members, homes)


def contract_page(contract: Contract, known: Reference) -> str:
    """The page of one contract: what its interfaces say stands on theirs."""
    homes = known.homes()
    pages = {page.name: page for page in known.pages}
    interfaces = [pages[base] for base in contract.bases if base in pages]
    elsewhere = {(entry.kind, entry.signature) for page in interfaces for entry in page.entries}
    lines = [
        f"# {contract.name}",
        "",
        f"{contract.kind}, [contracts/{contract.source}](../../contracts/{contract.source})",
        "",
    ]
    for text in (contract.title, contract.notice, contract.details):
        if text:
            lines += [f"{prose(text).removesuffix('.')}.", ""]
    if interfaces:
        links = ", ".join(f"[{page.name}]({page.name}.md)" for page in interfaces)
        lines += [f"Has everything of {links}; below is what it adds.", ""]
    for kind, heading in HEADINGS.items():
        own = [e for e in contract.entries if e.kind == kind and (e.kind, e.signature) not in elsewhere]
        if own:
            lines += [f"## {heading}", ""]
            for entry in own:
                lines += entry_lines(entry, homes)
    if contract.types:
        lines += ["## Types", ""]
        for item in contract.types:
            lines += type_lines(item, homes)
    return "\n".join(lines).rstrip() + "\n"


def shared_page(known: Reference) -> str:
    """The page of the types that stand in no contract."""
    homes = known.homes()
    lines = ["# Types", "", "Structs and enums that several contracts use.", ""]
    for source in sorted({source for source, _ in known.shared}):
        lines += [f"## {Path(source).name}", "", f"[contracts/{source}](../../contracts/{source})", ""]
        for unit, kind in known.shared:
            if unit == source:
                lines += type_lines(kind, homes)
    return "\n".join(lines).rstrip() + "\n"


def index_page(known: Reference) -> str:
    """The first page."""
    versions = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    lines = [
        "# Contract reference",
        "",
        "Every public function, event and error, from the comments in `contracts/src`. Written by `python -m hutong.contracts.reference`; CI checks it.",
        "How the parts work together, and what is frozen: [router](../spec/router.md), [mailbox](../spec/mailbox.md), [transfer](../spec/transfer.md),",
        "[hub-client](../spec/hub-client.md), [attestation](../spec/attestation.md). The [dapp guide](../dapp-guide.md) uses them.",
        "",
        f"Compiled by solc {versions['solc']} for {SETTINGS['evmVersion'].capitalize()}, on OpenZeppelin {versions['@openzeppelin/contracts']}.",
        'ABIs are package data: `hutong.contracts.artifacts.load_artifact("IMailbox").abi`. Rights ("restricted") are those of an OpenZeppelin `AccessManager`,',
        "deployed as it is; what is inherited from OpenZeppelin has OpenZeppelin's words.",
        "",
    ]
    for heading, kind in (("Contracts", "contract"), ("Interfaces", "interface")):
        lines += [f"## {heading}", "", "| | |", "| --- | --- |"]
        lines += [
            f"| [{page.name}]({page.name}.md) | {cell(page.title)} |" for page in known.pages if page.kind == kind
        ]
        lines += [""]
    lines += [f"[Types]({SHARED}.md): structs and enums that several of them use."]
    return "\n".join(lines) + "\n"


def pages(known: Reference) -> dict[str, str]:
    """File name → text of every page."""
    made = {f"{contract.name}.md": contract_page(contract, known) for contract in known.pages}
    return made | {f"{SHARED}.md": shared_page(known), "README.md": index_page(known)}


def differences(folder: Path, wanted: dict[str, str]) -> list[str]:
    """What is wrong with the folder, one sentence each."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return [f"docs/contracts/{name} has no contract" for name in sorted(present.keys() - wanted.keys())] + [
        f"docs/contracts/{name} is not what the sources say"
        for name in sorted(wanted)
        if present.get(name) != wanted[name]
    ]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m hutong.contracts.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    ensure_packages()
    try:
        wanted = pages(reference(compiled()))
    except (CompileError, Undocumented) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    if arguments.check:
        wrong = differences(PAGES, wanted)
        sys.stdout.writelines(f"{sentence}\n" for sentence in wrong)
        if not wrong:
            sys.stdout.write(f"{len(wanted)} pages equal their sources\n")
        return 1 if wrong else 0
    PAGES.mkdir(parents=True, exist_ok=True)
    for path in PAGES.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
