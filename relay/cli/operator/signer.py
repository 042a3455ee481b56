"""`hutong signer`: keys in a process of their own, which signs for relays, attestors and admins what a policy allows."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.base.os_errors import os_reason
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

app = command_group("A signer of others' documents: keys of any kind, a policy for each, a record of what was signed.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The signer's TOML file (docs/keys.md).")]


@app.command()
def run(config: ConfigFile) -> None:
    """Sign over the REST of Web3Signer until SIGTERM or Ctrl-C. Prints one line when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.relay.config import ConfigError, load_signer_config
    from hutong.relay.keys import KeyUnavailable, forbid_core_dumps
    from hutong.relay.signer.daemon import run_signer
    from hutong.relay.telemetry import configure_logs

    forbid_core_dumps()
    with refusing(ConfigError):
        loaded = load_signer_config(config)
    configure_logs(loaded.signer.log_level)
    expected = (KeyUnavailable, OSError)
    try:
        trio.run(run_signer, loaded, typer.echo)
    except (*expected, BaseExceptionGroup) as error:
        leaf = expected_leaves(error, expected)[0]
        said = f"{loaded.signer.listen}: {os_reason(leaf)}" if isinstance(leaf, OSError) else str(leaf)
        raise Refused(said, UNUSABLE) from None


@app.command()
def record(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="The record of a signer that does not run, or a copy of one; full files of it; or all together."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Judge a record: every line follows the one before it, from file to file. Says how many there are, of which keys, after
    which line they begin, and the last one's hash.

    Exit codes: 0 whole, 2 damaged, with a gap, or in use.
    """
    from hutong.relay.keys import KeyUnavailable
    from hutong.relay.keys.signing_record import judged_record

    with refusing(KeyUnavailable):
        found = judged_record(files)
    said = {
        "signatures": found.after.number - found.before.number,
        "keys": ", ".join(sorted(key.hex() for key in found.keys)) or "none",
        "newest": "none" if found.newest is None else found.newest.summary,
        "newest_time_s": 0 if found.newest is None else found.newest.time_s,
        "after_number": found.before.number,
        "after_line": found.before.last.hex(),
        "last_number": found.after.number,
        "last_line": found.after.last.hex(),
    }
    print_values(said, as_json=as_json)
