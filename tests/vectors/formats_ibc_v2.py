"""Area ibc_v2: commitments, keys and paths. The ibc-tm formats are the tendermint client's."""

from collections.abc import Iterator

from hutong.light_clients.ibc.commitment import (
    PathKind,
    acknowledgement_commitment,
    merkle_path,
    packet_commitment,
    path_key,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload, decode_packet, encode_packet
from hutong.light_clients.proofs import mpt
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@runs("ibc-v2-packet-commitment")
def commitments(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():

        def run(case=case):
            packet = Packet(
                case["sequence"],
                case["source_client"],
                case["dest_client"],
                case["timeout_timestamp"],
                tuple(
                    Payload(p["source_port"], p["dest_port"], p["version"], p["encoding"], from_hex(p["value"]))
                    for p in case["payloads"]
                ),
            )
            assert packet_commitment(packet) == from_hex(case["expected_commitment"])
            assert decode_packet(encode_packet(packet)) == packet

        yield Verification(case["name"], run, valid="error" not in case)


@runs("ibc-v2-ack-commitment")
def acknowledgements(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():

        def run(case=case):
            acknowledgement = Acknowledgement(tuple(map(from_hex, case["app_acknowledgements"])))
            assert acknowledgement_commitment(acknowledgement) == from_hex(case["expected_commitment"])

        yield Verification(case["name"], run, valid="error" not in case)


@runs("ibc-v2-packet-keys")
def keys(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():

        def run(case=case):
            kind = PathKind[case["kind"].upper()]
            assert path_key(case["client"], kind, case["sequence"]) == from_hex(case["key"])

        yield Verification(f"{case['kind']} {case['client']} {case['sequence']}", run)


@runs("ibc-v2-merkle-path")
def merkle_paths(entry: Entry, group: Group) -> Iterator[Verification]:
    for index, case in enumerate(entry.json()):

        def run(case=case):
            prefix = tuple(element.encode() for element in case["prefix"])
            path = merkle_path(prefix, case["path"].encode())
            assert path == tuple(element.encode() for element in case["expected"])

        yield Verification(f"case {index}", run, valid=not case.get("error"))


@runs("ibc-v2-erc7201-slots")
def slots(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():

        def run(case=case):
            assert mpt.erc7201_slot(case["namespace"]) == from_hex(case["slot"])

        yield Verification(case["namespace"], run)


@runs("abci-query-response-json", "eureka-solidity-groth16-json")
def facts(entry: Entry, group: Group) -> Iterator[Verification]:
    """Read only: legacy proof ops without an app hash, and a zero-knowledge proof, verify nothing here."""
    entry.json()
    yield from ()
