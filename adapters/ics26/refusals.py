"""Why a receiver refused a packet: what its contract reverted with, which v2 acknowledgements do not carry.

A router emits `IBCAppRecvPacketCallbackError(bytes reason)` right before the error acknowledgement of the same packet.
It is an endpoint's word and a stranger's text: shown to people, bounded and escaped, and never decided by.
"""

import re
from dataclasses import replace

from hutong.adapters.ics26.abi import selector
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.interface import PacketEvent, PacketEventKind
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.interface import MalformedInput

CALLBACK_ERROR_TOPIC = keccak256(b"IBCAppRecvPacketCallbackError(bytes)")
MAX_REASON_DATA_BYTES = 4096
"""Routers show at most 1 KiB of what a receiver reverts with."""
MAX_REASON_CHARS = 500
MAX_NESTED = 4
_ERROR_STRING = selector("Error(string)")
MAX_NAMED_CHARS = 400
_NOT_CALLED = "InvalidReceiver: receiver "
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}", re.ASCII)
_WRAPPER = "ReceiverReverted"
"""The Mailbox's error around that of the receiver that it called."""


class Refusals:
    """Of the logs of one range of blocks, in their order."""

    def __init__(self, reverts: RevertReader) -> None:
        self._reverts = reverts
        self._last: tuple[bytes, str] | None = None

    def takes(self, log: Log) -> bool:
        """Whether the log is a reason, which is kept for the acknowledgement after it. Call it for each log."""
        if log.topics != (CALLBACK_ERROR_TOPIC,):
            return False
        self._last = (log.transaction_hash, refusal_of(log.data, self._reverts))
        return True

    def explained(self, event: PacketEvent) -> PacketEvent:
        """The event, with the last reason if it is the error acknowledgement of the same transaction.

        The reason is used up, whatever the event was.
        """
        kept, self._last = self._last, None
        answer = event.acknowledgement
        is_refusal = event.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT and answer is not None and answer.is_error
        if not is_refusal or kept is None or kept[0] != event.transaction_hash:
            return event
        return replace(event, refusal=_with_cause(kept[1], event.packet.payloads[0].destination_port))


def refusal_of(log_data: bytes, reverts: RevertReader) -> str:
    """Why an application refused a packet, in one bounded line; wrapped errors are taken out of each other.

    Args:
        log_data: data of the log in which the router reports it.
    """
    try:
        (data,) = decode_canonical(["bytes"], log_data, "log.data", MAX_REASON_DATA_BYTES)
    except MalformedInput:
        return "a reason that cannot be read"
    said: list[str] = []
    for _ in range(MAX_NESTED):
        error = reverts.read(data)
        if error.name != _WRAPPER:
            said.append(_cut_text(data) if error.name == "malformed" else error.reason)
            break
        said.append(_WRAPPER)
        try:
            (data,) = decode_canonical(["bytes"], data[4:], "revert", MAX_REASON_DATA_BYTES)
        except MalformedInput:  # the router cut it
            break
    return shown(": ".join(said))


def shown(text: str) -> str:
    """A stranger's text as a reason: printable, and at most MAX_REASON_CHARS."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return escaped[:MAX_REASON_CHARS]


def _with_cause(said: str, port: str) -> str:
    """A Mailbox names the receiver that it does not call, and not why."""
    receiver = said.removeprefix(_NOT_CALLED)
    if port != GMP_PORT or receiver == said:
        return said
    if _ADDRESS.fullmatch(receiver) is None:
        return f"{said[:MAX_NAMED_CHARS]}: it is not an address"
    return f"{said}: no contract is there, or it is one of the bridge's own"


def _cut_text(data: bytes) -> str:
    """Of an `Error(string)` that was too long for the Mailbox, its beginning."""
    if data[:4] != _ERROR_STRING:
        return "a reason that cannot be read"
    return "Error: " + data[4 + 2 * 32 :].rstrip(b"\0").decode(errors="ignore") + "…"
