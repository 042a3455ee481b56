"""`hutong signer run` as a process of its own, with certificates of both sides, and a key's source that asks it."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from hutong.light_clients.crypto import secp256k1
from hutong.relay.config import Eth1SignerConfig
from hutong.relay.keys import KeySource, create_keystore, open_source
from tests.adapters.rpc.guarded_server import authority, signed_by

REQUESTS_PER_S = 100_000
"""So that what is measured is the signer, not its bound."""
CONFIG = """
[signer]
listen = "127.0.0.1:0"
record = "signed.jsonl"
tls_certificate = "{server}"
tls_key = "{server_key}"
client_ca = "{clients}"
requests_per_s = {requests_per_s}

[[keys]]
keystore = "signer.json"
password_file = "password"
policy = {{ documents = ["evm-transaction"], chains = ["31337"], value_wei = 5, cost_per_day_wei = {limit} }}
"""


@asynccontextmanager
async def running_signer(folder: Path, secret: bytes) -> AsyncIterator[tuple[KeySource, int]]:
    """A source that asks it, and the signer's process id. Its policy counts the day, as an operator's would."""
    serving, clients = authority(folder, "serving"), authority(folder, "clients")
    (server, server_key), (client, client_key) = signed_by(serving, "server"), signed_by(clients, "client")
    create_keystore(folder / "signer.json", secret, b"p", iterations=2)
    config = folder / "signer.toml"
    text = CONFIG.format(
        server=server, server_key=server_key, clients=clients, requests_per_s=REQUESTS_PER_S, limit=10**30
    )
    for file, content in ((folder / "password", "p"), (config, text)):
        file.write_text(content)
        file.chmod(0o600)
    process = subprocess.Popen(  # noqa: ASYNC220 - begun once, before anything is measured
        [sys.executable, "-m", "hutong.relay.cli", "signer", "run", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the process was started with a pipe")
        ready = await trio.to_thread.run_sync(process.stdout.readline)
        url = ready.partition(" ready at ")[2].partition(": record")[0]
        table = {"kind": "eth1-signer", "url": url, "public_key": secp256k1.public_key_of(secret).hex()}
        files = {"ca_file": str(serving), "client_certificate": str(client), "client_key": str(client_key)}
        source = open_source(Eth1SignerConfig.model_validate(table | files | {"in_flight": 16, "timeout_ms": 60_000}))
        try:
            yield source, process.pid
        finally:
            with trio.CancelScope(shield=True):
                await source.aclose()
    finally:
        process.terminate()
        process.wait(60)
