"""What an operator or a relay makes of a node's answers: the first states of a client, updates, proofs of messages.

Nothing here judges: the client that is given these bytes does.
"""

from hutong.light_clients.bitcoin.chain import state_from_ancestors
from hutong.light_clients.bitcoin.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_membership_proof,
)
from hutong.light_clients.bitcoin.merkle import merkle_branch
from hutong.light_clients.bitcoin.messages import find_places, message_for
from hutong.light_clients.bitcoin.networks import Network, parameters_of
from hutong.light_clients.bitcoin.types import BlockHeader, ClientState, Header, MembershipProof, display
from hutong.light_clients.bitcoin.wire import decode_block, decode_transaction
from hutong.light_clients.interface import Height


def first_states(
    network: Network,
    headers: tuple[BlockHeader, ...],
    first_height: int,
    publisher_script: bytes,
    confirmation_depth: int,
    trusting_period_s: int,
) -> tuple[bytes, bytes]:
    """Client and consensus state of a client that trusts the last of `headers`; they begin at `first_height`.

    Work is counted over `headers` alone: it is the base from which this client counts on.

    Raises:
        ValueError: they do not reach back to `headers_needed_from` of the last one's height.
        MalformedInput, UnsupportedOperation: a parameter is out of bounds, or the network is not offered.
        PredicateFailed: bits of a header stand for no target.
    """
    state = state_from_ancestors(headers, first_height, parameters_of(network))
    client = ClientState(
        network=network,
        publisher_script=publisher_script,
        confirmation_depth=confirmation_depth,
        trusting_period_s=trusting_period_s,
        latest_height=Height(0, state.height),
        best_chainwork=state.chainwork,
    )
    return encode_client_state(client), encode_consensus_state(state)


def update_message(trusted_height: int, height: int, headers: tuple[BlockHeader, ...]) -> bytes:
    """For the block at `height`; `headers` run from the child of the trusted block to the tip."""
    return encode_header_message(Header(Height(0, trusted_height), Height(0, height), headers))


def message_proof(headers: tuple[BlockHeader, ...], block: bytes, key: bytes, value: bytes, funding: bytes) -> bytes:
    """That `block` holds the message of `key` and `value`, for the consensus state of the last of `headers`.

    `headers` run from the block's own. `funding` is the transaction whose output the publisher spent; like the block it
    may carry witnesses. Whether that output is the publisher's is left to the client that judges the proof.

    Raises:
        ValueError: no transaction of the block spends from `funding` and carries the message.
        MalformedInput: block or funding transaction cannot be decoded.
    """
    _, transactions = decode_block(block)
    paid = decode_transaction(funding, "funding", with_witness=True)
    message = message_for(key, value)
    for position, transaction in enumerate(transactions):
        places = find_places(transaction, paid, message)
        if places is not None:
            txids = [item.txid for item in transactions]
            return encode_membership_proof(
                MembershipProof(
                    headers=headers,
                    transaction=transaction,
                    branch=merkle_branch(txids, position),
                    output_index=places.output_index,
                    input_index=places.input_index,
                    funding=paid,
                    coinbase=transactions[0],
                    coinbase_siblings=merkle_branch(txids, 0).siblings,
                )
            )
    raise ValueError(f"no transaction of the block spends from {display(paid.txid)} and carries the message")
