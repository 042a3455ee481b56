"""What actions of trusted storage hold, and how they are said in words to whoever votes (docs/spec/hub-rules.md)."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput

OPERATOR_TYPES: Final = ["bytes32", "address", "bytes32", "bytes32", "bytes32", "bytes32", "uint32"]
STATE_TYPES: Final = ["bytes32", "uint8"]
PARTY_TYPES: Final = ["uint8", "bytes32", "address"]
PARAMETER_TYPES: Final = [
    "uint64",
    "uint32",
    "uint64",
    "uint64",
    "uint32",
    "uint32",
    "uint32",
    "uint8",
    "uint8",
    "uint64",
]
STATES: Final = {1: "register", 2: "activate", 3: "drain", 4: "take out"}
ROLES: Final = {1: "writer", 2: "auditor", 3: "holder", 4: "repairer"}
_NOBODY: Final = "0x" + "00" * 20


def storage_in_words(kind: int, fields: Callable[..., tuple[Any, ...]]) -> str:
    """An action of kinds 18 to 21, whose data `fields` decodes.

    Raises:
        MalformedInput: the data is not that of the kind, or the kind is another.
    """
    match kind:
        case 18:
            return operator_in_words(*fields(*OPERATOR_TYPES))
        case 19:
            return state_in_words(*fields(*STATE_TYPES))
        case 20:
            return party_in_words(*fields(*PARTY_TYPES))
        case 21:
            return parameters_in_words(fields(*PARAMETER_TYPES))
    raise MalformedInput("action.kind", "is said in no words", got=kind)


def operator_in_words(
    operator: bytes, account: str, organisation: bytes, site: bytes, region: bytes, engine: bytes, weight: int
) -> str:
    """Of an action of kind 18."""
    labels = ", ".join(
        label.rstrip(b"\0").decode("ascii", "backslashreplace") for label in (organisation, site, region, engine)
    )
    return f"operator {operator.hex()} of storage is {account}, weight {weight}, labels {labels}"


def state_in_words(operator: bytes, state: int) -> str:
    """Of an action of kind 19."""
    return f"{STATES.get(state, f'state {state} for')} operator {operator.hex()} of storage"


def party_in_words(role: int, party: bytes, account: str) -> str:
    """Of an action of kind 20."""
    name = ROLES.get(role, f"party of role {role}")
    if account == _NOBODY:
        return f"no longer name {name} {party.hex()} of storage"
    return f"name {name} {party.hex()} of storage, {account}"


def parameters_in_words(values: Sequence[int]) -> str:
    """Of an action of kind 21."""
    epoch_s, cut_blocks, reveal_s, deadline_s, probes, full_probes, full_every, data, parity, price = values
    return (
        f"storage: epochs of {epoch_s} s, header after {cut_blocks} blocks, {reveal_s} s for secrets, {deadline_s} s for"
        f" answers, {probes} probes and {full_probes} in each {full_every}th, code {data} + {parity}, price {price}"
    )
