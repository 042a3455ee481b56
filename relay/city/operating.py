"""What whoever runs the city does for its cases: acts of an operator that the handbook documents, on this city's own processes."""

import json
import signal
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from hutong.relay.city.errors import CityFailed
from hutong.relay.city.home import CityHome
from hutong.relay.city.plan import API_PORT, CHAINS, HUB_NAME
from hutong.relay.city.process_identity import ProcessIdentity
from hutong.relay.city.record import read_record
from hutong.relay.city.storage.beginning import CityStorage, HubAddress
from hutong.relay.local.config_file import write_private
from hutong.relay.local.processes import Command, DemoFailed, run_command

RELAY = "relay"
CHECKPOINTS = "checkpoints"
POLL_S = 0.3
RESTART_LIMIT_S = 600
"""Against a hang: a relay serves again some seconds after its end."""
ASK_LIMIT_S = 5
PUBLISH_LIMIT_S = 30


@dataclass(frozen=True, slots=True)
class WantedPlace:
    """An entry of `[[observations]]`: a place of a chain (fields and values of the entry), renewed at a change and every
    `interval_s`, and pushed to `readers`, HubReader addresses by the names of their chains."""

    name: str
    chain: str
    place: tuple[tuple[str, str], ...]
    interval_s: int
    readers: tuple[tuple[str, str], ...]

    @property
    def toml(self) -> str:
        """As the relay's configuration says it."""
        pushes = ", ".join(
            f"{{ chain = {json.dumps(chain)}, reader = {json.dumps(reader)} }}" for chain, reader in self.readers
        )
        said = "".join(f"{field} = {json.dumps(value)}\n" for field, value in self.place)
        return (
            f"\n[[observations]]\nname = {json.dumps(self.name)}\nchain = {json.dumps(self.chain)}\n{said}"
            f"on_change = true\ninterval_s = {self.interval_s}\n" + (f"push_to = [{pushes}]\n" if pushes else "")
        )

    def is_there(self, entry: dict[str, Any]) -> bool:
        """Whether an entry of the configuration is of this place already."""
        return entry["chain"] == self.chain and all(
            str(entry.get(field, "")).lower() == value.lower() for field, value in self.place
        )


class CityOperating:
    """Of one city that runs. Its calls block."""

    def __init__(self, home: CityHome, command: Command = run_command) -> None:
        """`command` runs one of `hutong`. Raises CityUnusable, OSError or ValueError where the city's files cannot be read."""
        self._home = home
        self._command = command
        document = json.loads(home.city_file.read_bytes())
        self._config = home.path / document["config_file"]
        relay = tomllib.loads(self._config.read_text())["relay"]
        self._log = document["log"]
        self._clients = {chain["name"]: chain["client_of_hub"] for chain in document["chains"]}
        self._owner = home.keys / f"owner-{CHAINS[0].name}.json"
        self._ready = f"http://{relay['http']}/readyz"

    def relay(self) -> ProcessIdentity | None:
        """The relay's process, if it runs."""
        return self._process(RELAY)

    def _process(self, name: str) -> ProcessIdentity | None:
        record = read_record(self._home.processes_file)
        processes = () if record is None else record.processes
        identity = next((one.identity for one in processes if one.name == name), None)
        return identity if identity is not None and identity.runs else None

    def kill_relay(self) -> bool:
        """SIGKILL to the relay, which the city starts again. False where none runs just now."""
        process = self.relay()
        if process is not None:
            process.signal(signal.SIGKILL)
        return process is not None

    @contextmanager
    def without(self, chain: str) -> Iterator[None]:
        """The node of an EVM chain stands still for a `with`.

        Raises:
            CityFailed: it does not run.
        """
        process = self._process(chain)
        if process is None:
            raise CityFailed(f"{chain} does not run")
        process.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.signal(signal.SIGCONT)

    def storage(self) -> CityStorage:
        """The city's trusted storage, of which nothing runs yet."""
        document, relay = json.loads(self._home.city_file.read_bytes()), tomllib.loads(self._config.read_text())
        (said,) = [chain for chain in relay["chains"] if chain["name"] == HUB_NAME]
        hub = HubAddress(said["chain_id"], said["rpc"][0], said["consensus_rpc"][0])
        base_port = int(document["api"]["url"].rpartition(":")[2]) - API_PORT
        return CityStorage(self._home, self._config, hub, base_port, self._run)

    def observe(self, places: Sequence[WantedPlace]) -> None:
        """Add entries to the relay's configuration, and restart it where one is new.

        Raises:
            CityFailed: the relay refuses the configuration, or does not serve again in time.
            OSError: the file cannot be written.
        """
        text = self._config.read_text()
        known = tomllib.loads(text).get("observations", [])
        new = [place for place in places if not any(place.is_there(entry) for entry in known)]
        if not new:
            return
        write_private(self._config, text + "".join(one.toml for one in new))
        try:
            self._run("config", "check", str(self._config))
        except CityFailed:
            write_private(self._config, text)
            raise
        self.restart_relay()

    def restart_relay(self) -> None:
        """End the relay in order; the city starts it again. Returns when the new one is ready.

        Raises:
            CityFailed: it does not serve again within RESTART_LIMIT_S.
        """
        before = self.relay()
        if before is not None:
            before.signal(signal.SIGTERM)
        end = time.monotonic() + RESTART_LIMIT_S
        while (now := self.relay()) is None or now == before or not self._is_ready():
            if time.monotonic() > end:
                raise CityFailed(f"the relay does not serve {RESTART_LIMIT_S} s after its restart: see relay.log")
            time.sleep(POLL_S)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(self._ready, timeout=ASK_LIMIT_S, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def prove(self, chain: str, account: str, slots: Sequence[bytes]) -> bytes:
        """A record bundle of a contract's slots, from the chain itself under the city's checkpoint of it.

        Raises:
            CityFailed: `hutong prove` failed.
        """
        return self._proven(chain, [f"{account}:0x{slot.hex()}" for slot in slots])

    def prove_records(self, keys: Sequence[bytes]) -> bytes:
        """A record bundle of keys of the hub's own state, all under one header of it.

        Raises:
            CityFailed: `hutong prove` failed.
        """
        return self._proven(HUB_NAME, [f"0x{key.hex()}" for key in keys])

    def _proven(self, chain: str, places: Sequence[str]) -> bytes:
        with tempfile.TemporaryDirectory(dir=self._home.path) as folder:
            file = Path(folder) / "state.record.json"
            trusted = ("--checkpoint", str(self.checkpoint(chain)), "--out", str(file))
            self._run("prove", chain, *places, "--config", str(self._config), *trusted)
            return file.read_bytes()

    def deliver_from_log(self, packet: bytes) -> None:
        """A packet of the signed log (ABI): committed by its publisher, and delivered to the hub by the owner of e1.

        Raises:
            CityFailed: a command failed, such as because the hub refuses the packet, or the log did not take it.
        """
        log = self._log
        with tempfile.TemporaryDirectory(dir=self._home.path) as folder:
            file = Path(folder) / "packet.hex"
            file.write_text(packet.hex())
            committed = json.loads(self._run("client", "commitment", str(file)))
            try:
                httpx.post(log["publish"], json=committed, timeout=PUBLISH_LIMIT_S, trust_env=False).raise_for_status()
            except httpx.HTTPError as error:
                raise CityFailed(f"the log {log['name']} did not take a message: {error}") from None
            keys = ("--keystore", str(self._owner), "--password-file", str(self._owner.with_suffix(".password")))
            followed = ("--chain", HUB_NAME, "--client", log["hub_client"], "--follows", log["name"])
            self._run("client", "deliver", "--config", str(self._config), *followed, "--packet", str(file), *keys)

    def update_client(self, chain: str) -> None:
        """The chain's client of the hub, brought to the newest header by the chain's owner.

        Raises:
            CityFailed: `hutong client update` failed.
        """
        owner = self._home.keys / f"owner-{chain}.json"
        keys = ("--keystore", str(owner), "--password-file", str(owner.with_suffix(".password")))
        client = self._clients[chain]
        self._run("client", "update", "--config", str(self._config), "--chain", chain, "--client", client, *keys)

    def checkpoint(self, chain: str) -> Path:
        """The checkpoint of a chain or the hub, taken now where there is none yet.

        Raises:
            CityFailed: `hutong audit checkpoint` failed.
        """
        folder = self._home.path / CHECKPOINTS
        folder.mkdir(exist_ok=True)
        file = folder / f"{chain}.checkpoint.json"
        if not file.exists():
            self._run("audit", "checkpoint", "--config", str(self._config), "--chain", chain, "-o", str(file))
        return file

    def _run(self, *arguments: str) -> str:
        try:
            return trio.run(self._command, arguments)
        except DemoFailed as error:
            raise CityFailed(str(error)) from None
