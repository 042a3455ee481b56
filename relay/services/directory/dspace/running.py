"""The parts of a running connector, as its two doors (protocol and operator) use them."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge

from hutong.relay.services.directory.dspace.connector import Connector
from hutong.relay.services.directory.dspace.door import AgreementDoor
from hutong.relay.services.directory.dspace.participants import Participants
from hutong.relay.services.directory.dspace.process import Process
from hutong.relay.services.directory.dspace.store import ConnectorStore


class ConnectorMetrics:
    """What is counted; labels are the protocol's own words."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.received = Counter(
            "hutong_connector_messages",
            "Messages of counterparties, by what they are and whether they were taken.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.deliveries = Counter(
            "hutong_connector_deliveries",
            "Attempts to deliver a message: delivered, later, refused, given up.",
            ["outcome"],
            registry=registry,
        )
        self.undelivered = Gauge(
            "hutong_connector_undelivered", "Messages that wait to be delivered.", registry=registry
        )


@dataclass(frozen=True, slots=True)
class Running:
    """`changed` is called after every change, so that what is due is done at once."""

    store: ConnectorStore
    connector: Connector
    participants: Participants
    door: AgreementDoor
    metrics: ConnectorMetrics
    changed: Callable[[], None]

    async def process(self, pid: str) -> Process | None:
        """By our identifier."""
        return await self.store.run(lambda rows: rows.process(pid))
