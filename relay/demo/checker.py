"""What really happened, read from the chains' state alone: no queue, ledger, log or memory of the relay is asked."""

from dataclasses import dataclass

from hutong.relay.demo.books import Books
from hutong.relay.demo.supply import Supply, read_supplies
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.network import Network


@dataclass(frozen=True, slots=True)
class RelayCost:
    """What the relayer's account spent on one chain."""

    transactions: int
    gas: int
    fee_wei: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The closing table. Latency is destination block time minus source block time of a message, in whole seconds."""

    intended: int
    sent: int
    delivered: int
    acknowledged: int
    timed_out: int
    refunded: int
    refused: int
    lost: int
    duplicates: int
    paid_duplicates: int
    unsettled: int
    supplies: tuple[Supply, ...]
    latencies_s: tuple[int, ...]
    first_sent_s: int
    last_delivered_s: int
    messages: int
    costs: dict[str, RelayCost]

    @property
    def supply_conserved(self) -> bool:
        """On every chain, and of each chain's token over the whole network."""
        return all(supply.conserved for supply in self.supplies)

    @property
    def good(self) -> bool:
        """Every packet was delivered once and acknowledged, or came back and was refunded.

        Also: as many were sent as intended, none was refused, and no token was made or lost. What a relay paid for in
        vain does not count here.
        """
        return (
            not self.lost
            and not self.duplicates
            and not self.unsettled
            and not self.refused
            and self.intended == self.sent == self.acknowledged + self.refunded
            and self.acknowledged == self.delivered
            and self.timed_out == self.refunded
            and self.supply_conserved
        )

    @property
    def throughput_per_s(self) -> float:
        """Of messages, from the first send to the last delivery.

        Both are block times, and less than a second counts as one.
        """
        return self.messages / max(self.last_delivered_s - self.first_sent_s, 1)

    def latency_s(self, percentile: int) -> int:
        """Nearest-rank percentile over messages, in whole seconds; 0 where none arrived.

        Args:
            percentile: from 1 to 100.
        """
        if not self.latencies_s:
            return 0
        rank = max(1, -(-len(self.latencies_s) * percentile // 100))
        return sorted(self.latencies_s)[rank - 1]


def check(network: Network, intended: int) -> Findings:
    """Read all chains once, when nothing moves any more.

    It blocks for as long as it takes to read every block: call it in a thread.

    Args:
        intended: how many packets users wanted to send.
    """
    chains, hub = network.chains, network.hub
    books = Books()
    for chain in chains:
        books.read(chain)
    return Findings(
        intended=intended,
        sent=len(books.sent),
        delivered=len(books.delivered),
        acknowledged=len(books.acknowledged),
        timed_out=sum(count_events(chain, "TimeoutPacket") for chain in (*chains, hub)),
        refunded=len(books.refunded & books.sent),
        refused=len(books.refused),
        lost=len(books.lost),
        duplicates=books.duplicates,
        paid_duplicates=sum(count_events(chain, "Noop", "BatchCallFailed") for chain in (*chains, hub)),
        unsettled=sum(chain.unsettled() for chain in chains),
        supplies=read_supplies(chains, hub, {name: user.address for name, user in network.users.items()}),
        latencies_s=tuple(
            books.delivered_s[message] - books.sent_s[message]
            for message in books.delivered_s
            if message in books.sent_s
        ),
        first_sent_s=min(books.sent_s.values(), default=0),
        last_delivered_s=max(books.delivered_s.values(), default=0),
        messages=len(books.delivered_s),
        costs={chain.name: cost_of(chain, network.relayers[chain.name]) for chain in (*chains, hub)},
    )


def count_events(chain: DemoChain, *names: str) -> int:
    """Router events of these names, from the first block to the newest."""
    head = chain.head()
    return sum(1 for name in names for _ in chain.events(chain.router, name, head))


def cost_of(chain: DemoChain, relayer: str) -> RelayCost:
    """What every transaction that the account sent there has cost, failed ones included; reads every block.

    Args:
        relayer: an address, in any case of its letters.
    """
    transactions = gas = fee_wei = 0
    for number in range(1, chain.head() + 1):
        block = chain.web3.eth.get_block(number)
        if not block["transactions"]:
            continue
        for receipt in chain.web3.eth.get_block_receipts(number):
            if str(receipt["from"]).lower() == relayer.lower():
                transactions += 1
                gas += int(receipt["gasUsed"])
                fee_wei += int(receipt["gasUsed"]) * int(receipt.get("effectiveGasPrice", 0))
    return RelayCost(transactions, gas, fee_wei)
