"""Records of an issuer under a hub's newest header, from a node that is not believed: for roles of the identity daemon."""

import time
from random import Random
from typing import Final

from hutong.adapters.interface import AdapterError
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VerificationError
from hutong.relay.administration.bundles.record_bundles import make_record
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.administration.identity.proving import places_of_did
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey, encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.records import RecordAuditor
from hutong.relay.config import Config, HubChainConfig
from hutong.relay.services.identity.daemon.hub_records import HubUnreachable, RecordsAsked
from hutong.relay.services.identity.rules.acceptance.standing import Ground
from hutong.relay.services.identity.rules.organisations.resolving import Proven
from hutong.relay.services.identity.rules.records import keys

LIMIT: Final = (AdapterError, Declined, Unusable, MissingTrust, VerificationError)


class NodeRecords:
    """A hub of a relay's configuration. What its node says is judged by the checkpoint before it is given out."""

    def __init__(self, config: Config, hub: HubChainConfig, checkpoint: Checkpoint, random: Random) -> None:
        self._config = config
        self._hub = hub
        self._checkpoint = checkpoint
        self._random = random

    async def ground(self, asked: RecordsAsked) -> Ground:
        """See `HubRecords`."""
        try:
            async with open_hub(self._hub, self._random) as chain:
                places = {*await places_of_did(chain.execution, asked.issuer, asked.schema)}
            if len(places) > 1:  # of a DID that is not registered its own key alone is shown
                places.add(keys.list_key(asked.issuer, asked.list_number))
            whats = [RecordKey(place) for place in sorted(places)]
            made = await make_record(self._config, self._hub.name, whats, None, self._checkpoint, self._random)
            return judged_ground(made.bundle, self._checkpoint, time.time_ns())
        except LIMIT as error:
            raise HubUnreachable(f"{self._hub.name}: {error}") from None


def judged_ground(bundle: RecordBundle, checkpoint: Checkpoint, now_ns: int) -> Ground:
    """What a bundle proves from a checkpoint.

    Raises:
        HubUnreachable: it proves nothing.
        MissingTrust: the checkpoint is of another chain.
    """
    report = RecordAuditor(checkpoint, now_ns).audit(encode_record_bundle(bundle))
    if report.state is None or report.failure is not None:
        said = "no state" if report.failure is None else str(report.failure.check.error)
        raise HubUnreachable(f"the hub's records do not hold: {said}")
    proven: Proven = {one.what.key: one.value for one in bundle.statements if isinstance(one.what, RecordKey)}
    return Ground(keys.hub_name(bundle.chain.chain_id), proven, report.state.time_ns // NANOSECONDS_PER_SECOND)
