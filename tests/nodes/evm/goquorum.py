"""QBFT and the first IBFT ("Istanbul") as GoQuorum seals them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hutong.light_clients.bft_evm import Consensus, encode_extra_data
from hutong.light_clients.bft_evm.predicates import MIX_HASH
from hutong.light_clients.bft_evm.types import ExtraData
from tests.nodes.evm.geth_network import GAS_LIMIT, GethNetwork, GethNode, genesis, place_nodes
from tests.nodes.provision import goquorum

VALIDATORS = 4
EPOCH_LENGTH = 40
VANITY = bytes(32)
CONFIG_TABLE = {Consensus.QBFT: "qbft", Consensus.ISTANBUL: "ibft"}
"""Of the genesis file."""


def goquorum_network(home: Path, chain_id: int, port: int, funded: Sequence[str], consensus: Consensus) -> GethNetwork:
    """Four validators and a candidate; Berlin's rules, which are GoQuorum's last: no base fee, and gas costs nothing."""
    nodes = place_nodes(home, "goquorum", VALIDATORS + 1, port)
    validators = tuple(sorted(bytes.fromhex(node.address[2:]) for node in nodes[:VALIDATORS]))
    extra = encode_extra_data(ExtraData(VANITY, validators, None, 0, (), consensus))
    rules: dict[str, Any] = {
        **dict.fromkeys(("muirGlacierBlock", "berlinBlock"), 0),
        "isQuorum": True,
        CONFIG_TABLE[consensus]: {
            "epochlength": EPOCH_LENGTH,
            "blockperiodseconds": 1,
            "requesttimeoutseconds": 4,
            "policy": 0,
            "ceil2Nby3Block": 0,
        },
    }
    fields = {"extraData": "0x" + extra.hex(), "mixHash": "0x" + MIX_HASH.hex()}
    return GethNetwork(goquorum(), nodes, genesis(chain_id, funded, rules, fields), "istanbul", _flags, "getValidators")


def _flags(node: GethNode) -> list[str]:
    return ["--nousb", "--miner.gastarget", str(GAS_LIMIT), "--miner.gaslimit", str(GAS_LIMIT)]
