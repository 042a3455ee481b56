"""Keystores of those who decide on a new hub."""

import os
from dataclasses import dataclass
from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.config import read_private_file
from hutong.relay.hub.home.key_file import new_secret
from hutong.relay.keys import create_keystore


@dataclass(frozen=True, slots=True)
class KeystoreEncryption:
    """How new keystores are encrypted.

    Attributes:
        password_file: mode 0600; None: a password is made at random beside them.
        scrypt_iterations: a power of two; None: the library's default.
    """

    password_file: Path | None
    scrypt_iterations: int | None

    def make(self, home: Path, role: str, count: int) -> list[bytes]:
        """New keystores HOME/<role>s/<role>-N.json; their addresses, 20 bytes each.

        Args:
            home: gets <role>_password as well, at random, where no password file is named.

        Raises:
            UnsafeFile: the password file cannot be read, or others can read it.
            ValueError: the cost is not a power of two.
            OSError: a file cannot be written.
        """
        if count == 0:
            return []
        password_file = self.password_file
        if password_file is None:
            password_file = home / f"{role}_password"
            write_durably(password_file, os.urandom(24).hex().encode() + b"\n")
        password = read_private_file(password_file).rstrip(b"\r\n")
        folder = home / f"{role}s"
        folder.mkdir(mode=0o700, exist_ok=True)
        files = [folder / f"{role}-{number}.json" for number in range(1, count + 1)]
        made = [create_keystore(file, new_secret(), password, self.scrypt_iterations) for file in files]
        return [bytes.fromhex(address[2:]) for address in made]
