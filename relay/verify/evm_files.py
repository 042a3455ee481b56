"""What `hutong verify` reads of EVM chains: checkpoints that the user trusts, and headers as nodes serve them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.evm_header import ExecutionHeader, decode_header, header_from_rpc
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.verify.checkpoint_files import whole_number
from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json, read_file
from hutong.relay.verify.tendermint import parse_time

RPC = "eth_getBlockByNumber"
_HEX_FILE = re.compile(rb'"?(0[xX])?([0-9a-fA-F]{2})+"?')


@dataclass(frozen=True, slots=True)
class Served:
    """What the file holds: an RPC block, or a header's RLP. Nothing in it is believed."""

    block: Mapping[str, Any] | None
    header_rlp: bytes

    def execution(self) -> ExecutionHeader:
        """The header, parsed; its hash is not compared with anything.

        Raises:
            MalformedInput: the file holds no well-formed header.
        """
        return decode_header(self.header_rlp) if self.block is None else header_from_rpc(self.block)


def time_s(value: Any, what: str) -> int:
    """Seconds of Unix time: of a number, a text of one, RFC 3339 in UTC, or a TOML date with time.

    Args:
        what: names the value in a refusal.

    Raises:
        UnusableInput: it is none of these.
    """
    if isinstance(value, int) or (isinstance(value, str) and value[:2] in ("0x", "0X")):
        return whole_number(value, what)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return parse_time(text, what) // NANOSECONDS_PER_SECOND


def read_served(path: Path) -> Served:
    """An `eth_getBlockByNumber` answer, bare or in its envelope, or a header's RLP in hex.

    Raises:
        UnusableInput: the file is neither, or holds an error of the node.
    """
    data = read_file(path).strip()
    if _HEX_FILE.fullmatch(data):
        return Served(None, parse_hex(data.strip(b'"').decode(), str(path)))
    return served_of(parse_json(data, str(path)), path)


def served_of(document: Any, path: Path) -> Served:
    """One parsed answer, whose header may also be the RLP in its member `headerRlp`.

    Raises:
        UnusableInput: it is no block, or an error of the node.
    """
    if isinstance(document, Mapping) and document.get("error"):
        raise UnusableInput(f"{path} is an error response of the node")
    if isinstance(document, Mapping) and "result" in document:
        document = document["result"]
    if isinstance(document, Mapping) and isinstance(document.get("headerRlp"), str):
        return Served(None, parse_hex(document["headerRlp"], f"headerRlp in {path}"))
    if not isinstance(document, Mapping) or "extraData" not in document:
        raise UnusableInput(f"{path} is neither an {RPC} answer nor header RLP in hex")
    return Served(document, b"")
