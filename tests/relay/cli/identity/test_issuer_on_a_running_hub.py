"""The issuer's daemon beside a running hub: lists opened, the log appended and bits raised over a node's RPC."""

import json
import time
from hashlib import sha256

import httpx
import pytest
import trio

from hutong.relay.keys import load_signer
from hutong.relay.services.identity.issuer.hub.door import open_hub_door
from hutong.relay.services.identity.rules.records.keys import list_key, log_key
from hutong.relay.services.identity.rules.records.list_record import decode_list_record
from hutong.relay.services.identity.rules.records.log_record import decode_log_record
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.serving.daemon import serve
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import admins
from tests.relay.cli.identity.test_identity_records_commands import SCHEMA, Organising
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.services.identity.certificates import AUTHORITY_KEY, certify, key_of, pem, private_pem
from tests.relay.services.identity.issuer.issuer_world import ISSUER_KEY, numbered_signer, signed

pytestmark = pytest.mark.long
BASE = "http://127.0.0.1:9"
"""As wallets would call it; the port is the system's choice here."""
FILE = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "{base}"

[issuer]
name = "Clinic"
key = "issuer.pem"
certificates = "chain.pem"
list_size = 1024
requires_dpop = false

[issuer.hub]
did = "{did}"
chain_id = "hutong-1"
rpc = ["{eth}"]
consensus_rpc = ["{cometbft}"]
account = {{ keystore = "log.json", password_file = "password" }}
list_schema = "sha256:{schema}"

[[issuer.credentials]]
id = "licence"
vct = "https://id.example/types/licence"
name = "Licence"
schema_hash = "sha256:{schema}"
claims = [{{ name = "level", mandatory = true }}]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuing")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    yield Organising(folder, hub, ("clinic", "log"))
    assert hub.stop() == (0, "")


def registered(place) -> str:
    issuing = place.folder / "issuing.jwk.json"
    issuing.write_text(json.dumps(ISSUER_KEY.jwk))
    keys = ["--key", f"signing={issuing}", "--key", f"log={place.jwk('log')}"]
    words = ["register", *keys, "--salt", sha256(b"clinic").hexdigest(), "--json"]
    did = json.loads(place.by("clinic", *words, "--show"))["did"]
    config = ["--config", place.folder / "relay.toml"]
    place.run("hub", "accredit-root", did, "--schema", SCHEMA, *config, *admins(place.folder))
    place.by("clinic", *words, "--accredited", SCHEMA)
    return did


def test_what_the_daemon_issues_and_revokes_stands_on_the_hub(place):
    did, key = registered(place), key_of(ISSUER_KEY.secret)
    (place.folder / "issuer.pem").write_bytes(private_pem(key))
    (place.folder / "issuer.pem").chmod(0o600)
    chain = certify("clinic", key.public_key(), by="authority", key=AUTHORITY_KEY, uri=BASE)
    (place.folder / "chain.pem").write_bytes(pem(chain))
    file = place.folder / "identity.toml"
    file.write_text(
        FILE.format(base=BASE, did=did, eth=place.hub.eth_url, cometbft=place.hub.cometbft_url, schema=SCHEMA)
    )
    trio.run(issue_and_revoke, place, file, bytes.fromhex(did[-64:]))


async def issue_and_revoke(place, file, did):
    config, ready = load_identity_config(file), trio.Event()
    addresses = []

    def on_ready(address):
        addresses.append(address)
        ready.set()

    with trio.fail_after(300):
        await beside_the_daemon(place, config, did, file, addresses, on_ready, ready)


async def beside_the_daemon(place, config, did, file, addresses, on_ready, ready):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, config, on_ready)
        await ready.wait()
        signer = await trio.to_thread.run_sync(load_signer, config.issuer.hub.account)
        async with httpx.AsyncClient(base_url=addresses[0], trust_env=False, timeout=60) as http:
            async with open_hub_door(config.issuer.hub, signer) as door:
                await until_ready(http)
                (place.folder / "claims.json").write_text('{"level": "B"}')
                words = ["--config", file, "--type", "licence", "--claims", place.folder / "claims.json"]
                offer = json.loads(
                    await trio.to_thread.run_sync(
                        lambda: place.run("identity", "issue", *words, "--reference", "case-1")
                    )
                )
                assert (await take(http, offer)).status_code == 200
                record = await until(door, log_key(did), lambda raw: decode_log_record(raw).size == 2)
                assert decode_log_record(record).size == 2
                await trio.to_thread.run_sync(
                    lambda: place.run("identity", "revoke", "--config", file, "--reference", "case-1")
                )
                listed = await until(door, list_key(did, 0), lambda raw: decode_list_record(raw).updates > 0)
                assert decode_list_record(listed).token_hash != bytes(32)
        nursery.cancel_scope.cancel()


async def take(http, offer):
    """Two credentials of an offer, as a wallet with bearer tokens takes them."""
    fetched = (await http.get(offer["offer_uri"].removeprefix(BASE))).json()
    ((grant, said),) = fetched["grants"].items()
    form = {"grant_type": grant, "pre-authorized_code": said["pre-authorized_code"]}
    form["tx_code"] = offer["transaction_code"]
    token = (await http.post("/token", data=form)).json()["access_token"]
    nonce = (await http.post("/nonce")).json()["c_nonce"]
    proofs = []
    for number in range(2):
        wallet = numbered_signer(number)
        claims = {"aud": BASE, "iat": int(time.time()), "nonce": nonce}
        proofs.append(signed(wallet, {"typ": "openid4vci-proof+jwt", "jwk": wallet.jwk}, claims))
    body = {"credential_configuration_id": "licence", "proofs": {"jwt": proofs}}
    return await http.post("/credential", json=body, headers={"authorization": f"Bearer {token}"})


async def until_ready(http) -> None:
    """A list is open on the hub."""
    while True:
        if (await http.get("/readyz")).status_code == 200:
            return
        await trio.sleep(0.2)


async def until(door, key, holds) -> bytes:
    while True:
        raw = await door.record(key)
        if raw is not None and holds(raw):
            return raw
        await trio.sleep(0.2)
