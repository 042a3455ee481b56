"""What the hub's RPC tells of packets that wait, and that asking costs what is open, not what was ever sent."""

from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from hutong.relay.hub.application.module import TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.rpc.unsettled import UnsettledPackets
from hutong.relay.hub.state import StateView
from tests.relay.hub.application.transfer.token_chain import ALICE, BOB, TokenChain, ask, supply
from tests.relay.hub.simulated_hub import DAPP, SimulatedHub, sent_packet

DAPP_TEXT = DAPP.address.lower()


def two_chains(hub: SimulatedHub) -> tuple[TokenChain, TokenChain]:
    return TokenChain(hub, salt=1), TokenChain(hub, salt=2)


def test_pending_forwards_of_messages_and_tokens_with_their_origins(hub):
    chain_a, chain_b = two_chains(hub)
    tokens = chain_a.send_transfer(70, chain_b.client)
    message = chain_a.send_forward(chain_b.client)
    onward = [sent_packet(chain_a.deliver(packet)) for packet in (tokens, message)]
    assert chain_a.deliver(chain_a.send_transfer(10, receiver=DAPP_TEXT)).ok
    own = interface.SEND_TRANSFER.call(chain_b.client, chain_a.on_hub().path, 10, BOB, hub.time_s + 60, "")
    assert hub.send(TRANSFER_ADDRESS, own, DAPP).ok
    assert ask(hub, "hutong_unsettled", chain_b.client) == ["0x1", "0x2", "0x3"]
    rows = ask(hub, "hutong_pendingForwards", chain_b.client)
    assert [(row["sequence"], row["kind"], row["origin"]["sequence"]) for row in rows] == [
        ("0x1", "tokens", hex(tokens.sequence)),
        ("0x2", "message", hex(message.sequence)),
    ]
    assert (rows[0]["denom"], rows[0]["amount"]) == (chain_a.on_hub().path, hex(70))
    assert all(row["origin"]["client"] == chain_a.client for row in rows)
    assert ask(hub, "hutong_pendingForwards", chain_b.client, "0x1") == rows[1:]
    assert ask(hub, "hutong_pendingForwards", chain_b.client, "0x2") == []
    assert chain_b.answer(onward[0], ERROR_ACKNOWLEDGEMENT).ok
    assert ask(hub, "hutong_unsettled", chain_b.client) == ["0x2", "0x3"]
    assert "answered with an error" in ask(hub, "hutong_forwardFailure", chain_a.client, hex(tokens.sequence))
    assert ask(hub, "hutong_stuck") == []


def test_denominations_with_their_supply(hub):
    chain_a, _ = two_chains(hub)
    assert ask(hub, "hutong_denoms") == []
    for number in (1, 2, 3):
        token = "0x" + f"{number:02x}" * 20
        assert chain_a.deliver(chain_a.send_transfer(number, denom=token, receiver=ALICE)).ok
    rows = ask(hub, "hutong_denoms")
    assert sorted(row["supply"] for row in rows) == ["0x1", "0x2", "0x3"]
    assert [row["hash"] for row in rows] == sorted(row["hash"] for row in rows)
    assert ask(hub, "hutong_denoms", rows[0]["hash"]) == rows[1:]
    denom = chain_a.on_hub("0x" + "02" * 20)
    assert supply(hub, denom) == 2
    assert f"0x{denom.digest.hex()}" in [row["hash"] for row in rows]


class CountingView:
    """A view that counts its steps."""

    def __init__(self, view: StateView) -> None:
        self._view = view
        self.steps = 0

    def get(self, key: bytes) -> bytes | None:
        self.steps += 1
        return self._view.get(key)

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        self.steps += 1
        return self._view.next(key)


def test_asking_again_costs_what_is_open_not_what_was_sent(hub):
    chain_a, chain_b = two_chains(hub)
    sent = [sent_packet(chain_a.deliver(chain_a.send_transfer(1, chain_b.client))) for _ in range(12)]
    views: list[CountingView] = []

    def newest() -> CountingView:
        views.append(CountingView(hub.view()))
        return views[-1]

    packets = UnsettledPackets(newest)
    assert packets.above(chain_b.client, 0, 100)[1] == list(range(1, 13))
    assert packets.above(chain_b.client, 0, 5)[1] == [1, 2, 3, 4, 5]
    assert packets.above(chain_b.client, 10, 100)[1] == [11, 12]
    for packet in sent[:11]:
        assert chain_b.take(packet).ok
    assert packets.above(chain_b.client, 0, 100)[1] == [12]
    later = sent_packet(chain_a.deliver(chain_a.send_transfer(1, chain_b.client)))
    assert packets.above(chain_b.client, 0, 100)[1] == [12, later.sequence]
    assert packets.above(chain_b.client, 0, 100)[1] == [12, later.sequence]
    assert views[-1].steps <= 4
    assert packets.above("bft-evm-77", 0, 100)[1] == []
    # A node that starts anew finds the same.
    assert UnsettledPackets(newest).above(chain_b.client, 0, 100)[1] == [12, later.sequence]
