"""Revert data to a name and a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hutong.adapters.ics26.abi import selector
from hutong.adapters.interface import RefusedByChain, RpcRefused
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.errors import shown

MAX_REVERT_BYTES = 64 * 1024

_ERROR_STRING = selector("Error(string)")
_PANIC = selector("Panic(uint256)")

PANIC_REASONS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "value out of an enum's range",
    0x22: "broken storage byte array",
    0x31: "pop of an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}

ROUTER_ERRORS = (
    # public ICS26Router, ICS02Client, ICS24Host
    "IBCPortAlreadyExists(string port)",
    "IBCInvalidPortIdentifier(string port)",
    "IBCInvalidTimeoutTimestamp(uint256 timeout_s,uint256 compared_s)",
    "IBCInvalidTimeoutDuration(uint256 longest_s,uint256 actual_s)",
    "IBCInvalidCounterparty(string expected,string actual)",
    "IBCAsyncAcknowledgementNotSupported()",
    "IBCErrorUniversalAcknowledgement()",
    "IBCAppNotFound(string port)",
    "IBCUnauthorizedSender(address caller)",
    "IBCFailedCallback()",
    "IBCInvalidClientId(string client)",
    "IBCClientNotFound(string client)",
    "IBCCounterpartyClientNotFound(string client)",
    "IBCClientAlreadyExists(string client)",
    "IBCPacketCommitmentAlreadyExists(bytes path)",
    "IBCPacketAcknowledgementAlreadyExists(bytes path)",
    "IBCMultiPayloadPacketNotSupported()",
    "IBCPacketCommitmentMismatch(bytes32 stored,bytes32 recomputed)",
    "IBCPacketReceiptMismatch(bytes32 stored,bytes32 recomputed)",
    "InvalidMerklePrefix(bytes[] prefix)",
    "NoAcknowledgements()",
    # our relayBatch
    "InsufficientBatchGas(uint256 index,uint256 available,uint256 needed)",
    "BatchSelectorNotAllowed(uint256 index,bytes4 selector)",
    # OpenZeppelin
    "AccessManagedUnauthorized(address caller)",
    "AccessManagedRequiredDelay(address caller,uint32 delay_s)",
    "AccessManagerUnauthorizedAccount(address account,uint64 role)",
    "ReentrancyGuardReentrantCall()",
    "EnforcedPause()",
    "ExpectedPause()",
)


@dataclass(frozen=True, slots=True)
class ErrorDefinition:
    """A custom error; `names` are its parameters' names for the sentence."""

    name: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def selector(self) -> bytes:
        """The first four bytes of the revert."""
        return selector(f"{self.name}({','.join(self.types)})")


def parse_definition(text: str) -> ErrorDefinition:
    """Read `Name(type name,type name)`; types are elementary or arrays of them. Other text is not refused."""
    name, _, rest = text.partition("(")
    parameters = [part.split() for part in rest.rstrip(")").split(",") if part]
    return ErrorDefinition(name, tuple(p[0] for p in parameters), tuple(p[-1] for p in parameters))


def _abi_type(entry: dict[str, Any]) -> str:
    kind: str = entry["type"]
    if kind.startswith("tuple"):
        inner = ",".join(_abi_type(component) for component in entry["components"])
        return f"({inner}){kind.removeprefix('tuple')}"
    return kind


def definitions_of(abi: Iterable[dict[str, Any]]) -> tuple[ErrorDefinition, ...]:
    """The custom errors in a compiled contract's ABI, tuples among their types written out."""
    return tuple(
        ErrorDefinition(
            entry["name"],
            tuple(map(_abi_type, entry["inputs"])),
            tuple(argument["name"] or f"argument{index}" for index, argument in enumerate(entry["inputs"])),
        )
        for entry in abi
        if entry.get("type") == "error"
    )


class RevertReader:
    """Knows a set of custom errors; unknown data is shown by its selector, never guessed."""

    def __init__(self, definitions: Iterable[ErrorDefinition] = ()) -> None:
        known = (*map(parse_definition, ROUTER_ERRORS), *definitions)
        self._definitions = {definition.selector: definition for definition in known}

    def read(self, data: bytes) -> RefusedByChain:
        """The error that revert data says, its sentence printable and bounded; never raises.

        Args:
            data: selector and arguments; empty if a call reverts without a reason, or runs out of gas.
        """
        if not data:
            return RefusedByChain("empty", "reverted without a reason (out of gas, or a bare revert)", data)
        name, arguments = self._decode(data[:MAX_REVERT_BYTES])
        return RefusedByChain(name, f"{name}{arguments}", data)

    def _decode(self, data: bytes) -> tuple[str, str]:
        head, body = data[:4], data[4:]
        try:
            if head == _ERROR_STRING:
                (text,) = decode_canonical(["string"], body, "revert", MAX_REVERT_BYTES)
                return "Error", f": {shown(text)}"
            if head == _PANIC:
                (code,) = decode_canonical(["uint256"], body, "revert", MAX_REVERT_BYTES)
                return "Panic", f": {PANIC_REASONS.get(code, f'code {code:#x}')}"
            definition = self._definitions.get(head)
            if definition is not None:
                values = decode_canonical(list(definition.types), body, "revert", MAX_REVERT_BYTES)
                said = ", ".join(f"{n} {shown(v)}" for n, v in zip(definition.names, values, strict=True))
                return definition.name, f": {said}" if said else ""
        except MalformedInput:
            return "malformed", f" revert data {shown(data)}"
        return "unknown", f" revert data {shown(data)}"


def revert_data(error: RpcRefused) -> bytes | None:
    """Revert data as nodes attach it to an error: hex text, or an object with it under `data` or `result`.

    Returns:
        None if there is none, or it is not hex.
    """
    data = error.data
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if not isinstance(data, str) or not data.startswith("0x"):
        return None
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return None


def is_revert(error: RpcRefused) -> bool:
    """Whether the contract refused, not the endpoint: revert data is attached, or the message says so."""
    return revert_data(error) is not None or "revert" in error.message.lower()


ROUTER_REVERTS = RevertReader()
"""Knows the errors of the router alone."""
