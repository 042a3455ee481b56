"""Prepared transactions signed by the caller's own account, one after another, until the ledger knows the message.

What is signed is what the API prepared: use a server that you trust, or look at `Prepared.transactions` first.
"""

from typing import Any, Protocol

from hutong.relay.schemas.messages import MessageSummary
from hutong.relay.schemas.sending import Prepared as PreparedAnswer
from hutong.relay.schemas.sending import UnsignedCosmos, UnsignedEvm
from hutong.relay.schemas.words import TransactionState
from hutong.relay.sdk import calls
from hutong.relay.sdk.errors import BadAnswer, NotSigned, TransactionFailed
from hutong.relay.sdk.plan import Clock, Plan, TimeLimit, ask
from hutong.relay.sdk.sending import Prepared, Sent

LOOK_EVERY_S = 1.0
_SELECTOR_CHARS = 2 + 8


class SignedTransaction(Protocol):
    """As eth-account returns one."""

    @property
    def raw_transaction(self) -> bytes:
        """What is submitted: the signed EIP-1559 transaction in its binary form."""

    @property
    def hash(self) -> bytes:
        """32 bytes: the Keccak-256 of `raw_transaction`, which the server must name too."""


class Account(Protocol):
    """What signs: an eth-account `LocalAccount`, or anything with its two names. Its key never leaves it."""

    @property
    def address(self) -> Any:
        """`0x` and 40 hex digits in any case of letters, as the API's `from`; anything that `str` makes such a text."""

    def sign_transaction(self, transaction_dict: dict[str, Any]) -> Any:
        """A `SignedTransaction` of an EIP-1559 transaction, whose fields are named as in JSON-RPC.

        It may ask a person, and what it raises reaches the caller as it is.
        """


def sign_and_submit(
    prepared: Prepared, account: Account, max_cost_wei: int | None, within_s: float, clock: Clock
) -> Plan[Sent]:
    """Each transaction with the nonce and prices of the moment, after the one before it is included.

    Args:
        max_cost_wei: the most that gas and price of all transactions together may come to; None sets no limit.
        within_s: bounds every wait; an exchange that has begun may end after it.

    Raises:
        NotSigned: it is not the account's to sign, or would cost more.
        TransactionFailed: a transaction reverted; what was sent before it stays sent.
        TooSlow: after `within_s`.
        BadAnswer: the server names another hash than that of what was signed.
        ApiProblem: the server refuses a preparation or a submission.
    """
    limit, hashes, spent_wei = TimeLimit(clock, clock(), within_s), list[str](), 0
    message: MessageSummary | None = None
    for number, shown in enumerate(prepared.transactions, start=1):
        # The nonce and the prices are read again: others may have used the account since, and gas may be known only now.
        now = yield from ask(calls.prepare(prepared.demand), limit)
        fields = _fields(prepared, shown, now, account)
        spent_wei += int(fields["gas"]) * int(fields["maxFeePerGas"])
        if max_cost_wei is not None and spent_wei > max_cost_wei:
            raise NotSigned(f"the transactions may cost {spent_wei} wei, more than the {max_cost_wei} allowed")
        signed: SignedTransaction = account.sign_transaction(fields)
        transaction_hash = f"0x{bytes(signed.hash).hex()}"
        hashes.append(transaction_hash)
        # The hash as the key: however often it is repeated, it is this one transaction.
        submission = calls.submit(shown.chain, bytes(signed.raw_transaction), transaction_hash[2:])
        submitted = yield from ask(submission, limit)
        if submitted.hash.lower() != transaction_hash:
            raise BadAnswer("the submission", f"the hash is {submitted.hash}, not {transaction_hash}")
        is_last = number == len(prepared.transactions)
        while True:
            status = yield from ask(calls.transaction(shown.chain, transaction_hash), limit)
            if status.state is TransactionState.FAILED:
                raise TransactionFailed(shown.chain, transaction_hash, status.reason, hashes)
            message = next((m for m in status.messages if m.sent_transaction == transaction_hash), None)
            if status.state is TransactionState.INCLUDED and (message is not None or not is_last):
                break
            yield from limit.pause(f"{transaction_hash} on {shown.chain}", LOOK_EVERY_S)
    if message is None:
        raise NotSigned("nothing was prepared")
    return Sent(message, tuple(hashes))


def _fields(
    prepared: Prepared, shown: UnsignedEvm | UnsignedCosmos, now: PreparedAnswer, account: Account
) -> dict[str, Any]:
    """What the account signs: the call that the caller was shown, with what only the moment knows."""
    if isinstance(shown, UnsignedCosmos):
        raise NotSigned(f"{shown.chain} is a Cosmos chain: sign body_bytes and auth_info_bytes with a wallet of it")
    if shown.chain != prepared.demand.source:
        raise NotSigned(f"a transaction is for {shown.chain}, not for {prepared.demand.source}")
    if shown.sender.lower() != str(account.address).lower():
        raise NotSigned(f"the transactions are {shown.sender}'s, and the account is {account.address}")
    from eth_utils.address import to_checksum_address  # who only reads need not pay for it

    first = now.transactions[0]
    if not isinstance(first, UnsignedEvm) or not _is_same_call(first, shown) or first.gas is None:
        raise NotSigned(f"the chain is not ready for the next transaction ({shown.purpose}); prepare the send again")
    return {
        "type": 2,
        "chainId": shown.chain_id,
        "nonce": first.nonce,
        "to": to_checksum_address(shown.to),  # eth-account takes no other spelling
        "data": shown.data,
        "value": 0,
        "gas": first.gas,
        "maxFeePerGas": first.max_fee_per_gas_wei,
        "maxPriorityFeePerGas": first.max_priority_fee_per_gas_wei,
    }


def _is_same_call(one: UnsignedEvm | UnsignedCosmos, shown: UnsignedEvm) -> bool:
    """Of the same function of the same contract; the timeout in the arguments has moved on."""
    return (
        isinstance(one, UnsignedEvm)
        and (one.chain, one.chain_id, one.sender) == (shown.chain, shown.chain_id, shown.sender)
        and one.to == shown.to
        and one.data[:_SELECTOR_CHARS] == shown.data[:_SELECTOR_CHARS]
    )
