"""The demo's keys: made for it, encrypted on disk, gone with its files."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from hutong.relay.base.durable_files import create_durably
from hutong.relay.config import KeystoreConfig
from hutong.relay.keys import Signer, create_keystore, load_signer

SCRYPT_ITERATIONS = 4096
"""The demo's keys live for minutes; the library's default would cost every command a second."""


@dataclass(frozen=True, slots=True)
class Key:
    """A keystore on disk with its password file."""

    keystore: Path
    password_file: Path
    address: str

    @property
    def options(self) -> list[str]:
        """As most commands of `hutong` take a key: `--keystore FILE --password-file FILE`."""
        return ["--keystore", str(self.keystore), "--password-file", str(self.password_file)]

    def account(self) -> LocalAccount:
        """For calls that no `hutong` command makes, such as pausing a router. Decrypts the keystore each time."""
        secret = Account.decrypt(json.loads(self.keystore.read_text()), self.password_file.read_text())
        account: LocalAccount = Account.from_key(secret)
        return account

    def signer(self, document_chain_id: str | None = None) -> Signer:
        """For transactions of other kinds of chains.

        Args:
            document_chain_id: of the one Cosmos chain whose transactions it signs; None: it signs no such transactions.
        """
        key = KeystoreConfig(keystore=self.keystore, password_file=self.password_file)
        return load_signer(key, document_chain_id=document_chain_id)

    @property
    def toml(self) -> str:
        """As the configuration file has it: an inline table. The paths must hold no quote and no backslash."""
        return f'{{ keystore = "{self.keystore}", password_file = "{self.password_file}" }}'


def make_key(home: Path, name: str) -> Key:
    """A new key with a random password of its own, in files that their owner alone reads.

    Args:
        home: of the demo; the files are in its folder `keys`.
        name: of the files, without suffix.

    Raises:
        FileExistsError: there is a key of this name.
    """
    folder = home / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    password = os.urandom(24).hex().encode()
    password_file = folder / f"{name}.password"
    create_durably(password_file, password)
    keystore = folder / f"{name}.json"
    address = create_keystore(keystore, os.urandom(32), password, SCRYPT_ITERATIONS)
    return Key(keystore, password_file, address)
