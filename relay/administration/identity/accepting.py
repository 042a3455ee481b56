"""Acceptances out of a hub's node: the issuer's records under one header, with what was shown."""

from dataclasses import dataclass
from random import Random

from hutong.light_clients.interface import VerificationError
from hutong.relay.administration.bundles.record_bundles import MadeRecord, make_record
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.administration.identity.proving import places_of_did
from hutong.relay.administration.identity.reading import identity_record
from hutong.relay.archive.acceptance import Shown, ShownChunk, ShownEntry, encode_acceptance
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.archive.shared_records import acceptance_of_records
from hutong.relay.audit.identity import AcceptanceAuditor, AcceptanceReport, AcceptanceTerms
from hutong.relay.config import Config, HubChainConfig
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.list_record import decode_list_record


@dataclass(frozen=True, slots=True)
class ListPlace:
    """A list of an issuer, by its 32 bytes and the list's number."""

    issuer: bytes
    number: int


async def prove_issuer(
    config: Config, hub: HubChainConfig, place: ListPlace, trusted: Checkpoint | None, random: Random
) -> MadeRecord:
    """A bundle of the records that an acceptance stands on: the issuer's, its list, its accreditations for that list.

    Args:
        trusted: None: the checkpoint is what the node says of the block before.

    Raises:
        Declined: the issuer has no such list.
        Unusable, AdapterError: as `make_record`.
    """
    key = keys.list_key(place.issuer, place.number)
    async with open_hub(hub, random) as chain:
        raw = await identity_record(chain.execution, key)
        if raw is None:
            raise Declined(f"the hub has no list {place.number} of {place.issuer.hex()}")
        schema = decode_list_record(raw).bound.schema
        places = {*await places_of_did(chain.execution, place.issuer, schema), key}
    return await make_record(config, hub.name, [RecordKey(one) for one in sorted(places)], None, trusted, random)


def judged_acceptance(
    made: MadeRecord,
    issuer: bytes,
    shown: tuple[Shown, ShownChunk, ShownEntry | None],
    terms: AcceptanceTerms,
    now_ns: int,
) -> tuple[bytes, AcceptanceReport]:
    """The acceptance's bytes, and what its own auditor says of them.

    Raises:
        Declined: the records that the node showed make none.
    """
    what, chunk, entry = shown
    try:
        data = encode_acceptance(acceptance_of_records(made.bundle, issuer, what, chunk, entry))
    except VerificationError as error:
        raise Declined(str(error)) from None
    return data, AcceptanceAuditor.of(made.checkpoint, now_ns, terms).audit(data)
