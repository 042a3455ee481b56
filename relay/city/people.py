"""The city's people: accounts with one key each over all chains. What they are to each other, a case says."""

import os
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from hutong.relay.base.durable_files import create_durably
from hutong.relay.city.plan import PEOPLE


@dataclass(frozen=True, slots=True)
class Person:
    """An account. Its key is in a file that its owner alone reads: 64 hex digits in one line."""

    name: str
    address: str
    key_file: Path


def make_people(keys: Path) -> tuple[Person, ...]:
    """PEOPLE new accounts.

    Args:
        keys: folder for the files, which is made if need be.

    Raises:
        FileExistsError: there are people already.
        OSError: a file cannot be written.
    """
    keys.mkdir(mode=0o700, exist_ok=True)
    return tuple(_make_person(keys, f"person-{number}") for number in range(PEOPLE))


def _make_person(keys: Path, name: str) -> Person:
    account = Account.from_key(os.urandom(32))
    file = keys / f"{name}.key"
    create_durably(file, f"{account.key.hex().removeprefix('0x')}\n".encode())
    return Person(name, account.address, file)
