"""How a hub is configured."""

from dataclasses import dataclass, field

from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.rpc import RpcOptions

ROUTER_ADDRESS = "0x0000000000000000000000000000000000001000"
CLIENT_MANAGER_ADDRESS = bytes.fromhex("0000000000000000000000000000000000001001")
TRANSFER_ADDRESS = bytes.fromhex("0000000000000000000000000000000000001003")
GOVERNANCE_ADDRESS = bytes.fromhex("0000000000000000000000000000000000001004")
"""Of a hub that its validators govern."""


@dataclass(frozen=True, slots=True)
class HubSettings:
    """`chain_id` is the hub's `name-N`; its EIP-155 id is read from the endpoints. `rpc` and `ws` serve `eth_*`,
    `consensus_rpc` the CometBFT RPC."""

    chain_id: str
    rpc: tuple[str, ...]
    consensus_rpc: tuple[str, ...]
    router: RouterSettings
    ws: tuple[str, ...] = ()
    options: RpcOptions = field(default_factory=RpcOptions)
