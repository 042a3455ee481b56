"""Clique as geth seals it: the 1.13 line is the last that does."""

from collections.abc import Sequence
from pathlib import Path

from tests.nodes.evm.geth_network import GAS_LIMIT, GethNetwork, GethNode, genesis, place_nodes
from tests.nodes.provision import geth_clique

SIGNERS = 3
"""Four that start at once may end there: where the second block is out of turn, three signers may each keep to their own,
of equal weight, and the fourth must wait for two more."""
PERIOD_S = 1
EPOCH_LENGTH = 20
CONFIRMATIONS = 4
VANITY_BYTES = 32
SEAL_BYTES = 65


def clique_network(home: Path, chain_id: int, port: int, funded: Sequence[str]) -> GethNetwork:
    """Three signers and a candidate; London's rules, so with a base fee."""
    nodes = place_nodes(home, "geth", SIGNERS + 1, port)
    signers = sorted(bytes.fromhex(node.address[2:]) for node in nodes[:SIGNERS])
    extra = bytes(VANITY_BYTES) + b"".join(signers) + bytes(SEAL_BYTES)
    rules = {
        **dict.fromkeys(("muirGlacierBlock", "berlinBlock", "londonBlock"), 0),
        "clique": {"period": PERIOD_S, "epoch": EPOCH_LENGTH},
    }
    return GethNetwork(
        geth_clique(),
        nodes,
        genesis(chain_id, funded, rules, {"extraData": "0x" + extra.hex()}),
        "clique",
        _flags,
        "getSigners",
    )


def _flags(node: GethNode) -> list[str]:
    return [
        *("--miner.etherbase", node.address, "--unlock", node.address, "--password", str(node.folder / "password")),
        *("--allow-insecure-unlock", "--authrpc.port", "0", "--miner.gaslimit", str(GAS_LIMIT)),
    ]


CONSENSUS = (
    f'consensus = "clique"\nconfirmations = {CONFIRMATIONS}\n'
    f"clique = {{ period_s = {PERIOD_S}, epoch_length = {EPOCH_LENGTH} }}\n"
)
"""Of the relay's configuration."""
