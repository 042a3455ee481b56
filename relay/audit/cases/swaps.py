"""The rule of case 11: every trade between p1 and e1 was settled on both sides or refunded on both, and the totals say so.

A delivered packet means that leg B was paid inside the receive, and that its acknowledgement paid leg A; a refused or late one
that leg B was not paid and leg A went back (docs/spec/swaps.md). Balances after all claims, each chain's of one block, are
compared with what the packets add up to, so that no settled trade can be left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import Height, PredicateFailed, rule
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.named import state_is_there
from hutong.relay.audit.cases.numbered import statements_are_numbered
from hutong.relay.audit.cases.shown import Shown, message_is_between, slot_is_meant
from hutong.relay.audit.cases.statements import Fate, ShownMessage, ShownState
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "swaps"
SPEC = "docs/spec/swaps.md"
BOND_CHAIN, CASH_CHAIN, BOND, CASH, SWAP, MAKER, TAKER = "p1", "e1", "bond", "cash", "swap", "maker", "taker"
TERMS = "(address,address,address,address,address,uint256,address,uint256,bytes32)"
TERMS_BYTES = 9 * 32
VERSION, ENCODING = "hutong-swap-1", "application/x-solidity-abi"
_SUPPLY_SLOT = (2).to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class Trade:
    """What was given for what, in the tokens' smallest units, and whether both legs were paid."""

    terms: bytes
    bonds: int
    cash: int
    paid: bool


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    trades: list[Trade] = []
    messages = shown.of_kind(ShownMessage)
    inquiry.about("trades")(statements_are_numbered, messages, "trade")
    for name, message in messages.items():
        judge = inquiry.about(f"trade {name}")
        judge(message_is_between, message, trust, BOND_CHAIN, CASH_CHAIN)
        judge(trade_is_decided, message)
        trades.append(judge(trade_is_meant, message, trust))
    inquiry.about("trades")(every_trade_is_another, trades)
    held: dict[str, int] = {}
    for chain, token in ((BOND_CHAIN, BOND), (CASH_CHAIN, CASH)):
        states: dict[str, ShownState] = {}
        for who, slot in _slots(trust, chain).items():
            judge = inquiry.about(f"{token} of {who}")
            states[who] = judge(state_is_there, shown, f"{token}-{who}")
            held[f"{token}-{who}"] = judge(slot_is_meant, states[who], trust, chain, token, slot)
        judge = inquiry.about(f"balances on {chain}")
        height = judge(balances_are_of_one_block, states)
        judge(trades_had_ended, messages.values(), trust.chain(chain).chain_id, height)
    inquiry.about("balances")(balances_follow_from_trades, held, trades)
    paid = sum(trade.paid for trade in trades)
    counts = {"trades": len(trades), "settled": paid, "refunded": len(trades) - paid}
    return counts | {name: str(amount) for name, amount in held.items()}


def _slots(trust: CaseTrust, chain: str) -> dict[str, bytes]:
    holders = {MAKER: trust.person(MAKER), TAKER: trust.person(TAKER), SWAP: trust.chain(chain).contract(SWAP)}
    return {"supply": _SUPPLY_SLOT} | {
        who: keccak256(bytes(12) + address + bytes(32)) for who, address in holders.items()
    }


@rule(SPEC)
def trade_is_decided(message: ShownMessage) -> None:
    """The maker's chain was told how the packet ended: leg A is not held any more.

    Raises:
        PredicateFailed: its commitment is not shown to be gone.
    """
    if not message.is_settled:
        raise PredicateFailed("trade_is_decided", "leg A is not shown to be decided", message.statement.packet)


@rule(SPEC)
def trade_is_meant(message: ShownMessage, trust: CaseTrust) -> Trade:
    """The packet is of the port `swap` at both ends, and its terms are of the bond, the cash and the two people meant.

    Raises:
        PredicateFailed: it is of something else.
        MalformedInput: its terms cannot be read.
        MissingTrust: the reader does not say what is meant.
    """
    name, said = "trade_is_meant", message.said
    envelope, expected = (said.source_port, said.destination_port, said.version, said.encoding), (SWAP, SWAP)
    if envelope != (*expected, VERSION, ENCODING):
        raise PredicateFailed(name, "is not a swap", envelope, (*expected, VERSION, ENCODING))
    (fields,) = decode_canonical([TERMS], said.value, "swap", TERMS_BYTES)
    *parties, token_a, amount_a, token_b, amount_b, _ = fields
    maker, taker = trust.person(MAKER), trust.person(TAKER)
    bond, cash = trust.chain(BOND_CHAIN).contract(BOND), trust.chain(CASH_CHAIN).contract(CASH)
    got = [bytes.fromhex(address[2:]) for address in (*parties, token_a, token_b)]
    if got != [maker, maker, taker, taker, bond, cash]:
        raise PredicateFailed(name, "is between other people or of other tokens", got, [maker, taker, bond, cash])
    return Trade(said.value, amount_a, amount_b, message.statement.fate is Fate.DELIVERED)


@rule(SPEC)
def every_trade_is_another(trades: list[Trade]) -> None:
    """No two trades have the same terms: equal ones have another salt.

    Raises:
        PredicateFailed: one stands twice.
    """
    if len({trade.terms for trade in trades}) != len(trades):
        raise PredicateFailed("every_trade_is_another", "terms stand twice", got=len(trades))


@rule(SPEC)
def balances_are_of_one_block(states: Mapping[str, ShownState]) -> Height:
    """A token's balances and supply were all read after the same block: what moved between two readings is in neither, or
    in both. Returns the block's height.

    Raises:
        PredicateFailed: one is of another block than the first.
    """
    heights = {who: state.statement.height for who, state in states.items()}
    first = next(iter(heights.values()))
    for who, height in heights.items():
        if height != first:
            raise PredicateFailed("balances_are_of_one_block", f"that of {who} is of another block", height, first)
    return first


@rule(SPEC)
def trades_had_ended(messages: Iterable[ShownMessage], chain_id: str, height: Height) -> None:
    """Balances from before a trade would say nothing of it: all that is proven of trades on this chain, such as that leg A is
    decided, was so by the block of the balances.

    Raises:
        PredicateFailed: a proof is of a later block.
    """
    for message in messages:
        for leg in message.bundle.legs:
            for proof in leg.proofs:
                if leg.chain_id_of(proof.claim) == chain_id and proof.height > height:
                    raise PredicateFailed(
                        "trades_had_ended",
                        f"balances are older than what is proven of {message.statement.packet}",
                        height,
                        f">= {proof.height}",
                    )


@rule(SPEC)
def balances_follow_from_trades(held: dict[str, int], trades: list[Trade]) -> None:
    """The maker issued all bonds and the taker all cash: what each has of the other's is what settled trades say, neither
    Swap has anything left, and the rest is where it was.

    Raises:
        PredicateFailed: naming the first balance that is another.
    """
    bonds = sum(trade.bonds for trade in trades if trade.paid)
    cash = sum(trade.cash for trade in trades if trade.paid)
    expected = {
        "bond-taker": bonds,
        "bond-swap": 0,
        "bond-maker": held["bond-supply"] - bonds,
        "cash-maker": cash,
        "cash-swap": 0,
        "cash-taker": held["cash-supply"] - cash,
    }
    for name, amount in expected.items():
        if held[name] != amount:
            raise PredicateFailed("balances_follow_from_trades", f"{name} is another", held[name], amount)
