"""What an audit with fresh eyes broke or tried to break: settlement, the last-signed record, memory and answers."""

import errno
import os
import resource
from dataclasses import replace

import pytest
from eth_abi.abi import encode

from hutong.light_clients.ibc.forward import MAX_FORWARD_VALUE_BYTES, decode_forward_request
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement
from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process import start
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.simulated_hub import forward_payload, sent_packet, written_acknowledgement

LONGEST_ANSWER = b"\x20" + bytes(16 * 1024 - 1)


def test_attack_E18_hub_forward_that_could_be_delivered_but_never_settled_is_refused(hub, chain_a, chain_b):
    """120 000 bytes fit a receive on either chain; with the longest answer they fit no transaction that settles."""
    within = forward_payload(chain_b.client, hub.time_s + 500, bytes([255]) * MAX_FORWARD_VALUE_BYTES)
    request = decode_forward_request(within.value)
    fields = [getattr(request, name) for name in request.__slots__]
    one_more = encode(["(string,string,string,string,uint64,bytes)"], [(*fields[:-1], request.value + b"x")])
    for value in (one_more, bytes([255]) * 120_000):
        refused = chain_a.deliver(chain_a.send(replace(within, value=value)))
        assert written_acknowledgement(refused)[1] == ERROR
    packet = chain_a.send(within)
    leg_2 = sent_packet(chain_a.deliver(packet))
    chain_b.receive(leg_2, Acknowledgement((LONGEST_ANSWER,)))
    call = chain_b.acknowledge_call(leg_2, LONGEST_ANSWER, chain_b.update())
    assert len(call) < MAX_TRANSACTION_BYTES - 40 * 1024  # room for a proof from a far larger chain
    settled = hub.send(ROUTER_ADDRESS, call)
    assert written_acknowledgement(settled) == (packet, Acknowledgement((LONGEST_ANSWER,)))


def test_attack_C45_hub_short_write_to_a_full_disk_leaves_the_old_record(tmp_path, monkeypatch):
    """A nearly full disk takes a part and reports no error; the torn record would be renamed into place."""
    path = tmp_path / "last_signed.json"
    write_durably(path, b"old record")
    real, room = os.write, [7]

    def write(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, bytes(data)[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space left"):
        write_durably(path, b"new record, longer")
    assert path.read_bytes() == b"old record"
    room[0] = 1_000
    write_durably(path, b"new record, longer")
    assert path.read_bytes() == b"new record, longer"


def test_attack_G15_hub_raises_its_descriptor_limit_or_refuses_to_start(tmp_path, monkeypatch):
    limits = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    with pytest.raises(NodeRefused, match="hub init"):
        open_node(tmp_path)
    assert limits == [(start.LEAST_OPEN_FILES, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 512))
    with pytest.raises(NodeRefused, match="ulimit"):
        open_node(tmp_path)
