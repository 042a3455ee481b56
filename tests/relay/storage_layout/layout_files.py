"""The committed layouts of test contracts, which `python -m hutong.contracts.compile` makes, in each form that is read."""

import json
from functools import cache
from pathlib import Path

from hutong.relay.storage_layout import StorageLayout, decode, locate, read_layout
from hutong.relay.storage_layout.errors import WordsMissing

LAYOUTS = Path(__file__).resolve().parents[3] / "contracts" / "test" / "layouts"
PROBE_SOURCE = "test/support/StorageProbe.sol"
TOKEN_SOURCE = "src/examples/ExampleToken.sol"
PROBE_FILE = LAYOUTS / "StorageProbe.json"


def compiler_output(name: str = "StorageProbe") -> dict:
    return json.loads((LAYOUTS / f"{name}.json").read_text())


def contract_output(contract: str = "StorageProbe") -> dict:
    """ABI and layout of a contract of the probe's source."""
    return compiler_output()["contracts"][PROBE_SOURCE][contract]


def as_bytes(document) -> bytes:
    return json.dumps(document).encode()


@cache
def layout(name: str = "StorageProbe", contract: str | None = None) -> StorageLayout:
    return read_layout((LAYOUTS / f"{name}.json").read_bytes(), contract or name)


def read(of: StorageLayout, path: str, word_at):
    """The value at a path; `word_at` answers with the 32 bytes of a slot, and is asked for what is needed alone."""
    place, words = locate(of, path), {}
    while True:
        try:
            return decode(of, place, words)
        except WordsMissing as missing:
            assert not set(missing.slots) & set(words)
            words |= {slot: word_at(slot) for slot in missing.slots}


def one_variable(type_id: str, types: dict, **changed) -> bytes:
    """A layout with the variable `x` alone."""
    entry = {"label": "x", "slot": "0", "offset": 0, "type": type_id, "contract": "a.sol:A", **changed}
    return as_bytes({"storage": [entry], "types": types})


def in_place(label: str, size_bytes: int, **more) -> dict:
    return {"encoding": "inplace", "label": label, "numberOfBytes": str(size_bytes), **more}
