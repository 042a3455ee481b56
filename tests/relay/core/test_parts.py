"""The small parts of the core, each alone."""

from random import Random

import pytest
import structlog
import trio

from hutong.adapters.interface import RpcRefused
from hutong.light_clients.ibc.packet import Payload
from hutong.light_clients.interface import Height, PredicateFailed, UnsupportedOperation
from hutong.light_clients.table import followed_chain_id, light_client
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.home import held_home
from hutong.relay.core.route.local_verification import (
    MAX_CLOCK_LEAD_NS,
    VerifiedClient,
    verification_time_ns,
    verify_proof,
)
from hutong.relay.core.route.selection import select
from hutong.relay.core.supervisor import supervise
from hutong.relay.core.watching.wakeup import Wakeup
from hutong.relay.dispatch import Backoff, Taken
from hutong.relay.telemetry import Metrics
from tests.relay.relay_values import job, packet


def taken(sequence, attempts=0, size=5):
    payload = Payload("mail", "echo", "v", "e", b"x" * size)
    return Taken(job(sequence, packet=packet(sequence, payloads=(payload,))), f"{sequence}-0", attempts)


def test_selection_is_bounded_by_count_and_bytes():
    held = [taken(number) for number in range(1, 10)]
    assert select(held, set(), 4, 10**6) == held[:4]
    assert select(held, set(), 50, 30_000) == held[:2]
    large = [taken(1, size=200_000), taken(2)]
    assert select(large, set(), 50, 100_000) == large[:1], "one job always goes, the adapter judges its size"


def test_attack_G6_failed_jobs_travel_in_smaller_company_and_suspects_alone():
    fresh, failed = [taken(1), taken(2)], [taken(number, attempts=1) for number in range(3, 9)]
    assert select([*failed, *fresh], set(), 8, 10**6) == fresh, "the fresh first"
    assert select(failed, set(), 8, 10**6) == failed[:2]
    assert select(failed, {failed[0].job.id}, 8, 10**6) == failed[1:3]
    assert select(failed[:1], {failed[0].job.id}, 8, 10**6) == failed[:1]


def test_backoff_doubles_to_its_cap_with_jitter():
    backoff = Backoff(1, 60)
    for failures in range(1, 100):
        full = min(60, 2 ** (failures - 1))
        assert full / 2 <= backoff.delay_s(failures, Random(failures)) <= full


async def test_bell_that_rang_before_is_heard_and_silence_ends(autojump_clock):
    wakeup, route = Wakeup(), job().route
    wakeup.ring_for([job()])
    start = trio.current_time()
    await wakeup.wait(route, 5)
    assert trio.current_time() == start
    await wakeup.wait(route, 5)
    assert trio.current_time() == start + 5


async def test_supervisor_restarts_with_growing_delays_and_lets_refusals_out(autojump_clock):
    metrics, times = Metrics(), []

    async def task():
        times.append(trio.current_time())
        if len(times) == 4:
            raise StartRefused("wrong chain")
        raise RuntimeError("bug")

    with pytest.raises(StartRefused):
        await supervise("watcher:alpha", task, metrics, Random(1))
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert len(gaps) == 3 and gaps[2] > gaps[0]
    assert 'hutong_task_restarts_total{task="watcher"} 3.0' in metrics.exposition().decode()


async def test_supervisor_finds_a_refusal_inside_a_group(autojump_clock):
    async def task():
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [StartRefused("no")])])

    with pytest.raises(StartRefused):
        await supervise("x", task, Metrics(), Random(1))


async def test_a_chains_refusal_is_one_line_and_a_defect_has_its_traceback(autojump_clock):
    refusal = RpcRefused("eth_call", -32005, "too many calls are waiting")
    failures = [refusal, ExceptionGroup("tasks", [refusal]), ExceptionGroup("tasks", [refusal, ValueError("bug")])]

    async def task():
        if failures:
            raise failures.pop(0)

    with structlog.testing.capture_logs() as lines:
        await supervise("clearer:hub", task, Metrics(), Random(1))
    assert [line["log_level"] for line in lines] == ["warning", "warning", "error"]
    assert [bool(line.get("exc_info")) for line in lines] == [False, False, True]
    assert lines[0]["reason"] == lines[1]["reason"] == str(refusal)


def test_home_is_held_by_one(tmp_path):
    with (
        held_home(tmp_path / "home"),
        pytest.raises(StartRefused, match="another relay"),
        held_home(tmp_path / "home"),
    ):
        pass
    with held_home(tmp_path / "home"):
        pass


def test_attack_G12_verification_time_follows_the_destination():
    head_ns = 1_000 * 10**9
    assert verification_time_ns(head_ns, head_ns + 10**9) == head_ns + 10**9
    assert verification_time_ns(head_ns, head_ns - 3600 * 10**9) == head_ns
    assert verification_time_ns(head_ns, head_ns + 3600 * 10**9) == head_ns + MAX_CLOCK_LEAD_NS


def test_attack_G1_proof_of_another_path_or_height_is_refused():
    from hutong.adapters.interface import Proof

    client = VerifiedClient(b"", b"", Height(0, 5))
    judge = light_client("bft-evm")
    with pytest.raises(PredicateFailed, match="proof_path"):
        verify_proof(judge, client, Proof((b"other",), Height(0, 5), b"v", b""), (b"path",))
    with pytest.raises(PredicateFailed, match="proof_height"):
        verify_proof(judge, client, Proof((b"path",), Height(0, 6), b"v", b""), (b"path",))


def test_unknown_client_type_is_not_relayed():
    assert light_client("07-tendermint").client_type == "07-tendermint"
    with pytest.raises(UnsupportedOperation):
        light_client("08-wasm")
    with pytest.raises(UnsupportedOperation):
        followed_chain_id("08-wasm", b"")
