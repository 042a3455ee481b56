"""How an EVM chain is configured."""

from dataclasses import dataclass, field

from adapters.evm.attestors import Alert, OnAlert
from adapters.ics26.chain import RouterSettings
from adapters.rpc import RpcOptions
from light_clients.ethereum import Network


def _unheard(_alert: Alert) -> None:
    """Whoever opens the chain decides who is told."""


@dataclass(frozen=True, slots=True)
class EvmSettings:
    """`consensus` is `qbft` (every block is final when it exists), `attested` (by `attestors`, base URLs) or `ethereum`
    (finalized by the beacon chain of `network`, whose nodes' base URLs are `beacon`).

    `confirmations` is how many blocks stand above a final block of an attested chain; None: its nodes say what is final.
    """

    chain_id: int
    rpc: tuple[str, ...]
    router: RouterSettings
    ws: tuple[str, ...] = ()
    consensus: str = "qbft"
    attestors: tuple[str, ...] = ()
    confirmations: int | None = None
    beacon: tuple[str, ...] = ()
    network: Network | None = None
    on_alert: OnAlert = _unheard
    options: RpcOptions = field(default_factory=RpcOptions)
