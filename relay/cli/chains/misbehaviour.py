"""`hutong client misbehaviour`: freeze a client with evidence that its chain has forked."""

import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import ConfigFile, HostChain, HostedClient
from hutong.relay.cli.common.refusal import REFUSED, Refused
from hutong.relay.cli.common.session import client_end_of, config_of, followed_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import Config, PathEnd
from hutong.relay.keys import Signer
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.proof_files import protobuf_bytes

_JSON = (b"{", b"[")


@grouped
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
    loaded = config_of(config)
    end = client_end_of(loaded, chain, client)
    given = _read(evidence)
    signer = payer.open()
    said = run_administration(partial(_submit, loaded, end, given, signer))
    typer.echo(f"{chain} {client} is Frozen: {said}")


def _read(files: list[Path]) -> Any:
    """Encoded evidence, or two headers to make it of."""
    from hutong.light_clients.interface import MAX_CLIENT_MESSAGE_BYTES, VerificationError
    from hutong.light_clients.tendermint import rpc_json
    from hutong.relay.core.clients.evidence import ConflictingHeader
    from hutong.relay.verify.tendermint import read_served

    if len(files) == 1:
        data = read_file(files[0], 2 * MAX_CLIENT_MESSAGE_BYTES + 2)
        if data.lstrip()[:1] in _JSON:
            raise UnusableInput(f"{files[0]} is JSON: give --evidence twice, once for each of two conflicting headers")
        return protobuf_bytes(data, str(files[0]))[0]
    if len(files) != 2:
        raise UnusableInput(f"--evidence is given once or twice, not {len(files)} times")
    headers = []
    for file in files:
        served = read_served([file])
        listed = {"validators": served.validators, "proposer": served.proposer}
        try:
            headers.append(
                ConflictingHeader(
                    rpc_json.signed_header_from_rpc(served.signed_headers[0]),
                    rpc_json.validator_set_from_rpc(listed) if served.validators else None,
                )
            )
        except VerificationError as error:
            raise UnusableInput(f"{file}: {error}") from error
    return tuple(headers)


async def _submit(config: Config, end: PathEnd, given: Any, signer: Signer, random: Random) -> str:
    from hutong.adapters.interface import Batch, SubmitMisbehaviour
    from hutong.light_clients.interface import ClientStatus
    from hutong.relay.administration.submission import submit_batch
    from hutong.relay.core.clients.evidence import judge_evidence, tendermint_evidence
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(config.chain(end.chain), random) as host:
        await host.check_identity()
        info = await host.client(end.client)
        encoded = given
        if not isinstance(given, bytes):
            followed = followed_of(config, end)
            async with open_chain(config.chain(followed.chain), random) as source:
                encoded = await tendermint_evidence(host, info, source, given)
        verdict = await judge_evidence(host, info, encoded, time.time_ns)
        await submit_batch(host, Batch((SubmitMisbehaviour(end.client, encoded),)), signer, "submitMisbehaviour")
        status = (await host.client(end.client)).status
        if status is not ClientStatus.FROZEN:
            raise Refused(f"{end.chain} took the evidence and {end.client} is {status}", REFUSED)
        return verdict.reason
