"""Keystores as files: their addresses in the form of a chain, and what the accounts of a configuration hold."""

import re
from pathlib import Path
from typing import Any

from hutong.relay.administration.errors import Unusable
from hutong.relay.config import Config
from hutong.relay.keys import StoredKey, account_of_key, list_keystores

NO_PUBLIC_KEY = "its public key is not in the file: hutong keys show, with its password"


def key_row(key: StoredKey, prefix: str | None) -> dict[str, Any]:
    """What a keystore says of its account, by the names that `--json` prints. Nothing is decrypted.

    Args:
        prefix: of a Cosmos chain's addresses; None: the EIP-55 address.

    Raises:
        Unusable: the prefix is malformed.
    """
    address, problem = key.address, key.problem
    if prefix is not None:
        address = None if key.public_key is None else bech32_address(prefix, key.public_key)
        problem = problem or (NO_PUBLIC_KEY if address is None else None)
    return {"address": address, "file": str(key.path), "problem": problem}


def bech32_address(prefix: str, public_key: bytes) -> str:
    """A key's address on a Cosmos chain.

    Args:
        public_key: compressed, 33 bytes.

    Raises:
        Unusable: the prefix is malformed.
    """
    from hutong.adapters.cosmos.transactions.addresses import account_address

    if re.fullmatch(r"[a-z][a-z0-9]{0,30}", prefix, re.ASCII) is None:
        raise Unusable(f"--prefix: {prefix[:40]!r} is not a prefix of addresses, such as cosmos")
    return account_address(prefix, public_key)


def keys_in(directory: Path, prefix: str | None) -> list[dict[str, Any]]:
    """As `key_row`, each keystore of a directory, by name.

    Raises:
        Unusable: it is no directory, or the prefix is malformed.
    """
    if not directory.is_dir():
        raise Unusable(f"{directory} is not a directory; give the one that holds the keystores")
    return [key_row(key, prefix) for key in list_keystores(directory)]


def configured_keys(config: Config) -> list[dict[str, Any]]:
    """As `key_row`, each key of each chain, with the chain and what it holds there, as far as the chain answers."""
    from hutong.relay.administration.packets.asking import balances

    rows = []
    for chain in config.chains:
        found = [key_row(account_of_key(key), chain.address_prefix) for key in chain.all_keys]
        held = balances(config, chain.name, [row["address"] for row in found if row["address"] is not None])
        for row in found:
            amount = held.amounts.get(row["address"])
            problem = None if amount is not None or row["address"] is None else held.problem
            row |= {"chain": chain.name, "unit": chain.fee_denom}
            rows.append(row | {"balance_wei": None if amount is None else str(amount), "balance_problem": problem})
    return rows
