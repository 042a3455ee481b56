"""Erasure coding beside pyeclib's own API and, where it is given, klauspost's program: row 2 of the acceptance.

`--klauspost PROGRAM`: a program that prints the bytes a second of klauspost/reedsolomon on one goroutine, called with data, parity and
bytes of a shard.
"""

import argparse
import os
import time
from collections.abc import Callable

from pyeclib.ec_iface import ECDriver
from rich.console import Console
from rich.table import Table

from hutong.light_clients.crypto.erasure import CauchyCode, engine_version
from hutong.relay.base.child_processes import output_of

MEGA = 1e6
LIMIT_S = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench storage coding`."""
    parser.add_argument("--data", type=int, default=10)
    parser.add_argument("--parity", type=int, default=4)
    parser.add_argument("--shard", type=int, nargs="*", default=[65_536, 2**20, 8 * 2**20], help="bytes")
    parser.add_argument("--klauspost", metavar="PROGRAM")


def _rates(works: dict[str, Callable[[], object]], size: int) -> dict[str, float]:
    """Bytes a second of processor time, in turns, the best of three rounds each."""
    best = dict.fromkeys(works, 0.0)
    for _ in range(3):
        for name, work in works.items():
            began, times = time.process_time(), 0
            while (took := time.process_time() - began) < 0.1:
                work()
                times += 1
            best[name] = max(best[name], times * size / took)
    return best


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Print a row for each size of shards."""
    data, parity = arguments.data, arguments.parity
    table = Table(title=f"{data} + {parity}, ISA-L {engine_version()}, MB/s of data, one core", title_justify="left")
    names = ["shard", "encode", "rebuild lost", "pyeclib encode", "pyeclib decode", "ours over pyeclib"]
    if arguments.klauspost:
        names += ["klauspost encode", "ours over klauspost"]
    for name in names:
        table.add_column(name, justify="right")
    for shard in arguments.shard:
        rates = _of_size(data, parity, shard)
        row = [f"{shard:,}", *(f"{rate / MEGA:,.0f}" for rate in rates.values())]
        row.append(f"{rates['encode'] / rates['pyeclib encode']:.1f}")
        if arguments.klauspost:
            command = (arguments.klauspost, str(data), str(parity), str(shard))
            theirs = float(output_of(command, LIMIT_S))
            row += [f"{theirs / MEGA:,.0f}", f"{rates['encode'] / theirs:.2f}"]
        table.add_row(*row)
    console.print(table)


def _of_size(data: int, parity: int, shard: int) -> dict[str, float]:
    code = CauchyCode(data, parity)
    octets = os.urandom(data * shard)
    plain = [bytearray(octets[at : at + shard]) for at in range(0, len(octets), shard)]
    room = [bytearray(shard) for _ in range(parity)]
    code.encode_into(plain, room)
    lost = range(min(parity, data))
    left = {number: one for number, one in enumerate([*plain, *room]) if number not in lost}
    driver = ECDriver(k=data, m=parity, ec_type="isa_l_rs_cauchy")
    fragments = driver.encode(octets)[len(lost) :]
    works: dict[str, Callable[[], object]] = {
        "encode": lambda: code.encode_into(plain, room),
        "rebuild lost": lambda: code.rebuild(left, tuple(lost)),
        "pyeclib encode": lambda: driver.encode(octets),
        "pyeclib decode": lambda: driver.decode(fragments),
    }
    return _rates(works, len(octets))
