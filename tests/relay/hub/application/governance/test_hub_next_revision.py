"""A revision ends and the next begins from its state: packets in flight arrive, time out, and clients of the hub follow."""

import json
from dataclasses import replace

import pytest
from google.protobuf.any_pb2 import Any

from hutong.light_clients.ibc.commitment import commitment_key, merkle_path, packet_commitment
from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    decode_consensus_state,
    encode_client_state,
    encode_consensus_state,
    encode_tendermint_header,
    encode_upgrade,
)
from hutong.light_clients.tendermint.types import Upgrade
from hutong.light_clients.tendermint.upgrade import UPGRADED_CLIENT, UPGRADED_CONSENSUS_STATE
from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import end_revision_action, schedule_rules_action, set_paused_action
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.home.home import load_genesis
from hutong.relay.hub.home.process import NodeRefused, open_store
from hutong.relay.hub.state import keys
from hutong.relay.hub.upkeep import restart as restarting
from hutong.relay.hub.upkeep.restart import next_genesis
from tests.relay.hub.application.governance.governed_hub import KEYS, GovernedHub, governed_genesis
from tests.relay.hub.application.transfer.token_chain import TokenChain
from tests.relay.hub.simulated_hub import sent_packet


def at_its_end(hub, notice: int = NOTICE_BLOCKS) -> int:
    """Decide the end, go there, and return it."""
    members = len(hub.ask(interface.GET_MEMBERS))
    end = hub.height + members + notice
    assert hub.execute(end_revision_action(hub.next_salt(), end)).events(abi.REVISION_END_EVENT) == [(end,)]
    while hub.height < end:
        hub.advance()
    return end


def restarted(hub) -> GovernedHub:
    following = GovernedHub(store=hub.store, genesis=next_genesis(hub.ledger))
    following.time_s, following.nonces, following.salt = hub.time_s, hub.nonces, hub.salt
    return following


def test_packets_in_flight_over_the_end_arrive_are_answered_and_time_out():
    hub = GovernedHub((10,))
    chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
    answered = sent_packet(chain_a.deliver(chain_a.send_transfer(30, chain_b.client)))
    late = sent_packet(chain_a.deliver(chain_a.send_transfer(5, chain_b.client)))
    unreceived = chain_a.send_transfer(7, chain_b.client)
    supply = list(hub.view().with_prefix(b"transfer/"))
    end, app_hash = at_its_end(hub), hub.app_hash
    hub = chain_a.hub = chain_b.hub = restarted(hub)
    assert (hub.genesis.chain_id, hub.height, hub.app_hash) == ("hutong-2", end, app_hash)
    assert list(hub.view().with_prefix(b"transfer/")) == supply
    assert chain_b.take(answered).events(abi.ACK_PACKET_EVENT)
    assert chain_a.deliver(unreceived).events(abi.SEND_PACKET_EVENT)
    assert chain_b.expire(late).events(abi.TIMEOUT_PACKET_EVENT)
    first = hub.ledger.records.block(end + 1).block
    assert (first.header.chain_id, first.header.height, first.header.app_hash) == ("hutong-2", end + 1, app_hash)
    assert not first.header.last_block_id.hash and not first.last_commit.signatures
    reopened = GovernedHub(store=hub.store, genesis=hub.genesis)
    assert (reopened.height, reopened.app_hash) == (hub.height, hub.app_hash)


def test_a_client_of_the_hub_follows_it_and_proves_a_packet_of_the_first_revision_under_the_second():
    hub = GovernedHub((10, 10, 10, 10))
    chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
    trusted = hub.height
    packet = sent_packet(chain_a.deliver(chain_a.send_transfer(30, chain_b.client)))
    end = at_its_end(hub)
    light_client = TendermintClient()
    now_ns = (hub.time_s + 10) * 10**9
    client = encode_client_state(hub.client_state(trusted))
    states = {Height(1, trusted): encode_consensus_state(hub.consensus_state(trusted))}
    header = encode_tendermint_header(hub.tendermint_header(end, trusted))
    updated = light_client.verify_header(client, MemoryConsensusStates(states), header, now_ns)
    states[updated.height] = updated.consensus_state
    upgraded, consensus = (
        hub.application.query("/store/ibc/key", keys.upgraded_key(end, item), end - 1, prove=True)
        for item in (UPGRADED_CLIENT, UPGRADED_CONSENSUS_STATE)
    )
    upgrade = Upgrade(
        decode_client_state(Any.FromString(upgraded.value).value),
        decode_consensus_state(Any.FromString(consensus.value).value),
        upgraded.proof,
        consensus.proof,
    )
    followed = light_client.verify_upgrade(
        updated.client_state, MemoryConsensusStates(states), encode_upgrade(upgrade), now_ns
    )
    states[followed.height] = followed.consensus_state
    following = restarted(hub)
    for _ in range(3):
        following.advance()
    now_ns = (following.time_s + 10) * 10**9
    header = following.tendermint_header(end + 2, end + 1)
    header = replace(header, trusted_height=Height(2, end + 1))
    moved = light_client.verify_header(
        followed.client_state, MemoryConsensusStates(states), encode_tendermint_header(header), now_ns
    )
    assert moved.height == Height(2, end + 2)
    key = commitment_key(packet)
    proof = following.application.query("/store/ibc/key", key, end + 1, prove=True).proof
    path = merkle_path((b"",), key)
    light_client.verify_membership(moved.client_state, moved.consensus_state, proof, path, packet_commitment(packet))


def test_every_member_makes_the_same_genesis_and_it_survives_its_encoding():
    one, other = (GovernedHub((10, 20, 30)) for _ in range(2))
    for hub in (one, other):
        at_its_end(hub)
    made = next_genesis(one.ledger)
    assert made == next_genesis(other.ledger) and decode_genesis(encode_genesis(made)) == made
    assert made.origin == one.genesis.digest and made.digest != one.genesis.digest
    assert dict(made.constitution.operators) == dict(one.genesis.constitution.operators)
    document = json.loads(encode_genesis(made))
    for path, value, field in (
        (("continues", "chain_id"), "hutong-2", "continues.chain_id"),
        (("continues", "chain_id"), "x", "continues.chain_id"),
        (("continues", "height"), 0, "continues.height"),
        (("continues", "block_hash"), "00", "continues.block_hash"),
        (("continues", "more"), 1, "continues.more"),
        (("governance", "operators"), {}, "governance.operators"),
        (("governance", "operators"), [], "governance.operators"),
        (("governance", "voting_period_s"), 59, "governance.voting_period_s"),
        (("governance", "more"), 1, "governance.more"),
        (("admins",), {"addresses": ["0x" + "11" * 20], "threshold": 1}, "admins"),
        (("chain_id",), "hutong-3", "continues.chain_id"),
    ):
        changed = json.loads(json.dumps(document))
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        with pytest.raises(MalformedInput) as refused:
            decode_genesis(json.dumps(changed).encode())
        assert refused.value.field == field, path


def test_operators_of_genesis_are_one_each_for_every_validator():
    document = json.loads(encode_genesis(GovernedHub((10, 10)).genesis))
    first, second = document["governance"]["operators"]
    for operators in (
        {first: "0x" + "11" * 20},
        {first: "0x" + "11" * 20, second: "0x" + "11" * 20},
        {first: "0x" + "11" * 20, second: "0x" + "00" * 20},
        {first: "0x" + "11" * 20, KEYS[5].public_key.data.hex(): "0x" + "12" * 20},
        {first: "0x" + "11" * 20, second: "12"},
    ):
        changed = document | {"governance": document["governance"] | {"operators": operators}}
        with pytest.raises(MalformedInput) as refused:
            decode_genesis(json.dumps(changed).encode())
        assert refused.value.field.startswith("governance.operators")


def test_a_next_genesis_is_made_at_the_end_only():
    hub = GovernedHub((10,))
    with pytest.raises(NodeRefused, match="its end was not decided"):
        next_genesis(hub.ledger)
    end = hub.height + 1 + NOTICE_BLOCKS
    assert hub.execute(end_revision_action(1, end)).ok
    with pytest.raises(NodeRefused, match=f"hutong-1 ends at block {end}, this node has {hub.height}: "):
        next_genesis(hub.ledger)


def test_attack_a_database_is_opened_under_its_own_genesis_only():
    hub = GovernedHub((10,))
    end = at_its_end(hub)
    made = next_genesis(hub.ledger)
    for changed, words in (
        (replace(made.continues, block_hash=bytes(32)), f"block {end} or the state after it is not the one"),
        (replace(made.continues, app_hash=bytes(32)), f"block {end} or the state after it is not the one"),
        (replace(made.continues, origin=bytes(32)), "belongs to another genesis file"),
        (replace(made.continues, height=end + 1), f"after block {end + 1}, the database ends at {end}"),
    ):
        with pytest.raises(ChainDamaged, match=words):
            HubLedger(hub.store, replace(made, continues=changed))
    following = restarted(hub)
    following.advance()
    with pytest.raises(ChainDamaged, match="the database is of hutong-2 already, the genesis file of hutong-1"):
        HubLedger(hub.store, hub.genesis)


def test_the_second_revision_governs_itself_and_ends_like_the_first():
    hub = GovernedHub((10, 10, 10, 10), rules_version=1)
    assert hub.execute(schedule_rules_action(1, 2, hub.height + 3 + NOTICE_BLOCKS)).ok
    assert hub.propose(set_paused_action(2, True)).ok
    number = hub.newest
    at_its_end(hub)
    assert next_genesis(hub.ledger).rules_version == 2
    second = restarted(hub)
    assert second.ask(interface.GET_SCHEDULE) == (2, 0, 0, 0)
    assert second.vote(number, 1).ok and second.vote(number, 2).events(interface.PROPOSAL_EXECUTED_EVENT)
    assert second.read(ROUTER_ADDRESS, abi.PAUSED)
    assert second.rotate(0, KEYS[6]).ok
    second.advance()
    end = at_its_end(second)
    third = restarted(second)
    third.advance()
    assert (third.genesis.chain_id, third.height) == ("hutong-3", end + 1)
    assert third.genesis.origin == hub.genesis.digest


def test_attack_C45_a_restart_cut_at_any_of_its_writes_is_done_again(tmp_path, monkeypatch):
    """The old file stands until the new one is on disk; neither is ever half there."""
    genesis = governed_genesis((10,))
    (tmp_path / "genesis.json").write_bytes(encode_genesis(genesis))
    store = open_store(tmp_path)
    end = at_its_end(GovernedHub(store=store, genesis=genesis))
    store.close()
    written = []

    def cut(path, data, mode):
        if len(written) == allowed:
            raise OSError(28, "No space left on device")
        written.append(path)
        write_durably(path, data, mode)

    for allowed in (0, 1):
        written.clear()
        with monkeypatch.context() as patched:
            patched.setattr(restarting, "write_durably", cut)
            with pytest.raises(NodeRefused, match="No space left on device"):
                restarting.restart(tmp_path)
        assert load_genesis(tmp_path) == genesis
    made = restarting.restart(tmp_path)
    assert (made.genesis.chain_id, made.genesis.base_height) == ("hutong-2", end)
    assert load_genesis(tmp_path) == made.genesis
    assert decode_genesis(made.previous_file.read_bytes()) == genesis
