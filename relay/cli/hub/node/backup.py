"""`hutong hub backup`, `restore` and `rollback`: what an operator does before and after a disk fails."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.key_password import NewKeyPassword
from hutong.relay.cli.common.options import NewHome
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

SignAbove = Annotated[
    int | None,
    typer.Option(
        min=1, max=2**62, help="The key has certainly signed nothing above this height; it signs only above it."
    ),
]


def backup(
    home: Annotated[Path, typer.Option(help="The home of a node of the embedded engine; it may run.")],
    to: Annotated[Path, typer.Option(help="The file to make, mode 0600; an existing one is never replaced.")],
    with_consensus_key: Annotated[
        bool,
        typer.Option(
            "--with-consensus-key",
            help="Also the validator's key, as it is on disk: who has the file can sign, with the password if it has one.",
        ),
    ] = False,
) -> None:
    """Write genesis, the chain as of one moment and the last-signed record into one file.

    Exit codes: 0 made, 1 refused, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.upkeep.backup import BackupRefused, make_backup

    with refusing(UnusableHome, refused=(BackupRefused,)):
        height, rows = make_backup(home, to, with_key=with_consensus_key)
    key = "with" if with_consensus_key else "without"
    typer.echo(f"backup of block {height} in {to}: {rows} rows, {key} the validator's key")


def restore(
    home: NewHome,
    from_file: Annotated[Path, typer.Option("--from", help="A file that `hutong hub backup` made.")],
    genesis: Annotated[
        Path | None, typer.Option(help="The hub's genesis.json: a backup of another hub is refused.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="The validator's key, mode 0600, where the backup has none (default: a new key)."),
    ] = None,
    last_signed: Annotated[
        Path | None, typer.Option(help="The key's newest last_signed.json, from the machine that signed last.")
    ] = None,
    sign_above: SignAbove = None,
    *,
    password: NewKeyPassword,
) -> None:
    """Fill a new home from a backup. A key that signed before needs --last-signed or --sign-above, and stays encrypted or
    plain as it was.

    Exit codes: 0 restored, 1 refused, 2 unusable input.
    """
    from hutong.relay.hub.home.home import UnusableHome, read_genesis
    from hutong.relay.hub.home.key_file import read_key_file
    from hutong.relay.hub.home.last_signed import read_record
    from hutong.relay.hub.upkeep.backup import BackupRefused, SigningFrom, restore_backup

    if last_signed is not None and sign_above is not None:
        raise Refused("give --last-signed or --sign-above, not both", UNUSABLE)
    with refusing(UnusableHome, refused=(BackupRefused,)):
        wanted = None if genesis is None else read_genesis(genesis)
        signing = SigningFrom(None if last_signed is None else read_record(last_signed), sign_above)
        encode_key = password.encoding(home)
        known = None if key is None else read_key_file(key)
        done = restore_backup(home, from_file, wanted, known, signing, encode_key)
    typer.echo(f"restored block {done.height} in {home}; validator {done.address.hex().upper()}")
    if done.signs_above:
        typer.echo(f"this key signs above height {done.signs_above} only, and once the node has caught up that far:")
    typer.echo(f"hutong hub join --home {home} --genesis {home / 'genesis.json'} --from URL")


def rollback(
    home: Annotated[Path, typer.Option(help="The home of a stopped node of the embedded engine.")],
    blocks: Annotated[int, typer.Option(min=1, max=2**40, help="How many of the newest blocks to take off.")],
    sign_above: SignAbove = None,
) -> None:
    """Take the newest blocks off the chain on disk, to get them from members again.

    Exit codes: 0 done, 1 refused, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.upkeep.rollback import RollbackRefused, roll_back

    with refusing(UnusableHome, NodeRefused, refused=(RollbackRefused,)):
        height = roll_back(home, blocks, sign_above)
    typer.echo(f"the chain in {home} ends at block {height}")
