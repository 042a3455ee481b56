"""`python -m bench keys`: signatures by keys of each kind, and how many a second, judged in the same run.

First 8 requests in flight at `hutong signer run` over HTTPS with certificates of both sides, the way a relay asks it; it writes
each line to disk before it signs. Then transactions signed by 16 tasks with a key of each kind that this machine has: in a
keystore, with that signer, and on a token of SoftHSM2 where the nodes are provisioned. Every signature is looked at by
libsecp256k1 (low s, and the recovery id leads to the key) and verified by OpenSSL. Exits with 1 where a bound does not hold.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from rich.console import Console
from rich.table import Table

from bench.direct_lane import cpu_ms_of
from bench.keys.signer_process import running_signer
from hutong.light_clients.crypto import secp256k1
from hutong.relay.config import KeystoreConfig
from hutong.relay.keys import KeySource, create_keystore, open_source
from hutong.relay.keys.documents import EvmTransaction
from tests.nodes.provision import NotProvisioned
from tests.relay.keys.documents import transaction

IN_FLIGHT = 8
TASKS = 16
LEAST_PER_S = 50
_DIGEST = ec.ECDSA(Prehashed(SHA256()))
"""OpenSSL verifies the 32 bytes of Keccak-256 as if they were SHA-256's: ECDSA does not see the difference."""
SECRET = bytes(range(1, 33))
KINDS = ("keystore", "eth1-signer", "pkcs11")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=1_000, help="transactions signed by each kind")
    parser.add_argument("--requests", type=int, default=400, help="signatures asked of the signer, 8 in flight")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="which kinds sign")
    parser.add_argument("--processes", type=int, default=2, help="sessions of the token")


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Exits with 1 where a signature is wrong, or the signer is slower than 50 a second."""
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as folder:
        found = trio.run(_run, Path(folder), arguments)
    table = Table(title="signatures by kind of key, all judged by libsecp256k1 and OpenSSL", title_justify="left")
    for name in ("kind", "in flight", "signed", "per second", "CPU-ms each", "high s", "wrong v", "refused by OpenSSL"):
        table.add_column(name, justify="left" if name == "kind" else "right", no_wrap=name == "kind")
    for row in found:
        judged = row.judged
        table.add_row(
            *(row.name, str(row.in_flight), f"{row.signed:,}", f"{row.per_s:,.0f}", f"{row.cpu_ms:.2f}"),
            *(str(judged[name]) for name in ("high s", "wrong v", "refused by OpenSSL")),
        )
    console.print(table)
    load = os.getloadavg()
    console.print(f"load {load[0]:.1f}; required: {LEAST_PER_S} a second of the signer, no wrong signature")
    print(
        json.dumps(
            [{"kind": one.name, "signed": one.signed, "per_s": round(one.per_s, 1), **one.judged} for one in found]
        )
    )
    if any(one.is_wrong for one in found):
        raise SystemExit(1)


@dataclass(slots=True)
class Row:
    """What one kind gave. `cpu_ms` is this process's processor time a signature, and the signer's where it has one."""

    name: str
    in_flight: int
    signed: int = 0
    took_s: float = 0.0
    cpu_ms: float = 0.0
    least_per_s: float = 0.0
    judged: Counter[str] = field(default_factory=Counter)

    @property
    def per_s(self) -> float:
        return self.signed / self.took_s

    @property
    def is_wrong(self) -> bool:
        return any(self.judged.values()) or self.per_s < self.least_per_s


async def _run(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    found: list[Row] = []
    async with running_signer(folder, SECRET) as (source, process_id):
        found.append(await _measured("signer, HTTPS", source, arguments.requests, IN_FLIGHT, process_id))
        found[0].least_per_s = LEAST_PER_S
        if "eth1-signer" in arguments.kinds:
            found.append(await _measured("eth1-signer", source, arguments.count, TASKS, process_id))
    for kind in arguments.kinds:
        if kind == "eth1-signer":
            continue
        async with _opened(kind, folder, arguments.processes) as key:
            if key is not None:
                found.append(await _measured(kind, key, arguments.count, TASKS))
    return found


@asynccontextmanager
async def _opened(kind: str, folder: Path, processes: int) -> AsyncIterator[KeySource | None]:
    """None where this machine has no such key."""
    async with AsyncExitStack() as stack:
        if kind == "keystore":
            create_keystore(folder / "bench.json", SECRET, b"p", iterations=2)
            source = open_source(KeystoreConfig(keystore=folder / "bench.json", password_env="P"), {"P": "p"})
        else:
            try:
                import pkcs11  # noqa: F401 - the token's process imports it, where nobody would be told that it is missing

                from tests.nodes.tokens.soft_token import softhsm_token

                token = softhsm_token(folder / "token")
            except (NotProvisioned, ImportError) as error:
                print(f"no row of pkcs11: {error}")
                yield None
                return
            await token.generate()
            source = token.source(processes=processes)
        stack.push_async_callback(source.aclose)
        yield source


async def _measured(name: str, source: KeySource, count: int, tasks: int, process_id: int | None = None) -> Row:
    """Sign `count` transactions, `tasks` at a time; judged after the clock stopped, so that judges take no time of signers."""
    row = Row("SoftHSM2" if name == "pkcs11" else name, tasks)
    await source.sign(transaction(count))
    signed: list[tuple[EvmTransaction, bytes]] = []
    numbers = iter(range(count))

    async def sign() -> None:
        for number in numbers:
            document = transaction(number)
            signed.append((document, await source.sign(document)))

    began, cpu_s = time.monotonic(), time.process_time()
    outside_ms = 0.0 if process_id is None else cpu_ms_of(process_id)
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(sign)
    row.took_s, row.signed = time.monotonic() - began, len(signed)
    row.cpu_ms = (time.process_time() - cpu_s) * 1_000 / count
    if process_id is not None:
        row.cpu_ms += (cpu_ms_of(process_id) - outside_ms) / count
    row.judged = await trio.to_thread.run_sync(judged, source.public_key, signed)
    return row


def judged(public_key: bytes, signed: list[tuple[EvmTransaction, bytes]]) -> Counter[str]:
    """How many are wrong, by what is wrong with them: by libsecp256k1, and by OpenSSL."""
    found: Counter[str] = Counter({"high s": 0, "wrong v": 0, "refused by OpenSSL": 0})
    openssl = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public_key)
    for document, signature in signed:
        digest = document.digest
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        found["high s"] += s > secp256k1.HALF_ORDER
        recovered = secp256k1.recover_public_key(digest, signature, allow_high_s=True)
        found["wrong v"] += recovered is None or secp256k1.compress(recovered) != public_key
        try:
            openssl.verify(encode_dss_signature(r, s), digest, _DIGEST)
        except InvalidSignature:
            found["refused by OpenSSL"] += 1
    return found
