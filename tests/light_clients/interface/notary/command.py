"""The command: `hutong verify notary FILE --trusted CLIENT_STATE`."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.interface import MalformedInput, audit
from hutong.relay.cli.audit.options import File, VerdictsAsJson, judged_at_ns
from hutong.relay.cli.common.verdicts import report
from hutong.relay.verify.inputs import UnusableInput, parse_hex, read_file
from tests.light_clients.interface.notary.client import NotaryClient, header_is_well_formed, judge_block


def _judge_file(judge, header: bytes, client, now_ns: int) -> None:
    judge_block(judge, client, judge(header_is_well_formed, header), now_ns)


def notary_command(
    file: File,
    trusted: Annotated[Path, typer.Option(help="Client state, hex.")],
    as_json: VerdictsAsJson = False,
) -> None:
    """Judge a block by its notary's signature."""
    header = parse_hex(read_file(file).decode(), str(file))
    try:
        client = NotaryClient().decode_client(parse_hex(read_file(trusted).decode(), str(trusted)))
    except MalformedInput as error:
        raise UnusableInput(f"{trusted}: {error}") from None
    verdicts = audit(_judge_file, header, client, judged_at_ns(None))
    report(verdicts, {"file": str(file), "chain": client.chain_id}, as_json=as_json)
