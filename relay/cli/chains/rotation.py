"""`hutong client rotate`: the next set of attestors, signed by the present one, brought to its client."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import ConfigFile, HostChain, HostedClient
from hutong.relay.cli.common.refusal import REFUSED, Refused
from hutong.relay.cli.common.session import client_end_of, config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import Config, PathEnd
from hutong.relay.keys import Signer
from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json, read_file

MAX_FILE_BYTES = 64 * 1024


@grouped
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
    loaded = config_of(config)
    end = client_end_of(loaded, chain, client)
    data, signatures = read_signed(signed, client)
    signer = payer.open()
    said = run_administration(partial(_submit, loaded, end, data, signatures, signer))
    typer.echo(f"{chain} {client}: {said}")


def read_signed(files: Sequence[Path], client: str) -> tuple[bytes, tuple[bytes, ...]]:
    """The data, which all files share, and their signatures, in the order of the files.

    Neither is judged here.

    Args:
        files: at least one, of `hutong attest rotate`.

    Raises:
        UnusableInput: a file is none of these, is for another client, or signs another rotation.
    """
    found: list[tuple[bytes, bytes]] = []
    for file in files:
        document = parse_json(read_file(file, MAX_FILE_BYTES), str(file))
        if not isinstance(document, Mapping) or not {"client", "data", "signature"} <= set(document):
            raise UnusableInput(
                f"{file} is not a file of `hutong attest rotate`: client, data and signature are expected"
            )
        if document["client"] != client:
            raise UnusableInput(f"{file} is for client {str(document['client'])[:80]}, not for {client}")
        data = parse_hex(str(document["data"]), f"data in {file}")
        signature = parse_hex(str(document["signature"]), f"signature in {file}", 65)
        if found and data != found[0][0]:
            raise UnusableInput(f"{file} and {files[0]} sign different rotations: all must name the same block and set")
        found.append((data, signature))
    return found[0][0], tuple(signature for _, signature in found)


async def _submit(
    config: Config, end: PathEnd, data: bytes, signatures: tuple[bytes, ...], signer: Signer, random: Random
) -> str:
    from hutong.adapters.interface import Batch, UpdateClient
    from hutong.light_clients.interface import Updated
    from hutong.relay.administration.submission import submit_batch
    from hutong.relay.core.clients.rotation import judge_rotation, rotation_update
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(config.chain(end.chain), random) as host:
        await host.check_identity()
        info = await host.client(end.client)
        update = rotation_update(info.client_state, data, signatures)
        rotation, verdict = await judge_rotation(host, info, update, data, time.time_ns)
        if not isinstance(verdict, Updated):
            raise Refused(f"{end.client} would not take it: {verdict}", REFUSED)
        await submit_batch(host, Batch((UpdateClient(end.client, update),)), signer, "updateClient")
        until = rotation.previous_until_height
        overlap = f"the previous set stays good to height {until}" if until else "the previous set ends at once"
        return f"set {rotation.set_number}, {rotation.threshold} of {len(rotation.attestors)}, is in force; {overlap}"
