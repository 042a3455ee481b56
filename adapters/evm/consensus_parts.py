"""What a kind of consensus of an EVM chain is made from."""

from dataclasses import dataclass

from hutong.adapters.evm.attested.attestors import AttestorPanel
from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.evm.settings import EvmSettings
from hutong.adapters.ics26.router import RouterReads


@dataclass(frozen=True, slots=True)
class ConsensusParts:
    """Each kind takes what it needs."""

    settings: EvmSettings
    router: RouterOnChain
    reads: RouterReads
    attestors: AttestorPanel | None = None
    """Where the settings name some."""
