"""The adapter of signed logs: its updates and proofs satisfy the client, and no endpoint is believed."""

from dataclasses import replace

import pytest
import trio

from hutong.adapters.interface import ClientParameters, EndpointUnavailable, HeightUnavailable, NotSupported
from hutong.adapters.tlog import LogForked
from hutong.light_clients.interface import Height, MalformedInput, MemoryConsensusStates, Misbehaved, Updated
from hutong.light_clients.table import light_client
from hutong.light_clients.tlog import decode_client_state, decode_consensus_state, entry_path
from hutong.light_clients.tlog.tiles import bundle_path, encode_bundle
from tests.adapters.tlog.served_log import TRUST, ServedLog, served
from tests.light_clients.tlog.simulated_log import LOG, PUBLISHER, STRANGER, WITNESSES, SimulatedLog, secret

TYPE = "c2sp-tlog"
JUDGE = light_client(TYPE)
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = bytes(range(1, 33))
PARAMETERS = ClientParameters(86_400, 10)


def log_of(size: int) -> SimulatedLog:
    made = SimulatedLog()
    made.advance(size - 1)
    return made


@pytest.mark.parametrize("sizes", [(1, 2), (3, 9), (255, 257), (256, 600), (5, 700)])
async def test_client_of_the_served_log_is_made_and_followed(sizes):
    """Over partial tiles, full ones, and those of two levels."""
    first, second = sizes
    server = ServedLog(log_of(first))
    async with served(server) as source:
        begun = await source.initial_states(TYPE, PARAMETERS)
        assert begun.height == Height(0, first)
        JUDGE.create(begun.client_state, begun.consensus_state, server.log.time_ns(first))
        server.log.advance(second - first)
        head = await source.wait_for_height(second)
        assert (head.height, head.hash, head.time_ns) == (second, server.log.root(), server.log.time_ns(second))
        (message,) = await source.client_messages(TYPE, begun.client_state, begun.height, Height(0, second))
        states = MemoryConsensusStates({begun.height: begun.consensus_state})
        verdict = JUDGE.verify_header(begun.client_state, states, message, head.time_ns)
        assert isinstance(verdict, Updated)
        assert decode_consensus_state(verdict.consensus_state).root == server.log.root()
        for index in {0, first - 1, second // 2, second - 1}:
            proof = await source.prove(entry_path(index), verdict.height)
            assert proof.value == server.log.entries[index]
            JUDGE.verify_membership(verdict.client_state, verdict.consensus_state, proof.proof, proof.path, proof.value)
        assert await source.client_messages(TYPE, begun.client_state, begun.height, begun.height) == ()


async def test_messages_of_the_publisher_are_found_and_proven():
    log = log_of(300)
    log.publish(KEY, VALUE, by=STRANGER)
    log.publish(KEY, VALUE)
    log.publish(KEY, VALUE[::-1])
    server = ServedLog(log)
    async with served(server) as source:
        begun = await source.initial_states(TYPE, PARAMETERS)
        proof = await source.prove((KEY,), begun.height)
        assert proof.value == VALUE, "of two messages under one key the first one counts"
        JUDGE.verify_membership(begun.client_state, begun.consensus_state, proof.proof, proof.path, VALUE)
        with pytest.raises(NotSupported, match="absence"):
            await source.prove((KEY + b"!",), begun.height)
        asked = len(server.asked)
        await source.prove((KEY,), begun.height)
        assert len(server.asked) - asked < 6, "the log is scanned once"
        with pytest.raises(NotSupported, match="absence"):
            await source.prove(entry_path(log.size), begun.height)
        for path in ((), (b"entry", bytes(7)), (b"entry", bytes(8), b"")):
            with pytest.raises(MalformedInput):
                await source.prove(path, begun.height)
        with pytest.raises(HeightUnavailable):
            await source.prove((KEY,), Height(0, 12))
    async with served(server, trust=replace(TRUST, publisher_key=b"")) as source:
        await source.head()
        with pytest.raises(NotSupported, match="without a publisher"):
            await source.prove((KEY,), Height(0, log.size))


async def test_idle_log_is_refreshed_by_newer_cosignatures():
    server = ServedLog(log_of(5))
    async with served(server) as source:
        begun = await source.initial_states(TYPE, PARAMETERS)
        stored_s = decode_consensus_state(begun.consensus_state).timestamp_s
        assert await source.refreshing_message(TYPE, begun.client_state, stored_s) is None
        server.note = server.log.note(5, time_s=stored_s + 60)
        message = await source.refreshing_message(TYPE, begun.client_state, stored_s)
        states = MemoryConsensusStates({begun.height: begun.consensus_state})
        verdict = JUDGE.verify_header(begun.client_state, states, message, (stored_s + 60) * 10**9)
        assert isinstance(verdict, Updated)
        assert decode_consensus_state(verdict.consensus_state).timestamp_s == stored_s + 60
        assert await source.block_time_ns(5) == (stored_s + 60) * 10**9


async def test_attack_C60_log_that_forks_is_told_with_evidence():
    server = ServedLog(log_of(5))
    async with served(server) as source:
        begun = await source.initial_states(TYPE, PARAMETERS)
        states = MemoryConsensusStates({begun.height: begun.consensus_state})
        for size in (5, 8):
            server.log = SimulatedLog([b"rewritten", *log_of(size).entries[1:]])
            with pytest.raises(LogForked) as caught:
                await source.head()
            frozen = JUDGE.check_misbehaviour(
                begun.client_state, states, caught.value.evidence, server.log.time_ns(size)
            )
            assert decode_client_state(frozen.client_state).is_frozen


async def test_attack_C60_update_of_a_log_that_forked_unseen_is_evidence():
    """The adapter was not there: its update begins with the root that the log shows now, and freezes the client."""
    honest = log_of(5)
    server = ServedLog(SimulatedLog([b"rewritten", *log_of(8).entries[1:]]))
    states = MemoryConsensusStates({Height(0, 5): honest.consensus_state(5)})
    async with served(server) as source:
        await source.head()
        (message,) = await source.client_messages(TYPE, honest.client_state(5), Height(0, 5), Height(0, 8))
        verdict = JUDGE.verify_header(honest.client_state(5), states, message, honest.time_ns(8))
        assert isinstance(verdict, Misbehaved)


NOTES = {
    "not signed": lambda log: log.note(8).replace(log.note(8).split(b"\n\n")[1].splitlines()[0] + b"\n", b""),
    "cosigned by one": lambda log: log.note(8, [(WITNESSES[0], log.time_s(8))]),
    "cosigned by strangers": lambda log: log.note(8, [(STRANGER, log.time_s(8)), (LOG, log.time_s(8))]),
    "no note": lambda log: b"{}",
    "endless": lambda log: bytes(200_000),
    "of another log": lambda log: log.note(8).replace(b"registry\n8", b"another\n8"),
}


@pytest.mark.parametrize("kind", NOTES)
async def test_attack_G1_log_endpoint_with_a_bad_checkpoint_is_left_for_another(kind):
    liar, honest = ServedLog(log_of(8)), ServedLog(log_of(6))
    liar.note = NOTES[kind](liar.log)
    async with served(liar) as source:
        with pytest.raises(EndpointUnavailable):
            await source.head()
    async with served(liar, honest) as source:
        assert (await source.head()).height == 6
        await source.check_identity()


@pytest.mark.parametrize("damage", ["entry", "bundle", "tile", "missing", "short"])
async def test_attack_G1_log_endpoint_with_bad_tiles_is_left_for_another(damage):
    liar, honest = ServedLog(log_of(9)), ServedLog(log_of(9))
    entries = liar.log.entries
    tile, bundle = "/tile/0/000.p/9", f"/{bundle_path(0, 9)}"
    liar.instead = {
        "entry": {bundle: (200, encode_bundle([*entries[:4], b"forged!", *entries[5:]]))},
        "bundle": {bundle: (200, encode_bundle(entries)[:-1])},
        "tile": {tile: (200, bytes(9 * 32))},
        "missing": {tile: (404, b"gone"), "/tile/0/000": (404, b"gone")},
        "short": {tile: (200, bytes(31))},
    }[damage]
    for servers, works in (((liar,), False), ((liar, honest), True)):
        async with served(*servers) as source:
            await source.head()
            if works:
                assert (await source.prove(entry_path(4), Height(0, 9))).value == entries[4]
            else:
                with pytest.raises(EndpointUnavailable):
                    await source.prove(entry_path(4), Height(0, 9))


async def test_full_tile_stands_in_for_a_partial_one_that_is_gone():
    server = ServedLog(log_of(200))
    async with served(server) as source:
        begun = await source.initial_states(TYPE, PARAMETERS)
        server.log.advance(100)
        server.note = log_of(250).note(250)
        server.instead = {
            f"/{path}": (404, b"gone")
            for path in ("tile/0/000.p/250", "tile/0/000.p/200", "tile/entries/000.p/250", "tile/entries/000.p/200")
        }
        assert (await source.head()).height == 250
        proof = await source.prove(entry_path(7), Height(0, 250))
        assert proof.value == server.log.entries[7]
        (message,) = await source.client_messages(TYPE, begun.client_state, begun.height, Height(0, 250))
        states = MemoryConsensusStates({begun.height: begun.consensus_state})
        assert isinstance(JUDGE.verify_header(begun.client_state, states, message, server.log.time_ns(250)), Updated)


async def test_smaller_checkpoint_of_an_endpoint_that_lags_moves_nothing():
    server = ServedLog(log_of(8))
    async with served(server) as source:
        await source.head()
        server.note = log_of(5).note(5)
        assert (await source.head()).height == 8
        with trio.move_on_after(0.2) as waited:
            await source.wait_for_height(9)
        assert waited.cancelled_caught


async def test_clients_of_other_logs_and_types_are_not_updated():
    server = ServedLog(log_of(8))
    async with served(server) as source:
        await source.head()
        mine = server.log.client_state(5)
        with pytest.raises(NotSupported):
            await source.client_messages("bitcoin", mine, Height(0, 5), Height(0, 8))
        for other in ({"origin": "log.example/another"}, {"log_key": replace(LOG, secret=secret("new")).key}):
            with pytest.raises(NotSupported):
                await source.client_messages(TYPE, server.log.client_state(5, **other), Height(0, 5), Height(0, 8))
        with pytest.raises(HeightUnavailable):
            await source.client_messages(TYPE, mine, Height(0, 8), Height(0, 5))
        with pytest.raises(HeightUnavailable):
            await source.client_messages(TYPE, mine, Height(0, 5), Height(0, 7))
        with pytest.raises(NotSupported):
            await source.bare_header(8)
        assert PUBLISHER.key.public_key == TRUST.publisher_key
