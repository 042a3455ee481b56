"""What statements of the cases with a recall show: values as the judgement of bundles leaves them, for the cases' rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.gmp import GMP_PORT, GmpPacketData, encode_message
from hutong.light_clients.interface import Height, PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.light_clients.records import SlotPlace
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots
from hutong.relay.audit.cases import CaseTrust, Shown
from hutong.relay.audit.cases.rules import CaseRule
from hutong.relay.audit.cases.statements import (
    EntryStatement,
    Fate,
    MessageStatement,
    ShownEntry,
    ShownMessage,
    ShownState,
    StateStatement,
)
from hutong.relay.audit.cases.statements.message import Said
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.audit.inquiry import Inquiry
from tests.relay.audit.test_recorded_bundles import bundle_of

TOLD_S = 1_800_000_000
MAKER, STRANGER, SHOP = b"\x51" * 20, b"\x52" * 20, b"\x53" * 20
RECORDED = bundle_of("message-delivered")
P1_ID, E_ID = RECORDED.legs[0].source_chain_id, RECORDED.legs[-1].destination_chain_id
"""The recorded message's chains stand for p1 and, both, for e1 and e2."""
LOG_ID = "tlog-farm"
TO_P1 = replace(
    RECORDED,
    legs=(
        replace(RECORDED.legs[0], source_chain_id=LOG_ID),
        replace(RECORDED.legs[-1], destination_chain_id=P1_ID),
    ),
)
"""The recorded message as if it went from a log to p1."""


def meant(contracts: Mapping[str, bytes], people: Mapping[str, bytes], values: Mapping[str, str]) -> CaseTrust:
    chains = {
        "l": ChainMeant("l", LOG_ID, "c2sp-tlog-0"),
        "p1": ChainMeant("p1", P1_ID, "bft-evm-1", contracts),
        "e1": ChainMeant("e1", E_ID, "bft-evm-0", {"shop": SHOP}),
        "e2": ChainMeant("e2", E_ID, "attestation-0", {"shop": SHOP}),
    }
    return CaseTrust("hutong-1", chains, {"maker": MAKER, **people}, values)


def state(name: str, contract: bytes, slot: bytes, value: bytes, chain_id: str = P1_ID) -> ShownState:
    statement = StateStatement(name, "s", chain_id, None, SlotPlace(contract, slot), value, Height(0, 9), TOLD_S + 60)
    return ShownState(statement, TOLD_S + 60, None)


def message(
    name: str,
    lots: Sequence[bytes],
    sender: bytes = MAKER,
    fate: Fate = Fate.DELIVERED,
    receiver: bytes = SHOP,
    timeout_s: int = TOLD_S + 86_400,
) -> ShownMessage:
    payload = encode(["uint256", "bytes32[]"], [TOLD_S, list(lots)])
    data = GmpPacketData(f"0x{sender.hex()}", f"0x{receiver.hex()}", b"", payload, "")
    version, value = encode_message(data, 3_000_000)
    said = Said(GMP_PORT, GMP_PORT, version, "application/x-solidity-abi", value, timeout_s)
    statement = MessageStatement(name, "m", RECORDED.packet_id, fate)
    return ShownMessage(statement, RECORDED, said, ((TOLD_S + 2, TOLD_S + 4), (TOLD_S + 5, TOLD_S + 7)))


def recall(lots: Sequence[bytes], took_s: int = 6) -> dict[str, ShownState | ShownMessage]:
    """On both chains, and somebody else's that was refused."""
    slot = keccak256(lots[0] + (2).to_bytes(32, "big"))
    shown: dict[str, ShownState | ShownMessage] = {
        "forged-recall": message("forged-recall", [b"\7" * 32], STRANGER, Fate.REFUSED)
    }
    for chain in ("e1", "e2"):
        shown[f"recall-{chain}"] = message(f"recall-{chain}", lots)
        blocked_at = (TOLD_S + took_s).to_bytes(32, "big")
        shown[f"blocked-{chain}"] = state(f"blocked-{chain}", SHOP, slot, blocked_at, E_ID)
    return shown


@dataclass(frozen=True)
class Anchoring:
    """A window that a publisher anchored, and what of it is stated: by default every entry, truly."""

    name: str
    contract: bytes
    publisher: bytes
    index: int
    leaves: Sequence[bytes]
    window_s: tuple[int, int]

    def shown(self, stated: Sequence[bytes] | None = None) -> dict[str, ShownState | ShownEntry]:
        """As if `stated` were the entries: a forger's tree is judged under its own root, but shown is the true one."""
        anchored = AnchoredRoot(merkle.root(self.leaves), len(self.leaves), *self.window_s, self.window_s[1] + 1)
        slots = item_slots(self.publisher, self.index)
        made: dict[str, ShownState | ShownEntry] = {}
        for part, slot, word in zip(("root", "window"), slots, anchored.words, strict=True):
            made[f"{self.name}-{part}"] = state(f"{self.name}-{part}", self.contract, slot, word)
        under = made[f"{self.name}-root"]
        assert isinstance(under, ShownState)
        leaves = self.leaves if stated is None else stated
        for number, leaf in enumerate(leaves):
            path = merkle.prove(list(leaves), number)
            name = f"{self.name}-{number:04}"
            said = EntryStatement(name, leaf, number, path.total, path.aunts, f"{self.name}-root", 0)
            made[name] = ShownEntry(said, anchored.root, under)
        return made


def concluded(rule: CaseRule, statements: Mapping[str, object], trust: CaseTrust):
    """The conclusion, or the name of the rule that refuses."""
    inquiry = Inquiry()
    try:
        return rule(inquiry, Shown(dict(sorted(statements.items()))), trust)
    except PredicateFailed as error:
        assert inquiry.refused_by_a_rule(error)
        return inquiry.failure.check.name


def altered(shown: ShownState, number: int) -> ShownState:
    return replace(shown, statement=replace(shown.statement, value=number.to_bytes(32, "big")))
