"""What users of a Cosmos chain sent and what came of it, read from its blocks."""

from collections.abc import Iterable
from dataclasses import dataclass

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.packet import Packet, decode_acknowledgement, decode_packet
from hutong.light_clients.ibc.transfer import decode_transfer
from hutong.relay.demo.books import Books, tokens
from hutong.relay.demo.cosmos.chain import CosmosChain, Event, Transaction

PACKET_MESSAGES = frozenset(
    f"/ibc.core.channel.v2.{name}" for name in ("MsgRecvPacket", "MsgAcknowledgement", "MsgTimeout")
)
PACKET_EVENTS = frozenset(("recv_packet", "acknowledge_packet", "timeout_packet"))


@dataclass
class CosmosBooks:
    """Of one chain, whose own token has the base `token`. `relayer` is the account whose costs are counted."""

    token: str
    relayer: str
    timed_out: int = 0
    paid_in_vain: int = 0
    transactions: int = 0
    gas: int = 0
    fee: int = 0

    def read(self, chain: CosmosChain, books: Books) -> None:
        """Everything from the first block to the newest, into `books`.

        Blocks; call it once, when nothing moves any more.
        """
        self.read_transactions(chain.transactions(), books)

    def read_transactions(self, transactions: Iterable[Transaction], books: Books) -> None:
        """Of all blocks, in order; into what is known of the other chains.

        Raises:
            VerificationError: an event holds a packet or acknowledgement that cannot be decoded.
            KeyError: an event lacks its packet.
        """
        for transaction in transactions:
            self._cost(transaction)
            if transaction.code == 0:  # what failed left nothing but its fee
                self._events(transaction.events, books)

    def _events(self, events: Iterable[Event], books: Books) -> None:
        acknowledged: object = None
        for event in events:
            match event.kind:
                case "send_packet":
                    books.sent.add(self._name(event, sent=True))
                case "write_acknowledgement":
                    entry = decode_acknowledgement(bytes.fromhex(event.attributes["encoded_acknowledgement_hex"]))
                    if not entry.is_error:
                        books.deliveries[self._name(event, sent=False)] += 1
                case "acknowledge_packet":
                    acknowledged = self._name(event, sent=True)
                case "fungible_token_packet" if acknowledged is not None and "sender" not in event.attributes:
                    # the application's verdict on the acknowledgement just before: an error gave the tokens back
                    (books.acknowledged if "success" in event.attributes else books.refunded).add(acknowledged)
                    acknowledged = None
                case "timeout_packet":
                    self.timed_out += 1
                    books.refunded.add(self._name(event, sent=True))

    def _name(self, event: Event, *, sent: bool) -> object:
        """See `tokens`. A packet says its denomination as the sending chain, which may be this one or the hub, has
        it."""
        packet: Packet = decode_packet(bytes.fromhex(event.attributes["encoded_packet_hex"]))
        (payload,) = packet.payloads
        data = decode_transfer(payload.value, payload.encoding)
        denom = Denom.parse(data.denom)
        outward = denom.is_native if sent else denom.base != self.token
        return tokens(denom.base, outward, data.amount)

    def _cost(self, transaction: Transaction) -> None:
        paid = [event for event in transaction.events if event.kind == "tx" and "fee_payer" in event.attributes]
        if not any(event.attributes["fee_payer"] == self.relayer for event in paid):
            return
        self.transactions += 1
        self.gas += transaction.gas_used
        self.fee += sum(_amount(event.attributes.get("fee", "")) for event in paid)
        if transaction.code != 0:
            self.paid_in_vain += 1
            return
        asked = sum(event.attributes.get("action") in PACKET_MESSAGES for event in transaction.events)
        done = sum(event.kind in PACKET_EVENTS for event in transaction.events)
        # A second delivery is answered NOOP: the message is there, its event is not.
        self.paid_in_vain += asked - done


def _amount(coin: str) -> int:
    digits = coin[: len(coin) - len(coin.lstrip("0123456789"))]
    return int(digits or "0")
