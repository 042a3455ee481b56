"""Both tokens of the Cosmos demo over all three chains, read from simd's bank, the hub's state and the contracts."""

from hutong.relay.demo.cosmos.chain import CosmosChain
from hutong.relay.demo.supply import Supply, evm_supply
from hutong.relay.local.chain import DemoChain, denom_on_hub, voucher


def read_supplies(
    simd: CosmosChain, alpha: DemoChain, hub: DemoChain, simd_owner: str, alpha_owner: str
) -> tuple[Supply, Supply]:
    """Simd's token and alpha's token over all three chains, in this order. Blocks.

    Call it while nothing is in flight: a packet on its way would look like tokens that are lost.

    Args:
        simd_owner, alpha_owner: the account that holds each token at its home.
    """
    return _cosmos_supply(simd, alpha, hub, simd_owner), _evm_supply(alpha, simd, hub, alpha_owner)


def _cosmos_supply(simd: CosmosChain, alpha: DemoChain, hub: DemoChain, owner: str) -> Supply:
    on_hub = simd.token_on_hub
    return Supply(
        simd.name,
        total=simd.supply(simd.token),
        owned=simd.balance(owner, simd.token),
        escrow=simd.total_escrow(simd.token),
        balance=simd.balance(simd.escrow_address(), simd.token),
        hub_supply=hub.supply_on_hub(on_hub.path),
        onward=((hub.escrowed_on_hub(alpha.client_on_hub, on_hub.path), alpha.token_supply(voucher(alpha, on_hub))),),
    )


def _evm_supply(alpha: DemoChain, simd: CosmosChain, hub: DemoChain, owner: str) -> Supply:
    on_hub = denom_on_hub(alpha)
    escrowed = hub.escrowed_on_hub(simd.client_on_hub, on_hub.path)
    return evm_supply(alpha, hub, owner, ((escrowed, simd.supply(simd.voucher(on_hub))),))
