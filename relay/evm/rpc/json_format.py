"""Chain values as JSON-RPC shows them."""

from typing import Any

from hutong.relay.evm.chain.blocks import EvmBlock, EvmHeader, Receipt
from hutong.relay.evm.vm.accounts import AccountProof
from hutong.relay.evm.vm.outcomes import Log
from hutong.relay.evm.vm.transaction import SignedTransaction


def data(value: bytes) -> str:
    """Bytes as EIP-1474's DATA: two lower-case digits for each byte after `0x`."""
    return "0x" + value.hex()


def word(value: int) -> str:
    """A number below 2**256 as 32 bytes in hex, leading zeros included, as storage values and keys are shown."""
    return f"0x{value:064x}"


def header_json(block_hash: bytes, header: EvmHeader) -> dict[str, Any]:
    """Every field of the header's RLP, so that a light client can rebuild it; absent optional fields are left out.

    Args:
        block_hash: the chain's own, which is not computed from the header here.
    """
    result: dict[str, Any] = {
        "number": hex(header.number),
        "hash": data(block_hash),
        "parentHash": data(header.parent_hash),
        "sha3Uncles": data(header.ommers_hash),
        "miner": data(header.coinbase),
        "stateRoot": data(header.state_root),
        "transactionsRoot": data(header.transactions_root),
        "receiptsRoot": data(header.receipts_root),
        "logsBloom": data(header.logs_bloom),
        "difficulty": hex(header.difficulty),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp_s),
        "extraData": data(header.extra_data),
        "mixHash": data(header.prev_randao),
        "nonce": data(header.nonce),
    }
    quantities = (
        ("baseFeePerGas", header.base_fee_wei),
        ("blobGasUsed", header.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas),
    )
    result.update({name: hex(value) for name, value in quantities if value is not None})
    hashes = (
        ("withdrawalsRoot", header.withdrawals_root),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root),
        ("requestsHash", header.requests_hash),
    )
    result.update({name: data(value) for name, value in hashes if value is not None})
    return result


def block_json(block: EvmBlock, *, full: bool) -> dict[str, Any]:
    """A block as `eth_getBlockBy*` shows it: `uncles` and `withdrawals` are empty, `totalDifficulty` is 0.

    Args:
        full: whole transactions instead of their hashes.
    """
    result = header_json(block.hash, block.header)
    result["size"] = hex(block.size_bytes)
    result["totalDifficulty"] = "0x0"
    result["uncles"] = []
    if block.header.withdrawals_root is not None:
        result["withdrawals"] = []
    result["transactions"] = [
        transaction_json(item, block, index) if full else data(item.hash)
        for index, item in enumerate(block.transactions)
    ]
    return result


def transaction_json(transaction: SignedTransaction, block: EvmBlock | None, index: int | None) -> dict[str, Any]:
    """A transaction as `eth_getTransactionBy*` shows it.

    Args:
        block, index: where it stands; None while it waits in the pool: then the block's fields are null, and `gasPrice`
            is the most that it offers.
    """
    price_wei = (
        transaction.effective_gas_price_wei(block.header.base_fee_wei or 0)
        if block
        else transaction.max_fee_per_gas_wei
    )
    result: dict[str, Any] = {
        "blockHash": data(block.hash) if block else None,
        "blockNumber": hex(block.number) if block else None,
        "transactionIndex": hex(index) if index is not None else None,
        "hash": data(transaction.hash),
        "type": hex(transaction.type),
        "from": data(transaction.sender),
        "to": data(transaction.to) if transaction.to else None,
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas_limit),
        "gasPrice": hex(price_wei),
        "value": hex(transaction.value_wei),
        "input": data(transaction.data),
        "chainId": hex(transaction.chain_id),
        "v": hex(transaction.v),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }
    if transaction.type:
        result["yParity"] = hex(transaction.v)
        result["accessList"] = [
            {"address": data(address), "storageKeys": [word(slot) for slot in slots]}
            for address, slots in transaction.access_list
        ]
    if transaction.type == 2:
        result["maxFeePerGas"] = hex(transaction.max_fee_per_gas_wei)
        result["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas_wei)
    return result


def log_json(
    log: Log, block_hash: bytes, header: EvmHeader, transaction_hash: bytes, transaction_index: int, log_index: int
) -> dict[str, Any]:
    """A log as `eth_getLogs` shows it, with `removed` false: blocks are final.

    Args:
        log_index: the log's place among all logs of the block.
    """
    return {
        "address": data(log.address),
        "topics": [data(topic) for topic in log.topics],
        "data": data(log.data),
        "blockNumber": hex(header.number),
        "blockHash": data(block_hash),
        "blockTimestamp": hex(header.timestamp_s),
        "transactionHash": data(transaction_hash),
        "transactionIndex": hex(transaction_index),
        "logIndex": hex(log_index),
        "removed": False,
    }


def receipt_json(block: EvmBlock, receipts: tuple[Receipt, ...], index: int) -> dict[str, Any]:
    """The receipt of the block's transaction `index` as `eth_getTransactionReceipt` shows it.

    Args:
        receipts: of the whole block, in order: places of logs count from the block's first.
    """
    transaction, receipt = block.transactions[index], receipts[index]
    first_log = sum(len(earlier.logs) for earlier in receipts[:index])
    return {
        "transactionHash": data(transaction.hash),
        "transactionIndex": hex(index),
        "blockHash": data(block.hash),
        "blockNumber": hex(block.number),
        "from": data(transaction.sender),
        "to": data(transaction.to) if transaction.to else None,
        "type": hex(receipt.type),
        "status": hex(int(receipt.success)),
        "gasUsed": hex(receipt.gas_used),
        "cumulativeGasUsed": hex(receipt.cumulative_gas_used),
        "effectiveGasPrice": hex(receipt.effective_gas_price_wei),
        "contractAddress": data(receipt.contract_address) if receipt.contract_address else None,
        "logsBloom": data(receipt.bloom),
        "logs": [
            log_json(log, block.hash, block.header, transaction.hash, index, first_log + place)
            for place, log in enumerate(receipt.logs)
        ],
    }


def proof_json(proof: AccountProof, keys: list[str]) -> dict[str, Any]:
    """A proof as `eth_getProof` shows it (EIP-1186).

    Args:
        keys: the storage keys as the client wrote them, as many as were proven and in their order: some clients
            compare.

    Raises:
        ValueError: `keys` are not as many as the proof's slots.
    """
    return {
        "address": data(proof.address),
        "accountProof": [data(node) for node in proof.nodes],
        "balance": hex(proof.account.balance_wei),
        "nonce": hex(proof.account.nonce),
        "codeHash": data(proof.account.code_hash),
        "storageHash": data(proof.account.storage_root),
        "storageProof": [
            {"key": key, "value": hex(entry.value), "proof": [data(node) for node in entry.nodes]}
            for key, entry in zip(keys, proof.storage, strict=True)
        ],
    }
