"""Where an OpenZeppelin ERC-20 keeps balances and supply, and evidence of them by a record of the chain's own state."""

from collections.abc import Mapping

from web3 import Web3
from web3.contract import Contract

from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City
from hutong.relay.cases.evidence import EvidenceWriter

BALANCES_SLOT, SUPPLY_SLOT = bytes(32), (2).to_bytes(32, "big")


def balance_slot(account: str) -> bytes:
    """The 32-byte slot of an account's balance."""
    return bytes(Web3.keccak(bytes(12) + bytes.fromhex(account[2:]) + BALANCES_SLOT))


def state_balances(
    city: City, evidence: EvidenceWriter, chain: CaseChain, token: tuple[str, Contract], holders: Mapping[str, str]
) -> dict[str, str]:
    """State a token's supply and balances under one header, as `<token>-supply` and `<token>-<holder>`. Returns the amounts.

    Args:
        token: what the evidence calls it, and the contract.
        holders: addresses by what the evidence calls them.
    """
    name, contract = token
    evidence.contract(chain.name, name, contract.address)
    slots = {"supply": SUPPLY_SLOT} | {who: balance_slot(holder) for who, holder in holders.items()}
    bundle = city.operator.prove(chain.name, contract.address, list(slots.values()))
    return {
        f"{name}-{who}": str(evidence.own_slot(f"{name}-{who}", contract.address, slot, bundle, chain.time_s))
        for who, slot in slots.items()
    }
