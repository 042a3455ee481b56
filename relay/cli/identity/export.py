"""`hutong identity export`: the registry as lists that others read, made of proven records and an operator's words."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.exports.list_form import Standing
    from hutong.relay.services.identity.rules.jose import JsonObject
    from hutong.relay.verify.credentials.issuer_lists import Form

app = command_group("Accredited issuers as a list of ETSI, or as a credential.")

SchemeArgument = Annotated[Path, typer.Argument(metavar="SCHEME", help="TOML: the list's words, and its entities.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where the list goes.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="PEM with the key of P-256 that signs, or a key file (docs/keys.md); without it the list is plain JSON.",
    ),
]
PasswordFile = Annotated[Path | None, typer.Option(help="The password of the key, where it has one; mode 0600.")]


@dataclass(frozen=True, slots=True)
class StandingOptions:
    """What is trusted of the hub, and how old its header may be."""

    checkpoint: Annotated[Path, typer.Option(help="What you trust of the hub.")]
    at: Annotated[str | None, typer.Option(help="Your time, RFC 3339 or Unix seconds; without it the header's.")] = None
    max_age: Annotated[int | None, typer.Option(min=1, help="Seconds that a header may be old at --at.")] = None


@app.command()
def etsi(
    scheme: SchemeArgument,
    out: Out,
    standing: StandingOptions,
    key: KeyFile = None,
    certificates: Annotated[
        Path | None, typer.Option(help="PEM with the certificate of the key, and those above it but the anchor.")
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """A list of trusted entities (ETSI TS 119 602), signed as JAdES. 0 written, 1 an entity may not be on it, 2 unusable."""
    from hutong.relay.administration.identity.list_signing import check_certified, read_list_key
    from hutong.relay.services.identity.rules.exports.etsi_list import list_of_trusted_entities
    from hutong.relay.services.identity.rules.exports.signing import jades_compact
    from hutong.relay.verify.credentials.issuer_lists import read_certificates

    if (key is None) != (certificates is None):
        raise Refused("--key and --certificates go together: a list of ETSI names its signer by certificate", UNUSABLE)
    made, at = _exported(scheme, standing, list_of_trusted_entities)
    if key is None or certificates is None:
        _write(out, made)
        return
    chain = read_certificates(certificates)
    signing = read_list_key(key, password_file)
    check_certified(signing, chain, certificates)
    out.write_text(jades_compact(made, chain, at.time_s, signing.sign) + "\n")
    typer.echo(str(out))


@app.command("recognized-entities")
def recognized_entities(
    scheme: SchemeArgument,
    out: Out,
    standing: StandingOptions,
    key: KeyFile = None,
    key_id: Annotated[
        str | None, typer.Option("--kid", help="How a verifier finds the key, such as the URL of a DID's method.")
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """A credential of VC Recognized Entities, signed as vc+jwt. 0 written, 1 an entity may not be on it, 2 unusable."""
    from hutong.relay.administration.identity.list_signing import read_list_key
    from hutong.relay.services.identity.rules.exports.recognized_entities import recognized_entity_credential
    from hutong.relay.services.identity.rules.exports.signing import credential_token

    if (key is None) != (key_id is None):
        raise Refused("--key and --kid go together: a verifier finds the key by its name", UNUSABLE)
    made, _ = _exported(scheme, standing, recognized_entity_credential)
    if key is None or key_id is None:
        _write(out, made)
        return
    out.write_text(credential_token(made, key_id, read_list_key(key, password_file).sign) + "\n")
    typer.echo(str(out))


def _exported(scheme: Path, standing: StandingOptions, form: "Form") -> "tuple[JsonObject, Standing]":
    from hutong.relay.audit.records import Asked
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.credentials.issuer_lists import NotListed, exported

    now_ns = judged_at_ns(standing.at, "--at")
    at_s = None if standing.at is None and standing.max_age is None else now_ns // NANOSECONDS_PER_SECOND
    try:
        return exported(scheme, read_checkpoint(standing.checkpoint), form, Asked(at_s, standing.max_age), now_ns)
    except NotListed as error:
        raise Refused(f"not written: {error}", REFUSED) from None


def _write(out: Path, made: "JsonObject") -> None:
    from hutong.relay.services.identity.rules.jcs import canonical_json

    out.write_bytes(canonical_json(made) + b"\n")
    typer.echo(str(out))
