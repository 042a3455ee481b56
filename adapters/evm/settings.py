"""How an EVM chain is configured."""

from dataclasses import dataclass, field

from adapters.evm.attestors import Alert, OnAlert
from adapters.ics26.chain import RouterSettings
from adapters.rpc import RpcOptions


def _unheard(_alert: Alert) -> None:
    """Whoever opens the chain decides who is told."""


@dataclass(frozen=True, slots=True)
class EvmSettings:
    """`consensus` is `qbft` (every block is final when it exists) or `attested` (by `attestors`, base URLs).

    `confirmations` is how many blocks stand above a final block of an attested chain; None: its nodes say what is final.
    """

    chain_id: int
    rpc: tuple[str, ...]
    router: RouterSettings
    ws: tuple[str, ...] = ()
    consensus: str = "qbft"
    attestors: tuple[str, ...] = ()
    confirmations: int | None = None
    on_alert: OnAlert = _unheard
    options: RpcOptions = field(default_factory=RpcOptions)
