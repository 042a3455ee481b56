"""New DIDs, with their policy and first keys."""

from hutong.relay.hub.application.identity.refusals import DidExists, TooManyRecords
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.identity.rules.organisations.key_life import new_key
from hutong.relay.services.identity.rules.records.did_record import Counts, DidRecord, DidState, Document
from hutong.relay.services.identity.rules.records.key_record import FIRST_ALGORITHMS, KeyAlgorithm, KeyUse, PublicKey
from hutong.relay.services.identity.rules.records.policy_record import PolicyRecord

MAX_KEYS = 200
"""Of a DID in its whole life: a key is never taken out, since its end must stay provable."""
MAX_STRANGER_KEYS = 8
"""Of a DID that nobody has accredited yet."""

NewKey = tuple[PublicKey, KeyUse]


def key_algorithms(rules_version: int) -> tuple[KeyAlgorithm, ...]:
    """The algorithms of keys that are added under these rules."""
    return tuple(KeyAlgorithm) if rules_version >= rules_versions.SM2_KEYS else FIRST_ALGORITHMS


def register(
    registry: Registry, did: bytes, policy: PolicyRecord, document: Document, new_keys: tuple[NewKey, ...]
) -> None:
    """Write a new DID with its policy, first keys and first epoch.

    Raises:
        DidExists, TooManyRecords: it is registered, or has too many keys.
        VerificationError: a key that may not be added.
    """
    if registry.find_did(did) is not None:
        raise DidExists(did)
    if len(new_keys) > MAX_STRANGER_KEYS:
        raise TooManyRecords(did, "keys", MAX_STRANGER_KEYS)
    records = dict(new_key(key, use, registry.now) for key, use in new_keys)
    if len(records) != len(new_keys):
        raise TooManyRecords(did, "keys of one thumbprint", 1)
    counts = Counts(keys=len(records), active_keys=len(records))
    registry.put_did(did, DidRecord(document, DidState.ACTIVE, 0, counts, registry.now, registry.now))
    registry.put_policy(did, policy)
    registry.raise_epoch(did)
    for thumbprint, record in records.items():
        registry.put_key(did, thumbprint, record)
