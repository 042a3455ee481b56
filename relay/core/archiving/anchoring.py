"""Writing an archive's root down on the hub, and proving later that it was."""

from collections.abc import Callable, Collection
from functools import partial

import trio

from hutong.adapters.hub import HubChain
from hutong.adapters.hub.archive_anchor import anchor_count, prove_slots, publish, read_anchor
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import AdapterError, Destination, HeightUnavailable
from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import Height, MalformedInput, PredicateFailed
from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.archive.anchor import EVM_STATE_ROOT_KEY, Anchor, AnchorProof
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.store import Head, LogRewritten, NoArchive, open_backend
from hutong.relay.archive.store.layout import EMPTY_HEAD
from hutong.relay.archive.store.log import Log, check_continues, read_log
from hutong.relay.config import FeeLimits
from hutong.relay.core.account.fee_caps import within_caps
from hutong.relay.core.archiving.archive_context import ArchiveContext
from hutong.relay.core.archiving.bundling.headers import HeaderCollector
from hutong.relay.core.archiving.bundling.legs import provable_height
from hutong.relay.core.errors import StartRefused, TooDear
from hutong.relay.keys import Signer
from hutong.relay.telemetry import get_logger

PUBLISH_LIMIT_S = 120
_AWAY = (ArchiveUnavailable, MalformedInput)


class NotAnchored(Exception):
    """There is no anchor to prove, at no height that may be proven at; one sentence."""


async def newest_anchor(hub: HubChain, contract: bytes, publisher: bytes) -> Head:
    """Size and root of a publisher's newest anchor, as a node says at the hub's head; the empty log's where there is
    none.

    Args:
        contract: of the ArchiveAnchor, 20 bytes; there need not be code yet.
        publisher: the account that published, 20 bytes.

    Raises:
        AdapterError: the hub does not answer, or something else is at that address.
    """
    height = (await hub.head()).height
    count = await anchor_count(hub, contract, publisher, height)
    if count == 0:
        return EMPTY_HEAD
    size, _, root = await read_anchor(hub, contract, publisher, count - 1, height)
    return Head(size, root)


async def publish_log(
    hub: HubChain, signer: Signer, contract: bytes, log: Log, location: str, fees: FeeLimits
) -> int | None:
    """Write a log's root down, if it has grown since the newest anchor. Afterwards the newest anchor is that of the
    log's head.

    Args:
        location: of the archive, for errors alone.

    Returns:
        The height of the block that holds it; None where nothing had to be written.

    Raises:
        LogRewritten: the log did not begin as the newest anchor says.
        ArchiveUnavailable: the log is damaged.
        TooDear: the transaction may cost more than `fees` allow.
        RefusedByChain: somebody else publishes in the same name.
        AdapterError: the hub does not answer.
    """
    head, publisher = log.head, bytes.fromhex(signer.address[2:])
    anchored = await newest_anchor(hub, contract, publisher)
    await trio.to_thread.run_sync(check_continues, log, anchored, location)
    if head.size == anchored.size:
        return None
    caps = partial(within_caps, hub.name, fees)
    transactor = Transactor(hub.execution, await hub.eth_chain_id(), signer, caps)
    receipt = await publish(transactor, contract, head.size, head.root)
    return receipt.height


async def prove_anchor(
    hub: HubChain, client_state: bytes, contract: bytes, publisher: bytes, checkpoint: Checkpoint | None
) -> AnchorProof:
    """The newest anchor that stands at the checkpoint, or else at the hub's head, with its proof; checked here as far
    as storage.

    Args:
        client_state: encoded, of a client of the hub.
        contract: 20 bytes. `publisher`: 20 bytes.
        checkpoint: of the hub; None: at the head alone.

    Raises:
        NotAnchored: no root of the publisher can be proven yet.
        PredicateFailed: the hub proves something else than its node said.
        AdapterError: the hub does not answer.
    """
    newest = await provable_height(hub)
    heights = [newest] if checkpoint is None else [Height(newest.revision_number, checkpoint.height), newest]
    for height in heights:
        block = height.revision_height - 1
        try:
            count = await anchor_count(hub, contract, publisher, block)
        except HeightUnavailable:
            continue
        if count > 0:
            return await _prove(hub, client_state, contract, publisher, count - 1, height, checkpoint)
    raise NotAnchored(f"0x{publisher.hex()} has written no root into 0x{contract.hex()} that can be proven yet")


async def _prove(
    hub: HubChain,
    client_state: bytes,
    contract: bytes,
    publisher: bytes,
    index: int,
    height: Height,
    checkpoint: Checkpoint | None,
) -> AnchorProof:
    block = height.revision_height - 1
    size, time_s, root = await read_anchor(hub, contract, publisher, index, block)
    anchor = Anchor(contract, publisher, index, size, time_s, root)
    state = await hub.prove(merkle_path(hub.merkle_prefix, EVM_STATE_ROOT_KEY), height)
    if state.value is None:
        raise PredicateFailed("state_root_present", "the hub proves that it has no EVM state", got=height)
    proofs = await prove_slots(hub, contract, anchor.slots, block, state.value)
    if proofs.words != anchor.words:
        raise PredicateFailed("anchor_stands", "storage is not what the contract says", proofs.words, anchor.words)
    headers = await HeaderCollector(hub, ChainKind.TENDERMINT, checkpoint).collect([height], client_state)
    first, second = proofs.slots
    return AnchorProof(anchor, headers, height, state.value, state.proof, proofs.account, (first, second))


class Anchorer:
    """The relay's task: the archive's root goes to the hub at an interval, if it has changed."""

    def __init__(
        self,
        archive: ArchiveContext,
        hub: Destination,
        load_signer: Callable[[], Signer],
        contract: bytes,
        fees: FeeLimits,
        submitters: Collection[str],
    ) -> None:
        """`submitters`: addresses that the relay signs with on the hub."""
        self._location = archive.location
        if not isinstance(hub, HubChain):
            raise TypeError("a hub")
        self._hub = hub
        self._load_signer = load_signer
        self._contract = contract
        self._fees = fees
        self._submitters = frozenset(submitters)
        self._metrics = archive.metrics
        self._run = archive.run
        self._log = get_logger("anchorer")

    async def run(self, interval_s: float) -> None:
        """For ever. What fails is logged, counted, and tried again at the next interval.

        Raises:
            StartRefused: the key, whatever its file, is of an account that the relay submits with.
        """
        signer = await trio.to_thread.run_sync(self._load_signer)
        address = self._hub.address_of(signer)
        if address in self._submitters:
            raise StartRefused(
                f"archive.anchor.key: {address} is an account that the relay submits with on {self._hub.name}; "
                "the anchor needs its own: two users of one key would take each other's nonces"
            )
        try:
            while True:
                await self.round(signer)
                await trio.sleep(interval_s)
        finally:
            with trio.CancelScope(shield=True):
                await signer.aclose()

    async def round(self, signer: Signer) -> None:
        """Write the root down once, if the log has grown. Every expected failure is logged and counted; the next round
        tries again.

        A place without an archive is passed over in silence: the archiver may not have made it yet.
        """
        try:
            log = await self._run(partial(_log, self._location))
            height = None
            with trio.fail_after(PUBLISH_LIMIT_S):
                height = await publish_log(self._hub, signer, self._contract, log, self._location, self._fees)
        except NoArchive:
            return
        except LogRewritten as error:
            self._metrics.archive_failed("anchor")
            self._log.error("no root is written down", reason=str(error))
            return
        except (*_AWAY, AdapterError, TooDear, trio.TooSlowError) as error:
            self._metrics.archive_failed("anchor")
            self._log.warning("the anchor is behind", reason=str(error) or "the hub takes no transaction")
            return
        self._metrics.archive_anchored(log.head.size)
        if height is not None:
            self._log.info("anchored", entries=log.head.size, root=log.head.root.hex(), height=height)


def _log(location: str) -> Log:
    return read_log(open_backend(location))
