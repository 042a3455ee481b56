"""A running relay tells nobody its secrets: not its arguments, log, metrics, errors, a crash, nor what it leaves on disk."""

import os
import resource
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from hutong.relay.keys import create_keystore
from tests.relay.cli.operator.test_relay_command import CONFIG, PRIVATE_KEY, start, wait_for_line

SECRETS = ("correct horse", PRIVATE_KEY.hex(), "hunter2")


@pytest.fixture
def config_file(tmp_path):
    create_keystore(tmp_path / "key.json", PRIVATE_KEY, b"correct horse", iterations=2)
    path = tmp_path / "relay.toml"
    path.write_text(CONFIG.replace('["http://127.0.0.1:9"]', '["http://127.0.0.1:9/?token=hunter2"]'))
    path.chmod(0o600)
    return path


def body_of(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:  # not ready yet: its chains do not answer
        with error:
            return error.read().decode()


def assert_silent(text):
    for secret in SECRETS:
        assert secret not in text


@pytest.mark.long
def test_attack_G14_running_and_crashing_relay_shows_no_secret(config_file):
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    relay = start(config_file)
    lines = []
    try:
        for line in relay.stderr:
            lines.append(line)
            if "waiting for a chain" in line:
                break
        assert lines and "waiting for a chain" in lines[-1]
        assert_silent(Path(f"/proc/{relay.pid}/cmdline").read_text())
        limits = Path(f"/proc/{relay.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert core.split()[4:6] == ["0", "0"]
        served = next(line for line in lines if "serving /metrics" in line)
        port = served.rpartition("127.0.0.1:")[2].split('"')[0].split()[0]
        for page in ("metrics", "healthz"):
            assert_silent(body_of(f"http://127.0.0.1:{port}/{page}"))
        relay.send_signal(signal.SIGABRT)
        out, said = relay.communicate(timeout=60)
        assert relay.returncode == -signal.SIGABRT
        assert_silent("".join(lines) + out + said)
    finally:
        relay.kill()
        relay.wait()
    for file in (config_file.parent / "state").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(secret.encode() in content for secret in (*SECRETS[:1], PRIVATE_KEY.hex()))
            assert PRIVATE_KEY not in content
    pid = config_file.parent / "state" / "queue" / "valkey.pid"
    if pid.exists():
        os.kill(int(pid.read_text()), signal.SIGTERM)


@pytest.mark.long
def test_attack_G14_error_that_nobody_expected_shows_no_secret(config_file):
    """A traceback has names of files and functions, never the values of variables."""
    code = (
        "import hutong.relay.core.daemon as d\n"
        "async def boom(signers): raise RuntimeError('boom')\n"
        "real = d._signers\n"
        "async def signers(config):\n"
        "    held = await real(config)\n"
        "    await boom(held)\n"
        "d._signers = signers\n"
        "from hutong.relay.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "relay", "run", "--config", config_file],
        env=os.environ | {"PASSWORD": "correct horse"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1 and "boom" in done.stderr
    assert_silent(done.stderr + done.stdout)


@pytest.mark.long
def test_attack_G13_reload_is_refused_and_drops_nothing(config_file):
    relay = start(config_file)
    try:
        wait_for_line(relay, "waiting for a chain")
        relay.send_signal(signal.SIGHUP)
        wait_for_line(relay, "reloading is not supported")
        assert relay.poll() is None
        relay.send_signal(signal.SIGTERM)
        relay.communicate(timeout=60)
        assert relay.returncode == 0
    finally:
        relay.kill()
