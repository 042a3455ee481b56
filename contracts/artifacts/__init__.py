"""Compiled contracts as package data: ABI and bytecode by contract name, from a checkout or a wheel.

`python -m hutong.contracts.compile` writes the JSON files beside this module; `--check` proves them equal to the sources.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class ContractArtifact:
    """One compiled contract. Interfaces have empty bytecode."""

    name: str
    source: str
    """Path of the source below `contracts/`, or an npm import path."""
    abi: list[dict[str, Any]]
    bytecode: bytes
    """Creation code, without constructor arguments."""
    deployed_bytecode: bytes
    """Runtime code with immutables as zeros."""


class UnknownContract(LookupError):
    """No artifact has this name."""


@cache
def load_artifact(name: str) -> ContractArtifact:
    """The artifact of the contract or interface called `name`, e.g. `Router`.

    Raises:
        UnknownContract: no such artifact.
    """
    if not name.isidentifier():
        raise UnknownContract(name)
    file = resources.files(__name__).joinpath(f"{name}.json")
    if not file.is_file():
        raise UnknownContract(name)
    fields = json.loads(file.read_text(encoding="utf-8"))
    return ContractArtifact(
        name=fields["name"],
        source=fields["source"],
        abi=fields["abi"],
        bytecode=bytes.fromhex(fields["bytecode"]),
        deployed_bytecode=bytes.fromhex(fields["deployedBytecode"]),
    )


def artifact_names() -> list[str]:
    """Every name that `load_artifact` knows, sorted."""
    return sorted(
        entry.name.removesuffix(".json")
        for entry in resources.files(__name__).iterdir()
        if entry.name.endswith(".json")
    )
