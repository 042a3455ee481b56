"""The registrar's daemon beside a running hub: people apply, fetch and renew by commands; a restart finds what was taken."""

import json
import time
from functools import partial

import httpx
import pytest
import trio

from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.serving.daemon import serve
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import admins
from tests.relay.cli.identity.test_persons_commands import Registering, address
from tests.relay.hub.hub_process import HubProcess, new_home

pytestmark = pytest.mark.long
"""Over the process of a hub."""
FILE = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1:9"
keys_file = "api-keys.json"

[registrar]
folder = "served"
collect_s = {collect_s}

[registrar.hub]
did = "{did}"
chain_id = "hutong-1"
rpc = ["{eth}"]
consensus_rpc = ["{cometbft}"]
account = {{ keystore = "log.json", password_file = "password" }}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registrar")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    made = Registering(folder, hub)
    config = ["--config", folder / "relay.toml"]
    made.run("hub", "set-identity", "--persons", "--strangers", 8, "--stranger-life", 86_400, *config, *admins(folder))
    words = ["register", "--key", f"log={made.jwk('log')}", "--salt", "11" * 32, "--json"]
    made.registrar = json.loads(made.by("registrar", *words, "--show"))["did"]
    made.run("hub", "accredit-root", made.registrar, "--schema", PERSONS_SCHEMA.hex(), *config, *admins(folder))
    made.by("registrar", *words, "--accredited", PERSONS_SCHEMA.hex())
    yield made
    assert hub.stop() == (0, "")


def file_of(place, collect_s):
    file, hub = place.folder / "identity.toml", place.hub
    file.write_text(FILE.format(did=place.registrar, eth=hub.eth_url, cometbft=hub.cometbft_url, collect_s=collect_s))
    return file


class Served:
    """The daemon's address, and commands beside it in threads."""

    def __init__(self, place, address):
        self.place, self.address = place, address

    async def run(self, *words, code=0):
        words = ["identity", "person", *words, "--service", self.address]
        return (await trio.to_thread.run_sync(partial(self.place.run, *words, code=code))).strip()

    async def office(self, path, body, key):
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=60) as http:
            answer = await http.post(f"/v1/registrar{path}", json=body, headers={"authorization": f"Bearer {key}"})
        answer.raise_for_status()
        return answer.json()

    async def until(self, receipt, state):
        while True:
            found = json.loads(await self.run("receipt", receipt, "--json"))
            if found["state"] == state:
                return found
            await trio.sleep(0.2)


async def beside(place, file, work):
    """`work` beside the daemon of a file, from its first follow on to the end of `work`."""
    config, addresses, ready = load_identity_config(file), [], trio.Event()

    def on_ready(address):
        addresses.append(address)
        ready.set()

    with trio.fail_after(300):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, config, on_ready)
            await ready.wait()
            async with httpx.AsyncClient(base_url=addresses[0], trust_env=False) as http:
                await until_followed(http)
            found = await work(Served(place, addresses[0]))
            nursery.cancel_scope.cancel()
    return found


async def recover(served, place, index, policy):
    """A guardian vouches, the recovery begins, and the present key stops it; nobody finishes it before its delay."""
    where, expires = [place.registrar, 0, index], int(time.time()) + 100_000
    said = ["--policy", policy, "--expires", expires]
    await served.run("vouch", *where, *said, "--to", address("bo new"), *place.key("ada"), code=1)
    shown = await served.run("vouch", *where, *said, "--to", address("bo new"), *place.key("guardian"))
    following, signature = (line.split(" ")[1] for line in shown.splitlines())
    begin = ["plead", *where, *said, "--following", following, "--signature"]
    await served.run(*begin, "00" * 65, code=1)
    begun = await served.until(await served.run(*begin, signature), "done")
    assert begun["effective_at_s"] > time.time()
    await served.run("finish", *where, code=1)
    await served.run("stop", *where, *place.key("ada"), code=1)
    await served.until(await served.run("stop", *where, *place.key("bo")), "done")


async def until_followed(http) -> None:
    while True:
        if (await http.get("/v1/registrar")).status_code == 200:
            return
        await trio.sleep(0.2)


def test_people_apply_by_invitation_and_a_restart_registers_them_once(place, capfd):
    key = place.run("identity", "api-key", "create", "--config", file_of(place, 3_600), "office", "--scope", "register")
    ada, bo = (
        place.enrol("ada", "--next", address("ada next")),
        place.enrol("bo", "--guardian", address("guardian"), "--recovery-delay", 3_600),
    )

    async def apply(served):
        codes = (await served.office("/invitations", {"count": 2}, key.strip()))["invitations"]
        await served.run("apply", ada, "--invitation", "made-up", code=1)
        receipts = [
            await served.run("apply", file, "--invitation", code) for file, code in zip((ada, bo), codes, strict=True)
        ]
        await served.run("apply", bo, "--invitation", codes[0], code=1)
        return receipts

    receipts = trio.run(beside, place, file_of(place, 3_600), apply)

    async def renew(served):
        found = [await served.until(receipt, "done") for receipt in receipts]
        assert sorted(one["index"] for one in found) == [0, 1]
        where, out = [place.registrar, 0, found[0]["index"]], place.folder / "own.proof"
        await served.run("fetch", *where, "--out", out, *place.key("bo"), code=1)
        shown = await served.run("fetch", *where, "--out", out, *place.key("ada"))
        assert shown.splitlines()[0] == found[0]["did"] and len(out.read_bytes()) == 797
        thief = ["--to", address("bo new"), *place.key("ada")]
        await served.run("renew", *where, *thief, code=1)
        follows = ["--to", address("ada next"), "--next", address("ada third"), *place.key("ada next")]
        await served.until(await served.run("renew", *where, *follows), "done")
        await recover(served, place, found[1]["index"], json.loads(bo.read_text())["policy"])
        return found[0]

    found = trio.run(beside, place, file_of(place, 0), renew)
    index, did = found["index"], found["did"]
    assert place.proven(index, did) == {"account": address("ada next"), "sequence": 1, "shard": 0}
    logged = "".join(capfd.readouterr())
    assert not [
        one for one in (did, receipts[0], address("ada"), address("ada next")) if one.removeprefix("0x") in logged
    ]
