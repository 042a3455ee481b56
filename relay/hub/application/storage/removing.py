"""Removals, which come after retention whoever asks, and holds, which only become later."""

from collections.abc import Sequence

from hutong.light_clients.interface import VERIFY
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.storage.refusals import UnknownEpoch
from hutong.relay.hub.application.storage.registry import Registry, require_account
from hutong.relay.services.storage.rules.commitments.placed import decode_placed
from hutong.relay.services.storage.rules.lifecycle.removal import (
    ShownEntry,
    entries_are_of_the_batch,
    hold_becomes_later,
    judge_removal,
)
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.members import PartyRole
from hutong.relay.services.storage.rules.records.values import HoldRecord, RemovalRecord, encode_hold_record

Shown = tuple[bytes, int, bytes]
"""Operator, epoch of its set, and a placed entry."""


def remove_shards(registry: Registry, place: tuple[int, bytes], shown: Sequence[Shown], caller: Address) -> int:
    """Shards of a pack in a batch are no longer held by those that hold them. Returns all that are removed, as bits.

    Args:
        place: number of the batch, and the pack.

    Raises:
        UnknownBatch, UnknownParty, NotTheNamedAccount, UnknownEpoch: as their names say.
        PredicateFailed: `entries_are_of_the_batch`, or a rule of `judge_removal`; retention among them.
        MalformedInput: an entry that is no encoding.
    """
    number, pack = place
    owner = registry.batch(number).owner
    require_account(caller, registry.party(PartyRole.WRITER, owner).account)
    entries = [_shown_entry(registry, *one) for one in shown]
    entries_are_of_the_batch(number, entries)
    now = registry.now
    shards = judge_removal(VERIFY, pack, entries, registry.hold_until_s(pack), now.time_s)
    standing = registry.find_removal(number, pack)
    removed = shards | (0 if standing is None else standing.shards)
    registry.put_removal(number, pack, RemovalRecord(removed, now.height, now.time_s))
    return removed


def _shown_entry(registry: Registry, operator: bytes, epoch: int, placed: bytes) -> ShownEntry:
    record = registry.find_set(operator, epoch)
    if record is None:
        raise UnknownEpoch(epoch)
    return ShownEntry(record.operator_set, decode_placed(placed, record.operator_set.size))


def hold_pack(registry: Registry, holder: bytes, pack: bytes, until_s: int, caller: Address) -> None:
    """A pack is retained up to a second, beyond what its entries say.

    Raises:
        UnknownParty, NotTheNamedAccount: as their names say.
        PredicateFailed: `hold_becomes_later`.
    """
    require_account(caller, registry.party(PartyRole.HOLDER, holder).account)
    hold_becomes_later(registry.hold_until_s(pack), until_s, registry.now.time_s)
    registry.write(pack, keys.hold_key(pack), encode_hold_record(HoldRecord(until_s)))
