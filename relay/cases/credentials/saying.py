"""What somebody says from one chain to a contract on another, over the hub."""

from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain

TIMEOUT_S, RECEIVE_GAS = 3_000, 1_200_000
ROOT_AT = 512
"""Where a root is that is the second word of what is said, in a message that says how much gas its receiver needs
(docs/spec/mailbox.md)."""


def source_of(chain: str, account: LocalAccount) -> bytes:
    """Who says something, as contracts keep it: an account on the chain that the Mailbox calls so."""
    return bytes(Web3.keccak(encode(["string", "string"], [chain, account.address.lower()])))


def say(run: CaseRun, way: tuple[CaseChain, CaseChain], who: LocalAccount, to: Contract, payload: bytes) -> str:
    """Send it; the packet's id."""
    source, destination = way
    mailbox: Any = source.contract("Mailbox", source.contracts["mailbox"])
    terms = (to.address.lower(), payload, destination.time_s() + TIMEOUT_S, RECEIVE_GAS)
    call = mailbox.functions.sendForwardedWithGas(source.client_of_hub, destination.hub_client, *terms)
    receipt = source.call(who, call)
    run.paid(receipt)
    run.messages += 1
    (event,) = mailbox.events.MessageSent().process_receipt(receipt, errors=DISCARD)
    return f"{source.name}/{source.client_of_hub}/{event.args.sequence}"
