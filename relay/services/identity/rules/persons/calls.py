"""Calls of the hub's identity module that are about persons, by name and arguments: whoever follows a hub's blocks reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi

WRITER_TUPLE: Final = "(bytes32,bytes32)"
"""DID, and thumbprint of the log key whose account calls."""
PLACE_TUPLE: Final = "(bytes32,uint64,uint64)"
"""A person's place: registrar's DID, shard, index."""
MAX_CALL_BYTES: Final = 128 * 1024
"""A transaction has no more."""
SELECTOR_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Call:
    """A function: its name, and the ABI types of its arguments."""

    name: str
    arguments: tuple[str, ...]

    @property
    def selector(self) -> bytes:
        """The first 4 bytes of the call."""
        return keccak256(f"{self.name}({','.join(self.arguments)})".encode())[:SELECTOR_BYTES]

    def encode(self, *values: Any) -> bytes:
        """Calldata."""
        return self.selector + encode_abi(self.arguments, values)

    def decode(self, data: bytes) -> Sequence[Any]:
        """The arguments of calldata that begins with the selector.

        Raises:
            MalformedInput: it is longer than `MAX_CALL_BYTES`, or anything but the canonical encoding.
        """
        return decode_canonical(list(self.arguments), data[SELECTOR_BYTES:], self.name, MAX_CALL_BYTES)


REGISTER_PERSONS: Final = Call("registerPersons", (WRITER_TUPLE, "uint64", "bytes32[]", "bytes"))
CHANGE_PERSONS: Final = Call("changePersons", (WRITER_TUPLE, "uint64", "bytes32[]", "bytes"))
CHANGE_PERSON: Final = Call("changePerson", ("bytes32", "uint64", "bytes32[]", "bytes"))
START_RECOVERY: Final = Call(
    "startPersonRecovery", (PLACE_TUPLE, "bytes", "bytes32[]", "bytes", "bytes", "uint64", "bytes[]")
)
START_RECOVERY_AS_REGISTRAR: Final = Call(
    "startPersonRecoveryAsRegistrar", (WRITER_TUPLE, "uint64", "uint64", "bytes", "bytes32[]", "bytes", "bytes")
)
CANCEL_RECOVERY: Final = Call("cancelPersonRecovery", (PLACE_TUPLE, "bytes"))
COMPLETE_RECOVERY: Final = Call("completePersonRecovery", (PLACE_TUPLE, "bytes", "bytes32[]"))
CLEAR_RECOVERY: Final = Call("clearPersonRecovery", (PLACE_TUPLE,))
