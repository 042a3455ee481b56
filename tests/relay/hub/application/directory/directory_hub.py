"""A simulated hub with two named publishers, and the records that their calls leave."""

import json

from eth_abi.abi import decode

from hutong.light_clients.crypto import sha256
from hutong.relay.hub.application.admin import name_directory_publisher_action
from hutong.relay.hub.application.directory import interface
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.services.directory.rules.calls import DIRECTORY_ADDRESS
from hutong.relay.services.directory.rules.log.operations import decode_logged, encode_operations
from hutong.relay.services.directory.rules.records import facets, keys
from tests.relay.hub.application.identity.organisations import named as account_named
from tests.relay.hub.simulated_hub import SimulatedHub, address_of, hub_genesis

GAS = 16_000_000
TABLE = {"call_operations": 8, "block_operations": 12}
CITY, HOSPITAL = sha256(b"city"), sha256(b"hospital")
OUTSIDER = account_named("outsider")


def account_of(publisher: bytes):
    return account_named(f"account {publisher.hex()}")


def genesis_with(table: object, **changed):
    document = json.loads(encode_genesis(hub_genesis(**changed))) | {"directory": table}
    return decode_genesis(json.dumps(document).encode())


class DirectoryHub:
    """CITY and HOSPITAL may bring `records` each into the state."""

    def __init__(self, hub: SimulatedHub | None = None, records: int = 1_000) -> None:
        self.hub = SimulatedHub() if hub is None else hub
        for publisher in (CITY, HOSPITAL):
            assert self.name(publisher, records).ok

    def name(self, publisher: bytes, records: int, account: bytes | None = None):
        named = address_of(account_of(publisher)) if account is None else account
        return self.hub.execute(name_directory_publisher_action(self.hub.next_salt(), publisher, named, records))

    def raw(self, *given, publisher: bytes = CITY, account=None, gas: int = GAS) -> bytes:
        call = interface.PUBLISH.call(publisher, encode_operations(given))
        return self.hub.raw(DIRECTORY_ADDRESS, call, account or account_of(publisher), gas=gas)

    def publish(self, *given, publisher: bytes = CITY, account=None):
        (done,) = self.hub.advance(self.raw(*given, publisher=publisher, account=account))
        return done

    def head(self, facet=facets.EVERYTHING):
        raw = self.hub.view().get(keys.head_key(facet))
        return None if raw is None else facets.decode_head(raw)

    def entry(self, local: int, publisher: bytes = CITY):
        raw = self.hub.view().get(keys.entry_key(keys.entry_id(publisher, local.to_bytes(32, "big"))))
        return None if raw is None else decode_logged(raw)

    def told(self) -> list:
        """The log as events tell it, from the first block on."""
        found = []
        for height in range(1, self.hub.height + 1):
            for outcome in self.hub.outcomes(height):
                for log in outcome.logs:
                    if log.topics[0] == interface.LOGGED_EVENT.topic:
                        place, raw = decode(interface.LOGGED_EVENT.data_types, log.data)
                        found.append(decode_logged(raw))
                        assert found[-1].sequence == place == len(found) - 1
        return found


def held(hub: SimulatedHub) -> dict[bytes, bytes]:
    view, found = hub.view(), {}
    row = view.next(keys.DIRECTORY_PREFIX)
    while row is not None and row[0].startswith(keys.DIRECTORY_PREFIX):
        found[row[0]] = row[1]
        row = view.next(row[0])
    return found
