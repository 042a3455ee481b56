"""A witness of one log: it cosigns what grew out of the tree that it saw last, and remembers that before it signs."""

import json
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.proofs.merkle import ConsistencyProof, verify_consistency
from hutong.light_clients.tlog import Checkpoint, Key, NoteSignature
from hutong.light_clients.tlog.predicates import checkpoint_is_of_the_log, log_signed
from hutong.light_clients.tlog.signing import witness_line
from hutong.relay.base.durable_files import write_durably
from hutong.relay.devnet.settings import DevnetError

MAX_SEEN_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest tree that a witness has cosigned; size 0 before the first one."""

    size: int = 0
    root: bytes = b""


class Witness:
    """One key, and the file that says what it has cosigned."""

    def __init__(self, key: Key, secret: bytes, file: Path) -> None:
        self.key = key
        self._secret = secret
        self._file = file
        self.seen = _read_seen(file)

    def cosign(
        self, origin: str, log_key: Key, checkpoint: Checkpoint, nodes: tuple[bytes, ...], now_s: int
    ) -> NoteSignature:
        """The witness's line under a checkpoint, whose tree is durable here before it is signed.

        Args:
            nodes: the consistency proof from the tree seen last; none before the first one.
            now_s: Unix time, which the cosignature states.

        Raises:
            PredicateFailed: another log, not signed by it, a smaller tree than was seen, or one that did not grow out
                of it.
            OSError: what was seen cannot be made durable; nothing is signed then.
        """
        VERIFY(checkpoint_is_of_the_log, checkpoint, origin)
        VERIFY(log_signed, checkpoint, log_key)
        if checkpoint.size < self.seen.size:
            raise PredicateFailed(
                "tree_is_not_smaller",
                "a larger tree was cosigned",
                got=checkpoint.size,
                expected=f">= {self.seen.size}",
            )
        if self.seen.size:
            proof = ConsistencyProof(self.seen.size, checkpoint.size, nodes)
            verify_consistency(proof, self.seen.root, checkpoint.root)
        seen = Seen(checkpoint.size, checkpoint.root)
        if seen != self.seen:
            document = {"size": seen.size, "root": seen.root.hex()}
            write_durably(self._file, json.dumps(document).encode())
            self.seen = seen
        return witness_line(self.key, self._secret, checkpoint.note.text, now_s)


def _read_seen(file: Path) -> Seen:
    """Raises DevnetError: the file is damaged. A witness that forgets could sign two trees."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return Seen()
    except OSError as error:
        raise DevnetError(f"{file} cannot be read: {error.strerror or error}") from None
    try:
        document = parse_json(data, str(file), MAX_SEEN_BYTES)
        return Seen(int(document["size"]), bytes.fromhex(document["root"]))
    except (MalformedInput, KeyError, TypeError, ValueError):
        raise DevnetError(f"{file} is damaged: it says which tree the witness has cosigned; restore it") from None
