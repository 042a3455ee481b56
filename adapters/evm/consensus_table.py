"""The kinds of consensus of EVM chains, by the word that the settings have for them.

A new one is its folder and one line here (docs/contributing.md, "A new light client"). Chains under the beacon chain are
opened otherwise, since their heights are slots: see `hutong.adapters.evm.opening`.
"""

from collections.abc import Callable
from functools import partial

from hutong.adapters.evm.attested.consensus import AttestedConsensus
from hutong.adapters.evm.bft.consensus import BftConsensus
from hutong.adapters.evm.clique.consensus import CliqueConsensus
from hutong.adapters.evm.consensus import Consensus
from hutong.adapters.evm.consensus_parts import ConsensusParts
from hutong.adapters.interface import NotSupported
from hutong.light_clients import bft_evm


def _attested(parts: ConsensusParts) -> AttestedConsensus:
    """Raises NotSupported where the settings name no attestors."""
    settings = parts.settings
    if parts.attestors is None:
        raise NotSupported(f"consensus {settings.consensus} without attestors: name their endpoints")
    return AttestedConsensus(parts.router, parts.reads, parts.attestors, settings.confirmations, settings.on_alert)


CONSENSUS: dict[str, Callable[[ConsensusParts], Consensus]] = {
    "qbft": partial(BftConsensus.made_from, sealed_by=bft_evm.Consensus.QBFT),
    "ibft2": partial(BftConsensus.made_from, sealed_by=bft_evm.Consensus.IBFT2),
    "istanbul": partial(BftConsensus.made_from, sealed_by=bft_evm.Consensus.ISTANBUL),
    "clique": CliqueConsensus.made_from,
    "attested": _attested,
}


def consensus_of(parts: ConsensusParts) -> Consensus:
    """The consensus that the settings name.

    Raises:
        NotSupported: no consensus has that name, or the settings lack what it needs.
    """
    make = CONSENSUS.get(parts.settings.consensus)
    if make is None:
        raise NotSupported(f"consensus {parts.settings.consensus}")
    return make(parts)
