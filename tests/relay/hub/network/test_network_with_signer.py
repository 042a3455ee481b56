"""Four validators as operators run them, one with an encrypted key and one behind a signer that is killed."""

import os
import subprocess
import sys

import httpx
import pytest
import trio

from hutong.relay.hub.home.home import load_validator_key
from hutong.relay.hub.home.key_file import read_key_file
from hutong.relay.local.ports import free_base_port, free_port

pytestmark = pytest.mark.long

HUTONG = (sys.executable, "-m", "hutong.relay.cli", "hub")
LIMIT_S = 600
PASSWORD = "correct horse"


class Network:
    def __init__(self, folder) -> None:
        self.folder = folder
        self.base = free_base_port(tuple(range(40)))
        self.running: dict[str, subprocess.Popen] = {}
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        self.password = ["--key-password-file", password]
        self.run(
            "init", "--home", folder / "net", "--validators", 4, "--base-port", self.base, "--admin", "0x" + "11" * 20
        )
        self.secrets = [PASSWORD, *(load_validator_key(self.home(number)).private_key.hex() for number in range(1, 5))]
        self.run("key", "encrypt", "--home", self.home(1), *self.password)
        listen = f"127.0.0.1:{free_port()}"
        self.run("signer", "init", "--home", folder / "signer", "--node", self.home(2), "--listen", listen)

    def home(self, number):
        return self.folder / "net" / f"validator-{number}"

    def run(self, *words) -> None:
        done = subprocess.run([*HUTONG, *map(str, words)], capture_output=True, text=True, timeout=LIMIT_S)
        assert done.returncode == 0, done.stderr

    def start(self, name, *words) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        # With a password in the environment: it must not reach a log.
        environment = os.environ | {"HUTONG_TEST_WORD": PASSWORD}
        with log:
            self.running[name] = subprocess.Popen([*HUTONG, *map(str, words)], stdout=log, stderr=log, env=environment)

    def start_signer(self) -> None:
        self.start("signer", "signer", "start", "--home", self.folder / "signer")

    def start_node(self, number) -> None:
        port = self.base + 10 * (number - 1)
        words = ["start", "--home", self.home(number), "--port", port + 1, "--cometbft-port", port + 2]
        password = ["--key-password-env", "HUTONG_TEST_WORD"] if number == 1 else []
        self.start(f"node-{number}", *words, *password)

    def kill(self, name) -> None:
        """SIGKILL."""
        process = self.running.pop(name)
        process.kill()
        process.wait(timeout=120)

    async def comet(self, path):
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            return (await client.get(f"http://127.0.0.1:{self.base + 2}/{path}")).json()["result"]

    async def height(self) -> int:
        for name, process in self.running.items():
            assert process.poll() is None, (self.folder / f"{name}.log").read_text()[-800:]
        try:
            return int((await self.comet("status"))["sync_info"]["latest_block_height"])
        except httpx.HTTPError:
            return -1

    async def until_height(self, height) -> int:
        with trio.fail_after(LIMIT_S):
            while (reached := await self.height()) < height:  # noqa: ASYNC110
                await trio.sleep(0.2)
        return reached

    async def signs(self, address, height) -> bool:
        commit = (await self.comet(f"commit?height={height}"))["signed_header"]["commit"]
        return address in {entry["validator_address"] for entry in commit["signatures"]}

    async def until_signs(self, address) -> int:
        at = max(1, await self.height())
        with trio.fail_after(LIMIT_S):
            while True:
                top = await self.height()
                for height in range(at, top):
                    if await self.signs(address, height):
                        return height
                at = max(at, top - 1)
                await trio.sleep(0.5)


@pytest.fixture
def network(tmp_path):
    made = Network(tmp_path)
    yield made
    for name in list(made.running):
        made.kill(name)


async def test_blocks_go_on_while_a_signer_is_killed_and_it_signs_again_when_it_is_started(network):
    encrypted = read_key_file(network.home(1) / "validator_key.json").public_key.address.hex().upper()
    remote = read_key_file(network.folder / "signer" / "validator_key.json").public_key.address.hex().upper()
    network.start_signer()
    log = network.folder / "signer.log"
    with trio.fail_after(LIMIT_S):
        while b"ready on" not in log.read_bytes():  # noqa: ASYNC110
            await trio.sleep(0.1)
    for number in range(1, 5):
        network.start_node(number)
    await network.until_height(3)
    await network.until_signs(encrypted)
    await network.until_signs(remote)

    network.kill("signer")
    gone_at = await network.height() + 2
    await network.until_height(gone_at + 4)
    assert not any([await network.signs(remote, height) for height in range(gone_at, gone_at + 3)])
    network.start_signer()
    back_at = await network.until_signs(remote)
    assert back_at > gone_at

    # Without the fourth the hub needs the signer: it stands, and goes on.
    network.kill("node-4")
    await network.until_height(await network.height() + 2)
    network.kill("signer")
    stands_at = await network.height() + 1
    network.start_signer()
    await network.until_height(stands_at + 3)
    for file in network.folder.glob("*.log"):
        assert not any(secret in file.read_text() for secret in network.secrets)
