"""Roots over a case's entries in `Anchor`, and paths to them, as any author of a dapp computes them (docs/spec/anchors.md)."""

from collections.abc import Sequence
from hashlib import sha256

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City


def root_and_paths(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """The RFC 6962 root of leaves, and the path of each, lowest sibling first."""
    level = [sha256(b"\0" + leaf).digest() for leaf in leaves]
    places = list(range(len(leaves)))
    paths: list[list[bytes]] = [[] for _ in leaves]
    while len(level) > 1:
        for path, place in zip(paths, places, strict=True):
            if place ^ 1 < len(level):
                path.append(level[place ^ 1])
        pairs = [sha256(b"\1" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs if len(level) % 2 == 0 else [*pairs, level[-1]]
        places = [place // 2 for place in places]
    return level[0], paths


def slots_of(publisher: str, index: int) -> tuple[bytes, bytes]:
    """Where `Anchor` keeps root, and window, of one of a publisher's anchors."""
    base = Web3.keccak(Web3.keccak(bytes.fromhex(publisher[2:]).rjust(32, b"\0") + bytes(32)))
    first = int.from_bytes(base, "big") + 2 * index
    return (first % 2**256).to_bytes(32, "big"), ((first + 1) % 2**256).to_bytes(32, "big")


def anchored(
    run: CaseRun,
    chain: CaseChain,
    anchor: Contract,
    who: LocalAccount,
    leaves: Sequence[bytes],
    window: tuple[int, int],
) -> int:
    """Write the root of these leaves down; the index of the anchor."""
    root, _ = root_and_paths(leaves)
    run.paid(chain.call(who, anchor.functions.anchor(root, len(leaves), *window)))
    return int(anchor.functions.countOf(who.address).call()) - 1


def state_entries(
    run: CaseRun,
    city: City,
    chain: CaseChain,
    anchor: Contract,
    who: LocalAccount,
    index: int,
    name: str,
    leaves: Sequence[bytes],
) -> None:
    """State the anchor, as the chain shows it, and every leaf under it: `<name>-root`, `<name>-window`, `<name>-0000` on."""
    slots = slots_of(who.address, index)
    bundle = city.operator.prove(chain.name, anchor.address, slots)
    for part, slot in zip(("root", "window"), slots, strict=True):
        run.evidence.own_slot(f"{name}-{part}", anchor.address, slot, bundle, chain.time_s)
    _, paths = root_and_paths(leaves)
    run.evidence.entries(name, leaves, paths, f"{name}-root", 0)
