"""Record bundles from the configured chains' nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hutong.adapters.interface import HeightUnavailable
from hutong.light_clients.interface import UnsupportedOperation, VerificationError
from hutong.relay.administration.bundles.packet_bundles import checkpoint_of
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordBundle, What
from hutong.relay.config import Config
from hutong.relay.core.archiving.bundling.records import RecordExporter
from hutong.relay.core.topology.chains import open_chain


@dataclass(frozen=True, slots=True)
class MadeRecord:
    """A bundle, not judged yet, and the checkpoint from which it is to be judged."""

    bundle: RecordBundle
    checkpoint: Checkpoint


async def make_record(
    config: Config, name: str, whats: Sequence[What], at: int | None, trusted: Checkpoint | None, random: Random
) -> MadeRecord:
    """What the chain called `name` holds at these places, under its header of height `at`; None: the newest.

    Args:
        trusted: None: the checkpoint is what the node says of the block before.

    Raises:
        Unusable: the checkpoint is of another chain.
        Declined: it cannot be shown.
        AdapterError: a chain does not answer, or no configured path says how to follow it.
    """
    async with open_chain(config.chain(name), random) as chain:
        if trusted is not None and trusted.chain_id != chain.chain_id:
            raise Unusable(f"the checkpoint is of chain {trusted.chain_id}, {name} is {chain.chain_id}")
        try:
            if trusted is None:
                head = (await chain.head()).height
                at = head if at is None else at
                if at > head:  # a checkpoint of it would wait for the block
                    raise HeightUnavailable(name, at, f"is not final yet, {head} is")
                trusted = await checkpoint_of(config, name, max(1, at - 1), random)
            return MadeRecord(await RecordExporter.from_checkpoint(chain, trusted).export(whats, at), trusted)
        except (VerificationError, UnsupportedOperation) as error:
            raise Declined(str(error)) from None
