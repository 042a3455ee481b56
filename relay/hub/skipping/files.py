"""HOME/skips: the certificates that this node was given, one a height."""

import json
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.skip_certificate import (
    MAX_FILE_BYTES,
    SkipCertificate,
    certificate_document,
    certificate_of_file,
)
from hutong.relay.base.durable_files import write_durably
from hutong.relay.base.regular_files import open_regular
from hutong.relay.hub.home.home import UnusableHome

SKIPS_DIRECTORY = "skips"


def encode_file(certificate: SkipCertificate) -> bytes:
    """The certificate as an indented JSON document, which `read_file` reads."""
    return json.dumps(certificate_document(certificate), indent=1).encode() + b"\n"


def read_file(path: Path) -> SkipCertificate:
    """Parsed and within bounds; its signatures are not verified.

    Raises:
        UnusableHome: the file is missing, too long, or not a certificate.
    """
    try:
        with open_regular(path) as file:
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
        """Where the certificate of block `height` is or would be."""
        return self._directory / f"{height}.json"

    def load(self, height: int) -> SkipCertificate | None:
        """The certificate of `height`, parsed and not verified; None where there is no file.

        Raises:
            UnusableHome: there is one, and it cannot be read.
        """
        return read_file(self.path(height)) if self.path(height).exists() else None

    def keep(self, certificate: SkipCertificate) -> Path:
        """Write it durably in place of one of the same height, and say where. What is written must have been verified.

        Raises:
            OSError: it cannot be written.
        """
        path = self.path(certificate.statement.height)
        self._directory.mkdir(mode=0o755, exist_ok=True)
        write_durably(path, encode_file(certificate), mode=0o644)
        return path
