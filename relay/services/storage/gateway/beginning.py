"""What `hutong storage gateway init` lays down: a writer's id and key, the tenant's secret, keys of both doors, a configuration."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hutong.relay.base.durable_files import create_durably, make_folder_durably, write_durably
from hutong.relay.base.os_errors import os_reason
from hutong.relay.keys import create_keystore, new_key
from hutong.relay.services.storage.beginning import NotBegun, beginning_once, hub_lines
from hutong.relay.services.storage.gateway.secrets import S3Key, SecretsUnusable, add_s3_key, new_tenant_secret
from hutong.relay.web.api_keys import KeyRefused, KeysUnusable, Scope, add_key

CONFIG_NAME: Final = "gateway.toml"
_KEYSTORE: Final = "keys/writer.json"
_PASSWORD: Final = "keys/password"  # noqa: S105  a file's name
_SECRET: Final = "keys/tenant.secret"  # noqa: S105  a file's name
_S3_KEYS: Final = "keys/s3-keys.json"
_API_KEYS: Final = "keys/api-keys.json"


@dataclass(frozen=True, slots=True)
class NewGateway:
    """What whoever begins a gateway says of it."""

    home: Path
    chain_id: str
    listen: str
    data: int
    parity: int
    hub_rpc: str | None
    hub_consensus_rpc: str | None


@dataclass(frozen=True, slots=True)
class BegunGateway:
    """What operators, or governance of a hub, need to serve it; and the first keys, which are shown once."""

    config: Path
    writer: str
    account: str
    s3_key: S3Key
    api_key: str


@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator that a gateway is to know."""

    operator: str
    url: str
    account: str | None
    organisation: str
    site: str


def begin_gateway(new: NewGateway) -> BegunGateway:
    """Draw everything and write the configuration. A home that has one is never changed.

    Raises:
        NotBegun: there is one already, or the folder cannot be written.
    """
    config = new.home / CONFIG_NAME
    writer = secrets.token_hex(32)
    with beginning_once(config, "a gateway"):
        make_folder_durably(new.home / "keys")
        create_durably(new.home / _PASSWORD, secrets.token_urlsafe(32).encode())
        account = create_keystore(new.home / _KEYSTORE, new_key(), (new.home / _PASSWORD).read_bytes())
        try:
            new_tenant_secret(new.home / _SECRET)
            s3_key = add_s3_key(new.home / _S3_KEYS)
            api_key = add_key(new.home / _API_KEYS, "first", [Scope.WRITE])
        except (SecretsUnusable, KeysUnusable, KeyRefused) as error:
            raise NotBegun(str(error)) from None
        create_durably(config, _document(new, writer).encode())
    return BegunGateway(config, writer, account, s3_key, api_key)


def add_operator(config: Path, new: NewOperator) -> None:
    """Write an operator's table at the end of a configuration.

    Raises:
        NotBegun: the file cannot be read or written, or names the operator already.
    """
    try:
        text = config.read_text()
        if new.operator in text:
            raise NotBegun(f"{config} names operator {new.operator} already")
        lines = ["", "[[operators]]", f'operator_id = "{new.operator}"', f'url = "{new.url}"']
        if new.account is not None:
            lines.append(f'account = "{new.account}"')
        lines += [f'organisation = "{new.organisation}"', f'site = "{new.site}"', ""]
        write_durably(config, (text.rstrip("\n") + "\n" + "\n".join(lines)).encode())
    except OSError as error:
        raise NotBegun(f"{config} cannot be used: {os_reason(error)}") from None


def _document(new: NewGateway, writer: str) -> str:
    lines = [
        "[gateway]",
        'home = "state"',
        f'listen = "{new.listen}"',
        f'chain_id = "{new.chain_id}"',
        f'writer_id = "{writer}"',
        f'key = {{ keystore = "{_KEYSTORE}", password_file = "{_PASSWORD}" }}',
        f'secret_file = "{_SECRET}"',
        f'keys_file = "{_API_KEYS}"',
        f's3_keys_file = "{_S3_KEYS}"',
        f"data = {new.data}",
        f"parity = {new.parity}",
        "",
    ]
    lines += hub_lines(new.hub_rpc, new.hub_consensus_rpc)
    return "\n".join(lines)
