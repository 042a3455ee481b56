"""`hutong hub candidate` and `rotate-key`: a consensus key proves that its holder wants it in, under one operator."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.refusal import refusing
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.hub.governance import OperatorOptions


def candidate(
    home: Annotated[Path, typer.Option(help="The new member's home, as `hutong hub join` or `init` made it.")],
    operator: Annotated[str, typer.Option(metavar="ADDRESS", help="The account that will speak for the validator.")],
    chain_id: Annotated[
        str | None, typer.Option(help="The hub's chain id (default: that of HOME/genesis.json).")
    ] = None,
    *,
    password: KeyPassword,
) -> None:
    """Print what the members need to let your validator in: public key, operator and proof. No secret is in it.

    Exit codes: 0 done, 2 unusable input.
    """
    from hutong.relay.administration.hub.candidates import candidate_fields
    from hutong.relay.hub.home.home import UnusableHome, load_genesis
    from hutong.relay.hub.home.key_file import load_key
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    account = address_of(operator, "--operator")
    with refusing(UnusableHome):
        key = load_key(home, password.source())
        hub = load_genesis(home).chain_id if chain_id is None else chain_id
    typer.echo(json.dumps(candidate_fields(key, hub, account), indent=2))


def rotate_key(
    home: Annotated[Path, typer.Option(help="Your node's home: the new key is kept in it until it signs.")],
    *,
    operator: OperatorOptions,
    password: KeyPassword,
) -> None:
    """Swap your validator's consensus key, at most once a day and without asking others. The new key is made in
    HOME/next_validator_key.json, encrypted with the same password where the present one is; run again with a key that waits
    there, the same one is used.

    Exit codes: 0 the hub took it, 1 refused, 2 unusable input.
    """
    from hutong.relay.administration.hub.candidates import NEXT_KEY_FILE, next_key
    from hutong.relay.administration.hub.candidates import rotate_key as send
    from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE, UnusableHome
    from hutong.relay.keys import forbid_core_dumps

    hub_chain, signer = operator.hub_chain, operator.open()
    forbid_core_dumps()
    with refusing(UnusableHome):
        key = next_key(home, password.source())
    height = run_administration(partial(send, hub_chain, signer, key))
    address = key.public_key.address.hex().upper()
    if operator.as_json:
        typer.echo(json.dumps({"address": address, "public_key": key.public_key.data.hex(), "from_height": height + 2}))
        return
    typer.echo(f"{address} signs in your validator's place from block {height + 2} on")
    typer.echo(
        f"stop the node after block {height + 1}, move {home / NEXT_KEY_FILE} to {home / VALIDATOR_KEY_FILE}, start it again"
    )
