"""An auditor's secrets: one an epoch, all from one root in its home, so that a restart commits to nothing else."""

from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hutong.relay.base.durable_files import create_durably
from hutong.relay.services.storage.rules.audits.seed import secret_commitment

ROOT_FILE: Final = "secret-root"
ROOT_BYTES: Final = 32
_INFO: Final = b"hutong/storage/auditor secret/1"


class SecretsUnusable(Exception):
    """Why there are no secrets; one sentence."""


@dataclass(frozen=True, slots=True)
class AuditorSecrets:
    """`root` never leaves the home. A hub, an auditor and an epoch have a secret that no other has."""

    root: bytes
    hub: bytes
    auditor: bytes

    def secret(self, epoch: int) -> bytes:
        """32 bytes, to be shown after the epoch's header alone."""
        info = _INFO + self.auditor + epoch.to_bytes(8, "big")
        return HKDF(SHA256(), ROOT_BYTES, salt=self.hub, info=info).derive(self.root)

    def commitment(self, epoch: int) -> bytes:
        """What is said before it."""
        return secret_commitment(self.hub, self.auditor, epoch, self.secret(epoch))

    def __repr__(self) -> str:
        return f"AuditorSecrets(auditor={self.auditor.hex()})"


def open_secrets(home: Path, hub: bytes, auditor: bytes) -> AuditorSecrets:
    """The root of a home, which is drawn where there is none yet. Blocks.

    Raises:
        SecretsUnusable: it cannot be read or made, or is not one.
    """
    path = home / ROOT_FILE
    try:
        if not path.exists():
            create_durably(path, token_bytes(ROOT_BYTES))
        root = path.read_bytes()
    except OSError as error:
        raise SecretsUnusable(f"{path} cannot be used: {error.strerror or error}") from None
    if len(root) != ROOT_BYTES:
        raise SecretsUnusable(f"{path} has {len(root)} bytes, not {ROOT_BYTES}: restore it, or name another auditor")
    return AuditorSecrets(root, hub, auditor)
