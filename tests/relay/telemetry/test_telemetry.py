"""Logs and metrics: readable, bounded, and free of secrets."""

import io
import json
import time

import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.interface import LATENCY_BOUNDS_S, EndpointError
from hutong.adapters.rpc import RpcOptions, named_endpoints, statistics_of
from hutong.light_clients.ibc.forward import FORWARD_PORT
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.relay.telemetry import REDACTED, Backlog, Metrics, configure_logs, get_logger, redact
from hutong.relay.telemetry.labels import PORTS


def test_json_lines_when_not_a_terminal():
    out = io.StringIO()
    configure_logs("info", out)
    log = get_logger("worker")
    log.debug("hidden")
    log.info("delivered", packet="client-0/1", batch=(1, 2))
    structlog.reset_defaults()
    (line,) = out.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["event"] == "delivered" and entry["component"] == "worker" and entry["batch"] == [1, 2]


def test_attack_G14_secrets_never_reach_a_log_line():
    out = io.StringIO()
    configure_logs("info", out)
    try:
        raise RuntimeError("GET http://user:hunter2@node:8545/?apikey=topsecret&x=1")
    except RuntimeError:
        get_logger("x").exception("failed", keystore={"password": "hunter2"}, url="redis://:hunter2@host/0")
    structlog.reset_defaults()
    text = out.getvalue()
    assert "hunter2" not in text and "topsecret" not in text
    assert text.count(REDACTED) >= 3
    assert "node:8545" in text


def test_redaction_is_bounded():
    deep: list = []
    deep.append(deep)
    assert redact(deep)
    for text in ("x" * 100_000, "://" * 50_000, "://a:" * 30_000, "?key=" * 30_000):
        start = time.process_time()
        assert len(redact(text)) < 5000
        assert time.process_time() - start < 2, "no text costs more than a pass"


def test_attack_G15_labels_are_bounded_by_the_configuration():
    metrics = Metrics(["alpha"])
    for number in range(1000):
        metrics.job(f"chain-{number}", f"kind-{number}", f"outcome-{number}")
        metrics.head(f"chain-{number}", number)
    metrics.job("alpha", "receive", "settled")
    text = metrics.exposition().decode()
    assert text.count("hutong_jobs_total{") == 2
    assert 'hutong_jobs_total{chain="alpha",kind="receive",outcome="settled"} 1.0' in text
    assert text.count("hutong_chain_head_height{") == 1


def test_attack_G15_names_of_packets_and_nodes_make_no_series():
    """Every method that takes a name, called with a thousand: the series are those of the configuration and `other`."""
    metrics = Metrics(["alpha", "beta"], {("alpha", "client-0"): "beta", ("beta", "client-0"): "alpha"})
    hermes = metrics.hermes
    for number in range(1000):
        chain, client, port, kind = (f"{what}-{number}" for what in ("chain", "client", "port", "kind"))
        for at, of in ((chain, client), ("alpha", client)):
            metrics.queue(at, of, 1, 1)
            metrics.route_waits(at, of, waits=True)
            metrics.client(at, of, 1)
            metrics.client_alarm(at, of, True)
            hermes.submitted(at, of, messages=1, updates=1, seconds=1)
            hermes.included(at, of, 1)
            hermes.update_skipped(at, of)
            hermes.misbehaviour_submitted(at, of)
            metrics.backlog.sent(at, of, number, 1)
            metrics.backlog.compare(at, of, {number}, range(2_000), 1)
            for event in ("send", "write_acknowledgement", "timeout", "acknowledge", kind):
                hermes.packet_events(event, at, of, port, 1)
            for known in ("receive", "acknowledge", "timeout", kind):
                hermes.confirmed(known, (at, of, port), (at, of, port))
        metrics.stage(chain, kind, f"stage-{number}", 1)
        metrics.event_age(chain, kind, 1)
        metrics.answered(chain, 1)
        hermes.worker(kind, 1)
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    assert not any(value.endswith(("-999", "-500")) for sample in samples for value in sample.labels.values())
    assert len(samples) < 300
    assert {sample.labels["channel"] for sample in samples if sample.name == "backlog_size"} == {"client-0"}


def test_ports_that_labels_know_are_those_of_the_payload_formats():
    assert {*PORTS} == {TRANSFER_PORT, GMP_PORT, FORWARD_PORT}


@given(
    st.lists(
        st.tuples(st.sampled_from(["sent", "settled", "compare"]), st.integers(1, 12), st.integers(0, 4)), max_size=60
    )
)
@settings(max_examples=60, deadline=None)
def test_backlog_is_what_a_set_of_sequences_says(steps):
    """Sent, settled and compared in any order: size and oldest are those of the plain set."""
    backlog, expected = Backlog({("alpha", "client-0"): "beta"}), set()
    for at, (step, sequence, width) in enumerate(steps, 1):
        if step == "sent":
            backlog.sent("alpha", "client-0", sequence, at)
            expected.add(sequence)
        elif step == "settled":
            backlog.settled("alpha", "client-0", sequence, at)
            expected.discard(sequence)
        else:
            read = range(sequence, sequence + width)
            backlog.compare("alpha", "client-0", {sequence}, read, at)
            expected = (expected - set(read)) | ({sequence} & set(read))
        values = {family.name: family.samples[0].value for family in backlog.collect()}
        assert values["backlog_size"] == len(expected)
        assert values["backlog_oldest_sequence"] == min(expected, default=0)


def test_attack_G9_backlog_is_bounded(monkeypatch):
    monkeypatch.setattr("hutong.relay.telemetry.backlog.MAX_BACKLOG", 50)
    backlog = Backlog({("alpha", "client-0"): "beta"})
    for sequence in range(1, 200):
        backlog.sent("alpha", "client-0", sequence, sequence)
    backlog.compare("alpha", "client-0", set(range(1, 1_000)), range(1, 1_000), 1)
    size, *_ = backlog.collect()
    assert size.samples[0].value == 50


def test_time_since_a_packet_was_seen_is_told_once_and_only_where_it_was_seen():
    backlog = Backlog({("alpha", "client-0"): "beta"})
    backlog.sent("alpha", "client-0", 1, 10)
    backlog.sent("alpha", "client-0", 1, 40)
    backlog.compare("alpha", "client-0", {1, 2}, range(1, 3), 50)
    assert backlog.settled("alpha", "client-0", 1, 60) == 50
    assert backlog.settled("alpha", "client-0", 1, 60) is None
    assert backlog.settled("alpha", "client-0", 2, 60) is None, (
        "found unsettled after a restart: nobody saw when it came"
    )
    assert backlog.settled("gamma", "client-0", 1, 60) is None


def test_parity_row_56_every_endpoint_has_its_figures_and_no_secret():
    """Requests, errors by kind, latency, lag and strikes, under scheme, host and port."""
    options = RpcOptions(quarantine_s=1)
    first, second = named_endpoints(["https://node.example/v3/apikey", "https://node.example/v3/other"], options)
    first.head, second.head = 100, 93
    for seconds in (0.003, 0.2, 30.0):
        first.took(seconds)
    first.answered()
    second.took(0.04)
    second.failed(EndpointError.TIMEOUT, "no answer from apikey", 0.0)
    second.failed(EndpointError.MALFORMED, "rubbish", 0.0)
    metrics = Metrics(["alpha"])
    metrics.endpoints.read_from(
        LATENCY_BOUNDS_S, lambda: [("alpha", one) for one in statistics_of((first, second), "rpc", now_s=0.01)]
    )

    def value(name, number, **labels):
        at = "https://node.example" + number
        return metrics.registry.get_sample_value(name, {"chain": "alpha", "api": "rpc", "endpoint": at, **labels})

    assert value("hutong_endpoint_requests_total", "") == 3 and value("hutong_endpoint_requests_total", "#2") == 1
    assert value("hutong_endpoint_errors_total", "#2", kind="timeout") == 1
    assert value("hutong_endpoint_errors_total", "#2", kind="malformed") == 1
    assert value("hutong_endpoint_lag_blocks", "") == 0 and value("hutong_endpoint_lag_blocks", "#2") == 7
    assert value("hutong_endpoint_strikes", "") == 0 and value("hutong_endpoint_strikes", "#2") == 2
    assert value("hutong_endpoint_usable", "") == 1 and value("hutong_endpoint_usable", "#2") == 0
    assert value("hutong_endpoint_latency_seconds_bucket", "", le="0.01") == 1
    assert value("hutong_endpoint_latency_seconds_bucket", "", le="0.25") == 2
    assert value("hutong_endpoint_latency_seconds_bucket", "", le="10.0") == 2
    assert value("hutong_endpoint_latency_seconds_bucket", "", le="+Inf") == 3
    assert value("hutong_endpoint_latency_seconds_count", "") == 3
    assert abs(value("hutong_endpoint_latency_seconds_sum", "") - 30.203) < 1e-9
    assert b"apikey" not in metrics.exposition()


def test_trial_T7_a_log_that_cannot_be_written_stops_nothing():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    configure_logs("info", Full())
    get_logger("core").info("goes on")
    structlog.reset_defaults()


def test_trial_T17_a_line_begins_with_when_and_what():
    out = io.StringIO()
    configure_logs("info", out)
    get_logger("core").info("delivered", packet="alpha/client-0/1")
    structlog.reset_defaults()
    assert list(json.loads(out.getvalue())) == ["timestamp", "level", "event", "component", "packet"]
