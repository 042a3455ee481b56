"""The light clients that a hub offers."""

from hutong.light_clients.interface import LightClient
from hutong.light_clients.table import LIGHT_CLIENTS


def standard_light_clients() -> dict[str, LightClient]:
    """Each client type of rules version 1, by type; later versions have the same.

    A validator without an optional extra would judge otherwise, so the hub offers what all have.
    """
    return {client_type: client.without_extras() for client_type, client in LIGHT_CLIENTS.items()}
