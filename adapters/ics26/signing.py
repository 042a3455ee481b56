"""Signing of Ethereum transactions, EIP-1559 or legacy with EIP-155."""

from typing import Any

from hutong.adapters.interface import PreparedTransaction, SignedTransaction, Signer
from hutong.light_clients.crypto.hashes import keccak256


def transaction_fields(transaction: PreparedTransaction, nonce: int) -> dict[str, Any]:
    """The transaction as eth-account and web3 name its fields. A contract creation has no `to`."""
    fields: dict[str, Any] = {
        "chainId": transaction.chain_id,
        "nonce": nonce,
        "gas": transaction.gas,
        "value": transaction.value_wei,
        "data": transaction.data,
    }
    if transaction.to:
        fields["to"] = transaction.to
    if transaction.gas_price_wei is not None:
        return fields | {"gasPrice": transaction.gas_price_wei}
    return fields | {
        "type": 2,
        "maxFeePerGas": transaction.max_fee_per_gas_wei,
        "maxPriorityFeePerGas": transaction.max_priority_fee_per_gas_wei,
    }


async def sign(prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
    """Ask the signer. The hash is of the raw bytes and known before anything is sent.

    Whether `prepared` names the signer's account as its sender is not checked here.

    Raises:
        SigningFailed: no signature is had.
    """
    raw = await signer.sign_transaction(transaction_fields(prepared, nonce))
    return SignedTransaction(keccak256(raw), raw, nonce, prepared)
