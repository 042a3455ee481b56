"""`hutong client misbehaviour`: freeze a client with evidence that its chain has forked."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.configured import chain_of, client_end_of, followed_of
from hutong.relay.cli.common.options import ConfigFile, HostChain, HostedClient
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions


def misbehaviour(
    config: ConfigFile,
    chain: HostChain,
    client: HostedClient,
    evidence: Annotated[
        list[Path],
        typer.Option(
            help="Given twice: two conflicting headers of a CometBFT chain, each a node's answers of /commit and "
            "/validators in one JSON file. Given once: the client type's Misbehaviour message, raw, in hex or base64."
        ),
    ],
    *,
    payer: SignerOptions,
) -> None:
    """Submit evidence that the chain which a client follows has two histories: the client is frozen until it is recovered.

    The evidence is judged here first, with the client's own rules, and only sent if it holds: exit code 1 if not.
    """
    from hutong.relay.administration.clients.misbehaviour import submit_evidence
    from hutong.relay.verify.evidence_files import read_evidence

    loaded = config_of(config)
    end = client_end_of(loaded, chain, client)
    read = read_evidence(evidence)
    given = read if isinstance(read, bytes) else (read, chain_of(loaded, followed_of(loaded, end).chain))
    signer = payer.open()
    said = run_administration(partial(submit_evidence, chain_of(loaded, end.chain), end.client, given, signer))
    typer.echo(f"{chain} {client} is Frozen: {said}")
