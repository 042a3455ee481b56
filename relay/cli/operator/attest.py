"""`hutong attest`: sign what a chain without provable consensus holds."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.verify.inputs import UnusableInput, parse_hex

if TYPE_CHECKING:
    from hutong.relay.attestor.rotation import NextSet

app = command_group("Attestors.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The attestor's TOML file.")]


@app.callback()
def _group() -> None:
    """Attestors."""


@app.command()
def run(config: ConfigFile) -> None:
    """Sign final states of one chain for the configured clients until SIGTERM or Ctrl-C. Exit code 0 stopped, 2 cannot start."""
    import trio

    from hutong.relay.attestor.daemon import run_attestor
    from hutong.relay.attestor.errors import AttestorUnusable
    from hutong.relay.config import ConfigError, load_attestor_config
    from hutong.relay.keys import KeyUnavailable
    from hutong.relay.telemetry import configure_logs

    with refusing(ConfigError):
        loaded = load_attestor_config(config)
    configure_logs(loaded.attestor.log_level)
    expected = (AttestorUnusable, KeyUnavailable)
    try:
        trio.run(run_attestor, loaded, typer.echo)
    except (*expected, BaseExceptionGroup) as error:
        raise Refused(str(expected_leaves(error, expected)[0]), UNUSABLE) from None


@dataclass(frozen=True, slots=True)
class NextSetOptions:
    """The set that shall follow, and on which client."""

    client: Annotated[str, typer.Option(help="The client whose set is to change, one of the configured destinations.")]
    height: Annotated[int, typer.Option(min=1, help="A final block of the source, the same for all who sign.")]
    set_number: Annotated[int, typer.Option(min=1, help="One more than the rotations that the client has seen.")]
    attestor: Annotated[list[str], typer.Option(help="Address of an attestor of the new set; once for each.")]
    threshold: Annotated[int, typer.Option(min=1, help="How many of the new set must sign; more than half.")]
    overlap: Annotated[
        int, typer.Option(min=0, help="Heights for which the present set stays good; 0 ends it at once.")
    ]

    def wanted(self) -> "NextSet":
        """The same as attestors sign it.

        Raises:
            UnusableInput: an address is not 20 bytes of hex.
        """
        from hutong.relay.attestor.rotation import NextSet

        addresses = tuple(parse_hex(text, "--attestor", 20) for text in self.attestor)
        return NextSet(self.client, self.height, self.set_number, addresses, self.threshold, self.overlap)


@app.command()
def rotate(
    config: ConfigFile,
    out: Annotated[Path, typer.Option(help="File for this attestor's signature.")],
    *,
    following: NextSetOptions,
) -> None:
    """Sign the set of attestors that follows the present one (stop `attest run` for it: both use one home).

    Exit code 0 signed, 2 not. As many attestors of the present set as its threshold sign the same; `hutong client rotate`
    takes their files.
    """
    import trio

    from hutong.adapters.evm.attested.attestor_api import AttestorRefused
    from hutong.relay.attestor.errors import AttestorUnusable
    from hutong.relay.attestor.rotation import sign_rotation
    from hutong.relay.config import ConfigError, load_attestor_config
    from hutong.relay.keys import KeyUnavailable, load_signer

    expected = (ConfigError, KeyUnavailable, AttestorUnusable, AttestorRefused)
    wanted = following.wanted()
    if out.exists():
        raise UnusableInput(f"--out {out} exists")
    try:
        loaded = load_attestor_config(config)
        signer = load_signer(loaded.attestor.key)
        signed = trio.run(partial(sign_rotation, loaded, signer, wanted))
    except (*expected, BaseExceptionGroup) as error:
        raise UnusableInput(str(expected_leaves(error, expected)[0])) from None
    document = {"client": following.client, "data": signed.data.hex(), "signature": signed.signature.hex()}
    try:
        write_durably(out, (json.dumps(document, indent=1) + "\n").encode(), READABLE)
    except OSError as error:
        raise UnusableInput(f"--out {out} cannot be written: {error.strerror}") from None
    typer.echo(f"{signer.address} signed set {following.set_number} of {following.client}: {out}")
