"""Plain bytes sealed, coded, masked and hashed by worker processes, beside the sum of the bare parts of the same run.

The limit is what the machine's cores would do if nothing but the libraries' own work were done: AES-GCM, SHA-256 of sections and of
leaves and nodes, BLAKE3 of content and body, ISA-L, AES-CTR, each on memory that fits the cache, one after the other.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from hashlib import sha256

import trio
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from rich.console import Console
from rich.table import Table

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.relay.acceleration.machine import usable_cores
from hutong.relay.services.storage.pipeline.pieces import Piece, SealedRun, sealed_length, sealed_room
from hutong.relay.services.storage.pipeline.pool import Pipeline, open_pipeline
from hutong.relay.services.storage.pipeline.slots import write_plain
from hutong.relay.services.storage.rules.objects.seal import ObjectKey
from hutong.relay.services.storage.rules.packs.body import SectionKind

RUN = 65_536
CHUNK = 1 << 20
MEGA = 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench storage pipeline`."""
    parser.add_argument("--packs", type=int, default=12, help="full packs, each of 84 MB of plain bytes")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--data", type=int, default=10)
    parser.add_argument("--parity", type=int, default=4)


def _rate(work: Callable[[], object], size: int) -> float:
    """Bytes a second of this thread's processor time, the best of some rounds."""
    best = 0.0
    for _ in range(5):
        began, times = time.thread_time(), 0
        while (took := time.thread_time() - began) < 0.05:
            work()
            times += 1
        best = max(best, times * size / took)
    return best


def parts(data: int, parity: int) -> list[tuple[str, float, float]]:
    """(part, bytes a second of one core, bytes of it for each plain byte)."""
    octets, coded = os.urandom(RUN), 1 + parity / data
    seal = AESGCM(bytes(32))
    mask = Cipher(AES(bytes(32)), CTR(bytes(16))).encryptor()
    out = bytearray(RUN + 16)
    columns = [bytearray(os.urandom(RUN)) for _ in range(data + parity)]
    code = CauchyCode(data, parity)
    prefix = sha256(b"\0")
    leaves = [memoryview(octets)[at : at + 1024] for at in range(0, RUN, 1024)]

    def leaf_tree() -> None:
        for leaf in leaves:
            digest = prefix.copy()
            digest.update(leaf)
            digest.digest()

    pair = octets[:65]

    def nodes() -> None:
        for _ in range(63):
            sha256(pair).digest()

    with memoryview(out) as view:
        return [
            ("content hash, BLAKE3 keyed", _rate(lambda: blake3(octets, key=bytes(32)).digest(), RUN), 1),
            ("seal, AES-256-GCM", _rate(lambda: seal.encrypt_into(bytes(12), octets, None, view), RUN), 1),
            ("section hash, SHA-256", _rate(lambda: sha256(octets).digest(), RUN), 1),
            ("pack name, BLAKE3", _rate(lambda: blake3(octets).digest(), RUN), 1),
            ("code, ISA-L", _rate(lambda: code.encode_into(columns[:data], columns[data:]), data * RUN), 1),
            ("mask, AES-256-CTR", _rate(lambda: mask.update_into(octets, view), RUN), coded),
            ("leaves of 1 KiB, SHA-256", _rate(leaf_tree, RUN), coded),
            ("nodes, SHA-256", _rate(nodes, RUN), coded),
        ]


async def _put(pipeline: Pipeline, packs: int, octets: bytes) -> int:
    """Packs of one long sealed object, as a gateway fills them; returns the plain bytes that were stored."""
    key = os.urandom(32)
    room = sealed_room(pipeline.shape, 0, 0)
    hashing = blake3(key=ObjectKey(key).hash_key)

    async def one(number: int, filled: trio.Event) -> None:
        async with pipeline.slot() as lease:
            for at in range(0, room, CHUNK):
                chunk = octets[: min(CHUNK, room - at)]
                write_plain(lease.view, 0, at, chunk)
                await trio.to_thread.run_sync(hashing.update, chunk)
            filled.set()
            run = SealedRun(key, number * (room // RUN), room, is_end=number == packs - 1)
            await pipeline.make(lease, (Piece(SectionKind.OBJECT, sealed_length(run), run),))

    async with trio.open_nursery() as nursery:
        for number in range(packs):
            filled = trio.Event()
            nursery.start_soon(one, number, filled)
            await filled.wait()
    return packs * room


def _processor_s() -> float:
    own, workers = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Print the rate, the limit of the same run, and one over the other."""
    cores = min(usable_cores(), arguments.workers)
    bare = parts(arguments.data, arguments.parity)
    spent_before = _processor_s()
    with open_pipeline(os.urandom(32), (arguments.data, arguments.parity), workers=arguments.workers) as pipeline:
        trio.run(_put, pipeline, arguments.workers, os.urandom(CHUNK))  # pages of the slots are taken once
        began = time.perf_counter()
        size = trio.run(_put, pipeline, arguments.packs, os.urandom(CHUNK))
        took = time.perf_counter() - began
    # Workers' processor time is known when they have ended, and covers the first packs as well.
    share = arguments.packs / (arguments.packs + arguments.workers)
    spent = (_processor_s() - spent_before) * share
    table = Table(title=f"{arguments.data} + {arguments.parity}, one core", title_justify="left")
    for name in ("part", "MB/s", "s for a GB of plain bytes"):
        table.add_column(name, justify="left" if name == "part" else "right")
    for name, rate, times in bare:
        table.add_row(name, f"{rate / MEGA:,.0f}", f"{times * 1e9 / rate:.2f}")
    console.print(table)
    limit = cores / sum(times / rate for _, rate, times in bare)
    by_clock, by_processor = size / took, cores * size / spent
    console.print(f"{size / MEGA:,.0f} MB of plain bytes, {arguments.workers} workers, load {os.getloadavg()[0]:.1f}")
    console.print(f"limit of the parts on {cores} cores  {limit / MEGA:,.0f} MB/s")
    for name, rate in (("by the clock", by_clock), ("by processor time", by_processor)):
        console.print(f"{name:<30}{rate / MEGA:,.0f} MB/s, {rate / limit:.0%} of the limit")
