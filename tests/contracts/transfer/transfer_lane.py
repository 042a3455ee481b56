"""A lane with tokens: what a remote chain sends, what accounts here hold, and who owes what."""

from dataclasses import dataclass, replace
from typing import Any

from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Packet, Payload
from hutong.light_clients.ibc.transfer import (
    SUCCESS_ACKNOWLEDGEMENT,
    TRANSFER_PORT,
    TRANSFER_VERSION,
    TransferData,
    decode_transfer,
    encode_transfer,
)
from tests.contracts.evm import Contract, Outcome, Reverted, artifact
from tests.contracts.lane import HUB_SIDE_CLIENT, LOCAL_CLIENT, ORIGIN_CLIENT, RELAYER, REMOTE_SENDER, Lane

ALICE = b"\xa1" * 20
BOB = b"\xb0" * 20
REMOTE_TOKEN = "0x" + "cd" * 20
HOME = f"transfer/{HUB_SIDE_CLIENT}/"
"""What a token of this chain is called by the hub begins with."""
NO_LIMIT = 2**128 - 1
SUPPLY = 1_000_000


def text(account: bytes) -> str:
    return f"0x{account.hex()}"


@dataclass
class TransferLane(Lane):
    """ALICE has SUPPLY of `token` and has allowed Transfer to take it."""

    reason: Reverted | None = None
    """Why the last received packet was refused."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sequence = 0
        self.token = self.new_token()

    def new_token(self) -> Contract:
        token = self.evm.deploy("HostileToken")
        token.transact("mint", ALICE, SUPPLY)
        token.transact("approve", self.transfer.address, 2**256 - 1, sender=ALICE)
        return token

    # sending

    def send_tokens(self, amount: int = 100, *, token: Contract | None = None, **fields: Any) -> Outcome:
        return self.transfer.transact(
            "sendTransfer",
            fields.get("client", LOCAL_CLIENT),
            (token or self.token).address,
            amount,
            fields.get("receiver", REMOTE_SENDER),
            fields.get("memo", ""),
            self.evm.timestamp_s + fields.get("timeout_in_s", 3600),
            sender=fields.get("sender", ALICE),
        )

    def forward_tokens(self, amount: int = 100, *, token: Contract | None = None, **fields: Any) -> Outcome:
        return self.transfer.transact(
            "sendForwarded",
            fields.get("client", LOCAL_CLIENT),
            fields.get("next_client", ORIGIN_CLIENT),
            (token or self.token).address,
            amount,
            fields.get("receiver", REMOTE_SENDER),
            self.evm.timestamp_s + fields.get("timeout_in_s", 3600),
            sender=fields.get("sender", ALICE),
        )

    def data_of(self, packet: Packet) -> TransferData:
        (payload,) = packet.payloads
        return decode_transfer(payload.value, payload.encoding)

    def fail(self, packet: Packet, **call: Any) -> Outcome:
        return self.acknowledge(packet, ERROR_ACKNOWLEDGEMENT, **call)

    def time_out(self, packet: Packet) -> Outcome:
        height = self.pass_time_to(packet.timeout_timestamp_s)
        return self.router.transact("timeoutPacket", self.timeout_message(packet, height), sender=RELAYER)

    # receiving

    def tokens(self, denom: str, amount: int = 100, receiver: bytes | str = BOB, **fields: Any) -> Packet:
        """A packet of tokens as the hub sends it; `denom` is the hub's name of the token."""
        self.sequence += 1
        receiver = text(receiver) if isinstance(receiver, bytes) else receiver
        value = fields.pop("value", None)
        if value is None:
            data = TransferData(denom, REMOTE_SENDER, receiver, amount, fields.pop("memo", ""))
            value = encode_transfer(data, ABI_ENCODING)
        payload = Payload(TRANSFER_PORT, TRANSFER_PORT, TRANSFER_VERSION, ABI_ENCODING, value)
        return self.incoming(self.sequence, replace(payload, **fields))

    def home(self, token: Contract | None = None) -> str:
        """The hub's name of a token of this chain."""
        return HOME + (token or self.token).text

    def arrives(self, packet: Packet) -> bool:
        """Whether the tokens were taken; where not, the error acknowledgement was written, and `reason` says why."""
        outcome = self.receive(packet)
        errors = outcome.named("IBCAppRecvPacketCallbackError")
        (written,) = outcome.named("WriteAcknowledgement")
        expected = ERROR_ACKNOWLEDGEMENT if errors else SUCCESS_ACKNOWLEDGEMENT
        assert written["acknowledgements"] == (expected,)
        assert len(outcome.named("TransferReceived")) == (0 if errors else 1)
        self.reason = Reverted.of(errors[0]["reason"], 0) if errors else None
        return not errors

    # what is where

    def voucher(self, denom: str, client: str = LOCAL_CLIENT) -> Contract:
        """The ERC-20 that stands for the token that the other end of `client` calls `denom`."""
        address = bytes.fromhex(self.transfer.call("voucherAddress", f"transfer/{client}/{denom}")[2:])
        return self.evm.contracts.setdefault(address, Contract(self.evm, address, artifact("Voucher")))

    def balance(self, account: bytes, token: Contract | None = None) -> int:
        return (token or self.token).call("balanceOf", account)

    def escrow(self, token: Contract | None = None, client: str = LOCAL_CLIENT) -> int:
        return self.transfer.call("escrowOf", client, (token or self.token).address)

    def held(self, refund: bool, sequence: int, client: str = LOCAL_CLIENT) -> tuple[bytes, int, int]:
        """(id, amount, releasable at)."""
        held_id = self.transfer.call("heldId", refund, client, sequence)
        _, at, _, amount = self.transfer.call("held", held_id)
        return held_id, amount, at
