"""The beacon chain behind an EVM chain: a public network by name, or a file of its node's answers."""

from pathlib import Path
from typing import TYPE_CHECKING

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.json_text import parse_json

if TYPE_CHECKING:
    from hutong.light_clients.ethereum import Network

MAX_NETWORK_BYTES = 1024 * 1024
PUBLIC_NETWORKS = ("hoodi", "mainnet", "sepolia")


def read_network(source: str | Path) -> "Network":
    """A public network by name, or a JSON file `{spec, genesis}` of its node's answers.

    Raises:
        ValueError: neither; one sentence.
    """
    from hutong.light_clients.ethereum import NETWORKS, beacon_json

    known = NETWORKS.get(str(source))
    if known is not None:
        return known
    path = Path(source)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NETWORK_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"is not one of {', '.join(PUBLIC_NETWORKS)}, and no file of that name can be read: {error.strerror or error}"
        ) from None
    try:
        return beacon_json.network_from_document(parse_json(data, "file", MAX_NETWORK_BYTES))
    except (MalformedInput, UnsupportedOperation) as error:
        raise ValueError(f"describes no network: {error}") from None
