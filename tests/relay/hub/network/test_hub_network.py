"""Validators as operators run them: a process each, 100 ms and 1 % loss between any two, killed and partitioned.

HUTONG_NETWORK_VALIDATORS: how many there are. HUTONG_NETWORK_ROUNDS: how often each is killed in turn.
HUTONG_NETWORK_SEED: of what is lost between them.
"""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import pytest
import trio

from hutong.relay.hub.network.link.node_key import load_node_key
from hutong.relay.hub.network.network_file import Endpoint, Network, load_network, write_network
from hutong.relay.local.ports import free_base_port
from tests.relay.hub.network.delaying_proxy import DelayingProxy

pytestmark = pytest.mark.long

VALIDATORS = int(os.environ.get("HUTONG_NETWORK_VALIDATORS", "7"))
FAULTY = (VALIDATORS - 1) // 3
DELAY_S, LOSS = 0.1, 0.01
ROUNDS = int(os.environ.get("HUTONG_NETWORK_ROUNDS", "1"))
SEED = int(os.environ.get("HUTONG_NETWORK_SEED", "1"))
LIMIT_S = 600
HUTONG = (sys.executable, "-m", "hutong.relay.cli")


@dataclass
class Member:
    name: str
    home: Path
    arguments: list[str]
    log: Path
    eth_port: int
    process: subprocess.Popen | None = None
    hashes: dict[int, tuple[str, str]] = field(default_factory=dict)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen([*HUTONG, *self.arguments], stdout=output, stderr=output)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(timeout=10)
        self.process = None

    async def ask(self, method: str, *params):
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
            answer = (await client.post(f"http://127.0.0.1:{self.eth_port}", json=body)).json()
            assert "error" not in answer, answer
            return answer["result"]

    async def height(self) -> int:
        """-1 while it does not serve; fails if it ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.log.read_text()[-600:]}")
        try:
            return int(await self.ask("eth_blockNumber"), 16)
        except httpx.HTTPError:
            return -1

    async def take_hashes(self) -> None:
        """(block, app hash) of every height that it has, through its CometBFT RPC."""
        top = await self.height()
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            for height in range(1, top + 1):
                if height not in self.hashes:
                    url = f"http://127.0.0.1:{self.eth_port + 1}/block?height={height}"
                    result = (await client.get(url)).json()["result"]
                    self.hashes[height] = (result["block_id"]["hash"], result["block"]["header"]["app_hash"])


async def reach(members, height, limit_s=LIMIT_S) -> None:
    heights = []
    with trio.move_on_after(limit_s) as scope:
        while True:
            heights = [await member.height() for member in members]
            if min(heights) >= height:
                return
            await trio.sleep(0.2)
    if scope.cancelled_caught:
        status = [await member.ask("hutong_network") for member in members if member.process is not None]
        raise AssertionError(f"heights {heights}, waited for {height}: {[one['whyNoBlock'] for one in status]}")


async def top(members) -> int:
    return max([await member.height() for member in members])


class Net:
    """The members and the proxies between them."""

    def __init__(self, tmp_path) -> None:
        base = free_base_port([10 * index + part for index in range(VALIDATORS) for part in range(3)])
        done = subprocess.run(
            [
                *HUTONG,
                *("hub", "init", "--home", str(tmp_path / "net"), "--validators", str(VALIDATORS)),
                *("--base-port", str(base), "--block-interval-ms", "200", "--proof-block-ms", "50"),
                *("--scrypt-iterations", "2"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        commands = [shlex.split(line)[1:] for line in done.stdout.splitlines() if line.startswith("hutong hub start")]
        self.members = [
            Member(
                f"validator-{index + 1}",
                tmp_path / "net" / f"validator-{index + 1}",
                command,
                tmp_path / f"{index + 1}.log",
                base + 10 * index + 1,
            )
            for index, command in enumerate(commands)
        ]
        assert len(self.members) == VALIDATORS
        self.proxies: dict[frozenset[int], DelayingProxy] = {}

    async def put_proxies_between(self, nursery, random) -> None:
        """The member with the lower node id dials, so its file names the proxy."""
        ids = {load_node_key(member.home).node_id: index for index, member in enumerate(self.members)}
        for own_id, index in ids.items():
            network = load_network(self.members[index].home)
            peers = []
            for peer in network.peers:
                if own_id < peer.node_id:
                    proxy = DelayingProxy(peer.endpoint.port, random, DELAY_S, LOSS)
                    await nursery.start(proxy.run)
                    self.proxies[frozenset((index, ids[peer.node_id]))] = proxy
                    peer = type(peer)(peer.node_id, Endpoint("127.0.0.1", proxy.port), peer.certificate)
                peers.append(peer)
            write_network(self.members[index].home, Network(network.listen, tuple(peers)))

    def separate(self, one, other) -> None:
        for pair, proxy in self.proxies.items():
            if len(pair & set(one)) == 1 and len(pair & set(other)) == 1:
                proxy.separate()

    def join(self) -> None:
        for proxy in self.proxies.values():
            proxy.join()

    async def demand_agreement(self) -> int:
        """Every pair has the same block and app hash at every height that both have. The lowest common height."""
        await reach(self.members, await top(self.members))
        for member in self.members:
            await member.take_hashes()
        for height in range(1, min(len(member.hashes) for member in self.members) + 1):
            assert len({member.hashes[height] for member in self.members}) == 1, f"two blocks or states at {height}"
        for member in self.members:
            log = member.log.read_text()
            for trouble in ("a validator signed two votes", "hub halted", "Traceback", "a peer broke a rule"):
                assert trouble not in log, f"{member.name}: {log[log.index(trouble) - 300 :][:900]}"
        return min(len(member.hashes) for member in self.members)


async def test_validators_go_on_without_a_third_heal_and_survive_kills(tmp_path):
    net = Net(tmp_path)
    members = net.members
    async with trio.open_nursery() as nursery:
        await net.put_proxies_between(nursery, Random(SEED))
        try:
            for member in members:
                member.start()
            await reach(members, 5)
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"http://127.0.0.1:{members[0].eth_port + 1}/status")
            # What tells tools that this process does not decide alone.
            node = answer.json()["result"]["node_info"]
            assert node["id"] == load_node_key(members[0].home).node_id
            assert node["listen_addr"] == f"tcp://{load_network(members[0].home).listen}"

            down, up = members[:FAULTY], members[FAULTY:]
            for member in down:
                member.kill()
            height = await top(up)
            await reach(up, height + 10)
            for member in down:
                member.start()
            await net.demand_agreement()

            # The larger part has not more than two thirds.
            larger = VALIDATORS - FAULTY - 1
            net.separate(range(larger), range(larger, VALIDATORS))
            await trio.sleep(3)
            height = await top(members)
            await trio.sleep(6)
            assert await top(members) == height, f"{larger} of {VALIDATORS} are not more than two thirds"
            net.join()
            await reach(members, height + 5)
            await net.demand_agreement()

            for round_ in range(1, ROUNDS + 1):
                for member in members:
                    height = await top(members)
                    member.kill()
                    await reach([other for other in members if other is not member], height + 3)
                    member.start()
                    await reach([member], height + 3)
                await net.demand_agreement()
                print(f"round {round_} of {ROUNDS} at {await top(members)}", flush=True)
            agreed = await net.demand_agreement()
            carried = sum(proxy.carried for proxy in net.proxies.values())
            lost = sum(proxy.lost for proxy in net.proxies.values())
            print(f"{ROUNDS} rounds, {agreed} blocks the same at all; {lost} of {carried} segments lost")
        finally:
            for member in members:
                if member.process is not None:
                    member.process.terminate()
            for member in members:
                if member.process is not None:
                    member.process.wait(timeout=120)
        nursery.cancel_scope.cancel()
