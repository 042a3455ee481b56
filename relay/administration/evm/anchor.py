"""Roots over the entries of a window, written into `Anchor` on a chain and read from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.administration.anchor import (
    ReadWindow,
    Window,
    WrittenWindow,
    deploy_anchor,
    read_anchor,
    read_count,
    write_anchor,
)
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.proofs import merkle
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.archive.anchor_proof import AnchoredEntry, AnchorPlace, prove_entry
from hutong.relay.archive.anchored_root import AnchoredRoot
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class AnchorAccount:
    """The `Anchor` of a chain and a publisher there, 20 bytes each."""

    chain: Endpoint
    contract: bytes
    publisher: bytes


def window_of(entries: Sequence[bytes], from_time_s: int, to_time_s: int) -> Window:
    """The root over entries in their order, with its window in Unix seconds."""
    return Window(merkle.root(entries), len(entries), from_time_s, to_time_s)


async def deploy_on(chain: Endpoint, signer: Signer, random: Random) -> str:
    """Deploy an Anchor on a chain, and return its EIP-55 address.

    Raises:
        AdapterError: the chain does not answer, is another one, or refuses it.
    """
    async with open_endpoint(chain, random) as execution:
        return to_checksum_address(await deploy_anchor(Transactor(execution, chain.chain_id, signer)))


async def publish_window(
    chain: Endpoint, contract: bytes, window: Window, signer: Signer, random: Random
) -> WrittenWindow:
    """Write a root down in the name of the signer's account.

    Args:
        contract: 20 bytes.

    Raises:
        AdapterError: the chain does not answer, is another one, or refuses it.
    """
    async with open_endpoint(chain, random) as execution:
        return await write_anchor(Transactor(execution, chain.chain_id, signer), contract, window)


async def anchored_root(account: AnchorAccount, index: int, random: Random) -> AnchoredRoot:
    """One anchor of a publisher, as the node says.

    Raises:
        AdapterError: the chain does not answer, is another one, or has no such anchor.
    """
    async with open_endpoint(account.chain, random) as execution:
        read = await read_anchor(execution, account.contract, account.publisher, index)
        return _as_root(read)


async def prove_anchored(
    account: AnchorAccount, entries: Sequence[bytes], number: int, index: int | None, random: Random
) -> tuple[AnchoredEntry, AnchoredRoot]:
    """The proof of one of a window's entries, and the anchor that it leads to, as the node says.

    Args:
        entries: all of the window, in their order.
        number: of the entry, from 0, below their number.
        index: of the anchor in the publisher's list; None: the newest.

    Raises:
        Declined: the publisher has no anchor, or the anchor's root is not that of these entries.
        AdapterError: the chain does not answer, is another one, or has no such anchor.
    """
    async with open_endpoint(account.chain, random) as execution:
        if index is None:
            index = await read_count(execution, account.contract, account.publisher) - 1
        if index < 0:
            raise Declined(f"0x{account.publisher.hex()} has no anchor there")
        anchored = _as_root(await read_anchor(execution, account.contract, account.publisher, index))
    shown = prove_entry(AnchorPlace(account.contract, account.publisher, index), entries, number)
    if (shown.root, len(entries)) != (anchored.root, anchored.count):
        raise Declined(
            f"anchor {index} is of {anchored.count} entries under {anchored.root.hex()}, these are {len(entries)} under"
            f" {shown.root.hex()}: give all entries of that window in their order, or another --anchor"
        )
    return shown, anchored


def _as_root(read: ReadWindow) -> AnchoredRoot:
    window = read.window
    return AnchoredRoot(window.root, window.count, window.from_time_s, window.to_time_s, read.anchored_at_s)
