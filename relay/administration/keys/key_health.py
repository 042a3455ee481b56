"""Whether what holds a daemon's keys would sign now, asked without signing anything."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import trio

from hutong.relay.config import (
    AnyKeyConfig,
    Config,
    load_attestor_config,
    load_config,
    load_signer_config,
)
from hutong.relay.config.fields import Model
from hutong.relay.config.keys.key_base import KeyBase
from hutong.relay.keys import KeyUnavailable, SourceHealth, open_source

LIMIT_S = 15.0
"""For one key, a keystore's decryption included."""


NamedKey = tuple[str, AnyKeyConfig | Path]
"""Where a key stands in its configuration, and the key: its table, or a PEM file of P-256."""


def _identity(path: Path) -> Model:
    # Late: a relay's operator need not have what identity needs.
    from hutong.relay.services.identity.serving.configuration import load_identity_config

    return load_identity_config(path)


_LOADERS: dict[str, Callable[[Path], Model]] = {
    "attestor": load_attestor_config,
    "signer": load_signer_config,
    "server": _identity,
}
"""By a table that the files of a daemon have and no other's; a relay's is told by having none of them."""


@dataclass(frozen=True, slots=True)
class CheckedKey:
    """One key of a configuration: the place that names it there, where it is, and what was found."""

    field: str
    place: str
    health: SourceHealth


def configured_in(path: Path) -> list[NamedKey]:
    """Every key of the configuration of a relay, an attestor, a signer, or an identity daemon.

    Raises:
        ConfigError: with every problem found.
    """
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, ValueError):
        tables = {}  # the loader says what is wrong
    for table, load in _LOADERS.items():
        if table in tables:
            return list(_keys_of(load(path), ""))
    return configured(load_config(path))


def _keys_of(model: Model, field: str) -> Iterator[NamedKey]:
    for name in type(model).model_fields:
        value, at = getattr(model, name), f"{field}{name}"
        if name == "key" and isinstance(value, Path):
            yield at, value
        several = isinstance(value, tuple)
        for index, one in enumerate(value if several else (value,)):
            place = f"{at}.{index}" if several else at
            if isinstance(one, KeyBase):
                yield place, cast(AnyKeyConfig, one)  # whose kinds are all that there are
            elif isinstance(one, Model):
                yield from _keys_of(one, f"{place}.")


def configured(config: Config) -> list[NamedKey]:
    """Every key of a relay's configuration, with its chain or its table."""
    keys: list[NamedKey] = [(chain.name, key) for chain in config.chains for key in chain.all_keys]
    if config.archive is not None and config.archive.anchor is not None:
        keys.append(("archive.anchor", config.archive.anchor.key))
    return keys


async def check_keys(keys: list[NamedKey]) -> list[CheckedKey]:
    """Open and ask all of them side by side; in their order. A key that cannot be opened is one that is not ready."""
    found: dict[int, CheckedKey] = {}

    async def check(number: int, field: str, key: AnyKeyConfig | Path) -> None:
        health = SourceHealth(ready=False, detail=f"gave no answer in {LIMIT_S:g} s")
        with trio.move_on_after(LIMIT_S):
            health = _file_health(key, field) if isinstance(key, Path) else await _health(key)
        found[number] = CheckedKey(field, str(key) if isinstance(key, Path) else key.place, health)

    async with trio.open_nursery() as nursery:
        for number, (field, key) in enumerate(keys):
            nursery.start_soon(check, number, field, key)
    return [found[number] for number in range(len(keys))]


def _file_health(path: Path, field: str) -> SourceHealth:
    from hutong.relay.services.identity.daemon.errors import RoleUnusable
    from hutong.relay.services.identity.daemon.token_key import open_token_key

    try:
        open_token_key(path, field)
    except RoleUnusable as error:
        return SourceHealth(ready=False, detail=str(error))
    return SourceHealth(ready=True, detail="a file without a password")


async def _health(key: AnyKeyConfig) -> SourceHealth:
    # Without its policy, whose record a running relay has open.
    bare = key.model_copy(update={"policy": None})
    try:
        source = await trio.to_thread.run_sync(partial(open_source, bare))
    except KeyUnavailable as error:
        return SourceHealth(ready=False, detail=error.reason)
    try:
        return await source.health()
    finally:
        with trio.CancelScope(shield=True):
            await source.aclose()
