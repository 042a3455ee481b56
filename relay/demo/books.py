"""What users sent and what came of it, read from the chains' state and events alone."""

from collections import Counter

from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.relay.local.chain import DemoChain

NOTHING = bytes(32)


class Books:
    """Every packet that users sent, by its name, and what came of it.

    A message is named by its id, tokens by `tokens`. `deliveries` counts arrivals.
    """

    def __init__(self) -> None:
        self.sent: set[object] = set()
        self.acknowledged: set[object] = set()
        self.refunded: set[object] = set()
        self.refused: set[object] = set()
        self.sent_s: dict[object, int] = {}
        self.delivered_s: dict[object, int] = {}
        self.deliveries: Counter[object] = Counter()

    def read(self, chain: DemoChain) -> None:
        """Everything that happened on one EVM chain, from its contracts' events and its router's state.

        Call it once a chain, in a thread, when nothing moves any more: what comes later is not seen. A settlement
        counts only where the router's commitment is gone too.
        """
        self._messages_sent(chain)
        self._tokens_sent(chain)
        self._arrivals(chain)

    @property
    def delivered(self) -> set[object]:
        """Names that users sent and that arrived at least once."""
        return set(self.deliveries) & self.sent

    @property
    def lost(self) -> set[object]:
        """Names that users sent and that neither arrived nor came back."""
        return self.sent - self.delivered - self.refunded

    @property
    def duplicates(self) -> int:
        """Second deliveries, and deliveries of what nobody sent."""
        again = sum(count - 1 for count in self.deliveries.values())
        return again + sum(name not in self.sent for name in self.deliveries)

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
            name = tokens(denom, "/" not in denom, int(event.args.amount))
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
            self.deliveries[name] += 1
            self.delivered_s.setdefault(name, times.at(event.blockNumber))
        for event in chain.events(chain.transfer, "TransferReceived", head):
            denom = str(event.args.denom)
            self.deliveries[tokens(denom, "/" in denom, int(event.args.amount))] += 1


def tokens(denom: str, outward: bool, amount: int) -> object:
    """The name of a packet of tokens, which is the same on each chain that it passes.

    Args:
        denom: with or without the hops before its base.
        outward: whether it goes away from its home.
        amount: each of the demo's packets has an amount of its own, which tells it from the others.
    """
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
