"""A remote chain with an honest ICS-20 v2 application of its own, whose escrow and vouchers a test can count.

What it says to the hub goes through the hub's own door, with real headers and proofs; a hostile chain just commits other
bytes than its application would.
"""

import trio

from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Acknowledgement, Packet, Payload
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    SUCCESS_ACKNOWLEDGEMENT,
    TRANSFER_PORT,
    TRANSFER_VERSION,
    Denom,
    ForwardInstruction,
    TransferData,
    decode_transfer,
    encode_forward_memo,
    encode_transfer,
)
from hutong.relay.evm.rpc.json_params import Params
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import FORWARDER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from tests.relay.hub.simulated_hub import Outcome, RemoteChain, SimulatedHub

TOKEN = "0x" + "ab" * 20
ALICE = "0x" + "a1" * 20
BOB = "0x" + "b0" * 20
HUB_ACCOUNT = bytes.fromhex("c0" * 20)


def transfer_payload(data: TransferData, encoding: str = ABI_ENCODING, **changed: str) -> Payload:
    fields = {
        "source_port": TRANSFER_PORT,
        "destination_port": TRANSFER_PORT,
        "version": TRANSFER_VERSION,
        "encoding": encoding,
    }
    return Payload(**(fields | changed), value=encode_transfer(data, encoding))


def transfer_of(packet: Packet) -> TransferData:
    payload = packet.payloads[0]
    return decode_transfer(payload.value, payload.encoding)


class TokenChain(RemoteChain):
    def __init__(self, hub: SimulatedHub, *, salt: int = 0) -> None:
        super().__init__(hub, salt=salt)
        self.escrow: dict[str, int] = {}
        self.vouchers: dict[str, int] = {}

    # --- the application on this chain

    def on_hub(self, token: str = TOKEN) -> Denom:
        """What the hub calls a token that is at home here."""
        return Denom.parse(token).prefixed(TRANSFER_PORT, self.client)

    def lock(self, data: TransferData) -> None:
        """Escrow what goes out for the first time, burn what goes home."""
        book = self.vouchers if Denom.parse(data.denom).is_returning(TRANSFER_PORT, self.own_client) else self.escrow
        sign = -1 if book is self.vouchers else 1
        book[data.denom] = book.get(data.denom, 0) + sign * data.amount
        assert book[data.denom] >= 0

    def refund(self, packet: Packet) -> None:
        """After an error or a timeout of what this chain sent."""
        data = transfer_of(packet)
        book = self.vouchers if Denom.parse(data.denom).is_returning(TRANSFER_PORT, self.own_client) else self.escrow
        sign = 1 if book is self.vouchers else -1
        book[data.denom] = book.get(data.denom, 0) + sign * data.amount
        assert book[data.denom] >= 0

    def credit(self, packet: Packet) -> bytes:
        """Receive a packet of the hub as ICS-20 does."""
        data, payload = transfer_of(packet), packet.payloads[0]
        denom = Denom.parse(data.denom)
        if denom.is_returning(payload.source_port, packet.source_client):
            home = denom.stripped().path
            if self.escrow.get(home, 0) < data.amount:
                return ERROR_ACKNOWLEDGEMENT
            self.escrow[home] -= data.amount
        else:
            voucher = denom.prefixed(TRANSFER_PORT, packet.destination_client).path
            self.vouchers[voucher] = self.vouchers.get(voucher, 0) + data.amount
        return SUCCESS_ACKNOWLEDGEMENT

    # --- to the hub and back

    def send_transfer(
        self,
        amount: int = 100,
        to: str | None = None,
        *,
        denom: str = TOKEN,
        receiver: str = "0x" + HUB_ACCOUNT.hex(),
        deadline_s: int | None = None,
        encoding: str = ABI_ENCODING,
        honest: bool = True,
    ) -> Packet:
        """To an account of the hub, or, with `to`, on over that client of the hub."""
        memo = ""
        if to is not None:
            memo = encode_forward_memo(ForwardInstruction(BOB, to, deadline_s or self.hub.time_s + 500))
        data = TransferData(denom, ALICE, receiver, amount, memo)
        if honest:
            self.lock(data)
        return self.send(transfer_payload(data, encoding))

    def voucher_here(self, denom: Denom) -> str:
        """What this chain calls a denomination of the hub."""
        return denom.prefixed(TRANSFER_PORT, self.own_client).path

    def take(self, packet: Packet) -> Outcome:
        """Receive a packet of the hub honestly and bring the acknowledgement back."""
        return self.answer(packet, self.credit(packet))

    def settle_at_home(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        """What the hub acknowledged arrives here: an error is refunded."""
        if acknowledgement.is_error:
            self.refund(packet)


def held(hub: SimulatedHub, denom: Denom, account: bytes = HUB_ACCOUNT) -> int:
    return hub.read(TRANSFER_ADDRESS, interface.BALANCE_OF, denom.path, "0x" + account.hex())


def supply(hub: SimulatedHub, denom: Denom) -> int:
    return hub.read(TRANSFER_ADDRESS, interface.SUPPLY_OF, denom.path)


def escrowed(hub: SimulatedHub, client: str, denom: Denom) -> int:
    return hub.read(TRANSFER_ADDRESS, interface.ESCROWED, client, denom.path)


def homeward(hub: SimulatedHub, denom: Denom) -> int:
    return hub.read(TRANSFER_ADDRESS, interface.HOMEWARD, denom.path)


def forward_failure(hub: SimulatedHub, packet: Packet) -> str:
    """Why the hub failed a packet that it received."""
    return hub.read(FORWARDER_ADDRESS, abi.GET_FORWARD_FAILURE, packet.destination_client, packet.sequence)


def ask(hub: SimulatedHub, method: str, *params: object) -> object:
    """A `hutong_*` method over the simulated hub's ledger, without a socket."""
    methods = HutongMethods(hub.ledger.application).methods()
    return trio.run(methods[method], Params(list(params)))
