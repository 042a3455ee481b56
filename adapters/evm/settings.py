"""How an EVM chain is configured."""

from dataclasses import dataclass, field

from adapters.ics26.chain import RouterSettings
from adapters.rpc import RpcOptions


@dataclass(frozen=True, slots=True)
class EvmSettings:
    """`consensus` is `qbft`: every block of a QBFT chain is final when it exists."""

    chain_id: int
    rpc: tuple[str, ...]
    router: RouterSettings
    ws: tuple[str, ...] = ()
    consensus: str = "qbft"
    options: RpcOptions = field(default_factory=RpcOptions)
