"""A registrar of persons on a simulated hub, which keeps its people and makes their proofs by a tree of the tests' own."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hutong.relay.hub.application.admin import set_identity_action
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.persons.changing import Change, changed, encode_change, encode_changes
from hutong.relay.services.identity.rules.persons.person import Control, Person, encode_opening, leaf_of
from hutong.relay.services.identity.rules.persons.registering import encode_registrations
from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord, decode_shard_record
from tests.relay.hub.application.identity.organisations import Organisation, public_key, root_of
from tests.relay.hub.simulated_hub import RELAYER, SimulatedHub
from tests.relay.services.identity.rules.persons.people import Tree, change, person, registration, tree_of

GAS = 16_000_000


@dataclass
class Registrar:
    """Its shard 0, as it has written it."""

    organisation: Organisation
    people: list[Person] = field(default_factory=list)

    @property
    def hub(self) -> SimulatedHub:
        return self.organisation.hub

    @property
    def did(self) -> bytes:
        return self.organisation.did

    @property
    def shard(self) -> tuple[bytes, int]:
        return (self.did, 0)

    @property
    def tree(self) -> Tree:
        return tree_of(self.people)

    def record(self) -> ShardRecord:
        return decode_shard_record(self.hub.view().get(keys.shard_key(*self.shard)))

    def writer(self) -> tuple[bytes, bytes]:
        return (self.did, thumbprint(public_key(self.organisation.logging)))

    # --- calls

    def registering(self, people: Sequence[tuple[Person, str]]) -> bytes:
        entries = [registration(one, key, self.shard) for one, key in people]
        return interface.REGISTER_PERSONS.call(self.writer(), 0, self.tree.edge(), encode_registrations(entries))

    def changing(self, entries: Sequence[Change]) -> bytes:
        siblings = self.tree.siblings([entry.index for entry in entries])
        return interface.CHANGE_PERSONS.call(self.writer(), 0, siblings, encode_changes(entries))

    def changing_own(self, entry: Change) -> bytes:
        return interface.CHANGE_PERSON.call(self.did, 0, self.tree.path(entry.index), encode_change(entry))

    def change_of(self, index: int, following: Control, key: str) -> Change:
        return change(index, self.people[index], following, key, self.shard)

    def shown(self, index: int) -> tuple[bytes, list[bytes]]:
        return encode_opening(self.people[index]), self.tree.path(index)

    def place(self, index: int) -> tuple[bytes, int, int]:
        return (self.did, 0, index)

    # --- transactions

    def write(self, call: bytes, gas: int = GAS):
        """By the account of its log key."""
        return self.hub.send(IDENTITY_ADDRESS, call, self.organisation.logging, gas=gas)

    def send(self, call: bytes, gas: int = GAS):
        """By somebody whom nobody knows."""
        return self.hub.send(IDENTITY_ADDRESS, call, RELAYER, gas=gas)

    def register(self, *names: str) -> int:
        """People without a next key; the index of the first."""
        return self.register_people([(person(name), name) for name in names])

    def register_people(self, people: Sequence[tuple[Person, str]]) -> int:
        outcome = self.write(self.registering(people))
        assert outcome.ok, (outcome.log, outcome.data)
        first = len(self.people)
        self.people += [one for one, _ in people]
        assert self.holds()
        return first

    def took(self, entry: Change, own_s: int | None = None) -> None:
        """What the hub has done, done here too."""
        self.people[entry.index] = changed(self.people[entry.index], entry.following, own_s)
        assert self.holds()

    def holds(self) -> bool:
        record = self.record()
        return (record.root, record.count) == (self.tree.root(), len(self.people))

    def leaf(self, index: int) -> bytes:
        return leaf_of(self.people[index])


def let_persons_in(hub: SimulatedHub, *, persons: bool = True) -> None:
    assert hub.execute(set_identity_action(hub.next_salt(), persons, 64, 604_800)).ok


def registrar_on(hub: SimulatedHub, name: str = "registrar") -> Registrar:
    """Accredited by the hub's admins, on a hub that registers persons."""
    let_persons_in(hub)
    return Registrar(root_of(hub, name, schema=PERSONS_SCHEMA))


def with_control(one: Person, **changes) -> Person:
    return replace(one, control=replace(one.control, **changes))
