"""One block: what its header says, how it is sealed and how it is named."""

from dataclasses import replace
from hashlib import sha256

from hutong.light_clients.bft_evm import Consensus, block_hash, encode_extra_data
from hutong.light_clients.bft_evm.predicates import DIFFICULTY, MIX_HASH
from hutong.light_clients.clique import is_checkpoint
from hutong.light_clients.clique.seals import SEAL_BYTES
from hutong.light_clients.clique.snapshot import DIFFICULTY_IN_TURN, DIFFICULTY_OUT_OF_TURN
from hutong.light_clients.evm_header import decode_header, header_hash
from hutong.relay.devnet.settings import CLIQUE_EPOCH_LENGTH, Genesis
from hutong.relay.devnet.validators import VANITY, ValidatorSet
from hutong.relay.evm.chain.blocks import BlockBody, EvmBlock, EvmHeader, block_body
from hutong.relay.evm.chain.list_root import EMPTY_LIST_ROOT
from hutong.relay.evm.vm.execution import BlockContext

BFT = {"qbft": Consensus.QBFT, "ibft2": Consensus.IBFT2, "istanbul": Consensus.ISTANBUL}
EMPTY_REQUESTS_HASH = sha256(b"").digest()
BASE_FEE_WEI = 0
"""Consortium chains run without a base fee (Besu's `zeroBaseFee`)."""
EMPTY_BODY = block_body(())


def sealed_block(
    genesis: Genesis,
    validators: ValidatorSet,
    context: BlockContext,
    parent_hash: bytes,
    state_root: bytes,
    body: BlockBody,
) -> EvmBlock:
    """The block that a quorum of `validators` commits to in round 0, or that the Clique signer whose turn it is seals. Block 0
    lists them and carries no seals."""
    evm_header = _unsealed_header(genesis, context, parent_hash, state_root, body)
    if genesis.consensus == "clique":
        return _clique_block(validators, evm_header, body)
    extra = validators.unsealed(BFT[genesis.consensus])
    evm_header = replace(evm_header, extra_data=encode_extra_data(extra))
    # The light client's own header type is what gets sealed and hashed, so that both sides agree byte for byte.
    header = decode_header(evm_header.encode())
    if context.number:
        header, extra = validators.seal(header, extra)
    return EvmBlock(block_hash(header, extra), replace(evm_header, extra_data=header.extra_data), body.transactions)


def _clique_block(validators: ValidatorSet, evm_header: EvmHeader, body: BlockBody) -> EvmBlock:
    listed = b"".join(validators.addresses) if is_checkpoint(evm_header.number, CLIQUE_EPOCH_LENGTH) else b""
    evm_header = replace(
        evm_header,
        extra_data=VANITY + listed,
        difficulty=DIFFICULTY_IN_TURN if evm_header.number else DIFFICULTY_OUT_OF_TURN,
    )
    header = decode_header(evm_header.encode())
    if evm_header.number:
        header = validators.seal_clique(header)
    else:
        header = replace(header, extra_data=header.extra_data + bytes(SEAL_BYTES))
    return EvmBlock(header_hash(header), replace(evm_header, extra_data=header.extra_data), body.transactions)


def mix_hash_of(consensus: str) -> bytes:
    """The mix hash that headers of a consensus carry: zero for Clique, the BFT engines' constant for the others."""
    return bytes(32) if consensus == "clique" else MIX_HASH


def _unsealed_header(
    genesis: Genesis, context: BlockContext, parent_hash: bytes, state_root: bytes, body: BlockBody
) -> EvmHeader:
    header = EvmHeader(
        parent_hash=parent_hash,
        coinbase=context.coinbase,
        state_root=state_root,
        transactions_root=body.transactions_root,
        receipts_root=body.receipts_root,
        logs_bloom=body.logs_bloom,
        number=context.number,
        gas_limit=context.gas_limit,
        gas_used=body.gas_used,
        timestamp_s=context.timestamp_s,
        prev_randao=mix_hash_of(genesis.consensus),
        difficulty=DIFFICULTY,
        base_fee_wei=BASE_FEE_WEI,
    )
    if genesis.fork == "paris":
        return header
    return replace(
        header,
        withdrawals_root=EMPTY_LIST_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=bytes(32),
        requests_hash=EMPTY_REQUESTS_HASH,
    )
