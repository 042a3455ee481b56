"""What really happened, read from the chains' state alone: no queue, ledger, log or memory of the relay is asked."""

from collections import Counter
from dataclasses import dataclass

from light_clients.ibc.commitment import PathKind, path_key
from relay.cli.demo.chain import DemoChain

NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A `MessageSent` event with the first leg's commitment key."""

    message_id: bytes
    source: str
    block: int
    commitment_key: bytes


@dataclass(frozen=True, slots=True)
class RelayCost:
    """What the relayer's account spent on one chain."""

    transactions: int
    gas: int
    fee_wei: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The closing table. Latency is destination block time minus source block time, in whole seconds."""

    sent: int
    delivered: int
    acknowledged: int
    duplicates: int
    lost: int
    refused: int
    paid_duplicates: int
    latencies_s: tuple[int, ...]
    first_sent_s: int
    last_delivered_s: int
    costs: dict[str, RelayCost]

    @property
    def settled(self) -> bool:
        """Every message has its acknowledgement back at the source."""
        return self.acknowledged + self.refused >= self.sent

    @property
    def throughput_per_s(self) -> float:
        span_s = max(self.last_delivered_s - self.first_sent_s, 1)
        return self.delivered / span_s

    def latency_s(self, percentile: int) -> int:
        """Nearest-rank percentile."""
        if not self.latencies_s:
            return 0
        rank = max(1, -(-len(self.latencies_s) * percentile // 100))
        return sorted(self.latencies_s)[rank - 1]


def count_settled(chains: tuple[DemoChain, ...]) -> tuple[int, int]:
    """(delivered, acknowledged) so far, for the progress display."""
    delivered = acknowledged = 0
    for chain in chains:
        head = chain.head()
        delivered += len(list(chain.events(chain.mailbox, "MessageDelivered", head)))
        acknowledged += len(list(chain.events(chain.mailbox, "MessageAcknowledged", head)))
    return delivered, acknowledged


def check(chains: tuple[DemoChain, ...], hub: DemoChain, relayers: dict[str, str]) -> Findings:
    """Read all chains once. `relayers` is the relayer's address by chain name."""
    heads = {chain.name: chain.head() for chain in (*chains, hub)}
    sent: dict[bytes, SentMessage] = {}
    deliveries: Counter[bytes] = Counter()
    delivered_at: dict[bytes, tuple[DemoChain, int]] = {}
    outcomes: dict[bytes, bool] = {}
    for chain in chains:
        for event in chain.events(chain.mailbox, "MessageSent", heads[chain.name]):
            key = path_key(event.args.sourceClient, PathKind.COMMITMENT, event.args.sequence)
            message_id = bytes(event.args.messageId)
            sent[message_id] = SentMessage(message_id, chain.name, event.blockNumber, key)
        for event in chain.events(chain.mailbox, "MessageDelivered", heads[chain.name]):
            message_id = bytes(event.args.messageId)
            deliveries[message_id] += 1
            delivered_at.setdefault(message_id, (chain, event.blockNumber))
        for event in chain.events(chain.mailbox, "MessageAcknowledged", heads[chain.name]):
            outcomes[bytes(event.args.messageId)] = bool(event.args.delivered)
    times = _BlockTimes()
    by_name = {chain.name: chain for chain in chains}
    sent_times = {item.message_id: times.at(by_name[item.source], item.block) for item in sent.values()}
    delivered_times = {key: times.at(*place) for key, place in delivered_at.items() if key in sent}
    settled = {
        key: delivered
        for key, delivered in outcomes.items()
        if key in sent and by_name[sent[key].source].commitment(sent[key].commitment_key) == NOTHING
    }
    refused = sum(not delivered for delivered in settled.values())
    return Findings(
        sent=len(sent),
        delivered=len(delivered_times),
        acknowledged=len(settled) - refused,
        duplicates=sum(count - 1 for count in deliveries.values()) + sum(key not in sent for key in deliveries),
        lost=sum(key not in delivered_times and key not in settled for key in sent),
        refused=refused,
        paid_duplicates=sum(_wasted_calls(chain, heads[chain.name]) for chain in (*chains, hub)),
        latencies_s=tuple(delivered_times[key] - sent_times[key] for key in delivered_times),
        first_sent_s=min(sent_times.values(), default=0),
        last_delivered_s=max(delivered_times.values(), default=0),
        costs={chain.name: _cost(chain, relayers[chain.name], heads[chain.name]) for chain in (*chains, hub)},
    )


class _BlockTimes:
    """Block times, each asked once."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int], int] = {}

    def at(self, chain: DemoChain, block: int) -> int:
        key = (chain.name, block)
        if key not in self._times:
            self._times[key] = chain.time_s(block)
        return self._times[key]


def _wasted_calls(chain: DemoChain, head: int) -> int:
    """Calls of relay batches that changed nothing and were paid for."""
    return sum(len(list(chain.events(chain.router, name, head))) for name in ("Noop", "BatchCallFailed"))


def _cost(chain: DemoChain, relayer: str, head: int) -> RelayCost:
    transactions = gas = fee_wei = 0
    for number in range(1, head + 1):
        block = chain.web3.eth.get_block(number)
        if not block["transactions"]:
            continue
        for receipt in chain.web3.eth.get_block_receipts(number):
            if str(receipt["from"]).lower() == relayer.lower():
                transactions += 1
                gas += int(receipt["gasUsed"])
                fee_wei += int(receipt["gasUsed"]) * int(receipt.get("effectiveGasPrice", 0))
    return RelayCost(transactions, gas, fee_wei)
