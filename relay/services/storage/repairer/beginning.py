"""What `hutong storage repairer init` lays down: an id, a key, and a configuration to which owners and operators are added."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hutong.relay.base.durable_files import create_durably, make_folder_durably, write_durably
from hutong.relay.base.os_errors import os_reason
from hutong.relay.keys import create_keystore, new_key
from hutong.relay.services.storage.beginning import NotBegun, beginning_once, hub_lines

CONFIG_NAME: Final = "repairer.toml"
_KEYSTORE: Final = "keys/repairer.json"
_PASSWORD: Final = "keys/password"  # noqa: S105  a file's name


@dataclass(frozen=True, slots=True)
class BegunRepairer:
    """What governance names, and what operators serve."""

    config: Path
    repairer: str
    account: str


def begin_repairer(home: Path, chain_id: str, rpc: str, consensus_rpc: str) -> BegunRepairer:
    """Draw an id and a key, and write the configuration. A home that has one is never changed.

    Raises:
        NotBegun: there is one already, or the folder cannot be written.
    """
    config, repairer = home / CONFIG_NAME, secrets.token_hex(32)
    lines = [
        "[repairer]",
        'home = "state"',
        f'chain_id = "{chain_id}"',
        f'repairer_id = "{repairer}"',
        f'key = {{ keystore = "{_KEYSTORE}", password_file = "{_PASSWORD}" }}',
        "",
        *hub_lines(rpc, consensus_rpc),
    ]
    with beginning_once(config, "a repairer"):
        make_folder_durably(home / "keys")
        create_durably(home / _PASSWORD, secrets.token_urlsafe(32).encode())
        account = create_keystore(home / _KEYSTORE, new_key(), (home / _PASSWORD).read_bytes())
        create_durably(config, "\n".join(lines).encode())
    return BegunRepairer(config, repairer, account)


def add_owner(config: Path, writer: str, repair_root_file: Path) -> None:
    """Write a writer's table at the end of a configuration.

    Raises:
        NotBegun: the file cannot be read or written, or names the writer already.
    """
    _add(
        config, writer, ["[[owners]]", f'writer_id = "{writer}"', f'repair_root_file = "{repair_root_file.resolve()}"']
    )


def add_operator(config: Path, operator: str, url: str) -> None:
    """Write an operator's table at the end of a configuration.

    Raises:
        NotBegun: the file cannot be read or written, or names the operator already.
    """
    _add(config, operator, ["[[operators]]", f'operator_id = "{operator}"', f'url = "{url}"'])


def _add(config: Path, name: str, lines: Sequence[str]) -> None:
    try:
        text = config.read_text()
        if name in text:
            raise NotBegun(f"{config} names {name} already")
        write_durably(config, (text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n").encode())
    except OSError as error:
        raise NotBegun(f"{config} cannot be used: {os_reason(error)}") from None
