"""Second legs are looked up: a hub with thousands of packets costs a bundle no more than one with two."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from hutong.light_clients.ibc.forward import decode_stamped_payload, encode_stamped_payload
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.ibc.transfer import decode_transfer, encode_transfer
from hutong.relay.archive.bundle import decode_bundle
from hutong.relay.archive.legs import is_second_leg, link_of_first, link_of_second
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.archiving.bundling import Exporter, export
from hutong.relay.core.topology.paths import Paths

RECORDED = Path(__file__).parents[2] / "audit" / "recorded"
OTHERS = 4_096


def legs_of(name: str) -> tuple[Packet, Packet]:
    first, second = decode_bundle((RECORDED / f"{name}.bundle.json").read_bytes()).legs
    return first.packet, second.packet


def another(second: Packet, number: int) -> Packet:
    """The same second leg, of the first leg that many further on."""
    payload = second.payloads[0]
    if payload.source_port == "transfer":
        data = decode_transfer(payload.value, payload.encoding)
        value = encode_transfer(replace(data, amount=data.amount + number), payload.encoding)
    else:
        stamped = decode_stamped_payload(payload.value)
        stamp = replace(stamped.stamp, sequence=stamped.stamp.sequence + number)
        value = encode_stamped_payload(replace(stamped, stamp=stamp))
    return replace(second, sequence=second.sequence + number, payloads=(replace(payload, value=value),))


class Kept:
    """Evidence of every packet of a hub."""

    def __init__(self, packets: list[Packet]) -> None:
        self.packets = {packet.sequence: packet for packet in packets}

    async def sent_packets(self, chain: str, client_id: str, most: int | None) -> dict[int, Packet]:
        return self.packets


@pytest.mark.long
@pytest.mark.parametrize("name", ["message-delivered", "tokens-delivered"])
async def test_one_comparison_finds_a_second_leg_among_thousands(name, monkeypatch):
    first, second = legs_of(name)
    compared = []

    def counted(one: Packet, other: Packet) -> bool:
        compared.append(other.sequence)
        return is_second_leg(one, other)

    monkeypatch.setattr(export, "is_second_leg", counted)
    kept = Kept([second, *(another(second, number) for number in range(1, OTHERS))])
    exporter = Exporter({}, Paths.of([]), kept)
    end = PathEnd(chain="hub", client=second.source_client)
    assert await exporter.candidates(end, first) == [second.sequence]
    assert compared == [second.sequence]


@pytest.mark.parametrize("name", ["message-delivered", "message-refused-by-the-hub", "tokens-delivered"])
def test_legs_that_belong_together_have_one_link(name):
    legs = [leg.packet for leg in decode_bundle((RECORDED / f"{name}.bundle.json").read_bytes()).legs]
    assert link_of_first(legs[0]) is not None and link_of_second(legs[0]) is None or "tokens" in name
    if len(legs) == 2:
        assert link_of_first(legs[0]) == link_of_second(legs[1]) != link_of_second(another(legs[1], 1))
        broken = replace(legs[1], payloads=(replace(legs[1].payloads[0], value=b"?"),))
        assert link_of_second(broken) is None


async def test_the_hub_is_asked_for_no_more_packets_than_the_caller_allows():
    first, second = legs_of("message-delivered")
    asked = []

    class Hub:
        async def next_sequence_send(self, client_id: str) -> int:
            return second.sequence + 201

        async def sent_packet(self, client_id: str, sequence: int):
            asked.append(sequence)
            return SimpleNamespace(packet=another(second, sequence - second.sequence))

    end = PathEnd(chain="hub", client=second.source_client)
    paths = Paths.of([PathConfig(a=end, b=PathEnd(chain="beta", client="client-0"))])
    newest = [another(second, number) for number in range(101, 201)]
    assert await Exporter({"hub": Hub()}, paths, Kept(newest), most_asked=50).candidates(end, first) == []
    assert asked == [second.sequence + number for number in range(100, 50, -1)]
    asked.clear()
    exporter = Exporter({"hub": Hub()}, paths, Kept(newest))
    assert await exporter.candidates(end, first) == [second.sequence] and len(asked) == 101
