"""What really happened, read from the chains' state alone: no queue, ledger, log or memory of the relay is asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from light_clients.ibc.commitment import PathKind, path_key
from relay.cli.demo.chain import DemoChain
from relay.cli.demo.network import Network
from relay.cli.demo.supply import Supply, read_supplies

NOTHING = bytes(32)
Packet = tuple[str, bytes]
"""Chain and commitment key of a first leg."""


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
        """On every chain."""
        return all(supply.conserved for supply in self.supplies)

    @property
    def good(self) -> bool:
        """Every packet was delivered once and acknowledged, or came back and was refunded."""
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
        """Of messages, from the first send to the last delivery."""
        return self.messages / max(self.last_delivered_s - self.first_sent_s, 1)

    def latency_s(self, percentile: int) -> int:
        """Nearest-rank percentile."""
        if not self.latencies_s:
            return 0
        rank = max(1, -(-len(self.latencies_s) * percentile // 100))
        return sorted(self.latencies_s)[rank - 1]


def check(network: Network, intended: int) -> Findings:
    """Read all chains once, when nothing moves any more. `intended` is how many packets users wanted to send."""
    chains, hub = network.chains, network.hub
    books = _Books(chains)
    lost = books.sent - books.delivered - books.refunded
    return Findings(
        intended=intended,
        sent=len(books.sent),
        delivered=len(books.delivered),
        acknowledged=len(books.acknowledged),
        timed_out=sum(_count(chain, "TimeoutPacket") for chain in (*chains, hub)),
        refunded=len(books.refunded & books.sent),
        refused=len(books.refused),
        lost=len(lost),
        duplicates=books.duplicates,
        paid_duplicates=sum(_count(chain, "Noop", "BatchCallFailed") for chain in (*chains, hub)),
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
        costs={chain.name: _cost(chain, network.relayers[chain.name]) for chain in (*chains, hub)},
    )


class _Books:
    """Every packet that users sent, by its name, and what came of it.

    A message is named by its id, tokens by origin, direction and amount: each token packet of the demo has its own amount.
    """

    def __init__(self, chains: Sequence[DemoChain]) -> None:
        self.sent: set[object] = set()
        self.acknowledged: set[object] = set()
        self.refunded: set[object] = set()
        self.refused: set[object] = set()
        self.sent_s: dict[object, int] = {}
        self.delivered_s: dict[object, int] = {}
        self._deliveries: Counter[object] = Counter()
        for chain in chains:
            self._messages_sent(chain)
            self._tokens_sent(chain)
        for chain in chains:
            self._arrivals(chain)

    @property
    def delivered(self) -> set[object]:
        return set(self._deliveries) & self.sent

    @property
    def duplicates(self) -> int:
        """Second deliveries, and deliveries of what nobody sent."""
        again = sum(count - 1 for count in self._deliveries.values())
        return again + sum(name not in self.sent for name in self._deliveries)

    def _messages_sent(self, chain: DemoChain) -> None:
        head = chain.head()
        times = _BlockTimes(chain)
        keys: dict[object, bytes] = {}
        for event in chain.events(chain.mailbox, "MessageSent", head):
            name = bytes(event.args.messageId)
            keys[name] = path_key(event.args.sourceClient, PathKind.COMMITMENT, event.args.sequence)
            self.sent.add(name)
            self.sent_s[name] = times.at(event.blockNumber)
        for event in chain.events(chain.mailbox, "MessageAcknowledged", head):
            name = bytes(event.args.messageId)
            if name in keys and chain.commitment(keys[name]) == NOTHING:
                (self.acknowledged if event.args.delivered else self.refused).add(name)

    def _tokens_sent(self, chain: DemoChain) -> None:
        head = chain.head()
        names: dict[int, object] = {}
        for event in chain.events(chain.transfer, "TransferSent", head):
            denom = str(event.args.denom)
            name = _tokens(denom, "/" not in denom, int(event.args.amount))
            names[int(event.args.sequence)] = name
            self.sent.add(name)
        for kind, settled in (("TransferCompleted", self.acknowledged), ("TransferRefunded", self.refunded)):
            for event in chain.events(chain.transfer, kind, head):
                sequence = int(event.args.sequence)
                key = path_key(chain.hub_client, PathKind.COMMITMENT, sequence)
                if sequence in names and chain.commitment(key) == NOTHING:
                    settled.add(names[sequence])

    def _arrivals(self, chain: DemoChain) -> None:
        head = chain.head()
        times = _BlockTimes(chain)
        for event in chain.events(chain.mailbox, "MessageDelivered", head):
            name = bytes(event.args.messageId)
            self._deliveries[name] += 1
            self.delivered_s.setdefault(name, times.at(event.blockNumber))
        for event in chain.events(chain.transfer, "TransferReceived", head):
            denom = str(event.args.denom)
            self._deliveries[_tokens(denom, "/" in denom, int(event.args.amount))] += 1


def _tokens(denom: str, outward: bool, amount: int) -> object:
    return denom.rpartition("/")[2].lower(), outward, amount


class _BlockTimes:
    """Block times, each asked once."""

    def __init__(self, chain: DemoChain) -> None:
        self._chain = chain
        self._times: dict[int, int] = {}

    def at(self, block: int) -> int:
        if block not in self._times:
            self._times[block] = self._chain.time_s(block)
        return self._times[block]


def _count(chain: DemoChain, *names: str) -> int:
    """Router events of these names."""
    head = chain.head()
    return sum(1 for name in names for _ in chain.events(chain.router, name, head))


def _cost(chain: DemoChain, relayer: str) -> RelayCost:
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
