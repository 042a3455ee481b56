"""Why a hub answered with an error that it had sent on: asked of its nodes, which may say anything or nothing."""

from hutong.adapters.hub.forward_failures import MAX_REASON_CHARS, explained
from hutong.adapters.interface import PacketEvent, PacketEventKind
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload
from tests.adapters.hub.test_hub_endless_answers import node
from tests.adapters.rpc.hostile_server import error, result


def event(sequence, kind=PacketEventKind.WRITE_ACKNOWLEDGEMENT, acknowledgement=ERROR, refusal=None):
    payload = Payload("transfer", "transfer", "ics20-1", "application/json", b"{}")
    packet = Packet(sequence, "client-0", "bft-evm-0", 2_000_000_000, (payload,))
    return PacketEvent(kind, 7, 7, bytes(32), 0, packet, acknowledgement, refusal)


async def test_trial_T5_error_acknowledgements_have_the_hubs_reason_and_nothing_else_is_asked():
    said = {
        "0x1": "transfer over bft-evm-1: timed out at the destination at 7",
        "0x2": "two\nlines\x1b[31m",
        "0x3": None,
        "0x4": "x" * (MAX_REASON_CHARS + 1),
        "0x5": {"no": "text"},
    }
    asked = []

    def answer(request):
        client, sequence = request["params"]
        asked.append((client, sequence))
        return result(request, said[sequence]) if sequence in said else error(request, -32_000, "busy")

    others = (
        event(7, refusal="forward: its own reason"),
        event(8, acknowledgement=Acknowledgement((b"\x01",))),
        event(9, PacketEventKind.TIMEOUT, None),
    )
    async with node() as (server, execution):
        server.answers["hutong_forwardFailure"] = answer
        found = await explained(execution, (*(event(sequence) for sequence in range(1, 7)), *others))
    assert [one.refusal for one in found[:6]] == [said["0x1"], "two\\nlines\\x1b[31m", None, None, None, None]
    assert found[6:] == others and found[6].refusal == others[0].refusal
    assert {sequence for _, sequence in asked} == {hex(sequence) for sequence in range(1, 7)}
    assert {client for client, _ in asked} == {"bft-evm-0"}
