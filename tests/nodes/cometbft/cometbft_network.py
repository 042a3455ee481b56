"""A hub over CometBFT as its members run it: for each validator a `cometbft node` and a `hutong hub abci` process.

    with running_network(directory, validators=4) as network:
        network.members[0].rpc("eth_blockNumber")

`directory` must be short: sockets live in it (`tempfile.mkdtemp(dir="/tmp")`).
"""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hutong.relay.hub.abci.initialise import MemberHome, ValidatorPorts, initialise_members
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.genesis import Genesis, HubParams
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.home.initialise import NewHub
from hutong.relay.local.ports import free_ports
from tests.nodes.provision import cometbft
from tests.relay.hub.simulated_hub import ADMINS, DAPP, EVM_CHAIN_ID, address_of

START_TIMEOUT_S = 600.0
"""Four validators start in seconds; on two cores that others use, in a minute or two."""
END_TIMEOUT_S = 120.0
POLL_S = 0.05


class Died(AssertionError):
    """A process ended, or did not get ready: the end of its log."""


class Program:
    """One process with a log file that later starts append to."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.command, self.log = command, log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        assert not self.running, self.command
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def wait(self, timeout_s: float = END_TIMEOUT_S) -> int:
        """Until it ends by itself; the exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def end_by_itself_or_be_killed(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.wait()
        self.kill()

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(END_TIMEOUT_S)
            raise

    def tail(self, characters: int = 2_000) -> str:
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""


class Member:
    """One validator, or a full node that signs nothing."""

    def __init__(self, home: MemberHome) -> None:
        self.home = home
        self.eth_url = f"http://127.0.0.1:{home.ports.eth}"
        self.cometbft_url = home.cometbft_rpc
        self.application = Program(
            [
                *(sys.executable, "-m", "hutong.relay.cli", "hub", "abci", "--home", str(home.home)),
                *("--listen", home.listen, "--cometbft-rpc", home.cometbft_rpc, "--port", str(home.ports.eth)),
            ],
            home.home / "abci.log",
        )
        self.cometbft = Program(
            [str(cometbft()), "node", "--home", str(home.cometbft_home)], home.home / "cometbft.log"
        )

    def start(self) -> None:
        """Both processes."""
        self.application.start()
        self.wait_for_application()
        self.cometbft.start()

    def wait_for_application(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Until the application listens for CometBFT."""
        deadline = time.monotonic() + timeout_s
        while True:
            if not self.application.running:
                raise Died(f"{self.application.command} ended: {self.application.tail()}")
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(self.home.listen.removeprefix("unix://"))
                    return
                except OSError:
                    if time.monotonic() > deadline:
                        raise Died(f"no socket: {self.application.tail()}") from None
            time.sleep(POLL_S)

    def stop(self) -> None:
        """CometBFT first: it ends by itself where its application is gone."""
        for program in (self.cometbft, self.application):
            if program.running:
                program.stop()

    def kill(self) -> None:
        """Both at once, as a power cut."""
        for program in (self.cometbft, self.application):
            if program.running:
                program.kill()

    def wait_for_cometbft(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Until CometBFT's RPC answers: it first replays what the application lacks, which then grows without it."""
        deadline = time.monotonic() + timeout_s
        while True:
            if not self.cometbft.running:
                raise Died(f"{self.cometbft.command} ended: {self.cometbft.tail()}")
            try:
                self.comet("health")
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise Died(f"no RPC: {self.cometbft.tail()}") from None
            time.sleep(POLL_S)

    def rpc(self, method: str, *params: Any) -> Any:
        """One eth_* or hutong_* call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
        request = urllib.request.Request(self.eth_url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def comet(self, path: str) -> Any:
        """One GET of CometBFT's RPC, as `block?height=3`."""
        with urllib.request.urlopen(f"{self.cometbft_url}/{path}", timeout=30) as response:
            return json.load(response)["result"]

    @property
    def height(self) -> int:
        """Of the last block that the application has executed."""
        return int(self.rpc("eth_blockNumber"), 16)

    def wait_for_height(self, height: int, timeout_s: float = START_TIMEOUT_S) -> int:
        """Until the application has executed a block; the height it has then."""
        deadline = time.monotonic() + timeout_s
        reached = -1
        while True:
            for program in (self.application, self.cometbft):
                if not program.running:
                    raise Died(f"{program.command} ended: {program.tail()}")
            try:
                reached = self.height
            except OSError:
                pass
            if reached >= height:
                return reached
            if time.monotonic() > deadline:
                raise Died(f"still at {reached}, waited for {height}: {self.application.tail()}{self.cometbft.tail()}")
            time.sleep(POLL_S)


class Network:
    """Members by their number from 0."""

    def __init__(self, genesis: Genesis, members: list[Member]) -> None:
        self.genesis, self.members = genesis, members

    def start(self) -> None:
        """All applications, then all CometBFTs: one that finds none looks again only after 3 s."""
        for member in self.members:
            member.application.start()
        for member in self.members:
            member.wait_for_application()
            member.cometbft.start()

    def stop(self) -> None:
        for member in self.members:
            member.stop()

    def kill(self) -> None:
        for member in self.members:
            member.kill()

    def wait_for_height(self, height: int, timeout_s: float = START_TIMEOUT_S) -> int:
        """Until every running member has executed a block; the lowest height."""
        running = [member for member in self.members if member.cometbft.running]
        return min(member.wait_for_height(height, timeout_s) for member in running)


def validator_ports(count: int) -> list[ValidatorPorts]:
    """Three for each validator."""
    return [ValidatorPorts(*free_ports(3)) for _ in range(count)]


def new_hub(**params: int) -> NewHub:
    """Admins and the funded account are those of the simulated hub."""
    return NewHub(
        "hutong-1",
        EVM_CHAIN_ID,
        time.time_ns(),
        AdminSet(tuple(address_of(account) for account in ADMINS), 2),
        HubParams(**params),
        ((address_of(DAPP), 10**24),),
        code=CodeRules(is_open=True),
    )


def new_network(directory: Path, validators: int = 1, hub: NewHub | None = None, **params: int) -> Network:
    """Homes under `directory`, of `hub` or of a hub with `params`; nothing runs yet."""
    genesis, homes = initialise_members(directory, hub or new_hub(**params), validator_ports(validators))
    return Network(genesis, [Member(home) for home in homes])


@contextmanager
def running_network(
    directory: Path, validators: int = 1, hub: NewHub | None = None, **params: int
) -> Iterator[Network]:
    """Started, with its first block executed everywhere; killed at the end."""
    network = new_network(directory, validators, hub, **params)
    try:
        network.start()
        network.wait_for_height(1)
        yield network
    finally:
        network.kill()
