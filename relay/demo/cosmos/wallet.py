"""The user on simd: sends tokens onward through the hub, as a wallet does."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hutong.adapters.cosmos import CosmosChain as CosmosAdapter
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transfer import CosmosTransfer, send_transfers
from hutong.light_clients.ibc.transfer import ForwardInstruction, encode_forward_memo
from hutong.relay.config import CosmosChainConfig, load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.demo.cosmos.chain import CosmosChain
from hutong.relay.keys import Signer
from hutong.relay.local.keys import Key
from hutong.relay.local.member import FORWARD_MARGIN_S

SENDS_A_TRANSACTION = 20
HUB_RECEIVER = "hub"
"""A forwarded packet's own receiver is not read."""


@dataclass(frozen=True, slots=True)
class Payment:
    """To `receiver` on the chain behind the hub's client `next_client`, by `timeout_timestamp_s` on that chain's
    clock."""

    denom: str
    amount: int
    next_client: str
    receiver: str
    timeout_timestamp_s: int

    def transfer(self, hub_client: str) -> CosmosTransfer:
        """The first leg, whose memo asks for the second and which is due FORWARD_MARGIN_S earlier.

        Args:
            hub_client: the sending chain's client of the hub.
        """
        onward = ForwardInstruction(self.receiver, self.next_client, timeout_timestamp_s=self.timeout_timestamp_s)
        return CosmosTransfer(
            hub_client,
            Coin(self.amount, self.denom),
            HUB_RECEIVER,
            self.timeout_timestamp_s - FORWARD_MARGIN_S,
            encode_forward_memo(onward),
        )


class Wallet:
    """One account on simd."""

    def __init__(self, chain: CosmosChain, adapter: CosmosAdapter, signer: Signer) -> None:
        self.address = adapter.address_of(signer)
        self._chain = chain
        self._adapter = adapter
        self._signer = signer

    async def send(self, payments: Sequence[Payment]) -> None:
        """Send in transactions of SENDS_A_TRANSACTION; returns when all are in blocks.

        Raises:
            AdapterError: a transaction was refused or is in no block.
        """
        for first in range(0, len(payments), SENDS_A_TRANSACTION):
            part = payments[first : first + SENDS_A_TRANSACTION]
            transfers = [payment.transfer(self._chain.hub_client) for payment in part]
            await send_transfers(self._adapter, self._signer, transfers)


@asynccontextmanager
async def open_wallet(administration: Path, chain: CosmosChain, key: Key) -> AsyncIterator[Wallet]:
    """A wallet while the block lasts, connected as the configuration says.

    Args:
        administration: the configuration file that leads to the chain without detours.

    Raises:
        ConfigError: the file is unusable.
    """
    config = load_config(administration).chain(chain.name)
    assert isinstance(config, CosmosChainConfig)
    async with open_chain(config, Random(1)) as adapter:  # noqa: S311 - jitter between retries
        yield Wallet(chain, adapter, key.signer(config.chain_id))
