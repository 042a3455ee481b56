"""Whether every token is where its books say, read from the chains' contracts and the hub's state."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.relay.local.chain import DemoChain, denom_on_hub, voucher
from hutong.relay.local.member import TOKEN_SUPPLY


@dataclass(frozen=True, slots=True)
class Supply:
    """One chain's own token over the whole network, in its smallest unit.

    `escrow` is what its Transfer contract holds for the hub's client, `balance` what the contract owns; `hub_supply`
    are the hub's vouchers for it; `onward` pairs what the hub escrows for each other chain with the vouchers there.
    """

    chain: str
    total: int
    owned: int
    escrow: int
    balance: int
    hub_supply: int
    onward: tuple[tuple[int, int], ...]

    @property
    def conserved(self) -> bool:
        """No unit was made or lost; every voucher is covered by exactly one escrow."""
        return self.conserved_at_home and self.conserved_on_hub and self.conserved_abroad

    @property
    def conserved_at_home(self) -> bool:
        """Every unit is with its owner or in escrow, and the contract owns what its books say."""
        return self.total == TOKEN_SUPPLY == self.owned + self.escrow and self.escrow == self.balance

    @property
    def conserved_on_hub(self) -> bool:
        """The hub has as much as it was sent, and all of it went on."""
        return self.escrow == self.hub_supply == sum(escrowed for escrowed, _ in self.onward)

    @property
    def conserved_abroad(self) -> bool:
        """Each chain has as many vouchers as it was sent."""
        return all(escrowed == vouchers for escrowed, vouchers in self.onward)


def read_supplies(chains: Sequence[DemoChain], hub: DemoChain, owners: dict[str, str]) -> tuple[Supply, ...]:
    """The supply of each chain's token over all chains, in the order of `chains`. Blocks.

    Call it while nothing is in flight: a packet on its way would look like tokens that are lost.

    Args:
        owners: the account that holds each chain's token, by chain name.
    """
    return tuple(_supply(chain, chains, hub, owners[chain.name]) for chain in chains)


def _supply(chain: DemoChain, chains: Sequence[DemoChain], hub: DemoChain, owner: str) -> Supply:
    on_hub = denom_on_hub(chain)
    onward = tuple(
        (hub.escrowed_on_hub(there.client_on_hub, on_hub.path), there.token_supply(voucher(there, on_hub)))
        for there in chains
        if there.name != chain.name
    )
    return evm_supply(chain, hub, owner, onward)


def evm_supply(chain: DemoChain, hub: DemoChain, owner: str, onward: tuple[tuple[int, int], ...]) -> Supply:
    """The supply of an EVM chain's own token, from its contracts and the hub.

    Args:
        owner: the one account that holds the token at its home.
        onward: what other chains say of it: pairs of the hub's escrow for one and the vouchers there.
    """
    token = chain.token(chain.token_address)
    return Supply(
        chain.name,
        total=int(token.functions.totalSupply().call()),
        owned=int(token.functions.balanceOf(owner).call()),
        escrow=int(chain.transfer.functions.escrowOf(chain.hub_client, token.address).call()),
        balance=int(token.functions.balanceOf(chain.transfer.address).call()),
        hub_supply=hub.supply_on_hub(denom_on_hub(chain).path),
        onward=onward,
    )
