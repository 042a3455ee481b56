"""The archive's root on a real hub: deployed, written, proven from headers, and judged offline from checkpoints."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio

from hutong.adapters.hub.archive_anchor import deploy_anchor, publish
from hutong.adapters.ics26 import submission
from hutong.adapters.ics26.fees import Fees
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import ClientInfo, RefusedByChain
from hutong.light_clients.interface import ClientStatus, Height, audit
from hutong.light_clients.proofs.merkle import Frontier
from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.archive.anchor import AnchorProof, decode_anchor, encode_anchor
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.store import BundleArchive, Damage, Directory, Head, LogRewritten
from hutong.relay.archive.store.log import Log
from hutong.relay.audit.anchor import judge_anchor, judge_log
from hutong.relay.config import FeeLimits
from hutong.relay.core.archiving.anchoring import Anchorer, NotAnchored, newest_anchor, prove_anchor, publish_log
from hutong.relay.core.archiving.archive_context import ArchiveContext
from hutong.relay.core.archiving.bundling import read_checkpoint
from hutong.relay.core.errors import StartRefused, TooDear
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.lane import HUB_EVM_CHAIN_ID, PARAMETERS, RELAYER, running_hub

FEES = FeeLimits()
PUBLISHER = bytes.fromhex(RELAYER.address[2:])
RECORDED = sorted((Path(__file__).parents[2] / "relay" / "audit" / "recorded").glob("*.bundle.json"))
ROOTS = [bytes([number]) * 32 for number in range(1, 5)]


DAMAGE = Damage("leaves/00000000", "is damaged")


def log_of(leaves: list[bytes]) -> Log:
    frontier = Frontier(leaves)
    return Log(Head(len(leaves), frontier.root()), "", leaves, frontier, is_whole=True)


LONGER = log_of([*ROOTS, *ROOTS[:3]])


async def checkpoint_of(hub, client_state: bytes, height: int | None = None) -> Checkpoint:
    period_ns = 7 * 86_400 * 10**9
    info = ClientInfo(
        "client-0", "07-tendermint", ClientStatus.ACTIVE, Height(1, 1), 1, period_ns, None, (b"",), client_state
    )
    return await read_checkpoint(hub, [], [info], height)


def failed(report) -> tuple[str, str]:
    assert not report.is_valid
    return report.verdicts[-1].subject.split(" ")[0], report.verdicts[-1].check.name


async def dear_fees(execution) -> Fees:
    """What a node may say to an account that is to be emptied."""
    return Fees(10**15, 10**15, None)


@pytest.mark.long
async def test_roots_are_written_down_and_proven_from_an_older_and_a_newer_checkpoint(tmp_path, monkeypatch):
    async with running_hub(tmp_path / "hub") as hub:
        transactor = Transactor(hub.execution, HUB_EVM_CHAIN_ID, RELAYER)
        contract = await deploy_anchor(transactor)
        state = (await hub.initial_states("07-tendermint", PARAMETERS)).client_state
        before = await checkpoint_of(hub, state)
        with pytest.raises(NotAnchored, match="no root"):
            await prove_anchor(hub, state, contract, PUBLISHER, None)
        nonce = await transactor.next_nonce()
        with pytest.raises(TooDear, match="the cap is 1$"), monkeypatch.context() as patch:
            patch.setattr(submission, "current_fees", dear_fees)
            await publish_log(hub, RELAYER, contract, log_of(ROOTS), "here", FeeLimits(max_fee_wei=1))
        assert await transactor.next_nonce() == nonce
        assert await publish_log(hub, RELAYER, contract, log_of(ROOTS), "here", FEES) is not None
        height = await publish_log(hub, RELAYER, contract, LONGER, "here", FEES)
        assert await publish_log(hub, RELAYER, contract, LONGER, "here", FEES) is None
        for other in (log_of(ROOTS), log_of([*ROOTS, *ROOTS[1:], ROOTS[0]]), log_of([*ROOTS[1:], *ROOTS, ROOTS[0]])):
            with pytest.raises(LogRewritten, match="here has"):
                await publish_log(hub, RELAYER, contract, other, "here", FEES)
        with pytest.raises(ArchiveUnavailable, match="here is damaged"):
            await publish_log(hub, RELAYER, contract, replace(LONGER, is_whole=False, damages=[DAMAGE]), "here", FEES)
        assert await newest_anchor(hub, contract, PUBLISHER) == LONGER.head
        with pytest.raises(RefusedByChain, match="SizeMustGrow"):
            await publish(transactor, contract, 7, ROOTS[2])
        await hub.wait_for_height(height + 2)
        after = await checkpoint_of(hub, state)
        forward = await prove_anchor(hub, state, contract, PUBLISHER, None)
        backward = await prove_anchor(hub, state, contract, PUBLISHER, after)
        meanwhile = await prove_anchor(hub, state, contract, PUBLISHER, before)

    now_ns = time.time_ns()
    for proof, checkpoint, now, mode in (
        (forward, before, now_ns, "forward"),
        (meanwhile, before, now_ns, "forward"),
        (backward, after, now_ns, "at checkpoint"),
        (backward, after, now_ns + 10**9 * 10**9, "at checkpoint"),
    ):
        data = encode_anchor(proof)
        assert decode_anchor(data) == proof
        report = judge_anchor(data, checkpoint, now, contract=contract, publisher=PUBLISHER)
        assert report.is_valid, report.verdicts[-1]
        assert mode in report.trust
        assert (report.anchor.index, report.anchor.size, report.anchor.root) == (1, 7, LONGER.head.root)
    judge_lies(forward, before, now_ns)
    data = encode_anchor(forward)
    stranger = judge_anchor(data, before, now_ns, contract=b"\1" * 20, publisher=PUBLISHER)
    assert failed(stranger) == ("anchor", "contract_is_expected")
    stranger = judge_anchor(data, before, now_ns, contract=contract, publisher=b"\1" * 20)
    assert failed(stranger) == ("anchor", "publisher_is_expected")


def judge_lies(proof, checkpoint: Checkpoint, now_ns: int) -> None:
    """One field after the other is another: each is refused by the predicate that is about it."""

    def judge(data: bytes, of: AnchorProof, checkpoint: Checkpoint = checkpoint, now_ns: int = now_ns):
        """By who expects what the file says."""
        expected = {"contract": of.anchor.contract, "publisher": of.anchor.publisher}
        return failed(judge_anchor(data, checkpoint, now_ns, **expected))

    def judged(changed):
        return judge(encode_anchor(changed), changed)

    anchor, data = proof.anchor, encode_anchor(proof)
    for changed, name in (
        (replace(anchor, root=ROOTS[3]), "root_word_matches"),
        (replace(anchor, size=8), "size_and_time_word_matches"),
        (replace(anchor, time_s=anchor.time_s + 1), "size_and_time_word_matches"),
    ):
        assert judged(replace(proof, anchor=changed))[1] == name
    for changed in (replace(anchor, index=0), replace(anchor, publisher=b"\1" * 20)):
        assert "size_and_time" in judged(replace(proof, anchor=changed))[1]
    assert judged(replace(proof, anchor=replace(anchor, contract=b"\1" * 20)))[1] == "account_path_is_proven"
    assert judged(replace(proof, account_proof=proof.account_proof[:-1]))[1] == "account_path_is_proven"
    assert judged(replace(proof, state_root=ROOTS[0]))[0] == "state"
    assert judged(replace(proof, height=Height(1, 2)))[1] == "proof_height_known"
    assert judged(replace(proof, state_proof=b""))[0] == "state"
    assert judge(data, proof, now_ns=now_ns + 8 * 86_400 * 10**9)[0] == "chain"
    forged = replace(checkpoint, hash=b"\1" * 32)
    assert judge(data, proof, forged)[1] == "checkpoint_hash_matches"
    assert judge(data[:-1], proof)[1] == "anchor_is_canonical"
    verdicts = audit(judge_log, [ROOTS[0]] * anchor.size, anchor)
    assert [one.name for one in verdicts] == ["log_reaches_the_anchor", "anchored_root_matches"]


@pytest.mark.long
async def test_the_relays_task_anchors_what_has_grown(tmp_path):
    async with running_hub(tmp_path / "hub") as hub:
        contract = await deploy_anchor(Transactor(hub.execution, HUB_EVM_CHAIN_ID, RELAYER))
        metrics = Metrics(["hub"])
        place = ArchiveContext(str(tmp_path / "archive"), partial(trio.to_thread.run_sync), metrics)
        anchorer = Anchorer(place, hub, lambda: RELAYER, contract, FEES, ())
        await anchorer.round(RELAYER)
        archive = BundleArchive.create(Directory(tmp_path / "archive"))
        archive.append([(path.name, path.read_bytes()) for path in RECORDED], 1_000)
        for _ in range(2):
            await anchorer.round(RELAYER)
        anchored = archive.head
        assert await newest_anchor(hub, contract, PUBLISHER) == anchored
        assert metrics.registry.get_sample_value("hutong_archive_anchored_entries") == anchored.size
        # Another history, longer and whole in itself: its root does not go on chain beside the true one.
        (tmp_path / "archive").rename(tmp_path / "genuine")
        forged = BundleArchive.create(Directory(tmp_path / "archive"))
        forged.append([(path.name, path.read_bytes()) for path in RECORDED], 2_000)
        forged.prune(5_000, 5_000)
        assert forged.head.size > anchored.size
        await anchorer.round(RELAYER)
        assert await newest_anchor(hub, contract, PUBLISHER) == anchored
        assert metrics.registry.get_sample_value("hutong_archive_anchored_entries") == anchored.size
        assert metrics.registry.get_sample_value("hutong_archive_failures_total", {"what": "anchor"}) == 1


@pytest.mark.long
async def test_an_anchor_key_of_an_account_that_submits_is_refused_at_start(tmp_path):
    """A copy of the keystore under another name passes the configuration: the address tells."""
    async with running_hub(tmp_path / "hub") as hub:
        submitters = [hub.address_of(RELAYER)]
        place = ArchiveContext(str(tmp_path / "none"), partial(trio.to_thread.run_sync), Metrics(["hub"]))
        anchorer = Anchorer(place, hub, lambda: RELAYER, bytes(20), FEES, submitters)
        with pytest.raises(StartRefused, match="archive.anchor.key: 0x.* submits with on"):
            await anchorer.run(60)
