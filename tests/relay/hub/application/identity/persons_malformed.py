"""Malformed calls about persons of drawn kinds, in real blocks, which both engines execute to equal app hashes.

python -m tests.relay.hub.application.identity.persons_malformed --calls 10000 --seed 1
"""

import argparse
import time
from collections import Counter
from random import Random

import trio

from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.services.identity.rules.persons.changing import encode_changes
from hutong.relay.services.identity.rules.persons.registering import encode_registrations
from tests.relay.hub.abci.abci_client import init_chain, serving
from tests.relay.hub.abci.test_abci_replay import play
from tests.relay.hub.application.identity.organisations import held
from tests.relay.hub.application.identity.registrars import Registrar, registrar_on
from tests.relay.hub.simulated_hub import RELAYER, Outcome, SimulatedHub
from tests.relay.services.identity.rules.persons.people import control, person, registration

TYPED = {
    one.selector: one.signature
    for one in (*vars(interface).values(), *vars(abi).values())
    if isinstance(one, abi.Error)
}
"""Every error that a module's refusal becomes."""
A_BLOCK = 8
CALL_GAS = 2_000_000
REGISTER, CHANGE, OWN = interface.REGISTER_PERSONS, interface.CHANGE_PERSONS, interface.CHANGE_PERSON
KINDS = (
    "a bit", "cut", "longer", "an entry twice", "signatures exchanged", "edge", "shard", "sender", "noise", "no entries",
    "siblings", "order", "index", "selector", "gas", "own signature", "noise in an entry", "encoding",
)  # fmt: skip


class MalformedCalls:
    """A registrar with some people, and calls that must all be refused: none changes what the next one is made from."""

    def __init__(self, seed: object) -> None:
        self.random = Random(seed)
        self.registrar: Registrar = registrar_on(SimulatedHub())
        self.registrar.register(*(f"malformed {number}" for number in range(6)))
        self.entries = [registration(person(f"new {n}"), f"new {n}", self.registrar.shard) for n in range(4)]
        self.changes = [self.registrar.change_of(n, control(f"moved {n}"), f"malformed {n}") for n in range(4)]
        self.found: Counter[str] = Counter()

    @property
    def hub(self) -> SimulatedHub:
        return self.registrar.hub

    def draw(self, count: int) -> int:
        return self.random.randrange(count)

    def whole(self) -> bytes:
        """A call that would be taken."""
        registering = REGISTER.call(
            self.registrar.writer(), 0, self.registrar.tree.edge(), encode_registrations(self.entries)
        )
        own = self.registrar.changing_own(self.changes[0])
        return (registering, self.registrar.changing(self.changes), own)[self.draw(3)]

    def a_bit(self, data: bytes, first: int) -> bytes:
        at = first + self.draw(len(data) - first)
        return data[:at] + bytes([data[at] ^ 1 << self.draw(8)]) + data[at + 1 :]

    def registering(self, entries: bytes, edge=None, shard: int = 0) -> bytes:
        return REGISTER.call(
            self.registrar.writer(), shard, self.registrar.tree.edge() if edge is None else edge, entries
        )

    def changing(self, entries: bytes, siblings=None) -> bytes:
        found = self.registrar.tree.siblings(range(4)) if siblings is None else siblings
        return CHANGE.call(self.registrar.writer(), 0, found, entries)

    def bent(self, nodes: list[bytes]) -> list[bytes]:
        """Some nodes with one gone, changed, or too many."""
        at = self.draw(len(nodes))
        return [
            nodes[:at] + nodes[at + 1 :],
            [*nodes[:at], self.a_bit(nodes[at], 0), *nodes[at + 1 :]],
            [*nodes, nodes[at]],
            [*nodes, *[nodes[at]] * 21],
        ][self.draw(4)]

    def call(self, kind: str) -> bytes:
        """Calldata of a kind that is refused whatever else is drawn."""
        registered, changed = encode_registrations(self.entries), encode_changes(self.changes)
        match kind:
            case "a bit":
                return self.a_bit(self.whole(), 4)
            case "cut":
                whole = self.whole()
                return whole[: 4 + self.draw(len(whole) - 4)]
            case "longer":
                return self.whole() + self.random.randbytes(1 + self.draw(64))
            case "an entry twice":
                return self.registering(registered + registered[:164])
            case "signatures exchanged":
                return self.registering(registered[:100] + registered[264:328] + registered[164:])
            case "edge":
                return self.registering(registered, self.bent(self.registrar.tree.edge()))
            case "shard":
                return self.registering(registered, shard=1 + self.random.getrandbits(60))
            case "noise":
                return self.registering(self.random.randbytes(164 * (1 + self.draw(4))))
            case "no entries":
                return self.registering(registered[: self.draw(164)])
            case "siblings":
                return self.changing(changed, self.bent(self.registrar.tree.siblings(range(4))))
            case "order":
                return self.changing(encode_changes([self.changes[0], *self.changes[::-1]]))
            case "index":
                return self.changing((6 + self.draw(2**31)).to_bytes(4, "big") + changed[4:])
            case "selector":
                other = (REGISTER, CHANGE)[self.draw(2)].selector
                return (interface.CLEAR_PERSON_RECOVERY.selector if self.draw(2) else other) + self.random.randbytes(96)
            case "own signature":
                own = encode_changes(self.changes[:1])
                return OWN.call(self.registrar.did, 0, self.registrar.tree.path(0), own[:-64] + changed[-64:])
            case "noise in an entry":
                at = self.draw(len(registered) - 8)
                return self.registering(registered[:at] + self.random.randbytes(8) + registered[at + 8 :])
            case "encoding":
                place = (self.registrar.did, 0, self.draw(6))
                said = [
                    place,
                    self.random.randbytes(112),
                    self.registrar.tree.path(0),
                    self.random.randbytes(84),
                    b"",
                    1,
                    [],
                ]
                return interface.START_PERSON_RECOVERY.selector + encode_abi(
                    interface.START_PERSON_RECOVERY.arguments, said
                )
            case _:
                return self.whole()

    def block(self, kinds: list[str]) -> list[Outcome]:
        """Calls of these kinds in one block."""
        hub, log_key, raw = self.hub, self.registrar.organisation.logging, []
        for kind in kinds:
            data, gas = self.call(kind), CALL_GAS
            if kind in ("sender", "gas"):
                data = self.registering(encode_registrations(self.entries))
            if kind == "gas":
                gas = (
                    21_000 + 10 * (4 * len(data) - 3 * data.count(0)) + self.draw(500)
                )  # as much as a block takes it with
            raw.append(hub.raw(IDENTITY_ADDRESS, data, RELAYER if kind == "sender" else log_key, gas=gas))
        return hub.advance(*raw)

    def run(self, calls: int) -> None:
        """As many calls, each refused by a typed error or for want of gas; nothing is stored.

        Raises:
            AssertionError: one was not.
        """
        before = held(self.hub)
        for first in range(0, calls, A_BLOCK):
            kinds = [KINDS[number % len(KINDS)] for number in range(first, min(first + A_BLOCK, calls))]
            for kind, outcome in zip(kinds, self.block(kinds), strict=True):
                error = TYPED.get(outcome.data[:4])
                assert not outcome.ok and (error or kind == "gas"), (kind, outcome.code, outcome.log, outcome.data)
                self.found[rule_of(outcome) or error or "out of gas"] += 1
            assert held(self.hub) == before, kinds
        assert self.registrar.write(self.registering(encode_registrations(self.entries))).ok


def rule_of(outcome: Outcome) -> str | None:
    """The rule or malformed member that a typed refusal names."""
    failed = outcome.reverted_with(abi.VERIFICATION_FAILED)
    return None if failed is None else failed[0]


def replayed(hub: SimulatedHub) -> None:
    """The same blocks by another ledger and through an ABCI socket, as under CometBFT: equal app hashes.

    Raises:
        AssertionError: one is another.
    """
    ledger = HubLedger(MemoryStore(), hub.genesis)
    for height in range(1, hub.height + 1):
        stored, commit = hub.ledger.records.block(height), hub.ledger.records.commit(height)
        ledger.apply(stored.block, stored.block_id, commit)
        assert ledger.tip.app_hash == hub.ledger.records.results(height).app_hash, height
    trio.run(_through_socket, hub)


async def _through_socket(hub: SimulatedHub) -> None:
    async with serving(HubMachine(MemoryStore(), hub.genesis)) as application:
        consensus = await application.connect()
        asked = init_chain(hub.genesis)
        await consensus.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
        for height in range(1, hub.height + 1):
            finalized = await play(consensus, hub.ledger.records.block(height).block)
            assert finalized.app_hash == hub.ledger.records.results(height).app_hash, height


def main() -> None:
    """So many calls of drawn kinds, then the chain again under both engines."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.process_time()
    malformed = MalformedCalls(arguments.seed)
    malformed.run(arguments.calls)
    replayed(malformed.hub)
    for error, count in malformed.found.most_common():
        print(f"{count:>7,}  {error}")
    print(
        f"{malformed.hub.height:,} blocks, equal app hashes under both engines, {time.process_time() - started:,.0f} s of CPU"
    )


if __name__ == "__main__":
    main()
