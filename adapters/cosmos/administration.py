"""What is done once: clients made and joined, and recovered by governance (docs/spec/cosmos-transactions.md)."""

from enum import IntEnum
from typing import TypeVar

from google.protobuf.message import Message as ProtobufMessage

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.cosmos.transactions.accounts import parse_answer
from hutong.adapters.cosmos.transactions.addresses import module_address
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transactions.messages import (
    CLIENT_TYPE,
    RECOVER_CLIENT_URL,
    SUBMIT_PROPOSAL_URL,
    VOTE_URL,
    SdkMessage,
    create_client_message,
    register_counterparty_message,
)
from hutong.adapters.cosmos.transactor import CosmosTransactor, Executed
from hutong.adapters.interface import BadAnswer, InitialStates, NotSupported, Signer
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import cosmos_tx_pb2

MAX_TEXT_CHARS = 10_000
"""Of a proposal's summary; chains set their own, lower limit."""

MessageT = TypeVar("MessageT", bound=ProtobufMessage)


class VoteOption(IntEnum):
    """Of x/gov."""

    YES = 1
    ABSTAIN = 2
    NO = 3
    NO_WITH_VETO = 4


async def create_client(chain: CosmosChain, signer: Signer, states: InitialStates) -> str:
    """Create a client on `chain`, of the chain that `states` are of, and return its identifier.

    The signer alone may register its counterparty.

    Raises:
        NotSupported: a client type other than 07-tendermint.
        BadAnswer: the chain's response names no identifier.
        As `CosmosTransactor.execute`.
    """
    if states.client_type != CLIENT_TYPE:
        raise NotSupported(f"a {states.client_type} client on a Cosmos chain: only {CLIENT_TYPE}")
    transactor = CosmosTransactor(chain, signer)
    message = create_client_message(states.client_state, states.consensus_state, transactor.address)
    executed = await transactor.execute([message])
    client_id = str(_response(executed, cosmos_tx_pb2.MsgCreateClientResponse).client_id)
    try:
        check_client_id(client_id, "client_id")
    except MalformedInput as error:
        raise BadAnswer("tx", "client_id", str(error), got=client_id[:128]) from error
    return client_id


async def register_counterparty(
    chain: CosmosChain, signer: Signer, client_id: str, counterparty_id: str, merkle_prefix: tuple[bytes, ...]
) -> None:
    """Say which client of the other chain belongs to `client_id`, and that chain's Merkle prefix. It can be said only
    once.

    Args:
        signer: of the account that created the client; the chain refuses every other.
        counterparty_id: of the other chain's client that follows this chain.

    Raises:
        As `CosmosTransactor.execute`.
    """
    transactor = CosmosTransactor(chain, signer)
    message = register_counterparty_message(client_id, counterparty_id, merkle_prefix, transactor.address)
    await transactor.execute([message])


async def propose_recovery(
    chain: CosmosChain, signer: Signer, subject: str, substitute: str, deposit: Coin, title: str, summary: str
) -> int:
    """Submit a governance proposal that an active client takes the place of a frozen or expired one.

    Args:
        subject, substitute: the client that is replaced, and the one that replaces it.
        deposit: what the proposer puts down now; below the chain's minimum the proposal waits for more.

    Returns:
        The proposal's number.

    Raises:
        MalformedInput: title or summary is empty or too long.
        As `CosmosTransactor.execute`.
    """
    for name, text in (("title", title), ("summary", summary)):
        if not text or len(text) > MAX_TEXT_CHARS:
            raise MalformedInput(name, f"has 1 to {MAX_TEXT_CHARS} characters", got=len(text))
    transactor = CosmosTransactor(chain, signer)
    recovery = cosmos_tx_pb2.MsgRecoverClient(
        subject_client_id=subject,
        substitute_client_id=substitute,
        signer=module_address(chain.settings.bech32_prefix, "gov"),
    )
    proposal = cosmos_tx_pb2.MsgSubmitProposal(
        messages=[SdkMessage.of(RECOVER_CLIENT_URL, recovery).to_any()],
        initial_deposit=[cosmos_tx_pb2.Coin(denom=deposit.denom, amount=str(deposit.amount))],
        proposer=transactor.address,
        title=title,
        summary=summary,
    )
    executed = await transactor.execute([SdkMessage.of(SUBMIT_PROPOSAL_URL, proposal)])
    return int(_response(executed, cosmos_tx_pb2.MsgSubmitProposalResponse).proposal_id)


async def vote(chain: CosmosChain, signer: Signer, proposal_id: int, option: VoteOption) -> None:
    """Vote on an open proposal of x/gov with what the signer has staked; a later vote replaces it.

    Raises:
        As `CosmosTransactor.execute`.
    """
    transactor = CosmosTransactor(chain, signer)
    ballot = cosmos_tx_pb2.MsgVote(proposal_id=proposal_id, voter=transactor.address, option=option)
    await transactor.execute([SdkMessage.of(VOTE_URL, ballot)])


def _response(executed: Executed, message_type: type[MessageT]) -> MessageT:
    if len(executed.responses) != 1:
        raise BadAnswer("tx", "tx_result.data", "does not hold one response", got=len(executed.responses))
    return parse_answer(message_type, executed.responses[0].value, "tx")
