"""A whole city through its commands: up, looked at, its relay killed and back, down."""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
from eth_account import Account

from hutong.light_clients.ibc.abi import ABI_ENCODING, encode_packet_abi
from hutong.light_clients.ibc.forward import FORWARD_PORT, FORWARD_VERSION, ForwardRequest, encode_forward_request
from hutong.light_clients.ibc.gmp import GMP_PORT, GmpPacketData, encode_message
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.relay.city.home import CityHome
from hutong.relay.city.process_identity import ProcessIdentity, running
from hutong.relay.city.record import read_record
from hutong.relay.city.signed_log import COUNTERPARTY
from hutong.relay.local.chain import DemoChain, until
from hutong.relay.local.member import FORWARD_MARGIN_S
from hutong.relay.local.processes import DemoFailed, run_command
from hutong.relay.local.traffic import LIFETIME_S
from tests.relay.base.hostile_folder import HostileFolder

pytestmark = pytest.mark.long

CONTRACTS = {"access_manager", "router", "mailbox", "transfer", "title", "swap", "feed", "anchor", "reader"}
SCRIPT = (str(Path(sys.executable).with_name("hutong")),)
UP_LIMIT_S = 900
"""Against a hang, as the next."""
BACK_LIMIT_S = 900
"""Against a hang; the process is back a second after its end."""


async def test_a_small_city_comes_up_and_goes_down_whole(tmp_path):
    path = tmp_path / "city"
    home, at = CityHome(path), ("--home", str(path))
    hostile = HostileFolder(tmp_path, own_packages=True)
    up = partial(hostile.run, SCRIPT, "city", "up", *at, "--small", limit_s=UP_LIMIT_S)
    said = (await trio.to_thread.run_sync(up)).stdout
    try:
        assert said.splitlines()[-2].endswith("s  the city is up")
        record = read_record(home.processes_file)
        everything = [record.keeper, *record.identities()]
        assert running(everything) == everything
        state = json.loads(await run_command(["city", "status", *at, "--json"]))
        assert state["state"] == "runs" and {one["state"] for one in state["processes"]} == {"runs"}
        assert all(one["at"] > 0 for one in state["heights"])
        city = json.loads(home.city_file.read_text())
        clients = {chain["name"]: chain["hub_client"] for chain in city["chains"]}
        assert clients == {"e1": "bft-evm-0", "e2": "attestation-0", "p1": "bft-evm-1"}
        assert all(CONTRACTS == set(one["contracts"]) for one in city["chains"])
        await a_message_of_the_log_reaches_a_chain(path, city)
        with pytest.raises(DemoFailed, match="exit code 2: a city runs in"):
            await run_command(["city", "up", *at, "--small"])
        everything += await relay_killed_and_back(home)
    finally:
        await run_command(["city", "down", *at])
    assert running(everything) == []
    assert hostile.told == "", "a process of the city imports from the folder that it was started in"
    assert not home.city_file.exists() and not (path / "hub").exists()


async def relay_killed_and_back(home: CityHome) -> list[ProcessIdentity]:
    def relay() -> ProcessIdentity | None:
        (found,) = [one.identity for one in read_record(home.processes_file).processes if one.name == "relay"]
        return found

    killed = relay()
    os.kill(killed.pid, signal.SIGKILL)
    with trio.fail_after(BACK_LIMIT_S):
        await until(lambda: relay() not in (None, killed), 0.1)
    back = relay()
    assert back is not None
    return [killed, back]


async def a_message_of_the_log_reaches_a_chain(path: Path, city: dict) -> None:
    """From the department with a database to a contract's Mailbox on e1, by the commands of docs/city.md."""
    chain, log = city["chains"][0], city["log"]
    contracts = chain["contracts"]
    e1 = DemoChain(chain["name"], chain["rpc_url"], chain["chain_id"], contracts["router"], contracts["mailbox"])
    secret = (path / city["accounts"]["person-0"]["key_file"]).read_text().strip()
    person = Account.from_key(bytes.fromhex(secret))
    receiver = await trio.to_thread.run_sync(e1.deploy, person, "ExampleReceiver", e1.mailbox_address)
    timeout_s = e1.time_s(e1.head()) + LIFETIME_S
    data = GmpPacketData("registry", receiver.lower(), b"", b"lot 7 is recalled", "")
    version, value = encode_message(data)
    request = ForwardRequest(chain["hub_client"], GMP_PORT, version, ABI_ENCODING, timeout_s, value)
    payload = Payload(GMP_PORT, FORWARD_PORT, FORWARD_VERSION, ABI_ENCODING, encode_forward_request(request))
    packet = Packet(1, COUNTERPARTY, log["hub_client"], timeout_s - FORWARD_MARGIN_S, (payload,))
    file = path / "packet.hex"
    file.write_text(encode_packet_abi(packet).hex())
    published = json.loads(await run_command(["client", "commitment", str(file)]))
    answer = await trio.to_thread.run_sync(lambda: httpx.post(log["publish"], json=published, timeout=60))
    assert answer.status_code == 200
    config, key = str(path / city["config_file"]), path / "keys" / "owner-e1"
    await run_command(
        [
            *("client", "deliver", "--config", config, "--chain", "hub", "--client", log["hub_client"]),
            *("--follows", log["name"], "--packet", str(file)),
            *("--keystore", f"{key}.json", "--password-file", f"{key}.password"),
        ]
    )
    with trio.fail_after(BACK_LIMIT_S):
        await until(lambda: bool(list(e1.events(e1.mailbox, "MessageDelivered", e1.head()))), 0.5)
    (event,) = e1.events(e1.mailbox, "MessageDelivered", e1.head())
    origin = event.args.origin
    assert (origin.chain, origin.clientId, event.args.sender) == (log["name"], log["hub_client"], "registry")
