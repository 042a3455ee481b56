"""`hutong identity demo`: from an accreditation to refusals on the web and on another chain, on this machine."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

MAX_AGE_S = 60


def demo(
    json_: Annotated[bool, typer.Option("--json", help="Print the report as JSON, progress on stderr.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show an offer and a request as QR codes, and run until Ctrl-C.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option(help="Folder for the files, new or empty (default: a temporary one).")
    ] = None,
    max_age: Annotated[
        int, typer.Option(min=1, max=86_400, help="Seconds by which the contract may learn of a revocation late.")
    ] = MAX_AGE_S,
) -> None:
    """Accredit a university, issue, present to a website and to a contract on another chain, audit, revoke, see both refuse.

    A hub, a dev chain, an issuer and a verifier run as processes of their own until it ends. Exit code 0 if each step was
    as it should be, 1 otherwise, 2 for unusable input.
    """
    from rich.console import Console

    from hutong.relay.cli.operator.demo import EXIT_CODES, new_home
    from hutong.relay.demo.identity.demo import IdentityDemo
    from hutong.relay.demo.running import Ending, run_to_its_end

    folder = Path(tempfile.mkdtemp(prefix="hutong-identity-demo-")) if home is None else new_home(home)
    ending = run_to_its_end(IdentityDemo(max_age), Console(stderr=json_), folder, json_=json_, keep=wait)
    if ending is not Ending.GOOD:
        raise typer.Exit(EXIT_CODES[ending])
    if home is None:
        shutil.rmtree(folder, ignore_errors=True)
