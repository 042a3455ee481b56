"""Bundles of what a relay delivered, from its archive and from the chains, judged by the audit: a direct path of two chains."""

from dataclasses import replace

import pytest
import trio

from hutong.light_clients.bft_evm import SealRules, decode_client_state, encode_client_state
from hutong.light_clients.ibc.commitment import merkle_path, receipt_key
from hutong.light_clients.ibc.packet import Payload
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    ForwardInstruction,
    TransferData,
    encode_forward_memo,
    encode_transfer,
)
from hutong.light_clients.interface import Height, UnsupportedOperation
from hutong.relay.archive import Archive
from hutong.relay.archive.bundle import Bundle, Claim, StateProof, decode_bundle, encode_bundle
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.legs import next_client
from hutong.relay.audit import Auditor, Report
from hutong.relay.config import PathEnd
from hutong.relay.core.archiving.bundling import Exporter, NotExportable, read_checkpoint
from hutong.relay.core.archiving.bundling.known import known_header
from hutong.relay.core.topology.paths import Paths
from tests.relay.core.world import CLIENT, GENESIS_S, World, in_line, making_blocks

SOURCE = PathEnd(chain="alpha", client=CLIENT)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def exporter(world: World, archive: Archive, *checkpoints: Checkpoint) -> Exporter:
    adapters = {name: world.adapter(name) for name in world.chains}
    return Exporter(adapters, Paths.of(world.config().paths), archive, checkpoints)


def nothing_kept(world: World) -> Archive:
    return Archive(world.directory / "empty", run=in_line)


async def checkpoints(world: World) -> list[Checkpoint]:
    found = []
    for name, other in (("alpha", "beta"), ("beta", "alpha")):
        follower = await world.adapter(other).client(CLIENT)
        found.append(await read_checkpoint(world.adapter(name), [CLIENT], [follower], None))
    return found


def judged(world: World, bundle: Bundle, roots: list[Checkpoint]) -> Report:
    report = Auditor(roots, world.now_ns()).audit(encode_bundle(bundle))
    assert report.is_valid, report.failure
    return report


def claims(bundle: Bundle) -> list[Claim]:
    (leg,) = bundle.legs
    return [proof.claim for proof in leg.proofs]


async def test_delivered_packets_leave_bundles_in_the_archive(world, autojump_clock):
    roots = await checkpoints(world)
    process = world.relay()
    async with making_blocks(world), process.running():
        world.send(count=3)
        await world.all_settled(3)
        await trio.sleep(3)
        made: dict[str, Bundle] = {}
        assert await exporter(world, process.archive).export_all(made.__setitem__) == {}
        assert sorted(made) == [f"alpha/{CLIENT}/{sequence}" for sequence in (1, 2, 3)]
        for bundle in made.values():
            assert claims(bundle) == [Claim.SENT, Claim.ACKNOWLEDGED, Claim.SETTLED]
            report = judged(world, bundle, roots)
            assert all("forward" in mode for mode in report.trust.values())


async def test_what_the_archive_lacks_comes_from_the_chains(world, autojump_clock):
    roots = await checkpoints(world)
    process = world.relay()
    async with making_blocks(world), process.running():
        world.send()
        await world.all_settled(1)
        await trio.sleep(3)
        kept = await exporter(world, process.archive).export(SOURCE, 1)
        rebuilt = await exporter(world, nothing_kept(world)).export(SOURCE, 1)
        assert claims(rebuilt) == claims(kept) and rebuilt.legs[0].packet == kept.legs[0].packet
        judged(world, rebuilt, roots)
        with pytest.raises(NotExportable, match="sent no packet 9"):
            await exporter(world, nothing_kept(world)).export(SOURCE, 9)


async def test_timed_out_packet_leaves_a_bundle(world, autojump_clock):
    roots = await checkpoints(world)
    world.faults["beta"].paused = True
    async with making_blocks(world):
        world.send(timeout_s=5)
        await trio.sleep(12)
        bundle = await exporter(world, nothing_kept(world)).export(SOURCE, 1)
        assert claims(bundle) == [Claim.SENT, Claim.TIMED_OUT]
        assert "never received" in judged(world, bundle, roots).outcome


async def test_packet_in_flight_has_no_bundle_yet(world, autojump_clock):
    async with making_blocks(world):
        world.send(timeout_s=3_600)
        await trio.sleep(5)
        with pytest.raises(NotExportable, match="in flight"):
            await exporter(world, nothing_kept(world)).export(SOURCE, 1)


async def test_bundle_for_a_newer_checkpoint_hangs_by_parent_hashes(world, autojump_clock):
    async with making_blocks(world), world.relay().running():
        world.send()
        await world.all_settled(1)
        await trio.sleep(5)
        roots = await checkpoints(world)
        await trio.sleep(5)
        bundle = await exporter(world, nothing_kept(world), *roots).export(SOURCE, 1)
        report = judged(world, bundle, roots)
        assert any("parent hashes" in mode for mode in report.trust.values())
        assert not any("forward" in mode for mode in report.trust.values())
        many_years_ns = (GENESIS_S + 10**9) * 10**9
        assert Auditor(roots, many_years_ns).audit(encode_bundle(bundle)).is_valid


async def test_damaged_evidence_costs_a_request_and_no_more(world, autojump_clock):
    roots = await checkpoints(world)
    process = world.relay()
    async with making_blocks(world), process.running():
        world.send()
        await world.all_settled(1)
        await trio.sleep(3)
        path = await process.archive.file_of("alpha", CLIENT, 1, "receive")
        path.write_bytes(path.read_bytes()[:-10])
        bundle = await exporter(world, process.archive).export(SOURCE, 1)
        judged(world, decode_bundle(encode_bundle(bundle)), roots)


async def test_changed_validators_are_bridged_from_the_checkpoint(world, autojump_clock):
    """One validator in each block is another: no header of the first set vouches for one of the last."""
    roots = await checkpoints(world)
    alpha = world.chains["alpha"]
    async with making_blocks(world), world.relay().running():
        for first in range(9):
            alpha.set_validators(range(first, first + 4))
            await trio.sleep(2)
        world.send()
        await world.all_settled(1)
        await trio.sleep(3)
        unbridged = await exporter(world, nothing_kept(world)).export(SOURCE, 1)
        report = Auditor(roots, world.now_ns()).audit(encode_bundle(unbridged))
        assert report.failure.check.name in ("overlap_with_trusted_validators", "commit_seals_of_validators")
        bridged = await exporter(world, nothing_kept(world), *roots).export(SOURCE, 1)
        judged(world, bridged, roots)
        assert len(bridged.chains[0].headers) > len(unbridged.chains[0].headers)


async def test_absence_before_the_timeout_is_no_timeout(world, autojump_clock):
    """The packet of a proven absence could still arrive: the exporter makes no such bundle, the audit takes none."""
    roots = await checkpoints(world)
    async with making_blocks(world):
        world.send(timeout_s=30)
        await trio.sleep(40)
        honest = await exporter(world, nothing_kept(world)).export(SOURCE, 1)
        judged(world, honest, roots)
        (leg,) = honest.legs
        early = Height(0, leg.proofs[0].height.revision_height + 3)
        beta = world.adapter("beta")
        info = await world.adapter("alpha").client(CLIENT)
        proof = await beta.prove(merkle_path((b"",), receipt_key(leg.packet)), early)
        assert proof.value is None
        messages = await beta.client_messages("bft-evm", info.client_state, Height(0, early.revision_height - 1), early)
        sent = leg.proofs[0]
        changed = replace(leg, proofs=(sent, StateProof(Claim.TIMED_OUT, early, proof.proof)))
        beta_headers = replace(
            honest.chains[1], headers=(known_header(honest.chains[1].kind, messages[0], SealRules()).entry,)
        )
        bundle = replace(honest, legs=(changed,), chains=(honest.chains[0], beta_headers))
        report = Auditor(roots, world.now_ns()).audit(encode_bundle(bundle))
        assert report.failure.check.name == "timeout_has_passed"


async def test_memo_that_asks_a_solidity_router_to_forward_does_not_keep_a_bundle_back(world, autojump_clock):
    """Only hubs send on; what a sender writes into a memo takes no evidence away."""
    roots = await checkpoints(world)
    world.chains["beta"].apps["transfer"] = lambda *_: b'{"result":"AQ=="}'
    memo = encode_forward_memo(ForwardInstruction("0x" + "22" * 20, "bft-evm-1", world.now_ns() // 10**9 + 600))
    data = TransferData("0x" + "11" * 20, "0x" + "33" * 20, "0x" + "22" * 20, 7, memo)
    payload = Payload("transfer", "transfer", "ics20-1", ABI_ENCODING, encode_transfer(data, ABI_ENCODING))
    process = world.relay()
    async with making_blocks(world), process.running():
        world.chains["alpha"].send(CLIENT, world.now_ns() // 10**9 + 3_600, payload)
        await world.all_settled(1)
        await trio.sleep(3)
        bundle = await exporter(world, process.archive).export(SOURCE, 1)
        assert next_client(bundle.legs[0].packet) == "bft-evm-1"
        assert claims(bundle) == [Claim.SENT, Claim.ACKNOWLEDGED, Claim.SETTLED]
        assert not bundle.legs[0].acknowledgement.is_error
        judged(world, bundle, roots)


async def test_one_checkpoint_does_not_stand_for_clients_that_trust_by_different_rules(world):
    chain, follower = world.adapter("alpha"), await world.adapter("beta").client(CLIENT)
    state = decode_client_state(follower.client_state)
    same = replace(follower, client_id="bft-evm-7")
    other_router = encode_client_state(replace(state, router_address=b"\7" * 20))
    assert await read_checkpoint(chain, [CLIENT], [follower, same], None)
    with pytest.raises(UnsupportedOperation, match="different rules"):
        await read_checkpoint(chain, [CLIENT], [follower, replace(same, client_state=other_router)], None)
    with pytest.raises(UnsupportedOperation, match="different rules"):
        await read_checkpoint(chain, [CLIENT], [follower, replace(same, client_type="attestation")], None)
