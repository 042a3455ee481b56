"""A recall: the maker on p1 tells every shop on the other chains, and nothing of the lots is given out there any more."""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City

LIMIT_S, WAIT_S, BUNDLE_S = 15, 120, 120
LONGEST_TIMEOUT_S, EARLIER_S = 86_400, 2
"""A Mailbox takes a timeout so far ahead of its block, and the hub one so far ahead of its own: of a recall whose time is as far
from its timeout that time is no later than the sending. It is so much earlier than it might be for a hub whose clock is slow."""
RECEIVE_GAS = 3_000_000
RECALLED_SLOT = 2
"""`ExampleShop.recalledAt`."""


@dataclass(frozen=True)
class Shop:
    """An `ExampleShop` on a chain, and who takes things there."""

    chain: CaseChain
    contract: Contract
    customer: LocalAccount

    def refusal(self, lot: bytes) -> str | None:
        """What the shop says to whoever asks for something of the lot; None where it is given out."""
        return self.chain.refusal(self.customer, self.contract.functions.giveOut(lot))


def open_shop(chain: CaseChain, maker_chain: str, maker: LocalAccount, customer: LocalAccount) -> Shop:
    """A shop that hears the maker's recalls alone."""
    mailbox, sender = chain.contracts["mailbox"], maker.address.lower()
    return Shop(chain, chain.deploy(customer, "ExampleShop", mailbox, maker_chain, sender), customer)


def saying(told_s: int, lots: Sequence[bytes]) -> bytes:
    """What a recall says: its time, which is not later than its message, and the lots."""
    return encode(["uint256", "bytes32[]"], [told_s, list(lots)])


def tell(
    run: CaseRun, p1: CaseChain, sender: LocalAccount, shops: Sequence[Shop], lots: Sequence[bytes]
) -> tuple[int, list[str]]:
    """Send a recall to each shop; its time, and the messages' ids."""
    mailbox, hashes = p1.contract("Mailbox", p1.contracts["mailbox"]), []
    told_s = p1.time_s() - EARLIER_S
    timeout_s, payload = told_s + LONGEST_TIMEOUT_S, saying(told_s, lots)
    for shop in shops:
        to = shop.contract.address.lower()
        terms = (p1.client_of_hub, shop.chain.hub_client, to, payload, timeout_s, RECEIVE_GAS)
        hashes.append(p1.send(sender, mailbox.functions.sendForwardedWithGas(*terms)))
    receipts = p1.receipts(hashes)
    run.paid(*receipts)
    run.messages += len(shops)
    events = [mailbox.events.MessageSent().process_receipt(receipt, errors=DISCARD)[0] for receipt in receipts]
    return told_s, [f"{p1.name}/{p1.client_of_hub}/{event.args.sequence}" for event in events]


def recall(
    run: CaseRun, city: City, maker: LocalAccount, shops: Sequence[Shop], lots: Sequence[bytes]
) -> dict[str, int]:
    """Recall, wait until each shop gives nothing out any more, and state it: seconds by chain, from the maker's time on."""
    told_s, packets = tell(run, city.chain("p1"), maker, shops, lots)
    waiting = {shop.chain.name: shop for shop in shops}

    def blocked() -> bool:
        for name, shop in list(waiting.items()):
            if shop.refusal(lots[0]) == "LotRecalled":
                del waiting[name]
        return not waiting

    city.until("every shop has heard of the recall", blocked, WAIT_S)
    took = {}
    for shop, packet in zip(shops, packets, strict=True):
        name, blocked_at_s = shop.chain.name, [int(shop.contract.functions.recalledAt(lot).call()) for lot in lots]
        said = {shop.refusal(lot) for lot in lots}
        run.refused(f"{name} gives out nothing of a recalled lot", said == {"LotRecalled"}, f"{len(lots)} lots")
        took[name] = max(blocked_at_s) - told_s
        run.check(f"the recall blocked {name} within {LIMIT_S} s", took[name] <= LIMIT_S, f"{took[name]} s")
        run.evidence.message(f"recall-{name}", city.bundle(packet, BUNDLE_S), "delivered")
        slot = bytes(Web3.keccak(lots[0] + RECALLED_SLOT.to_bytes(32, "big")))
        bundle = city.operator.prove(name, shop.contract.address, [slot])
        run.evidence.own_slot(f"blocked-{name}", shop.contract.address, slot, bundle, shop.chain.time_s)
        run.evidence.contract(name, "shop", shop.contract.address)
    run.evidence.people["maker"] = maker.address
    return took


def forged(run: CaseRun, city: City, stranger: LocalAccount, shop: Shop, lot: bytes) -> None:
    """Somebody else recalls a good lot: refused, and it is still given out."""
    _, (packet,) = tell(run, city.chain("p1"), stranger, [shop], [lot])
    bundle = city.bundle(packet, BUNDLE_S)
    still = shop.refusal(lot)
    run.refused("a recall by somebody who is not the maker", still is None, still or "the lot is still given out")
    run.evidence.message("forged-recall", bundle, "refused")
