"""HOME/skips: the certificates that this node was given, one a height."""

import json
from pathlib import Path

from light_clients.interface import MalformedInput
from light_clients.tendermint.skip_certificate import (
    MAX_FILE_BYTES,
    SkipCertificate,
    certificate_document,
    certificate_of_file,
)
from relay.base.durable_files import write_durably
from relay.hub.node.home import UnusableHome

SKIPS_DIRECTORY = "skips"


def encode_file(certificate: SkipCertificate) -> bytes:
    return json.dumps(certificate_document(certificate), indent=1).encode() + b"\n"


def read_file(path: Path) -> SkipCertificate:
    """Raises UnusableHome."""
    try:
        with path.open("rb") as file:
            return certificate_of_file(file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}") from None
    except MalformedInput as error:
        raise UnusableHome(f"{path}: {error}") from None


class SkipFiles:
    """Blocking. What is read was verified when it was written, and is verified again before it is used."""

    def __init__(self, home: Path) -> None:
        self._directory = home / SKIPS_DIRECTORY

    def path(self, height: int) -> Path:
        return self._directory / f"{height}.json"

    def load(self, height: int) -> SkipCertificate | None:
        """Raises UnusableHome."""
        return read_file(self.path(height)) if self.path(height).exists() else None

    def keep(self, certificate: SkipCertificate) -> Path:
        """Durably. Raises OSError."""
        path = self.path(certificate.statement.height)
        self._directory.mkdir(mode=0o755, exist_ok=True)
        write_durably(path, encode_file(certificate), mode=0o644)
        return path
