"""The root of a configured archive on its hub: published, proven, and the contract that takes it."""

from dataclasses import dataclass
from random import Random

from hutong.adapters.hub.archive_anchor import deploy_anchor
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.archive.anchor import AnchorProof
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.store import Head, open_backend
from hutong.relay.archive.store.log import Log, read_log
from hutong.relay.config import AnchorConfig, Config, HubChainConfig, UnsafeFile
from hutong.relay.core.archiving.anchoring import NotAnchored, prove_anchor, publish_log
from hutong.relay.core.errors import TooDear
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import KeyUnavailable, Signer, account_of_key, load_signer


@dataclass(frozen=True, slots=True)
class Publication:
    """An archive's log, and who writes its head down where."""

    hub: HubChainConfig
    signer: Signer
    contract: bytes
    log: Log
    location: str

    @property
    def head(self) -> Head:
        """What is to be written down."""
        return self.log.head


def anchor_of(config: Config) -> tuple[HubChainConfig, AnchorConfig]:
    """Where the configured archive's root is written down: the hub, and the contract with the key.

    Raises:
        Unusable: the configuration has no anchor, or not its hub.
    """
    anchor = None if config.archive is None else config.archive.anchor
    if anchor is None:
        raise Unusable("the configuration has no [archive.anchor]: name its contract and key")
    return hub_of(config, anchor.hub), anchor


def publication_of(config: Config, hub: HubChainConfig, anchor: AnchorConfig) -> Publication:
    """The archive's log, read, with the key that the configuration names for its anchor.

    Raises:
        Unusable: the archive or the key is unusable, or the relay submits with the same account.
    """
    try:
        log = read_log(open_backend(config.archive_location))
        signer = load_signer(anchor.key)
        if signer.address in [account_of_key(key).address for key in hub.all_keys]:
            raise Unusable(f"archive.anchor.key: the relay submits with {signer.address}; give the anchor its own")
    except (ArchiveUnavailable, KeyUnavailable, MalformedInput, UnsafeFile) as error:
        raise Unusable(str(error)) from None
    return Publication(hub, signer, account_of(anchor.contract), log, config.archive_location)


async def publish(publication: Publication, random: Random) -> int | None:
    """Write the log's head down; the height of the block that holds it, None where it stands there already.

    Raises:
        Declined: the log does not continue what is anchored, or it may cost more than the fee limits allow.
        AdapterError: the hub refuses it, or does not answer.
    """
    hub = publication.hub
    async with open_hub(hub, random) as chain:
        try:
            return await publish_log(
                chain,
                publication.signer,
                publication.contract,
                publication.log,
                publication.location,
                hub.fee_limits,
            )
        except (ArchiveUnavailable, TooDear) as error:
            raise Declined(str(error)) from None


def publisher_of(anchor: AnchorConfig, publisher: str | None) -> bytes:
    """The account whose anchors are meant, 20 bytes; for None that of the configured key.

    Raises:
        Unusable: it is no address, or the key is unusable.
    """
    try:
        return account_of(load_signer(anchor.key).address if publisher is None else publisher)
    except (KeyUnavailable, UnsafeFile) as error:
        raise Unusable(str(error)) from None
    except ValueError:
        raise Unusable("--publisher is not an address: 0x and 40 digits of hex") from None


async def prove_newest_anchor(
    config: Config, hub: HubChainConfig, anchor: tuple[bytes, bytes], trusted: Checkpoint | None, random: Random
) -> AnchorProof:
    """The proof of the newest anchor of a publisher.

    Args:
        anchor: contract and publisher, 20 bytes each.
        trusted: of the hub: the newest anchor that stands there is taken if there is one, and the headers lead on from
            it; None: the newest at the hub's head.

    Raises:
        Declined: nothing is anchored, or no configured path has a client of the hub.
        AdapterError: the hub does not answer.
    """
    ends = [(path.a, path.b) for path in config.paths] + [(path.b, path.a) for path in config.paths]
    follower = next((other for end, other in ends if end.chain == hub.name), None)
    if follower is None:
        raise Declined(f"no configured path has a client of {hub.name}, by whose rules its headers are read")
    async with open_hub(hub, random) as chain, open_chain(config.chain(follower.chain), random) as other:
        info = await other.client(follower.client)
        try:
            return await prove_anchor(chain, info.client_state, *anchor, trusted)
        except NotAnchored as error:
            raise Declined(str(error)) from None


async def deploy(hub: HubChainConfig, signer: Signer, random: Random) -> bytes:
    """Put a new contract for anchors onto the hub; its address, 20 bytes.

    Raises:
        AdapterError: the hub refuses it, or does not answer.
    """
    async with open_hub(hub, random) as chain:
        return await deploy_anchor(await transactor_of(chain, signer))


def account_of(text: str) -> bytes:
    """An account's 20 bytes, of hex with or without 0x; its checksum is not looked at.

    Raises:
        ValueError: it is something else.
    """
    address = bytes.fromhex(text.removeprefix("0x"))
    if len(address) != 20:
        raise ValueError(text)
    return address
