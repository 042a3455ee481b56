"""The processes of the city's storage while a case runs: started, killed, brought back, and ended with it."""

import json
import os
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from hutong.relay.base.child_processes import HUTONG, StartedChild
from hutong.relay.city.errors import CityFailed
from hutong.relay.city.process_identity import ProcessIdentity
from hutong.relay.city.record import CityProcess, ProcessRecord, read_record, write_record
from hutong.relay.city.storage.beginning import REST_EPOCH_S, SHORT_EPOCH_S, CityStorage
from hutong.relay.local.processes import START_LIMIT_S, STOP_GRACE_S, last_line

POLL_S: Final = 0.2
ASK_LIMIT_S: Final = 10
PURPOSE: Final = "trusted storage, while a case asks for it"


@dataclass(frozen=True, slots=True)
class StoredOperator:
    """`operator` is its id, 64 digits; `shards` the folder in which it keeps them."""

    operator: str
    organisation: str
    shards: Path
    config: Path


class RunningStorage:
    """Operators, gateway and auditor of a city. Its calls block."""

    def __init__(
        self,
        storage: CityStorage,
        gateway: dict[str, Any],
        repairer: dict[str, Any],
        operators: Sequence[StoredOperator],
    ) -> None:
        self._home = storage.home
        self._run = storage.run
        self._repairer = str(repairer["config"])
        self.operators = tuple(operators)
        self.writer = str(gateway["writer"])
        self.api_key = str(gateway["api_key"])
        self.s3_keys = (str(gateway["s3_access_key"]), str(gateway["s3_secret_key"]))
        self.url = f"http://{_listens(Path(gateway['config']))}"
        self._children: dict[str, StartedChild] = {}

    def start(self, name: str, config: Path) -> None:
        """Start the daemon of that name; it need not serve yet."""
        kind = name.partition("-")[0]
        with self._log(name).open("ab") as output:
            command = [*HUTONG, "storage", kind, "run", "--config", str(config)]
            self._children[name] = StartedChild(command, output)
        self._record()

    def wait_for(self, name: str, config: Path) -> None:
        """Until it is ready.

        Raises:
            CityFailed: it ended, or is not ready within START_LIMIT_S.
        """
        url, end = f"http://{_listens(config)}/readyz", time.monotonic() + START_LIMIT_S
        while not _is_ready(url):
            if self._children[name].exit_code is not None or time.monotonic() > end:
                raise CityFailed(f"storage {name} does not serve: {last_line(self._log(name))}")
            time.sleep(POLL_S)

    def lose(self, number: int) -> None:
        """SIGKILL to an operator. Nobody starts it again but `bring_back`."""
        self._children[f"operator-{number}"].kill()

    def bring_back(self, *numbers: int) -> None:
        """Start lost operators again, over what they held, and wait until they serve."""
        for number in numbers:
            self.start(f"operator-{number}", self.operators[number].config)
        for number in numbers:
            self.wait_for(f"operator-{number}", self.operators[number].config)

    def scrub(self, number: int) -> str:
        """What the operator's own scrub says of what it holds; empty where all is whole."""
        try:
            self._run("storage", "operator", "scrub", "--config", str(self.operators[number].config))
        except CityFailed as error:
            return str(error)
        return ""

    def repair(self) -> dict[str, Any]:
        """One pass of the repairer.

        Raises:
            CityFailed: something is lost still, or it cannot look.
        """
        done: dict[str, Any] = json.loads(
            self._run("storage", "repairer", "once", "--config", self._repairer, "--json")
        )
        return done

    def end(self) -> None:
        """End all of them."""
        for child in self._children.values():
            child.ask_to_end()
        end = time.monotonic() + STOP_GRACE_S
        for child in self._children.values():
            if not child.ended_within(max(0.0, end - time.monotonic())):
                child.kill()
        self._home.storage_processes_file.unlink(missing_ok=True)

    def _record(self) -> None:
        """For `hutong city down`, where this process is killed."""
        keeper = ProcessIdentity.of(os.getpid())
        if keeper is None:
            raise CityFailed("the system does not say when this process began")
        processes = tuple(
            CityProcess(name, PURPOSE, str(self._log(name)), ProcessIdentity.of(child.pid))
            for name, child in self._children.items()
        )
        write_record(self._home.storage_processes_file, ProcessRecord(keeper, processes))

    def _log(self, name: str) -> Path:
        return self._home.path / f"storage-{name}.log"


@contextmanager
def running_storage(storage: CityStorage, data: int, parity: int) -> Iterator[RunningStorage]:
    """`data + parity` operators, a gateway and an auditor, with short epochs, for a `with`.

    Raises:
        CityFailed: a command failed, a daemon does not serve, or another run has them.
    """
    before = read_record(storage.home.storage_processes_file)
    if before is not None and any(one.runs for one in before.identities()):
        raise CityFailed("the city's storage runs already, for another `hutong city test`, or was left by one")
    gateway, auditor = storage.gateway(), storage.auditor()
    repairer = storage.repairer()
    made = [storage.operator(number, gateway, repairer) for number in range(data + parity)]
    storage.look_after(gateway, repairer)
    operators = [_operator(one, storage.organisation(number)) for number, one in enumerate(made)]
    storage.set_epochs(data, parity, SHORT_EPOCH_S)
    with ExitStack() as ending:
        ending.callback(storage.set_epochs, data, parity, REST_EPOCH_S)
        running = RunningStorage(storage, gateway, repairer, operators)
        ending.callback(running.end)
        for number, one in enumerate(operators):
            running.start(f"operator-{number}", one.config)
        running.start("auditor", Path(auditor["config"]))
        for number, one in enumerate(operators):
            running.wait_for(f"operator-{number}", one.config)
        running.start("gateway", Path(gateway["config"]))
        running.wait_for("gateway", Path(gateway["config"]))
        yield running


def _operator(made: dict[str, Any], organisation: str) -> StoredOperator:
    config = Path(made["config"])
    return StoredOperator(made["operator"], organisation, config.parent / "shards", config)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=ASK_LIMIT_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _listens(config: Path) -> str:
    tables = tomllib.loads(config.read_text())
    return str(next(table["listen"] for table in tables.values() if isinstance(table, dict) and "listen" in table))
