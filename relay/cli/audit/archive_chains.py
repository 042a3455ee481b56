"""What `hutong archive` asks of chains: bundles from a relay's evidence, and the archive's root on the hub."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random

import typer

from hutong.adapters.interface import ChainAdapter
from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive import Archive, ArchiveUnavailable
from hutong.relay.archive.anchor import AnchorProof, encode_anchor
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.store import open_backend
from hutong.relay.archive.store.log import Log, read_log
from hutong.relay.cli.audit.inputs import read_checkpoint
from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, hub_of, run_administration, signer_of
from hutong.relay.config import AnchorConfig, Config, HubChainConfig, UnsafeFile
from hutong.relay.keys import KeyUnavailable, Signer, load_signer, stored_key
from hutong.relay.verify.inputs import UnusableInput


def exported_bundles(file: Path) -> list[tuple[str, bytes]]:
    """The bundle of every packet that the relay has evidence of; why a packet has none goes to standard error.

    Args:
        file: the relay's configuration; its chains are asked.

    Returns:
        (packet id, encoded bundle), in the order in which they were made.

    Raises:
        UnusableInput: the relay's evidence cannot be read.
        Refused: code 2, the configuration is unusable; code 1, a chain does not answer.
    """
    made: dict[str, bytes] = {}
    reasons = run_administration(partial(_export, config_of(file), made))
    if isinstance(reasons, str):
        raise UnusableInput(reasons)
    for name, reason in reasons.items():
        typer.echo(f"{name}: {reason}", err=True)
    return list(made.items())


async def _export(config: Config, made: dict[str, bytes], random: Random) -> Mapping[str, str] | str:
    from contextlib import AsyncExitStack

    from hutong.relay.core.archiving.bundling import Exporter
    from hutong.relay.core.topology.chains import open_chain
    from hutong.relay.core.topology.paths import Paths

    async with AsyncExitStack() as stack:
        adapters: dict[str, ChainAdapter] = {}
        for chain in config.chains:
            adapters[chain.name] = await stack.enter_async_context(open_chain(chain, random))
        exporter = Exporter(adapters, Paths.of(config.paths), Archive(config.relay.home / "evidence"))
        try:
            return await exporter.export_all(lambda name, bundle: made.__setitem__(name, encode_bundle(bundle)))
        except ArchiveUnavailable as error:
            return str(error)


def publish_now(file: Path) -> None:
    """Write the head of the configured archive down on its hub, and say what an auditor must know.

    Raises:
        Refused: code 2, the configuration, the archive or the key is unusable, or the relay submits with the same
            account; code 1, the hub refused it or asks for more than its fee limits.
    """
    config = config_of(file)
    hub, anchor = _anchor_of(config)
    try:
        log = read_log(open_backend(config.archive_location))
        signer = load_signer(anchor.key)
        if signer.address in [stored_key(key.keystore).address for key in hub.all_keys]:
            raise Refused(
                f"archive.anchor.key: the relay submits with {signer.address}; give the anchor its own", UNUSABLE
            )
    except (ArchiveUnavailable, KeyUnavailable, MalformedInput, UnsafeFile) as error:
        raise Refused(str(error), UNUSABLE) from None
    publish = partial(_publish, hub, signer, _address(anchor.contract), log, config.archive_location)
    head, height = log.head, run_administration(publish)
    if isinstance(height, str):
        raise Refused(height, REFUSED)
    if height is None:
        typer.echo(f"{head.size} entries are anchored already")
    else:
        typer.echo(f"anchored {head.size} entries in block {height}, root {head.root.hex()}")
        typer.echo(f"contract {anchor.contract}, publisher {signer.address}: name both to your auditors")


def write_anchor_proof(file: Path, output: Path, checkpoint: Path | None, publisher: str | None) -> None:
    """The proof of the newest anchor, into a file.

    Args:
        output: written anew.
        checkpoint: of the hub: the newest anchor that stands there is taken if there is one, and the headers lead on
            from it; None: the newest at the hub's head.
        publisher: the account that anchored, in hex; None: that of the configured key.

    Raises:
        Refused: code 2, an input is unusable; code 1, nothing is anchored or the hub does not answer.
    """
    from hutong.relay.cli.common.output_files import write_file

    config = config_of(file)
    hub, anchor = _anchor_of(config)
    trusted = None if checkpoint is None else read_checkpoint(checkpoint)
    if trusted is not None and trusted.chain_id != hub.chain_id:
        raise UnusableInput(f"the checkpoint is of {trusted.chain_id}, the anchor is on {hub.chain_id}")
    try:
        address = load_signer(anchor.key).address if publisher is None else publisher
        owner = _address(address)
    except (KeyUnavailable, UnsafeFile) as error:
        raise Refused(str(error), UNUSABLE) from None
    except ValueError:
        raise Refused("--publisher is not an address: 0x and 40 digits of hex", UNUSABLE) from None
    made = run_administration(partial(_prove, config, hub, _address(anchor.contract), owner, trusted))
    if isinstance(made, str):
        raise Refused(made, REFUSED)
    write_file(output, encode_anchor(made))
    typer.echo(f"anchor {made.anchor.index}: {made.anchor.size} entries under header {made.height} of {hub.chain_id}")


def deploy(
    file: Path, keystore: Path, password_file: Path | None, password_env: str | None, hub_name: str | None
) -> None:
    """Deploy a new contract for anchors on the hub and print its address.

    Raises:
        Refused: code 2, the configuration or the key is unusable; code 1, the hub refused it.
    """
    hub = hub_of(config_of(file), hub_name)
    signer = signer_of(keystore, password_file, password_env)
    contract = run_administration(partial(_deploy, hub, signer))
    typer.echo(f"0x{contract.hex()}")


def _anchor_of(config: Config) -> tuple[HubChainConfig, AnchorConfig]:
    anchor = None if config.archive is None else config.archive.anchor
    if anchor is None:
        raise Refused("the configuration has no [archive.anchor]: name its contract and key", UNUSABLE)
    return hub_of(config, anchor.hub), anchor


def _address(text: str) -> bytes:
    address = bytes.fromhex(text.removeprefix("0x"))
    if len(address) != 20:
        raise ValueError(text)
    return address


async def _deploy(hub: HubChainConfig, signer: Signer, random: Random) -> bytes:
    from hutong.adapters.hub.archive_anchor import deploy_anchor
    from hutong.adapters.ics26.transactor import Transactor

    async with open_hub(hub, random) as chain:
        return await deploy_anchor(Transactor(chain.execution, await chain.eth_chain_id(), signer))


async def _publish(
    hub: HubChainConfig, signer: Signer, contract: bytes, log: Log, location: str, random: Random
) -> int | str | None:
    from hutong.relay.core.archiving.anchoring import publish_log
    from hutong.relay.core.errors import TooDear

    async with open_hub(hub, random) as chain:
        try:
            return await publish_log(chain, signer, contract, log, location, hub.fee_limits)
        except (ArchiveUnavailable, TooDear) as error:
            return str(error)


async def _prove(
    config: Config, hub: HubChainConfig, contract: bytes, publisher: bytes, trusted: Checkpoint | None, random: Random
) -> AnchorProof | str:
    from hutong.relay.core.archiving.anchoring import NotAnchored, prove_anchor
    from hutong.relay.core.topology.chains import open_chain

    ends = [(path.a, path.b) for path in config.paths] + [(path.b, path.a) for path in config.paths]
    follower = next((other for end, other in ends if end.chain == hub.name), None)
    if follower is None:
        return f"no configured path has a client of {hub.name}, by whose rules its headers are read"
    async with open_hub(hub, random) as chain, open_chain(config.chain(follower.chain), random) as other:
        info = await other.client(follower.client)
        try:
            return await prove_anchor(chain, info.client_state, contract, publisher, trusted)
        except NotAnchored as error:
            return str(error)
