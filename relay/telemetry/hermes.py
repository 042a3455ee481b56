"""Metrics under the names and labels of Hermes, where the meaning is the same (docs/handbook/metrics.md has the table).

IBC v2 has no channels: `channel` is the client of the path end, whose place it took. Latencies are in milliseconds, as
there.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hutong.relay.telemetry.backlog import Backlog
from hutong.relay.telemetry.labels import PORTS, WORKER_TYPES, Labels, one_of, series

_LATENCY_BUCKETS_MS = (250, 500, 1000, 2000, 3000, 5000, 8000, 13000, 21000, 60000, 300000, 1800000)
_END = ["chain", "counterparty", "channel"]
_PACKET = ["src_chain", "dst_chain", "src_channel", "dst_channel", "src_port", "dst_port"]
_CLIENT = ["src_chain", "dst_chain", "client"]


class HermesMetrics:
    """Part of `Metrics`."""

    def __init__(self, registry: CollectorRegistry, labels: Labels) -> None:
        self._labels = labels
        self.backlog = Backlog(labels.ends)
        registry.register(self.backlog)
        self._workers = Gauge("workers", "Workers that there are, by type.", ["type"], registry=registry)
        for worker in WORKER_TYPES.values():
            self._workers.labels(worker)
        self._balance = Gauge(
            "wallet_balance",
            "What a wallet of the relay holds, in the smallest unit of the fee token.",
            ["chain", "account", "denom"],
            registry=registry,
        )
        self._submitted_ms = Histogram(
            "tx_latency_submitted",
            "From the first event's being seen to its transaction's submission, milliseconds.",
            _END,
            buckets=_LATENCY_BUCKETS_MS,
            registry=registry,
        )
        self._confirmed_ms = Histogram(
            "tx_latency_confirmed",
            "From the first event's being seen to its transaction's inclusion, milliseconds.",
            _END,
            buckets=_LATENCY_BUCKETS_MS,
            registry=registry,
        )
        self._messages = Counter("messages_submitted", "Messages submitted.", ["chain"], registry=registry)
        self._updates = Counter("client_updates_submitted", "Client updates submitted.", _CLIENT, registry=registry)
        self._skipped = Counter(
            "client_updates_skipped",
            "Batches that needed no client update: the state was there.",
            _CLIENT,
            registry=registry,
        )
        self._misbehaviours = Counter(
            "client_misbehaviours_submitted", "Misbehaviours found and submitted.", _CLIENT, registry=registry
        )
        self._events = {
            "send": Counter("send_packet_events", "SendPacket events.", [*_END, "port"], registry=registry),
            "write_acknowledgement": Counter(
                "acknowledgement_events", "WriteAcknowledgement events.", [*_END, "port"], registry=registry
            ),
            "timeout": Counter("timeout_events", "TimeoutPacket events.", [*_END, "port"], registry=registry),
        }
        self._confirmed = {
            "receive": series(Counter("receive_packets_confirmed", "Packets received.", _PACKET, registry=registry)),
            "acknowledge": series(
                Counter("acknowledgment_packets_confirmed", "Packets acknowledged.", _PACKET, registry=registry)
            ),
            "timeout": series(Counter("timeout_packets_confirmed", "Packets timed out.", _PACKET, registry=registry)),
        }

    def packet_events(self, kind: str, chain: str, client_id: str, port: str, count: int) -> None:
        """Count events of one block range, of whoever relays.

        Args:
            kind: as `PacketEventKind`; one that Hermes has no name for is passed over.
            client_id: the path end on `chain`, where the events were emitted.
            port: counted as `other` if it is not one of PORTS.
        """
        counter = self._events.get(kind)
        if counter is not None:
            counter.labels(*self._end(chain, client_id), one_of(port, PORTS)).inc(count)

    def submitted(self, chain: str, client_id: str, *, messages: int, updates: int, seconds: float | None) -> None:
        """Count one transaction that a pool has, or may have.

        Args:
            chain, client_id: the path end that it is sent to.
            messages: all of its messages.
            updates: those of them that update the client.
            seconds: since the event of its oldest packet was seen; None if no packet waited for it.
        """
        end = self._end(chain, client_id)
        self._messages.labels(end[0]).inc(messages)
        self._updates.labels(*self._client(end)).inc(updates)
        if seconds is not None:
            self._submitted_ms.labels(*end).observe(seconds * 1000)

    def included(self, chain: str, client_id: str, seconds: float) -> None:
        """Time one transaction with packets in a final block.

        Args:
            seconds: since the event of its oldest packet was seen.
        """
        self._confirmed_ms.labels(*self._end(chain, client_id)).observe(seconds * 1000)

    def update_skipped(self, chain: str, client_id: str) -> None:
        """Count a transaction whose proofs verify under a state that the client had already."""
        self._skipped.labels(*self._client(self._end(chain, client_id))).inc()

    def misbehaviour_submitted(self, chain: str, client_id: str) -> None:
        """Count evidence that was handed to the chain on which the client lives."""
        self._misbehaviours.labels(*self._client(self._end(chain, client_id))).inc()

    def confirmed(self, kind: str, source: tuple[str, str, str], destination: tuple[str, str, str]) -> None:
        """Count one packet message that a final block executed and that did something.

        Args:
            kind: as of a job: `receive`, `acknowledge` or `timeout`; any other is passed over.
            source, destination: (chain, client, port) of the packet's sending and receiving end.
        """
        counter = self._confirmed.get(kind)
        if counter is not None:
            (src_chain, src_client, src_port), (dst_chain, dst_client, dst_port) = source, destination
            counter(
                self._labels.chain(src_chain),
                self._labels.chain(dst_chain),
                self._labels.client(src_chain, src_client),
                self._labels.client(dst_chain, dst_client),
                one_of(src_port, PORTS),
                one_of(dst_port, PORTS),
            ).inc()

    def wallet(self, chain: str, address: str, denom: str, balance: int) -> None:
        """Set what a wallet of the relay holds.

        Args:
            address: of a configured key, so that there are few.
            denom: the fee token of the chain.
            balance: in its smallest unit.
        """
        self._balance.labels(self._labels.chain(chain), address, denom).set(balance)

    def worker(self, task: str, step: int) -> None:
        """A task of that kind began (`step` 1) or ended (-1); kinds that are not in WORKER_TYPES are passed over."""
        if (worker := WORKER_TYPES.get(task)) is not None:
            self._workers.labels(worker).inc(step)

    def _end(self, chain: str, client_id: str) -> tuple[str, str, str]:
        other = self._labels.ends.get((chain, client_id), "")
        return self._labels.chain(chain), self._labels.chain(other), self._labels.client(chain, client_id)

    @staticmethod
    def _client(end: tuple[str, str, str]) -> tuple[str, str, str]:
        """Of a client that lives on `chain` and follows `counterparty`."""
        chain, counterparty, client_id = end
        return counterparty, chain, client_id
