"""`hutong hub skip`: a decided block that no node can execute counts as empty once more than two thirds signed so."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
    from hutong.relay.hub.upkeep.stopped import SkipStanding

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

    try:
        found = standing_of(home)
    except (UnusableHome, NodeRefused) as error:
        raise Refused(str(error), UNUSABLE) from None
    if as_json:
        typer.echo(json.dumps(_document(found)))
        return
    for line in _lines(found, home):
        typer.echo(line)


def _document(found: "SkipStanding") -> dict[str, Any]:
    marker = found.marker
    return {
        "chain_id": found.chain_id,
        "height": found.height,
        "block": None
        if marker is None
        else {
            "height": marker.height,
            "hash": marker.block_hash.hex(),
            "stage": marker.stage.value,
            "attempts": marker.attempts,
            "reason": marker.why_failed(),
        },
        "may_sign": found.why_not is None,
        "why_not": found.why_not,
        "certificate_of": None if found.certificate is None else found.certificate.statement.height,
        "total_power": sum(found.powers.values()),
        "power_needed": sum(found.powers.values()) * 2 // 3 + 1,
    }


def _lines(found: "SkipStanding", home: Path) -> list[str]:
    lines = [f"hub {found.chain_id} stands at block {found.height} here"]
    if found.certificate is not None:
        lines.append(
            f"a certificate of block {found.certificate.statement.height} is in {home / 'skips'}: start the node"
        )
        return lines
    if found.why_not is not None or found.marker is None:
        return [*lines, found.why_not or ""]
    total = sum(found.powers.values())
    return [
        *lines,
        f"block {found.marker.height} ({found.marker.block_hash.hex()}) failed here: {found.marker.why_failed()}",
        f"members with {total * 2 // 3 + 1} of {total} voting power must fail on the same hash: ask them, by another way, first",
        f"then: hutong hub skip sign --home {home}",
    ]


@app.command()
@grouped
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

    try:
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
    except (SkipNotDue, SkipRefused, SignerAway) as error:
        raise Refused(str(error), REFUSED) from None
    except (UnusableHome, NodeRefused) as error:
        raise Refused(str(error), UNUSABLE) from None
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
    from hutong.light_clients.interface import VerificationError
    from hutong.light_clients.tendermint.skip_certificate import combined, skip_is_decided, skip_is_signed
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.skipping.files import read_file
    from hutong.relay.hub.upkeep.stopped import standing_of

    try:
        powers, parts = standing_of(home).powers, [read_file(path) for path in files]
        for path, part in zip(files, parts, strict=True):
            try:
                skip_is_signed(part, powers)
            except VerificationError as error:
                raise Refused(f"{path}: {error}", REFUSED) from None
        certificate = combined(parts)
        power, total = skip_is_signed(certificate, powers), sum(powers.values())
    except (UnusableHome, NodeRefused) as error:
        raise Refused(str(error), UNUSABLE) from None
    except VerificationError as error:
        raise Refused(str(error), REFUSED) from None
    _write(certificate, out or Path(f"skip-{certificate.statement.height}.json"))
    typer.echo(f"{len(certificate.signatures)} signatures with {power} of {total} voting power")
    try:
        skip_is_decided(certificate, powers)
    except VerificationError:
        raise Refused(f"more than {total * 2 // 3} is needed: collect more signatures", REFUSED) from None
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

    try:
        typer.echo(apply_certificate(home, read_file(file)))
    except SkipNotDue as error:
        raise Refused(str(error), REFUSED) from None
    except (UnusableHome, NodeRefused) as error:
        raise Refused(str(error), UNUSABLE) from None


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

    try:
        certificate = certificate_in_state(home, height)
        found = None if evidence is None else evidence_in_state(home, height, trusted_height or max(1, height - 1))
    except SkipNotDue as error:
        raise Refused(str(error), REFUSED) from None
    except (UnusableHome, NodeRefused) as error:
        raise Refused(str(error), UNUSABLE) from None
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
