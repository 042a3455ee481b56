"""What governance says of the directory: publishers."""

from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.directory.refusals import TooManyPublishers, UnknownPublisher
from hutong.relay.hub.application.directory.registry import DirectoryRegistry
from hutong.relay.services.directory.rules.records import keys
from hutong.relay.services.directory.rules.records.publishers import MAX_PUBLISHERS, PublisherRecord
from hutong.relay.services.identity.rules.records.encoding import check_some_hash

NOBODY: Address = bytes(20)


def name_publisher(registry: DirectoryRegistry, publisher: bytes, account: Address, records: int) -> None:
    """Name a publisher, change its account or records, or with no account name it no longer. What it published stays.

    Raises:
        UnknownPublisher: nobody is there to be named no longer.
        TooManyPublishers: as many are named as there may be.
        MalformedInput: an id of zero, or more records than there may be.
    """
    check_some_hash("publisher", publisher)
    standing, count = registry.find_publisher(publisher), registry.publishers()
    if account == NOBODY:
        if standing is None:
            raise UnknownPublisher(publisher)
        registry.store.delete(keys.publisher_key(publisher))
        registry.set_publishers(count - 1)
        return
    if standing is None:
        if count >= MAX_PUBLISHERS:
            raise TooManyPublishers(MAX_PUBLISHERS)
        registry.set_publishers(count + 1)
    now = registry.now
    registry.put_publisher(publisher, PublisherRecord(account, records, now.height, now.time_s))
