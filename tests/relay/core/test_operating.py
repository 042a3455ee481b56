"""What an operator sees of one packet and of a chain that is away: metrics, lines of the log, readiness."""

from datetime import UTC, datetime

import pytest
import structlog
import trio

from hutong.adapters.interface import EndpointError, EndpointUnavailable
from hutong.adapters.rpc import RpcOptions, named_endpoints, statistics_of
from hutong.light_clients.ibc.forward import OriginStamp, StampedPayload, encode_stamped_payload
from hutong.light_clients.ibc.packet import Payload
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.history import facts
from hutong.relay.core.history.history import MAX_LOGGED_PACKETS, History, packets_of
from hutong.relay.core.readiness import CHAIN_WITHIN_S
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Job, JobKind
from tests.relay.core.world import CLIENT, World, making_blocks
from tests.relay.relay_values import job, packet


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def value(world, name: str, **labels: str) -> float | None:
    """Of one series, as `/metrics` would show it; None if there is none."""
    return world.figure(name, **labels)


def end(chain: str) -> dict[str, str]:
    return {"chain": chain, "counterparty": "beta" if chain == "alpha" else "alpha", "channel": CLIENT}


async def test_backlog_counts_what_is_unsettled_under_the_names_that_hermes_has(world, autojump_clock):
    world.refuse_all("beta")
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 3)
        await world.until(lambda: value(world, "backlog_size", **end("alpha")) == 3)
        assert value(world, "backlog_oldest_sequence", **end("alpha")) == 1
        noticed_s = value(world, "backlog_oldest_timestamp", **end("alpha"))
        assert world.now_ns() / 1e9 - 60 < noticed_s <= world.now_ns() / 1e9
        await world.until(lambda: value(world, "hutong_route_waiting", chain="beta", client=CLIENT) == 0)
        world.refuse_all("beta", refuse=False)
        await world.all_settled(3)
        await world.until(lambda: value(world, "backlog_size", **end("alpha")) == 0)
        assert value(world, "backlog_oldest_sequence", **end("alpha")) == 0
        assert value(world, "backlog_latest_update_timestamp", **end("alpha")) >= noticed_s


async def test_packet_that_this_process_never_saw_is_in_the_backlog_after_a_restart(world, autojump_clock):
    world.refuse_all("beta")
    async with making_blocks(world):
        world.send("alpha", 2)
        await trio.sleep(5)
        async with world.relay(clear_interval_s=5).running():
            await world.until(lambda: value(world, "backlog_size", **end("alpha")) == 2)
            world.refuse_all("beta", refuse=False)
            await world.all_settled(2)
            await world.until(lambda: value(world, "backlog_size", **end("alpha")) == 0)


async def test_every_stage_of_a_packet_is_measured_and_told_with_its_id(world, autojump_clock):
    with structlog.testing.capture_logs() as lines:
        async with making_blocks(world), world.relay().running():
            world.send("alpha", port="echo")
            await world.all_settled(1)
            await trio.sleep(30)
            assert value(world, "workers", type="packet") == 2
            assert value(world, "workers", type="client") == 2
            assert value(world, "workers", type="wallet") == 2
            address = world.signer.address
            held_wei = value(world, "wallet_balance", account=address, chain="beta", denom="wei")
            assert held_wei == float(world.chains["beta"].newest.balances_wei[address])
    for chain, kind, stages in (
        ("beta", "receive", ("queued", "submitted", "included")),
        ("alpha", "acknowledge", ("queued", "submitted", "included", "acknowledged")),
    ):
        for stage in stages:
            assert value(world, "hutong_stage_seconds_count", chain=chain, kind=kind, stage=stage) == 1, stage
    both_ends = {
        "src_chain": "alpha", "src_channel": CLIENT, "src_port": "other",
        "dst_chain": "beta", "dst_channel": CLIENT, "dst_port": "other",
    }  # fmt: skip
    for confirmed in ("receive_packets_confirmed_total", "acknowledgment_packets_confirmed_total"):
        assert value(world, confirmed, **both_ends) == 1
    assert value(world, "send_packet_events_total", **end("alpha"), port="other") == 1
    assert value(world, "acknowledgement_events_total", **end("beta"), port="other") == 1
    for chain in world.chains:
        assert value(world, "tx_latency_submitted_count", **end(chain)) == 1
        assert value(world, "tx_latency_confirmed_count", **end(chain)) == 1
        assert value(world, "messages_submitted_total", chain=chain) >= 2
    ours = f"alpha/{CLIENT}/1"
    told = [line for line in lines if line.get("packet") == ours or ours in line.get("packets", ())]
    assert [line["event"] for line in told] == [
        "enqueued",
        "submitted",
        "delivered",
        "enqueued",
        "submitted",
        "acknowledged",
    ]
    assert all(line["chain"] in world.chains for line in told)
    delivered = [line for line in told if line["event"] in ("delivered", "acknowledged")]
    assert [line["kind"] for line in delivered] == ["receive", "acknowledge"]
    assert all(line["transaction"] for line in told if line["event"] != "enqueued")
    assert not any({"hash", "job"} & line.keys() for line in lines), "one name for one thing"


def test_second_leg_names_the_first_packet_of_its_message():
    class NoBacklog:
        def sent(self, *_):
            raise AssertionError("nothing was seen here")

    paths = Paths.of(
        [PathConfig(a=PathEnd(chain="alpha", client="client-0"), b=PathEnd(chain="hub", client="bft-evm-0"))]
    )
    history = History(None, paths, lambda: 0, NoBacklog())
    stamp = OriginStamp(1, "bft-evm-0", "gmpport", "forward", 7, 1)
    payload = Payload("forward", "gmpport", "v", "e", encode_stamped_payload(StampedPayload(stamp, "x", "y", b"z")))
    leg_2 = packet(3, source_client="bft-evm-1", payloads=(payload,))
    for kind in (JobKind.RECEIVE, JobKind.ACKNOWLEDGE):
        source, destination = ("hub", "beta") if kind is JobKind.RECEIVE else ("beta", "hub")
        said = history.about(job(3, kind, source=source, destination=destination, packet=leg_2))
        assert said == {"packet": "hub/bft-evm-1/3", "kind": kind.value, "message": "alpha/client-0/7"}
    assert history.about(job(4))["message"] == "alpha/client-0/4"
    assert "message" not in history.about(
        job(5, packet=packet(5, payloads=(Payload("transfer", "transfer", "b", "c", b"x"),)))
    )


def test_a_forwarded_packet_is_decoded_once_for_all_lines_about_it(monkeypatch):
    paths = Paths.of(
        [PathConfig(a=PathEnd(chain="alpha", client="client-0"), b=PathEnd(chain="hub", client="bft-evm-0"))]
    )
    history = History(None, paths, lambda: 0, None)
    stamp = OriginStamp(1, "bft-evm-0", "gmpport", "forward", 41, 1)
    payload = Payload("forward", "gmpport", "v", "e", encode_stamped_payload(StampedPayload(stamp, "x", "y", b"once")))
    decoded = []
    decode = facts.decode_stamped_payload
    monkeypatch.setattr(facts, "decode_stamped_payload", lambda value: decoded.append(value) or decode(value))
    for _ in range(3):
        leg_2 = packet(9, source_client="bft-evm-1", payloads=(payload,))
        assert history.about(job(9, source="hub", destination="beta", packet=leg_2))["message"] == "alpha/client-0/41"
    assert len(decoded) == 1


def test_attack_G15_a_line_names_a_bounded_number_of_packets():
    jobs: list[Job] = [job(number) for number in range(1, 1_000)]
    assert packets_of(jobs) == [one.packet_id for one in jobs[:MAX_LOGGED_PACKETS]]


async def test_relay_is_ready_while_everything_answers_and_says_who_does_not(world, autojump_clock):
    process = world.relay()
    assert process.relay.ready()["status"] == "not ready"
    async with making_blocks(world), process.running():
        await world.until(lambda: process.relay.ready() == {"status": "ready", "reasons": []}, at_most_s=10)
        assert value(world, "hutong_ready") == 1
        answered_s = value(world, "hutong_chain_answered_timestamp_seconds", chain="beta")
        beta = process.relay.adapters["beta"]

        async def away():
            raise EndpointUnavailable("beta", "head", (("http://beta", "refused"),))

        honest, beta.head = beta.head, away
        await world.until(lambda: process.relay.ready()["status"] == "not ready", at_most_s=CHAIN_WITHIN_S + 30)
        (reason,) = process.relay.ready()["reasons"]
        assert reason["what"] == "chain beta"
        last = value(world, "hutong_chain_answered_timestamp_seconds", chain="beta")
        assert reason["detail"] == f"no answer since {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M:%S} UTC"
        newest = process.relay.chains["beta"].heads
        assert last * 10**9 >= (await newest.head()).time_ns, "a block is an answer too: none is newer"
        assert value(world, "hutong_ready") == 0
        assert process.relay.health()["status"] == "ok", "alive all the same"
        assert value(world, "hutong_chain_answered_timestamp_seconds", chain="beta") < answered_s + 30
        beta.head = honest
        await world.until(lambda: process.relay.ready()["status"] == "ready", at_most_s=40)


async def test_parity_row_56_the_relays_metrics_have_each_endpoint_of_its_chains(world, autojump_clock):
    """What the adapters know of their endpoints is read at the scrape, and no endpoint is asked for it."""
    (endpoint,) = named_endpoints(["https://alpha.example/key"], RpcOptions())

    def wrap(adapter):
        if adapter.name == "alpha":
            adapter.endpoint_statistics = lambda: statistics_of((endpoint,), "rpc", trio.current_time())
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world), process.running():
        endpoint.took(0.2)
        endpoint.failed(EndpointError.STATUS, "HTTP status 502", trio.current_time())
        labels = {"chain": "alpha", "api": "rpc", "endpoint": "https://alpha.example"}
        assert value(world, "hutong_endpoint_requests_total", **labels) == 1
        assert value(world, "hutong_endpoint_errors_total", kind="status", **labels) == 1
        assert value(world, "hutong_endpoint_strikes", **labels) == 1
        assert b"/key" not in process.relay.metrics.exposition()


@pytest.mark.long
async def test_trial_T16_an_endpoint_that_fails_again_and_again_is_one_line_and_another_when_it_is_back(
    world, autojump_clock
):
    (endpoint,) = named_endpoints(["ws://alpha.example/key"], RpcOptions())

    def wrap(adapter):
        if adapter.name == "alpha":
            adapter.endpoint_statistics = lambda: statistics_of((endpoint,), "ws", trio.current_time())
        return adapter

    def lines(captured):
        return [line for line in captured if line.get("component") == "endpoints"]

    process = world.relay(wrap=wrap)
    with structlog.testing.capture_logs() as captured:
        async with making_blocks(world), process.running():
            for _ in range(2):
                endpoint.failed(EndpointError.STATUS, "HTTP status 403", trio.current_time())
            await trio.sleep(45)
            assert lines(captured) == [], "two may be chance"
            endpoint.failed(EndpointError.STATUS, "HTTP status 403", trio.current_time())
            await trio.sleep(90)
            (line,) = lines(captured)
            assert line["event"] == "an endpoint fails" and line["log_level"] == "warning"
            assert (line["chain"], line["api"], line["reason"]) == ("alpha", "ws", "HTTP status 403")
            assert line["endpoint"] == "ws://alpha.example"
            endpoint.answered()
            await trio.sleep(45)
            assert [one["event"] for one in lines(captured)[1:]] == ["an endpoint answers again"]


@pytest.mark.long
async def test_an_endpoint_that_became_another_chain_is_named_in_the_log_and_in_readiness(world, autojump_clock):
    (endpoint,) = named_endpoints(["http://alpha.example"], RpcOptions())
    said = "http://alpha.example: chain id is 9, expected 7001"

    def wrap(adapter):
        if adapter.name == "alpha":
            adapter.endpoint_statistics = lambda: statistics_of((endpoint,), "rpc", trio.current_time())
        return adapter

    process = world.relay(wrap=wrap)
    with structlog.testing.capture_logs() as captured:
        async with making_blocks(world), process.running():
            await world.until(lambda: process.relay.ready()["status"] == "ready", at_most_s=10)
            for _ in range(3):
                endpoint.failed(EndpointError.CONNECTION, "refused", trio.current_time())
            await trio.sleep(45)
            for _ in range(2):
                endpoint.distrusted(EndpointError.FOREIGN, said, trio.current_time())
                await trio.sleep(45)
            (reason,) = process.relay.ready()["reasons"]
            assert (reason["what"], reason["detail"]) == ("chain alpha", f"serves another chain: {said}")
            endpoint.is_of_its_chain(endpoint.doubts)
            endpoint.answered()
            assert process.relay.ready()["status"] == "ready"
            await trio.sleep(45)
    lines = [line for line in captured if line.get("component") == "endpoints"]
    assert [line["event"] for line in lines] == [
        "an endpoint fails",
        "an endpoint serves another chain",
        "an endpoint answers again",
    ]
    assert lines[1]["reason"] == said and lines[1]["log_level"] == "warning"
