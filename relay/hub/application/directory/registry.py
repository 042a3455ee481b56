"""The records of the directory module over one store: typed reads and writes."""

from dataclasses import dataclass

from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.directory.refusals import UnknownPublisher
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.services.directory.rules.log.operations import LoggedOperation, decode_logged, encode_logged
from hutong.relay.services.directory.rules.records import facets, keys, publishers
from hutong.relay.services.directory.rules.records.facets import Facet, FacetHead
from hutong.relay.services.directory.rules.records.publishers import (
    DirectoryParameters,
    PublisherRecord,
    PublisherUse,
)
from hutong.relay.services.identity.rules.records.did_record import Moment


@dataclass(frozen=True, slots=True)
class DirectoryRegistry:
    """Records as of a running block, whose moment is `now`."""

    store: Store
    now: Moment

    def parameters(self) -> DirectoryParameters:
        """What governance says of the module; its defaults where it has said nothing."""
        raw = self.store.get(keys.PARAMETERS_KEY)
        return publishers.DEFAULTS if raw is None else publishers.decode_directory_parameters(raw)

    def set_parameters(self, parameters: DirectoryParameters) -> None:
        """Write what governance says."""
        self.store.set(keys.PARAMETERS_KEY, publishers.encode_directory_parameters(parameters))

    def publishers(self) -> int:
        """How many are named."""
        return int.from_bytes(self.store.get(keys.PUBLISHERS_KEY) or b"", "big")

    def set_publishers(self, count: int) -> None:
        """Write how many are named."""
        self.store.set(keys.PUBLISHERS_KEY, count.to_bytes(8, "big"))

    def find_publisher(self, publisher: bytes) -> PublisherRecord | None:
        """A publisher, None for whoever is not named."""
        raw = self.store.get(keys.publisher_key(publisher))
        return None if raw is None else publishers.decode_publisher_record(raw)

    def publisher(self, publisher: bytes) -> PublisherRecord:
        """A publisher.

        Raises:
            UnknownPublisher: it is not named.
        """
        found = self.find_publisher(publisher)
        if found is None:
            raise UnknownPublisher(publisher)
        return found

    def put_publisher(self, publisher: bytes, record: PublisherRecord) -> None:
        """Write a publisher."""
        self.store.set(keys.publisher_key(publisher), publishers.encode_publisher_record(record))

    def use(self, publisher: bytes) -> PublisherUse:
        """What a publisher has used; naming it anew does not change that."""
        raw = self.store.get(keys.use_key(publisher))
        return PublisherUse() if raw is None else publishers.decode_publisher_use(raw)

    def put_use(self, publisher: bytes, use: PublisherUse) -> None:
        """Write what a publisher has used."""
        self.store.set(keys.use_key(publisher), publishers.encode_publisher_use(use))

    def find_entry(self, entry: bytes) -> LoggedOperation | None:
        """The newest operation of an entry, None where there never was one."""
        raw = self.store.get(keys.entry_key(entry))
        return None if raw is None else decode_logged(raw)

    def put_entry(self, operation: LoggedOperation) -> None:
        """Write an entry's newest operation."""
        self.store.set(keys.entry_key(operation.entry), encode_logged(operation))

    def find_head(self, facet: Facet) -> FacetHead | None:
        """A facet's head, None where no entry ever had it."""
        raw = self.store.get(keys.head_key(facet))
        return None if raw is None else facets.decode_head(raw)

    def put_head(self, facet: Facet, head: FacetHead) -> None:
        """Write a facet's head."""
        self.store.set(keys.head_key(facet), facets.encode_head(head))


def registry_of(call: NativeCall) -> DirectoryRegistry:
    """The records in the state of a running block, each read and write paid for by the call."""
    frame = frame_of(call)
    return DirectoryRegistry(MeteredStore(call, frame), Moment(frame.height, frame.now_s))
