"""ICS-20 sends from a Cosmos chain over a v2 client, as its wallets make them.

`MsgTransfer` with a client id where a channel stood: ibc-go then sends a v2 packet, and turns a voucher's `ibc/HASH`
into its whole trace by itself. Its timeout goes into the packet unchanged, so it is in seconds there.
"""

from dataclasses import dataclass

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.cosmos.transactions.accounts import parse_answer
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transactions.messages import TRANSFER_URL, SdkMessage
from hutong.adapters.cosmos.transactor import CosmosTransactor
from hutong.adapters.interface import BadAnswer, Signer
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import cosmos_tx_pb2

PORT = "transfer"
JSON_ENCODING = "application/json"
MAX_MEMO_BYTES = 32_768
MAX_RECEIVER_BYTES = 2_048
"""ibc-go's own bounds, which count the bytes of UTF-8."""


@dataclass(frozen=True, slots=True)
class CosmosTransfer:
    """`token.denom` as the account holds it: `stake`, or `ibc/HASH` of a voucher. The timeout is absolute."""

    client_id: str
    token: Coin
    receiver: str
    timeout_timestamp_s: int
    memo: str = ""
    encoding: str = JSON_ENCODING

    def __post_init__(self) -> None:
        check_client_id(self.client_id, "client_id")
        if not 0 < self.token.amount < 2**256:
            raise MalformedInput("token.amount", "is not a positive uint256", got=self.token.amount)
        if not 0 < self.timeout_timestamp_s < 2**63:
            raise MalformedInput("timeout_timestamp_s", "is not a time", got=self.timeout_timestamp_s)
        receiver_bytes, memo_bytes = len(self.receiver.encode()), len(self.memo.encode())
        if not self.receiver.strip() or receiver_bytes > MAX_RECEIVER_BYTES:
            raise MalformedInput("receiver", f"has 1 to {MAX_RECEIVER_BYTES} bytes", got=receiver_bytes)
        if memo_bytes > MAX_MEMO_BYTES:
            raise MalformedInput("memo", f"more than {MAX_MEMO_BYTES} bytes", got=memo_bytes)


@dataclass(frozen=True, slots=True)
class SentTransfer:
    """The packet that a send made."""

    sequence: int
    height: int
    transaction_hash: bytes


def transfer_message(transfer: CosmosTransfer, sender: str) -> SdkMessage:
    """MsgTransfer of a v2 packet, with the client id where a channel's would stand.

    Args:
        sender: bech32 text of the account that holds the token and signs.
    """
    message = cosmos_tx_pb2.MsgTransfer(
        source_port=PORT,
        source_channel=transfer.client_id,
        token=cosmos_tx_pb2.Coin(denom=transfer.token.denom, amount=str(transfer.token.amount)),
        sender=sender,
        receiver=transfer.receiver,
        timeout_timestamp=transfer.timeout_timestamp_s,
        memo=transfer.memo,
        encoding=transfer.encoding,
    )
    return SdkMessage.of(TRANSFER_URL, message)


async def send_transfer(chain: CosmosChain, signer: Signer, transfer: CosmosTransfer) -> SentTransfer:
    """Escrow or burn tokens and send them in one packet.

    Raises:
        As `CosmosTransactor.execute`.
    """
    (sent,) = await send_transfers(chain, signer, [transfer])
    return sent


async def send_transfers(
    chain: CosmosChain, signer: Signer, transfers: list[CosmosTransfer]
) -> tuple[SentTransfer, ...]:
    """Send several transfers in one transaction: all of them, or none.

    Returns:
        In the order of `transfers`.

    Raises:
        BadAnswer: the chain's answer does not hold a response for each.
        As `CosmosTransactor.execute`.
    """
    transactor = CosmosTransactor(chain, signer)
    executed = await transactor.execute([transfer_message(one, transactor.address) for one in transfers])
    if len(executed.responses) != len(transfers):
        raise BadAnswer(
            "tx", "tx_result.data", f"does not hold {len(transfers)} responses", got=len(executed.responses)
        )
    return tuple(
        SentTransfer(
            parse_answer(cosmos_tx_pb2.SequenceResponse, response.value, "tx").sequence,
            executed.outcome.height,
            executed.outcome.transaction_hash,
        )
        for response in executed.responses
    )
