"""How a Cosmos SDK chain is configured."""

from dataclasses import dataclass, field

from hutong.adapters.interface import BatchLimits
from hutong.adapters.rpc import RpcOptions

DEFAULT_LIMITS = BatchLimits(max_messages=40, max_bytes=128 * 1024, max_gas=20_000_000)


@dataclass(frozen=True, slots=True)
class CosmosSettings:
    """`rpc` and `ws` are CometBFT RPC endpoints (`http://host:26657`, `ws://host:26657/websocket`).

    `gas_price` is decimal text with its denomination, as `0.025stake`; `max_fee` is the most that one transaction may
    pay in that denomination's smallest unit. `start_height` is where the chain's history begins to matter.
    """

    name: str
    chain_id: str
    rpc: tuple[str, ...]
    bech32_prefix: str
    gas_price: str
    max_fee: int
    ws: tuple[str, ...] = ()
    gas_adjustment_percent: int = 130
    start_height: int = 1
    poll_interval_s: float = 0.5
    limits: BatchLimits = DEFAULT_LIMITS
    options: RpcOptions = field(default_factory=RpcOptions)
