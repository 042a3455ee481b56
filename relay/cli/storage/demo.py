"""`hutong storage demo`: fourteen operators, a liar, a repair, four kills and a verdict on another chain, on this machine."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.refusal import UNUSABLE, Refused


def demo(
    json_: Annotated[bool, typer.Option("--json", help="Print the report as JSON, progress on stderr.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Leave everything running until Ctrl-C.")] = False,
    home: Annotated[
        Path | None, typer.Option(help="Folder for the files, new or empty (default: a temporary one).")
    ] = None,
    versitygw: Annotated[
        Path | None, typer.Option(help="The S3 engine's program (default: on the PATH, or where it was provisioned).")
    ] = None,
    folders: Annotated[bool, typer.Option("--folders", help="Let all operators store in folders, without S3.")] = False,
) -> None:
    """Store an object over 14 operators, catch a liar by an audit, show the verdict to another chain, repair, kill 4, read back.

    A hub, a dev chain, operators over two kinds of engine (folders, and versitygw where it is found), a gateway and an auditor
    run as processes until it ends. Exit code 0 if each step was as it should be, 1 otherwise, 2 for unusable input.
    """
    from rich.console import Console

    from hutong.light_clients.crypto.erasure import NOT_INSTALLED, is_installed
    from hutong.relay.cli.operator.demo import EXIT_CODES, new_home
    from hutong.relay.demo.running import Ending, run_to_its_end
    from hutong.relay.demo.storage.demo import StorageDemo
    from hutong.relay.demo.storage.operators import find_versitygw

    if versitygw is not None and not versitygw.is_file():
        raise Refused(f"there is no program {versitygw}", UNUSABLE)
    if not is_installed():
        raise Refused(f"not supported: {NOT_INSTALLED}", UNUSABLE)
    folder = Path(tempfile.mkdtemp(prefix="hutong-storage-demo-")) if home is None else new_home(home)
    engine = None if folders else find_versitygw(versitygw)
    ending = run_to_its_end(StorageDemo(engine), Console(stderr=json_), folder, json_=json_, keep=wait)
    if ending is not Ending.GOOD:
        raise typer.Exit(EXIT_CODES[ending])
    if home is None:
        shutil.rmtree(folder, ignore_errors=True)
