"""What `hutong archive` asks of chains: bundles from a relay's evidence, and the archive's root on the hub.

It is imported where nothing else of the relay is: what asks the chains is imported when it is called.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.options import ConfigFile, HubName, Keystore
from hutong.relay.verify.inputs import UnusableInput
from hutong.relay.verify.output_files import write_file

if TYPE_CHECKING:
    from hutong.relay.archive.bundle import Bundle

HubCheckpoint = Annotated[Path | None, typer.Option("--checkpoint", help="What you trust of the hub.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where it goes.")]


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
    from hutong.relay.administration.bundles.packet_bundles import export_every_bundle
    from hutong.relay.archive.bundle import encode_bundle
    from hutong.relay.cli.common.session import config_of, run_administration

    made: dict[str, bytes] = {}

    def keep(packet_id: str, bundle: "Bundle") -> None:
        made[packet_id] = encode_bundle(bundle)

    without = run_administration(partial(export_every_bundle, config_of(file), (), keep))
    if without.unreadable is not None:
        raise UnusableInput(without.unreadable)
    for name, reason in without.reasons.items():
        typer.echo(f"{name}: {reason}", err=True)
    return list(made.items())


def anchor(config: ConfigFile) -> None:
    """Write the archive's root down on the hub now, with the key that the configuration names."""
    from hutong.relay.administration.bundles import anchors
    from hutong.relay.cli.common.session import config_of, run_administration

    loaded = config_of(config)
    hub, configured = anchors.anchor_of(loaded)
    publication = anchors.publication_of(loaded, hub, configured)
    head, height = publication.head, run_administration(partial(anchors.publish, publication))
    if height is None:
        typer.echo(f"{head.size} entries are anchored already")
        return
    typer.echo(f"anchored {head.size} entries in block {height}, root {head.root.hex()}")
    typer.echo(f"contract {configured.contract}, publisher {publication.signer.address}: name both to your auditors")


def prove_anchor(
    config: ConfigFile,
    output: Output,
    checkpoint: HubCheckpoint = None,
    publisher: Annotated[
        str | None, typer.Option(help="Address of another publisher; without it that of the configured key.")
    ] = None,
) -> None:
    """Write the proof of the newest anchor on the hub; with a checkpoint, one that can be judged from it at any time."""
    from hutong.relay.administration.bundles import anchors
    from hutong.relay.archive.anchor import encode_anchor
    from hutong.relay.cli.common.session import config_of, run_administration
    from hutong.relay.verify.bundles.inputs import read_checkpoint

    loaded = config_of(config)
    hub, configured = anchors.anchor_of(loaded)
    trusted = None if checkpoint is None else read_checkpoint(checkpoint)
    if trusted is not None and trusted.chain_id != hub.chain_id:
        raise UnusableInput(f"the checkpoint is of {trusted.chain_id}, the anchor is on {hub.chain_id}")
    wanted = (anchors.account_of(configured.contract), anchors.publisher_of(configured, publisher))
    made = run_administration(partial(anchors.prove_newest_anchor, loaded, hub, wanted, trusted))
    write_file(output, encode_anchor(made))
    typer.echo(f"anchor {made.anchor.index}: {made.anchor.size} entries under header {made.height} of {hub.chain_id}")


def deploy_anchor(
    config: ConfigFile,
    keystore: Keystore,
    password_file: Annotated[Path | None, typer.Option(help="File with its password, mode 0600.")] = None,
    password_env: Annotated[str | None, typer.Option(help="Environment variable with its password.")] = None,
    hub: HubName = None,
) -> None:
    """Put an ArchiveAnchor contract onto the hub. One serves any number of archives, each under its publisher's address."""
    from hutong.relay.administration.bundles import anchors
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.cli.common.session import config_of, run_administration, signer_of

    chosen = hub_of(config_of(config), hub)
    signer = signer_of(keystore, password_file, password_env)
    typer.echo(f"0x{run_administration(partial(anchors.deploy, chosen, signer)).hex()}")
