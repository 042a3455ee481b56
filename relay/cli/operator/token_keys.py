"""`hutong keys token`: keys on a token, through its library for PKCS #11."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson

app = command_group("Keys on a token: a hardware security module, a card, or a file that behaves as one.")


@dataclass(frozen=True, slots=True)
class Token:
    """Which token, and what opens it."""

    module: Annotated[Path, typer.Option(help="The token's library for PKCS #11.")]
    token_label: Annotated[str, typer.Option(help="The label of the token, whichever slot it is in.")]
    pin_file: Annotated[Path, typer.Option(help="File with the user's PIN, mode 0600.")]
    token_serial: Annotated[str | None, typer.Option(help="Its serial number, among tokens of one label.")] = None

    @property
    def place(self) -> Any:
        """As `administration` has it. Raises Unusable: library, PIN file or extra are missing."""
        from hutong.relay.administration.keys.token_keys import token_place

        return token_place(self.module, self.token_label, self.pin_file, self.token_serial)


@app.command()
def generate(
    key_file: Annotated[Path, typer.Argument(help="The key file (.toml) to write; it must not exist.")],
    key_id: Annotated[str, typer.Option(help="The id of the key on the token (CKA_ID), in hex.")],
    *,
    token: Token,
    curve: Annotated[
        Literal["secp256k1", "p256"], typer.Option(help="secp256k1 of accounts, p256 of credentials.")
    ] = "secp256k1",
    label: Annotated[str, typer.Option(help="What the token's own tools call the key.")] = "hutong",
) -> None:
    """Make a key that never leaves the token, write its table into a key file, and print its address, or its public key.

    Exit codes: 0 made, 1 the token refused, 2 unusable.
    """
    from hutong.relay.administration.keys.token_keys import generate_on_token

    made = generate_on_token(token.place, key_id, label, curve, key_file)
    assert made.public_key is not None
    typer.echo(made.address or made.public_key.hex())


@app.command(name="list")
def list_(*, token: Token, as_json: AsJson = False) -> None:
    """Show the keys of a token with id, public key and address, and what keeps one from being used. Nothing is signed.

    Exit codes: 0 shown, 1 the token refused, 2 unusable.
    """
    from hutong.relay.administration.keys.token_keys import keys_on_token

    found = keys_on_token(token.place)
    rows = [
        {
            "id": one.key_id,
            "label": one.label,
            "curve": one.curve,
            "public_key": None if one.public_key is None else one.public_key.hex(),
            "address": one.address,
            "problem": " and ".join(one.unusable) or None,
        }
        for one in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        parts = [row["id"], row["curve"], row["public_key"] or "-", row["address"] or "-", row["label"]]
        typer.echo("  ".join(str(part) for part in parts) + (f"  ({row['problem']})" if row["problem"] else ""))
