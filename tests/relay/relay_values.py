"""Packets and jobs for the relay's tests."""

from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.relay.dispatch import Job, JobKind


def packet(sequence: int = 1, **fields) -> Packet:
    payload = Payload("gmpport", "gmpport", "ics27-2", "application/x-solidity-abi", b"hello")
    defaults = {
        "sequence": sequence,
        "source_client": "client-0",
        "destination_client": "bft-evm-0",
        "timeout_timestamp_s": 2_000_000_000,
        "payloads": (payload,),
    }
    return Packet(**(defaults | fields))


def job(sequence: int = 1, kind: JobKind = JobKind.RECEIVE, **fields) -> Job:
    forward = kind is JobKind.RECEIVE
    defaults = {
        "kind": kind,
        "source": "alpha" if forward else "hub",
        "destination": "hub" if forward else "alpha",
        "packet": packet(sequence),
        "acknowledgement": Acknowledgement((b"done",)) if kind is JobKind.ACKNOWLEDGE else None,
        "event_height": 7,
        "event_time_ns": 1_700_000_000_000_000_000,
        "seen_at_ns": 1_700_000_000_500_000_000,
    }
    return Job(**(defaults | fields))
