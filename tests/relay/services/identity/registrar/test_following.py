"""Leaves read from a hub's blocks are the hub's, or the node that told of them is refused."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from hutong.adapters.ics26.answers import MinedCall
from hutong.adapters.ics26.events import Log
from hutong.light_clients.crypto import keccak256
from hutong.relay.evm.vm.transaction import decode_cached
from hutong.relay.hub.application.identity import interface
from hutong.relay.services.identity.registrar.following import follow_blocks
from hutong.relay.services.identity.registrar.shards import NotOfTheseShards, open_shards
from tests.relay.hub.application.identity.registrars import registrar_on
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID, SimulatedHub
from tests.relay.services.identity.rules.persons.people import control


class ToldNode:
    """Answers of a node over a real hub's blocks; `bend_logs` and `bend_data` change what it says."""

    def __init__(self, hub, bend_logs=lambda logs: logs, bend_data=lambda data: data) -> None:
        self.hub, self.bend_logs, self.bend_data = hub, bend_logs, bend_data
        self.sent = {}

    async def latest_block(self):
        return await self.block(self.hub.height)

    async def block(self, height):
        header = self.hub.ledger.records.block(height).block.header
        return SimpleNamespace(height=height, time_s=header.time_ns // 10**9)

    async def logs(self, address, first, last, topics):
        found = []
        for height in range(first, last + 1):
            raw = self.hub.ledger.records.block(height).block.transactions
            for transaction, outcome in zip(raw, self.hub.outcomes(height), strict=True):
                self.sent[keccak256(transaction)] = transaction
                for number, log in enumerate(outcome.logs):
                    told = Log(
                        log.address,
                        tuple(log.topics),
                        log.data,
                        height,
                        bytes(32),
                        keccak256(transaction),
                        number,
                        False,
                    )
                    if log.address == address and [f"0x{topic.hex()}" for topic in told.topics[:2]] == topics:
                        found.append(told)
        return tuple(self.bend_logs(found))

    async def mined_call(self, transaction_hash):
        raw = self.sent.get(transaction_hash)
        if raw is None:
            return None
        data = decode_cached(raw, EVM_CHAIN_ID).data
        return MinedCall("0x", None, self.bend_data(data), 0, 0, None)


@pytest.fixture(scope="module")
def registrar():
    """Some people, a change of the registrar's, and one of a person's own."""
    made = registrar_on(SimulatedHub())
    made.register("follow a", "follow b", "follow c")
    made.register("follow d")
    entry = made.change_of(1, control("follow b 2"), "follow b")
    assert made.write(made.changing([entry])).ok
    made.took(entry)
    own = made.change_of(2, control("follow c 2"), "follow c")
    assert made.send(made.changing_own(own)).ok
    made.took(own, made.record().changed.time_s)
    return made


async def test_attack_N107_a_node_that_keeps_back_or_alters_calls_is_refused(registrar, tmp_path):
    hub, did = registrar.hub, registrar.did
    with open_shards(tmp_path / "honest", did) as shards:
        await follow_blocks(ToldNode(hub), shards)
        assert (shards.files[0].root, shards.height) == (registrar.tree.root(), hub.height)
        assert list(shards.files[0].people()) == registrar.people
        await follow_blocks(ToldNode(hub), shards)

    def altered(selector, at):
        def bend(data):
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if data[:4] == selector else data

        return bend

    liars = {
        "keeps back the last": ToldNode(
            hub, lambda logs: logs[:-2] + [replace(logs[-1], transaction_hash=logs[-2].transaction_hash)]
        ),
        "keeps back one between": ToldNode(hub, lambda logs: logs[:-2] + logs[-1:]),
        "tells one twice": ToldNode(hub, lambda logs: [*logs, replace(logs[-3], height=hub.height)]),
        "does not have one": ToldNode(hub, lambda logs: [*logs[:-1], replace(logs[-1], transaction_hash=bytes(32))]),
        "alters a registration": ToldNode(hub, bend_data=altered(interface.REGISTER_PERSONS.selector, -100)),
        "alters a change": ToldNode(hub, bend_data=altered(interface.CHANGE_PERSON.selector, -120)),
        "alters an event": ToldNode(hub, lambda logs: [*logs[:-1], replace(logs[-1], data=logs[-1].data[:-1])]),
    }
    for name, liar in liars.items():
        with open_shards(tmp_path / name, did) as shards, pytest.raises(NotOfTheseShards):
            await follow_blocks(liar, shards)
            pytest.fail(name)
