"""`hutong hub validators` and `set-validator`: who signs the hub's blocks, read and changed by its admins."""

import json
from functools import partial
from typing import Annotated

import typer

from hutong.relay.administration.configured import hub_of
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import HubAdminOptions

MAX_POWER = (2**63 - 1) // 8


def validators(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """The set of the newest block, of which more than two thirds signed it, verified against its header, and the changes that its state holds already."""
    from hutong.relay.administration.hub.validators import read_validators, validator_rows

    signing, coming = run_administration(partial(read_validators, hub_of(config_of(config), hub)))
    powers = {member.public_key: member.voting_power for member in signing.validators.validators}
    if as_json:
        typer.echo(json.dumps({"height": signing.height, "validators": validator_rows(powers, coming)}))
        return
    total = sum(powers.values())
    typer.echo(
        f"{len(powers)} validators with a power of {total} are the set of block {signing.height}, signed by more than two thirds of it"
    )
    for key, power in powers.items():
        after = "" if coming.get(key, 0) == power else f", soon {coming.get(key, 0)}"
        typer.echo(f"{key.address.hex().upper()} {key.data.hex()} {power}{after} ({100 * power / total:.1f} %)")
    for key, power in coming.items():
        if key not in powers:
            typer.echo(f"{key.address.hex().upper()} {key.data.hex()} soon {power}")


def set_validator(
    config: ConfigFile,
    public_key: Annotated[
        str, typer.Option(metavar="HEX|@FILE", help="33 bytes, compressed; or @ a key file of hutong or CometBFT.")
    ],
    power: Annotated[int, typer.Option(min=0, max=MAX_POWER, help="Voting power; 0 removes.")],
    hub: HubName = None,
    *,
    admins: HubAdminOptions,
) -> None:
    """Add a validator, change its power or remove it, by as many admins as the hub asks for. It acts two blocks later.

    Exit codes: 0 done, 1 the hub refuses it or its only process could make no block after it, 2 unusable input.
    """
    from hutong.light_clients.crypto import secp256k1
    from hutong.light_clients.tendermint.types import KeyType, PublicKey
    from hutong.relay.administration.hub.validators import change_power, public_key_of

    key = PublicKey(KeyType.SECP256K1, public_key_of(public_key))
    if power > 0 and secp256k1.decompress(key.data) is None:
        raise Refused(f"--public-key {key.data.hex()} is not a point of secp256k1", UNUSABLE)
    hub_chain = hub_of(config_of(config), hub)
    deciding = admins.open()
    done = run_administration(partial(change_power, hub_chain, key, power, deciding))
    what = f"has power {power} of {done.total}" if power else f"is removed; {done.total} is left"
    typer.echo(f"validator {key.address.hex().upper()} {what} from block {done.block + 2} on")
    if done.needed:
        typer.echo("no block is made without it: its node must run by then", err=True)
