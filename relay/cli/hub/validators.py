"""`hutong hub validators` and `set-validator`: who signs the hub's blocks, read and changed by its admins."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.hub_trust import approve
from hutong.relay.administration.submission import new_salt
from hutong.relay.base.regular_files import open_regular
from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, hub_of, run_administration
from hutong.relay.cli.common.signers import HubAdminOptions
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.validators import NodeKey, SigningSet
    from hutong.light_clients.tendermint.types import PublicKey


MAX_POWER = (2**63 - 1) // 8
MAX_KEY_FILE_BYTES = 16 * 1024
_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{66})")
_KEY_TYPE = "tendermint/PubKeySecp256k1"


@dataclass(frozen=True, slots=True)
class _Done:
    """What a change came to."""

    block: int
    total: int
    needed: bool


def validators(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """The set that signed the newest block, verified against its header, and the changes that its state holds already."""
    signing, coming = run_administration(partial(_read, hub_of(config_of(config), hub)))
    powers = {member.public_key: member.voting_power for member in signing.validators.validators}
    if as_json:
        rows = [_row(key, power, coming.get(key, 0)) for key, power in powers.items()]
        rows += [_row(key, 0, power) for key, power in coming.items() if key not in powers]
        typer.echo(json.dumps({"height": signing.height, "validators": rows}))
        return
    total = sum(powers.values())
    typer.echo(f"{len(powers)} validators with a power of {total} signed for block {signing.height}")
    for key, power in powers.items():
        after = "" if coming.get(key, 0) == power else f", soon {coming.get(key, 0)}"
        typer.echo(f"{key.address.hex().upper()} {key.data.hex()} {power}{after} ({100 * power / total:.1f} %)")
    for key, power in coming.items():
        if key not in powers:
            typer.echo(f"{key.address.hex().upper()} {key.data.hex()} soon {power}")


@grouped
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

    key = PublicKey(KeyType.SECP256K1, public_key_of(public_key))
    if power > 0 and secp256k1.decompress(key.data) is None:
        raise Refused(f"--public-key {key.data.hex()} is not a point of secp256k1", UNUSABLE)
    hub_chain = hub_of(config_of(config), hub)
    deciding = admins.open()
    done = run_administration(partial(_set, hub_chain, key, power, deciding))
    what = f"has power {power} of {done.total}" if power else f"is removed; {done.total} is left"
    typer.echo(f"validator {key.address.hex().upper()} {what} from block {done.block + 2} on")
    if done.needed:
        typer.echo("no block is made without it: its node must run by then", err=True)


def _row(key: "PublicKey", power: int, coming: int) -> dict[str, str | int]:
    return {"address": key.address.hex().upper(), "public_key": key.data.hex(), "power": power, "coming_power": coming}


async def _read(hub: HubChainConfig, random: Random) -> "tuple[SigningSet, dict[PublicKey, int]]":
    from hutong.adapters.hub.validators import coming_powers, signing_set

    async with open_hub(hub, random) as chain:
        return await signing_set(chain.comet), await coming_powers(chain.execution)


async def _set(hub: HubChainConfig, key: "PublicKey", power: int, admins: Sequence[Signer], random: Random) -> _Done:
    from hutong.adapters.hub.admin import set_validator
    from hutong.adapters.hub.validators import share_that_stops_blocks
    from hutong.adapters.ics26.transactor import Transactor

    async with open_hub(hub, random) as chain:
        powers, node = await goes_on(chain, key, power)
        chain_id = await chain.eth_chain_id()
        transactors = [Transactor(chain.execution, chain_id, admin) for admin in admins]
        action = set_validator(new_salt(), key.data, power)
        receipt = await approve(hub, chain, transactors, action)
        needed = power > 0 and not node.alone and share_that_stops_blocks(powers, key)
        return _Done(receipt.height, sum(powers.values()), needed)


async def goes_on(chain: "HubChain", key: "PublicKey", power: int) -> "tuple[dict[PublicKey, int], NodeKey]":
    """The powers with this change, and whose node answers.

    Args:
        power: the key's coming voting power; 0 takes it out.

    Raises:
        Refused: code 1, the hub's only process could decide no block any more.
        AdapterError: the hub does not answer.
    """
    from hutong.adapters.hub.validators import coming_powers, node_key

    powers = await coming_powers(chain.execution) | {key: power}
    node = await node_key(chain.comet)
    if node.alone:
        others = sum(held for member, held in powers.items() if member.address != node.address)
        total = sum(powers.values())
        if (total - others) * 3 <= total * 2:
            raise Refused(
                f"this hub runs in one process, whose key {node.address.hex().upper()} would hold {total - others} of"
                f" {total} voting power: blocks need more than two thirds and would stop for good. Run the hub under"
                " CometBFT first (hutong hub init --engine cometbft)",
                REFUSED,
            )
    return powers, node


def public_key_of(text: str) -> bytes:
    """A compressed secp256k1 key, 33 bytes, from hex, or from `@` and a key file.

    Raises:
        Refused: code 2, it is neither.
    """
    if text.startswith("@"):
        return _key_of_file(Path(text[1:]))
    match = _KEY.fullmatch(text)
    if match is None:
        raise Refused("--public-key takes 33 bytes in hex, or @ and a priv_validator_key.json", UNUSABLE)
    return bytes.fromhex(match[1])


def _key_of_keystore(text: object) -> bytes:
    match = _KEY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("no public key")
    return bytes.fromhex(match[1])


def _key_of_file(path: Path) -> bytes:
    """The public part; the secret is not looked at."""
    from hutong.light_clients.interface import MalformedInput
    from hutong.light_clients.interface.json_text import parse_json

    try:
        with open_regular(path) as file:
            document = parse_json(file.read(MAX_KEY_FILE_BYTES + 1), "key", MAX_KEY_FILE_BYTES)
        if "pub_key" not in document and document.get("version") == 3:
            return _key_of_keystore(document["public_key"])
        entry = document["pub_key"]
        kind, key = entry["type"], base64.b64decode(entry["value"], validate=True)
    except OSError as error:
        raise Refused(f"--public-key {path}: {error.strerror or error}", UNUSABLE) from None
    except (MalformedInput, KeyError, TypeError, ValueError, binascii.Error):
        raise Refused(f"--public-key {path}: is not a priv_validator_key.json", UNUSABLE) from None
    if kind != _KEY_TYPE or len(key) != 33:
        raise Refused(f"--public-key {path}: holds a key of type {str(kind)[:40]}, the hub needs {_KEY_TYPE}", UNUSABLE)
    return key
