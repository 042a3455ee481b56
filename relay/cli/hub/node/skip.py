"""`hutong hub skip`: a decided block that no node can execute counts as empty once more than two thirds signed so."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing

if TYPE_CHECKING:
    from hutong.light_clients.tendermint.skip_certificate import SkipCertificate

app = command_group("A block that no node can execute: sign that it counts as empty, and go on.")

Home = Annotated[Path, typer.Option(help="The home of a hub node, under either engine.")]
Out = Annotated[Path | None, typer.Option(help="Where to write (default: in the current folder, named by height).")]


@app.command()
def status(home: Home, as_json: AsJson = False) -> None:
    """Whether a block failed here, and what this node may do about it. The node may run.

    Exit codes: 0 answered, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.upkeep.stopped import standing_of

    with refusing(UnusableHome, NodeRefused):
        found = standing_of(home)
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
        return
    for line in found.in_words(home):
        typer.echo(line)


@app.command()
def sign(
    home: Home,
    out: Out = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: the others have been asked.")] = False,
    *,
    password: KeyPassword,
) -> None:
    """Sign that the block which failed here counts as empty. It binds: from then on this validator votes for nothing else.

    The node is stopped, failed on the block, and signed nothing above it. Exit codes: 0 signed, 1 refused, 2 unusable.
    """
    from hutong.relay.hub.consensus.signing import SkipRefused
    from hutong.relay.hub.engine.block_signer import SignerAway
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.upkeep.stopped import SkipNotDue, sign_skip, standing_of

    with refusing(UnusableHome, NodeRefused, refused=(SkipNotDue, SkipRefused, SignerAway)):
        found = standing_of(home)
        if found.why_not is not None or found.statement is None:
            raise Refused(found.why_not or "no execution failed here", REFUSED)
        if not yes:
            typer.echo(
                f"{found.statement} would count as executed empty, over the state {found.statement.prior_app_hash.hex()}."
            )
            typer.echo(
                "This cannot be taken back. Where fewer than two thirds of the power fail on this block, the hub stands still for good."
            )
            typer.confirm(
                "Did members with more than two thirds of the power say that this very hash failed?", abort=True
            )
        certificate = sign_skip(home, password.source())
    signer = certificate.signatures[0].public_key.hex()[-8:]
    _write(certificate, out or Path(f"skip-{certificate.statement.height}-{signer}.json"))


@app.command()
def combine(
    files: Annotated[list[Path], typer.Argument(help="What the validators signed, and earlier combinations.")],
    home: Home,
    out: Out = None,
) -> None:
    """Put signatures of one block together, each checked. Says how much power is there and how much is needed. Nothing is secret.

    Exit codes: 0 complete, 1 more signatures are needed or one is false, 2 unusable input.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.upkeep.stopped import SkipNotDue, combine_certificates

    with refusing(UnusableHome, NodeRefused, refused=(SkipNotDue,)):
        made = combine_certificates(home, files)
    _write(made.certificate, out or Path(f"skip-{made.certificate.statement.height}.json"))
    typer.echo(f"{len(made.certificate.signatures)} signatures with {made.power} of {made.total} voting power")
    if not made.is_complete:
        raise Refused(f"more than {made.total * 2 // 3} is needed: collect more signatures", REFUSED)
    typer.echo(f"complete: hutong hub skip apply --home {home} FILE, on every node")


@app.command()
def apply(home: Home, file: Annotated[Path, typer.Argument(help="A complete certificate.")]) -> None:
    """Hand a complete certificate to a stopped node, judged by its own state. Other nodes may also get it from this one.

    Exit codes: 0 taken, 1 it does not fit this node's chain, 2 unusable input.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.skipping.files import read_file
    from hutong.relay.hub.upkeep.stopped import SkipNotDue, apply_certificate

    with refusing(UnusableHome, NodeRefused, refused=(SkipNotDue,)):
        typer.echo(apply_certificate(home, read_file(file)))


@app.command()
def show(
    height: Annotated[int, typer.Argument(min=1, help="Of the skipped block.")],
    home: Home,
    out: Out = None,
    evidence: Annotated[
        Path | None, typer.Option(help="Also write what `hutong audit skip` judges offline: headers, sets, proof.")
    ] = None,
    trusted_height: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --evidence: the height of the auditor's checkpoint (default: the block before)."
        ),
    ] = None,
) -> None:
    """The certificate by which a block counts as empty, from a node's state: for members that join, and for auditors.

    Exit codes: 0 written, 1 that block was executed, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.upkeep.stopped import SkipNotDue, certificate_in_state, evidence_in_state

    with refusing(UnusableHome, NodeRefused, refused=(SkipNotDue,)):
        certificate = certificate_in_state(home, height)
        found = None if evidence is None else evidence_in_state(home, height, trusted_height or max(1, height - 1))
    if certificate is None:
        raise Refused(f"block {height} does not count as empty in this node's state", REFUSED)
    _write(certificate, out or Path(f"skip-{height}.json"))
    for one in certificate.signatures:
        typer.echo(f"signed by {one.public_key.hex()}")
    if evidence is not None and found is not None:
        _write_file(evidence, found)
        typer.echo(f"{evidence}: for `hutong audit skip`")


def _write_file(path: Path, data: bytes) -> None:
    from hutong.relay.base.durable_files import READABLE, write_durably

    try:
        write_durably(path, data, READABLE)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}", UNUSABLE) from None


def _write(certificate: "SkipCertificate", path: Path) -> None:
    from hutong.relay.hub.skipping.files import encode_file

    _write_file(path, encode_file(certificate))
    typer.echo(f"{path}: {certificate.statement}")
