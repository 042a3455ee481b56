"""A clinic's book of prescriptions on p1, and pharmacies on other chains that dispense on them by messages over the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.credentials.desk import Asked, Desk, schema_of

REFILLS = 3
TIMEOUT_S, RECEIVE_GAS = 7_200, 600_000
Wanted = tuple[int, int, CaseChain]
"""A prescription, how many refills are to be left, and the chain of the pharmacy that asks."""


@dataclass(frozen=True)
class Dispensing:
    """What a pharmacy on a chain asked for: a prescription, of which it leaves so many."""

    chain: CaseChain
    number: int
    leaves: int
    sent: Any
    """The event of its Mailbox."""

    @property
    def packet(self) -> str:
        """Its id."""
        return f"{self.chain.name}/{self.chain.client_of_hub}/{self.sent.args.sequence}"


@dataclass(frozen=True)
class Clinic:
    """Its book of prescriptions on p1, at which doctors present their licences; and the pharmacies on their chains."""

    desk: Desk
    book: Contract
    doctor: LocalAccount
    pharmacist: LocalAccount
    pharmacies: tuple[CaseChain, CaseChain]

    def asked(self, number: int) -> Asked:
        """What a doctor prescribes: the number of the prescription, and what it is of."""
        arguments = (name_of(number), schema_of(f"content {number}"), REFILLS)
        return Asked(self.book, "prescribe", ("bytes32", "bytes32", "uint128"), arguments, self.doctor, number)

    def ask(self, run: CaseRun, wanted: Sequence[Wanted], who: LocalAccount | None = None) -> list[Dispensing]:
        """Pharmacies, or somebody else on their chains, ask one right after the other, whatever blocks take meanwhile."""
        p1, sent = self.desk.chain, []
        until_s = p1.time_s() + TIMEOUT_S
        for number, leaves, chain in wanted:
            payload = encode(["bytes32", "uint128"], [name_of(number), leaves])
            terms = (self.book.address.lower(), payload, until_s, RECEIVE_GAS)
            call = mailbox_of(chain).functions.sendForwardedWithGas(chain.client_of_hub, p1.hub_client, *terms)
            sent.append(chain.send(who or self.pharmacist, call))
        run.messages += len(wanted)
        asked = []
        for (number, leaves, chain), transaction in zip(wanted, sent, strict=True):
            (receipt,) = chain.receipts([transaction])
            run.paid(receipt)
            (event,) = mailbox_of(chain).events.MessageSent().process_receipt(receipt, errors=DISCARD)
            asked.append(Dispensing(chain, number, leaves, event))
        return asked


def fates_of(asked: Sequence[Dispensing]) -> list[str]:
    """How each ended by now, as its own chain says: empty while it has not."""
    ended: dict[tuple[str, bytes], str] = {}
    for chain in {one.chain.name: one.chain for one in asked}.values():
        first = min(one.sent.blockNumber for one in asked if one.chain.name == chain.name)
        for event in mailbox_of(chain).events.MessageAcknowledged().get_logs(from_block=first):
            ended[chain.name, event.args.messageId] = "delivered" if event.args.delivered else "refused"
    return [ended.get((one.chain.name, one.sent.args.messageId), "") for one in asked]


def mailbox_of(chain: CaseChain) -> Contract:
    """Of a chain."""
    return chain.contract("Mailbox", chain.contracts["mailbox"])


def name_of(number: int) -> bytes:
    """The doctor's name for a prescription."""
    return number.to_bytes(32, "big")
