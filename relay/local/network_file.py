"""`network.json` of a kept demo: what a dapp is told of its network (docs/demo.md)."""

import json
from pathlib import Path
from typing import Any

from hutong.relay.base.durable_files import write_durably
from hutong.relay.local.config_file import explorer_of
from hutong.relay.local.network import Network

NAME = "network.json"
FORMAT = "hutong-demo-network"


def write_network_file(network: Network) -> Path:
    """Write the file, whole at once: a program that waits for it may read it when it is there.

    Returns:
        Its path: NAME in the demo's home.

    Raises:
        OSError: it cannot be written.
    """
    path = network.home / NAME
    write_durably(path, (json.dumps(_document(network), indent=1) + "\n").encode())
    return path


def _document(network: Network) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": 1,
        "api": explorer_of(network.config).rstrip("/"),
        "config": str(network.config),
        "hub": {"name": network.hub.name, "rpc": network.hub.rpc_url, "router": network.hub.router_address},
        "chains": {
            chain.name: {
                "rpc": chain.rpc_url,
                "chain_id": chain.chain_id,
                "router": chain.router_address,
                "mailbox": chain.mailbox_address,
                "transfer": chain.transfer_address,
                "receiver": chain.receiver_address,
                "token": chain.token_address,
                "user": {
                    "address": network.user_keys[chain.name].address,
                    "keystore": str(network.user_keys[chain.name].keystore),
                    "password_file": str(network.user_keys[chain.name].password_file),
                },
            }
            for chain in network.chains
        },
    }
