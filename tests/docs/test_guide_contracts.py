"""Every whole contract that a page prints compiles with the pinned compiler, without a warning."""

import re
from pathlib import Path

import pytest

from contracts.compile import collect_sources, ensure_packages, imported, run_compiler, standard_json

DOCS = Path(__file__).resolve().parents[2] / "docs"
SOLIDITY = re.compile(r"^```solidity\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUIDES = ("dapp-guide.md",)


@pytest.mark.nodes
@pytest.mark.parametrize("page", GUIDES)
def test_printed_contracts_compile(page):
    printed = [text for text in SOLIDITY.findall((DOCS / page).read_text()) if "pragma solidity" in text]
    assert printed
    ensure_packages()
    guide = {f"guide/{number}.sol": text for number, text in enumerate(printed)}
    needed = {name for path, text in guide.items() for name in imported(path, text)}
    output = run_compiler(standard_json({**collect_sources(sorted(needed)), **guide}, ["evm.bytecode.object"]))
    made = {name: contract for path in guide for name, contract in output["contracts"][path].items()}
    assert all(contract["evm"]["bytecode"]["object"] for contract in made.values())
    assert len(made) >= len(guide)
