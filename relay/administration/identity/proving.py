"""Which records show a DID whole, as a hub's node tells, and the bundle that proves them."""

from collections.abc import Sequence
from random import Random

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.relay.administration.bundles.record_bundles import MadeRecord, make_record
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.administration.identity.reading import identity_record, identity_records
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.config import Config, HubChainConfig
from hutong.relay.services.identity.rules.organisations.accrediting import MAX_LEVELS
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import decode_accreditation_record


async def places_of_did(execution: ExecutionRpc, did: bytes, schema: bytes | None) -> tuple[bytes, ...]:
    """Keys of the records that show a DID, and with a schema its chain of accreditations, to a reader of `judge_did`.

    Of a DID that is not registered its own key alone, which is proven absent.

    Raises:
        AdapterError: the hub does not answer, or has no such module.
    """
    places = {keys.did_key(did)}
    if await identity_record(execution, keys.did_key(did)) is None:
        return tuple(places)
    places |= {keys.policy_key(did), keys.epoch_key(did)}
    places |= set(await identity_records(execution, keys.key_prefix(did)))
    subject, asked = did, schema
    for _ in range(MAX_LEVELS if asked is not None else 0):
        if asked is None:
            break
        key = keys.accreditation_key(subject, asked)
        places |= {key, keys.did_key(subject)}
        raw = await identity_record(execution, key)
        grant = None if raw is None else decode_accreditation_record(raw).grant
        if grant is None or grant.is_root:
            break
        subject, asked = grant.accreditor, grant.parent_schema
    return tuple(sorted(places))


async def prove_did(
    config: Config,
    hub: HubChainConfig,
    question: tuple[bytes, bytes | None],
    trusted: Checkpoint | None,
    random: Random,
    *,
    lists: Sequence[int] = (),
    log: bool = False,
) -> MadeRecord:
    """A bundle of the records of a DID under one header, not judged yet.

    Args:
        question: the DID, and a schema for which its accreditations are shown, or None.
        lists: numbers of status lists of the DID that are shown too.
        log: whether its issuance log is shown too.
        trusted: None: the checkpoint is what the node says of the block before.

    Raises:
        Unusable, Declined, AdapterError: as `make_record`.
    """
    did, schema = question
    async with open_hub(hub, random) as chain:
        owned = await places_of_did(chain.execution, did, schema)
    more = [keys.list_key(did, number) for number in lists] + ([keys.log_key(did)] if log else [])
    places = sorted({*owned, *more})
    return await make_record(config, hub.name, [RecordKey(place) for place in places], None, trusted, random)
