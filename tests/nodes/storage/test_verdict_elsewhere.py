"""A verdict of a running hub on chains that are not the hub: StorageAudit on a dev chain and on anvil, an unmodified ibc-go's client."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import trio
from eth_abi.abi import decode

from hutong.adapters.evm.storage_audit import REQUIRE_PASSED
from hutong.adapters.interface import RefusedByChain
from hutong.light_clients.ibc.commitment import merkle_path
from hutong.relay.services.storage.rules.records import keys
from tests.nodes import provision
from tests.nodes.cosmos.joined_simd import RELAYER_SECRET
from tests.nodes.cosmos.simd_chain import SimdChain, running_simd
from tests.nodes.reading.stock_reading import Claimed, check_on_simd, verified_on_simd
from tests.nodes.storage.audited_hub import EPOCH, PROBES
from tests.nodes.storage.verdict_lane import PRICE, EvmSide, VerdictLane, balance, verdict_lane

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def simd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimdChain]:
    home = tmp_path_factory.mktemp("simd")
    with running_simd(home, {"relayer": RELAYER_SECRET}, block_time_s=0.5, program=provision.simd()) as chain:
        yield chain


async def test_a_verdict_counts_on_two_evm_chains_and_simd_and_pays_on_a_pass_alone(tmp_path, simd):
    async with verdict_lane(tmp_path, simd) as lane:
        for side in lane.evm:
            audit = await lane.audit_on(side)
            token, escrow = await lane.escrow_on(side, audit, [lane.storage.honest, lane.storage.liar])
            early = await lane.verdict(lane.storage.honest, side.name, "--audit", audit)
            assert early.exit_code == 1 and "hutong client update" in early.err
            await lane.update(side.name, side.client)
            await judged_by_contract(lane, side, audit)
            await paid_on_a_pass(lane, side, audit, token, escrow)
        await judged_by_stock_code(lane, simd)


async def judged_by_contract(lane: VerdictLane, side: EvmSide, audit: str) -> None:
    passed = await lane.verdict(lane.storage.honest, side.name, "--audit", audit)
    assert passed.exit_code == 0, passed
    said = passed.json
    assert (said["accepted"], said["judge"], said["verdict"]["outcome"]) == (True, "StorageAudit", "passed")
    assert (said["verdict"]["asked"], said["verdict"]["held"], said["verdict"]["reveals"]) == (PROBES, PROBES, 1)
    for terms, names in (
        (("--min-reveals", 2), {"WeakSeed"}),
        (("--min-probes", PROBES + 1), {"TooFewProbes"}),
        (("--max-age-s", 1), {"StaleVerdict", "StaleHeader"}),
    ):
        refused = await lane.verdict(lane.storage.honest, side.name, "--audit", audit, *terms)
        assert refused.exit_code == 1 and refused.json["refusal"]["name"] in names, refused
    failed = await lane.verdict(lane.storage.liar, side.name, "--audit", audit)
    assert failed.exit_code == 1 and failed.json["refusal"]["name"] == "AuditNotPassed", failed
    await foreign_are_refused(side, said["call"], lane.storage.liar)


async def foreign_are_refused(side: EvmSide, call: dict, other: bytes) -> None:
    """The contract itself says which key is read: a good proof shows nothing else."""
    to, data = bytes.fromhex(call["to"][2:]), bytes.fromhex(call["data"][2:])
    operator, epoch, value, proof, height, terms = decode(REQUIRE_PASSED.inputs, data[4:])
    await side.execution.call(to, data)
    epochs, (terminals, siblings) = proof
    another_root = (epochs, (terminals, [bytes(32), *siblings[1:]]))
    for said in (
        (other, epoch, value, proof),
        (operator, epoch + 1, value, proof),
        (operator, epoch, value[:-1] + bytes([value[-1] ^ 1]), proof),
        (operator, epoch, value, another_root),
    ):
        with pytest.raises(RefusedByChain) as refused:
            await side.execution.call(to, REQUIRE_PASSED.encode(*said, height, terms))
        assert refused.value.name == "InvalidProof", said


async def paid_on_a_pass(lane: VerdictLane, side: EvmSide, audit: str, token: bytes, escrow: bytes) -> None:
    failed = await lane.claim(lane.storage.liar, side, audit, escrow, 1)
    assert failed.exit_code == 1 and "AuditNotPassed" in failed.err, failed
    foreign = await lane.claim(lane.storage.honest, side, audit, escrow, 1)
    assert foreign.exit_code == 1 and "InvalidProof" in foreign.err, foreign
    assert await balance(side, token) == 0
    paid = await lane.claim(lane.storage.honest, side, audit, escrow, 0)
    assert paid.exit_code == 0 and paid.json["transaction"].startswith("0x"), paid
    assert await balance(side, token) == PRICE
    again = await lane.claim(lane.storage.honest, side, audit, escrow, 0)
    assert again.exit_code == 1 and "AlreadyPaid" in again.err, again


async def judged_by_stock_code(lane: VerdictLane, simd: SimdChain) -> None:
    """ibc-go judges the proof, byte for byte; the terms are the reader's, by the contract's names."""
    client = ("--client", lane.on_simd.client)
    early = await lane.verdict(lane.storage.honest, "simd", *client)
    assert early.exit_code == 1 and "hutong client update" in early.err
    await lane.update("simd", lane.on_simd.client)
    passed = await lane.verdict(lane.storage.honest, "simd", *client)
    assert passed.exit_code == 0 and passed.json["judge"] == "07-tendermint", passed
    assert passed.json["verdict"]["held"] == PROBES
    for terms, name in ((("--min-reveals", 2), "WeakSeed"), (("--max-age-s", 1), "StaleVerdict")):
        refused = await lane.verdict(lane.storage.honest, "simd", *client, *terms)
        assert refused.exit_code == 1 and refused.json["refusal"]["name"] == name, refused
    failed = await lane.verdict(lane.storage.liar, "simd", *client)
    assert failed.exit_code == 1 and failed.json["refusal"]["name"] == "AuditNotPassed", failed
    wrong = await lane.verdict(lane.storage.honest, "simd", "--audit", "0x" + "11" * 20)
    assert wrong.exit_code == 2, wrong
    height = await lane.on_simd.latest_height()
    paths = [merkle_path(lane.hub.merkle_prefix, keys.verdict_key(one, EPOCH)) for one in lane.storage.operators]
    records = [Claimed.of(one) for one in await lane.hub.prove_all(paths, height)]
    await trio.to_thread.run_sync(check_on_simd, simd, lane.on_simd.client, records)
    one, other = records
    swapped = replace(one, path=other.path)
    assert not await trio.to_thread.run_sync(verified_on_simd, simd, lane.on_simd.client, swapped)
