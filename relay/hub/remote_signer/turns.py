"""Which node the signer signs for. A height belongs to one node: another's votes follow from locks that it does not know.

The record alone would let two nodes sign in turns, each against the other's locks, without one double vote.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.light_clients.tendermint.types import MAX_INT64
from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned
from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.home.home import UnusableHome

TURN_FILE = "signs_for.json"
MAX_TURN_BYTES = 1024
_NODE_ID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Turn:
    """`node_id` gets signatures above `above` only."""

    node_id: str
    above: int


def encode_turn(turn: Turn) -> bytes:
    """One line of JSON, which `decode_turn` reads."""
    return json.dumps({"node": turn.node_id, "above": turn.above}).encode() + b"\n"


def decode_turn(data: bytes) -> Turn:
    """Inverse of `encode_turn`, of at most MAX_TURN_BYTES.

    Raises:
        ValueError: it is anything else.
    """
    try:
        with Document.parse(data, "turn", MAX_TURN_BYTES).members() as fields:
            return Turn(fields["node"].matching(_NODE_ID, "a node's id"), fields["above"].integer(0, MAX_INT64))
    except MalformedInput as error:
        raise ValueError(f"does not say which node this signer signs for ({error})") from None


class Turns:
    """Blocking: a change of node waits for the disk."""

    def __init__(self, home: Path) -> None:
        """Without the file the first node gets nothing of the height that was signed last. Raises UnusableHome."""
        self._path = home / TURN_FILE
        self._turn: Turn | None = None
        try:
            self._turn = decode_turn(self._path.read_bytes())
        except FileNotFoundError:
            return
        except OSError as error:
            raise UnusableHome(f"{self._path}: {error.strerror or error}") from None
        except ValueError as error:
            raise UnusableHome(f"{self._path}: {error}") from None

    def check(self, node_id: str, height: int, round_: int, step: Step, record: LastSigned) -> None:
        """Let pass a node that may have signatures at `height`.

        A node that was not the last to ask gets the heights above the record, once that is on disk.

        Raises:
            DoubleSignRefused: the height belongs to another node.
            OSError: the change of node cannot be written.
        """
        turn = self._turn
        if turn is None or turn.node_id != node_id:
            turn = Turn(node_id, record.height)
            write_durably(self._path, encode_turn(turn))
            self._turn = turn
        if height <= turn.above:
            raise DoubleSignRefused(
                height, round_, step, f"another node was given signatures up to height {turn.above}"
            )
