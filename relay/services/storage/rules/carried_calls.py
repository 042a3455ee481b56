"""Calls of the module that a transaction's data carries: its own, or those that it has a contract make (a wallet, a multisig, a batch)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.rules.calls import MAX_CALL_BYTES, StorageCall

LENGTH_BYTES: Final = 32
"""Whoever carries a call says its length right before it: ABI's `bytes`, and the packed batches of multisigs."""
MOST_CALLS: Final = 64
"""Of one transaction. Where more are carried the rest is passed over, so that nobody makes a reader work for long."""


def carried_calls(data: bytes, call: StorageCall) -> Iterator[Sequence[Any]]:
    """Arguments of each `call` in a transaction's data, in order; at most `MOST_CALLS`.

    Nothing says that the call was made, or that it was not reverted: what is found is a claim to judge. A contract that puts
    a call together from parts carries none.

    Args:
        data: calldata, or the init code of a creation, of any length.
    """
    if data.startswith(call.selector):
        with_arguments = _arguments(data, call)
        if with_arguments is not None:
            yield with_arguments
            return
    found = 0
    at = data.find(call.selector, LENGTH_BYTES)
    while at >= 0 and found < MOST_CALLS:
        length = int.from_bytes(data[at - LENGTH_BYTES : at], "big")
        if len(call.selector) <= length <= min(MAX_CALL_BYTES, len(data) - at):
            found += 1
            arguments = _arguments(data[at : at + length], call)
            if arguments is not None:
                yield arguments
        at = data.find(call.selector, at + 1)


def _arguments(octets: bytes, call: StorageCall) -> Sequence[Any] | None:
    try:
        return call.decode(octets)
    except MalformedInput:
        return None
