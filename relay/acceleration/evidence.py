"""What contradicted an engine, kept in a file: whoever reports the fault needs the question to the bit."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.crypto import sha256
from hutong.light_clients.crypto.engines import Answer, EngineContradicted, Question
from hutong.relay.base.durable_files import make_folder_durably, write_durably


@dataclass(frozen=True, slots=True)
class EvidenceFolder:
    """A folder of contradictions, one file each; the same one twice is one file.

    Questions are public keys, messages and signatures: no secret is in them.
    """

    path: Path

    def keep(self, found: EngineContradicted, engine_version: str, machine: str) -> Path:
        """Write it down, and return where.

        Raises:
            OSError: the folder or the file cannot be made.
        """
        document = {
            "algorithm": found.algorithm,
            "engine": found.engine,
            "version": engine_version,
            "machine": machine,
            "question": _plain(found.question),
            "got": _plain(found.got),
            "expected": _plain(found.expected),
            "by": found.by,
        }
        text = json.dumps(document, indent=1, sort_keys=True) + "\n"
        make_folder_durably(self.path)
        path = self.path / f"engine-{sha256(text.encode()).hex()[:16]}.json"
        write_durably(path, text.encode())
        return path


def _plain(value: Question | Answer) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value.hex() if isinstance(value, bytes) else value
