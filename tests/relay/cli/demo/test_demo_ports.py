"""Ports of the demo's programs: below the kernel's own, and never the same for two processes."""

import socket
import subprocess
import sys

import pytest

from hutong.relay.local import ports
from hutong.relay.local.ports import free_base_port, free_port, free_ports
from hutong.relay.local.processes import DemoFailed

FEW = 8
CLAIM_ALL = f"""
import sys
from hutong.relay.local import ports
ports.LOWEST = int(sys.argv[1])
ports.HIGHEST = ports.LOWEST + {FEW} - 1
print(*ports.free_ports({FEW}), flush=True)
sys.stdin.read()
"""


def test_ports_differ_and_the_kernel_gives_none_of_them_away():
    claimed = free_ports(100)
    assert len(set(claimed)) == 100
    assert all(ports.LOWEST <= port <= ports.HIGHEST for port in claimed)


def test_a_base_port_has_every_offset_free():
    base = free_base_port((0, 1, 5))
    with socket.socket() as first, socket.socket() as last:
        first.bind(("127.0.0.1", base))
        last.bind(("127.0.0.1", base + 5))
    assert ports.CLAIMED >= {base, base + 1, base + 5}


def test_another_process_gets_a_port_only_after_its_holder_ends(monkeypatch):
    start = free_base_port(range(FEW))
    ports.CLAIMED.difference_update(range(start, start + FEW))
    for port in range(start, start + FEW):
        ports.fcntl.lockf(ports._file(), ports.fcntl.LOCK_UN, 1, port)
    monkeypatch.setattr(ports, "LOWEST", start)
    monkeypatch.setattr(ports, "HIGHEST", start + FEW - 1)
    command = [sys.executable, "-c", CLAIM_ALL, str(start)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert sorted(map(int, holder.stdout.readline().split())) == list(range(start, start + FEW))
        with pytest.raises(DemoFailed, match=f"no free ports between {start} and {start + FEW - 1}"):
            free_port()
    assert free_port() in range(start, start + FEW)


def test_a_port_that_somebody_listens_on_is_not_chosen(monkeypatch):
    taken = free_port()
    ports.CLAIMED.discard(taken)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", taken))
        listener.listen()
        monkeypatch.setattr(ports, "LOWEST", taken)
        monkeypatch.setattr(ports, "HIGHEST", taken)
        with pytest.raises(DemoFailed):
            free_port()
