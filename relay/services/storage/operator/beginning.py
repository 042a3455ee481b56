"""What `hutong storage operator init` lays down: a key for receipts, and a configuration that runs."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hutong.relay.base.durable_files import create_durably, make_folder_durably
from hutong.relay.keys import create_keystore, new_key
from hutong.relay.services.storage.beginning import beginning_once, hub_lines

CONFIG_NAME: Final = "operator.toml"
_KEYSTORE: Final = "keys/receipts.json"
_PASSWORD: Final = "keys/password"  # noqa: S105  a file's name


@dataclass(frozen=True, slots=True)
class NewOperator:
    """What whoever begins an operator says of it."""

    home: Path
    chain_id: str
    listen: str
    engine_lines: Sequence[str]
    """Of the table [engine]."""
    hub_rpc: str | None
    hub_consensus_rpc: str | None
    writers: Sequence[str]
    """Ids, 64 digits each, and after a colon the account, 0x and 40 digits, where no hub says it."""
    repairers: Sequence[str] = ()
    """The same."""


@dataclass(frozen=True, slots=True)
class BegunOperator:
    """What governance needs to register it."""

    config: Path
    operator: str
    account: str


def begin_operator(new: NewOperator) -> BegunOperator:
    """Draw an id and a key, and write the configuration. A home that has one is never changed.

    Raises:
        NotBegun: there is one already, or the folder cannot be written.
    """
    config = new.home / CONFIG_NAME
    operator = secrets.token_hex(32)
    with beginning_once(config, "an operator"):
        make_folder_durably(new.home / "keys")
        create_durably(new.home / _PASSWORD, secrets.token_urlsafe(32).encode())
        password = (new.home / _PASSWORD).read_bytes()
        account = create_keystore(new.home / _KEYSTORE, new_key(), password)
        create_durably(config, _document(new, operator).encode())
    return BegunOperator(config, operator, account)


def _document(new: NewOperator, operator: str) -> str:
    lines = [
        "[operator]",
        'home = "state"',
        f'listen = "{new.listen}"',
        f'chain_id = "{new.chain_id}"',
        f'operator_id = "{operator}"',
        f'key = {{ keystore = "{_KEYSTORE}", password_file = "{_PASSWORD}" }}',
        "",
        "[engine]",
        *new.engine_lines,
        "",
    ]
    lines += hub_lines(new.hub_rpc, new.hub_consensus_rpc)
    for served in (*new.writers, *new.repairers):
        name, _, account = served.partition(":")
        lines += ["[[writers]]", f'writer_id = "{name}"', *([f'account = "{account}"'] if account else [])]
        lines += ["is_repairer = true", ""] if served in new.repairers else [""]
    return "\n".join(lines)
