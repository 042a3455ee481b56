"""DIDs that nobody has accredited yet: they share one small lane, and the longest overdue one makes room."""

from hutong.relay.hub.application.identity.refusals import StrangersLaneFull
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.services.identity.rules.records import keys

PRESENT = b"\x01"


def enter_lane(registry: Registry, did: bytes) -> None:
    """Give a DID that nobody has accredited a place, for which the longest overdue one may go.

    Raises:
        StrangersLaneFull: all places are taken, and none is overdue.
    """
    parameters = registry.parameters()
    count = _strangers(registry)
    if count >= parameters.strangers:
        if not _evict_overdue(registry):
            raise StrangersLaneFull(parameters.strangers)
        count -= 1
    expires_s = registry.now.time_s + parameters.stranger_life_s
    registry.store.set(keys.stranger_queue_key(expires_s, did), PRESENT)
    registry.store.set(keys.stranger_key(did), expires_s.to_bytes(8, "big"))
    _set_strangers(registry, count + 1)


def leave_lane(registry: Registry, did: bytes) -> None:
    """A DID that is accredited stays for good; nothing happens to one that is in no lane."""
    raw = registry.store.get(keys.stranger_key(did))
    if raw is None:
        return
    registry.store.delete(keys.stranger_key(did))
    registry.store.delete(keys.stranger_queue_key(int.from_bytes(raw, "big"), did))
    _set_strangers(registry, _strangers(registry) - 1)


def is_stranger(registry: Registry, did: bytes) -> bool:
    """Whether a DID is in the lane of strangers."""
    return registry.store.get(keys.stranger_key(did)) is not None


def _strangers(registry: Registry) -> int:
    return int.from_bytes(registry.store.get(keys.STRANGER_COUNT_KEY) or b"", "big")


def _set_strangers(registry: Registry, count: int) -> None:
    if count:
        registry.store.set(keys.STRANGER_COUNT_KEY, count.to_bytes(8, "big"))
    else:
        registry.store.delete(keys.STRANGER_COUNT_KEY)


def _evict_overdue(registry: Registry) -> bool:
    """Take out everything of the DID that has been overdue the longest; False where none is."""
    row = registry.store.next(keys.STRANGER_QUEUE_PREFIX)
    if row is None or not row[0].startswith(keys.STRANGER_QUEUE_PREFIX):
        return False
    rest = row[0][len(keys.STRANGER_QUEUE_PREFIX) :]
    expires_s, did = int.from_bytes(rest[:8], "big"), rest[8:]
    if expires_s > registry.now.time_s:
        return False
    registry.store.delete(row[0])
    registry.store.delete(keys.stranger_key(did))
    prefix = keys.key_prefix(did)
    while (found := registry.store.next(prefix)) is not None and found[0].startswith(prefix):
        registry.erase(did, found[0])
    for key in (keys.recovery_key(did), keys.epoch_key(did), keys.policy_key(did), keys.did_key(did)):
        if registry.store.get(key) is not None:
            registry.erase(did, key)
    return True
