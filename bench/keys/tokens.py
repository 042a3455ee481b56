"""Keys on a token: 10^5 signatures of SoftHSM2 from 16 tasks, each judged by libsecp256k1 and by OpenSSL.

Rates on a machine that does other things as well say little: the processor time of both sides says what a free one would do.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import trio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from rich.console import Console
from rich.table import Table

from hutong.light_clients.crypto import secp256k1
from hutong.relay.keys.documents import SigningDocument
from hutong.relay.keys.sources.pkcs11.source import Pkcs11Key
from tests.nodes.tokens.soft_token import softhsm_token
from tests.relay.keys.documents import documents, transaction

TASKS = 16
NEEDED_PER_S = 1_000


@dataclass
class Verdicts:
    """What 16 tasks got: `high` s, `wrong` v or key, and `failed` calls, of which there must be none."""

    made: int = 0
    high: int = 0
    wrong: int = 0
    wrong_for_openssl: int = 0
    failed: int = 0
    waits_s: list[float] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--signatures", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)


def main(console: Console, arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as folder:
        trio.run(_measure, console, Path(folder), arguments.signatures, arguments.processes)


async def _measure(console: Console, folder: Path, signatures: int, processes: int) -> None:
    token = softhsm_token(folder)
    key = await token.generate()
    source, verdicts = token.source(processes=processes), Verdicts()
    asked = _asked(key, signatures)
    await source.sign(transaction(0))  # the processes have started
    load = os.getloadavg()[0]
    began_s, own_s, theirs_s = time.monotonic(), _processor_s(), _children_s()
    async with trio.open_nursery() as nursery:
        for task in range(TASKS):
            nursery.start_soon(_sign, source, asked[task::TASKS], verdicts)
    wall_s, own_s = time.monotonic() - began_s, _processor_s() - own_s
    await source.aclose()
    theirs_s = _children_s() - theirs_s
    _print(console, verdicts, wall_s, (own_s, theirs_s), processes, load)


def _asked(key: bytes, signatures: int) -> list[SigningDocument]:
    """Transactions, with one attestation, vote, Cosmos transaction and the like among a hundred of them."""
    others = list(documents(key).values())
    return [
        others[number // 100 % len(others)] if number % 100 == 0 else transaction(number)
        for number in range(signatures)
    ]


async def _sign(source: Pkcs11Key, asked: list[SigningDocument], verdicts: Verdicts) -> None:
    point = secp256k1.decompress(source.public_key)
    assert point is not None
    openssl = ec.EllipticCurvePublicNumbers(*point, ec.SECP256K1()).public_key()
    for document in asked:
        began_s = time.monotonic()
        try:
            signature = await source.sign(document)
        except Exception:
            verdicts.failed += 1
            continue
        verdicts.waits_s.append(time.monotonic() - began_s)
        _judge(openssl, source.public_key, document.digest, signature, verdicts)


def _judge(openssl: ec.EllipticCurvePublicKey, key: bytes, digest: bytes, signature: bytes, verdicts: Verdicts) -> None:
    verdicts.made += 1
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    verdicts.high += s > secp256k1.HALF_ORDER
    found = secp256k1.recover_public_key(digest, signature)
    verdicts.wrong += found is None or secp256k1.compress(found) != key
    if verdicts.made % 10 == 0:  # OpenSSL's is twenty times slower
        try:
            openssl.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))
        except InvalidSignature:
            verdicts.wrong_for_openssl += 1


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _print(
    console: Console, found: Verdicts, wall_s: float, spent_s: tuple[float, float], processes: int, load: float
) -> None:
    own_ms, theirs_ms = (1_000 * spent / max(found.made, 1) for spent in spent_s)
    table = Table(
        title=f"{found.made:,} signatures of SoftHSM2 by {TASKS} tasks, load {load:.1f} before", title_justify="left"
    )
    table.add_column("what")
    table.add_column("found", justify="right")
    rows = (
        ("high s", f"{found.high}"),
        ("wrong v or key (libsecp256k1)", f"{found.wrong}"),
        ("refused by OpenSSL, of every tenth", f"{found.wrong_for_openssl}"),
        ("calls that failed", f"{found.failed}"),
        (f"per second, {processes} processes (needed: {NEEDED_PER_S:,})", f"{found.made / wall_s:,.0f}"),
        ("ms of processor a signature, tokens' processes", f"{theirs_ms:.2f}"),
        ("ms of processor a signature, ours with the judging", f"{own_ms:.2f}"),
        ("median wait of a task", f"{1_000 * statistics.median(found.waits_s or [0]):.1f} ms"),
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)
