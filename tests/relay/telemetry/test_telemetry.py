"""Logs and metrics: readable, bounded, and free of secrets."""

import io
import json
import time

import structlog

from relay.telemetry import REDACTED, Metrics, configure_logs, get_logger, redact


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
