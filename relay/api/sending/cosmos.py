"""Sign documents of a Cosmos chain's transfers, for a wallet to sign."""

from base64 import b64encode

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.cosmos.reading.queries import Queries
from hutong.adapters.cosmos.transactions.accounts import Accounts
from hutong.adapters.cosmos.transactions.fees import Coin, GasPrice
from hutong.adapters.cosmos.transactions.transactions import encode_auth_info
from hutong.adapters.cosmos.transfer import transfer_message
from hutong.adapters.interface import RpcRefused
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.cosmos_wish import FORWARD_MARGIN_S, CosmosWish, transfer_of
from hutong.relay.api.sending.addresses import cosmos_address
from hutong.relay.api.sending.wishes import Made, Wish
from hutong.relay.schemas.sending import Sends, UnsignedCosmos
from hutong.relay.web.problems import ApiProblem, Code, refused_field


async def prepare_on_cosmos(adapter: CosmosChain, wish: Wish, now_s: int) -> Made:
    """One MsgTransfer, simulated and priced. Nothing is signed or sent.

    Args:
        now_s: Unix time from which the packet's timeout is told.

    Raises:
        ApiProblem: a field cannot be what it should be, or a message is asked for.
        RefusedByChain: the chain would refuse it.
        AdapterError: the chain does not answer.
    """
    if wish.payload is not None:
        raise ApiProblem(
            Code.NOT_SUPPORTED, f"{adapter.name} is a Cosmos chain: it has no Mailbox to send messages with"
        )
    cosmos_address(wish.sender, adapter.settings.bech32_prefix, "sender")
    denom = await voucher_denom(adapter, wish.token)
    way = wish.choice.first if denom is None else wish.choice.way_for(denom)
    if wish.memo and way.next_client is not None:
        raise refused_field("memo", "is the instruction to the hub on a way over one; leave it empty")
    try:
        transfer = transfer_of(
            CosmosWish(
                way.client,
                wish.token,
                wish.amount,
                wish.receiver,
                way.next_client,
                wish.memo,
                wish.timeout_timestamp_s - now_s,
                FORWARD_MARGIN_S,
            ),
            now_s,
        )
    except MalformedInput as error:
        raise refused_field(error.field.rpartition(".")[2], error.reason) from None
    prepared = await adapter.submission.prepare_messages([transfer_message(transfer, wish.sender)], wish.sender)
    account = await adapter.submission.account(wish.sender)
    number = await Accounts(adapter.rpc).number(wish.sender)
    fee = Coin(prepared.fee_cap_wei, GasPrice.parse(adapter.settings.gas_price).denom)
    auth_info = encode_auth_info(None, account.pending_nonce, prepared.gas, fee)
    sequence = await adapter.next_sequence_send(way.client)
    return Made(
        way,
        [
            UnsignedCosmos(
                chain=adapter.name,
                kind="cosmos",
                chain_id=adapter.chain_id,
                account_number=number,
                sequence=account.pending_nonce,
                body_bytes=b64encode(prepared.data).decode(),
                auth_info_bytes=b64encode(auth_info).decode(),
                purpose="send the tokens",
            )
        ],
        Sends(chain=adapter.name, client=way.client, sequence=sequence),
    )


async def voucher_denom(adapter: CosmosChain, token: str) -> Denom | None:
    """Where a voucher came from, by its trace or its name in the bank (`ibc/…`).

    Returns:
        None for what is no voucher, of whatever letters.

    Raises:
        ApiProblem: the chain does not know the voucher, or the trace is not one.
        AdapterError: the chain does not answer.
    """
    if token.startswith("ibc/"):
        try:
            return await Queries(adapter.rpc).trace(token)
        except RpcRefused:
            raise refused_field("token", f"is not a voucher that {adapter.name} knows") from None
    if not token.startswith(f"{TRANSFER_PORT}/"):
        return None
    try:
        return Denom.parse(token)
    except MalformedInput as error:
        raise refused_field("token", f"is not a trace: {error.reason}") from None
