"""`hutong client rotate`: the next set of attestors, signed by the present one, brought to its client."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.configured import chain_of, client_end_of
from hutong.relay.cli.common.options import ConfigFile, HostChain, HostedClient
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions


def rotate(
    config: ConfigFile,
    chain: HostChain,
    client: HostedClient,
    signed: Annotated[list[Path], typer.Option(help="A file of `hutong attest rotate`; once for each attestor.")],
    *,
    payer: SignerOptions,
) -> None:
    """Put the set of attestors in force that enough of the present one have signed.

    The rotation is judged here first, with the client's own rules, and only sent if it holds: exit code 1 if not.
    """
    from hutong.relay.administration.clients.rotation import SignedRotation, rotate_attestors
    from hutong.relay.verify.rotation_files import read_signed_rotation

    loaded = config_of(config)
    end = client_end_of(loaded, chain, client)
    rotation = SignedRotation(*read_signed_rotation(signed, client))
    signer = payer.open()
    done = run_administration(partial(rotate_attestors, chain_of(loaded, end.chain), end.client, rotation, signer))
    until = done.previous_until_height
    overlap = f"the previous set stays good to height {until}" if until else "the previous set ends at once"
    typer.echo(f"{chain} {client}: set {done.set_number}, {done.threshold} of {done.attestors}, is in force; {overlap}")
