"""A gateway and its operators as people begin and run them: each a process of `hutong storage`, on ports that the system chose."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from hutong.relay.cli.main import app
from tests.relay.services.storage.operator.operator_process import OperatorProcess

READY_S = 120


def invoked(*arguments: object, **environment: str):
    return CliRunner().invoke(app, ["storage", *map(str, arguments)], env=environment)


def said_by(*arguments: object) -> dict[str, Any]:
    """What a command prints with `--json`."""
    answer = invoked(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def begun(home: Path, code: tuple[int, int]) -> dict[str, Any]:
    data, parity = code
    return said_by("gateway", "init", "--home", home, "--chain-id", "trial-1", "--listen", "127.0.0.1:0",
                   "--data", data, "--parity", parity)  # fmt: skip


class GatewayProcess:
    """One run, whose output is in a file: a pipe would be open as long as its workers are."""

    def __init__(self, config: Path) -> None:
        self.log = config.with_suffix(f".{time.monotonic_ns()}.log")
        with self.log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hutong.relay.cli", "storage", "gateway", "run", "--config", str(config)],
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_S
        while " ready at " not in (said := self.log.read_text()):
            assert self.process.poll() is None and time.monotonic() < deadline, said
            time.sleep(0.1)
        self.url = said.partition(" ready at ")[2].split()[0]

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(READY_S) == 0, self.log.read_text()
        return self.log.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(READY_S)


@dataclass
class Processes:
    """`said` is what `gateway init` printed: the keys of both doors."""

    config: Path
    said: Mapping[str, Any]
    operators: list[OperatorProcess]
    gateway: GatewayProcess


@contextmanager
def open_processes(
    home: Path,
    code: tuple[int, int],
    engines: Sequence[Sequence[object]] = (),
    environments: Sequence[Mapping[str, str]] = (),
) -> Iterator[Processes]:
    """As many operators as the code has shards, each of its own organisation and site, and a gateway of theirs.

    Args:
        engines: options of `operator init` that say where shards lie, one operator after the other, round and round; a folder without.
        environments: what those engines ask of the environment.
    """
    said = begun(home / "gateway", code)
    config = Path(said["config"])
    operators: list[OperatorProcess] = []
    gateway = None
    try:
        for number in range(sum(code)):
            engine = engines[number % len(engines)] if engines else ()
            known = said_by("operator", "init", "--home", home / f"operator-{number}", "--chain-id", "trial-1", "--listen",
                            "127.0.0.1:0", "--writer", f"{said['writer']}:{said['account']}", *engine)  # fmt: skip
            environment = dict(environments[number % len(environments)]) if environments else None
            operators.append(OperatorProcess(Path(known["config"]), environment))
            added = invoked("gateway", "add", "--config", config, "--operator", known["operator"], "--url",
                            operators[-1].url, "--account", known["account"], "--organisation", f"o{number}",
                            "--site", f"s{number}")  # fmt: skip
            assert added.exit_code == 0, added.output
        gateway = GatewayProcess(config)
        running = Processes(config, said, operators, gateway)
        yield running
        gateway = running.gateway
    finally:
        if gateway is not None and gateway.process.poll() is None:
            gateway.kill()
        for operator in operators:
            if operator.process.poll() is None:
                operator.kill()
