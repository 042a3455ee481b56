"""Who signs a hub's blocks: read, changed by its admins, and kept from a change after which no block could be made."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hutong.adapters.hub import HubChain
from hutong.adapters.hub.admin import set_validator
from hutong.adapters.hub.validators import (
    NodeKey,
    SigningSet,
    coming_powers,
    node_key,
    share_that_stops_blocks,
    signing_set,
)
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.types import PublicKey
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.administration.hub.access import approve_on, open_hub
from hutong.relay.administration.submission import new_salt
from hutong.relay.base.regular_files import open_regular
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer

MAX_KEY_FILE_BYTES = 16 * 1024
_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{66})")
_KEY_TYPE = "tendermint/PubKeySecp256k1"


@dataclass(frozen=True, slots=True)
class PowerChange:
    """What a change of one validator's power came to.

    Attributes:
        block: which executed it; it acts two blocks later.
        total: voting power of all validators with the change.
        needed: whether no block is made any more without this validator's node.
    """

    block: int
    total: int
    needed: bool


async def read_validators(hub: HubChainConfig, random: Random) -> tuple[SigningSet, dict[PublicKey, int]]:
    """The set that signed the newest block, and the powers that the state holds for the blocks to come.

    Raises:
        VerificationError: the set did not sign its header.
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        return await signing_set(chain.comet), await coming_powers(chain.execution)


def validator_rows(powers: Mapping[PublicKey, int], coming: Mapping[PublicKey, int]) -> list[dict[str, str | int]]:
    """Who signs and who will, by the names that `--json` prints.

    Args:
        powers: of the set that signed.
        coming: that the state holds for the blocks to come.
    """
    return [
        {
            "address": key.address.hex().upper(),
            "public_key": key.data.hex(),
            "power": powers.get(key, 0),
            "coming_power": coming.get(key, 0),
        }
        for key in dict.fromkeys((*powers, *coming))
    ]


async def change_power(
    hub: HubChainConfig, key: PublicKey, power: int, admins: Sequence[Signer], random: Random
) -> PowerChange:
    """Add a validator, change its power or remove it, by the hub's admins.

    Args:
        power: voting power; 0 removes it.

    Raises:
        Declined: the hub's only process could decide no block any more.
        RefusedByChain, VerificationError, AdapterError: as `approve_on`.
    """
    async with open_hub(hub, random) as chain:
        powers, node = await require_going_on(chain, key, power)
        receipt = await approve_on(hub, chain, admins, set_validator(new_salt(), key.data, power))
        needed = power > 0 and not node.alone and share_that_stops_blocks(powers, key)
        return PowerChange(receipt.height, sum(powers.values()), needed)


async def require_going_on(chain: HubChain, key: PublicKey, power: int) -> tuple[dict[PublicKey, int], NodeKey]:
    """The powers with this change, and whose node answers.

    Args:
        power: the key's coming voting power; 0 takes it out.

    Raises:
        Declined: the hub's only process could decide no block any more.
        AdapterError: the hub does not answer.
    """
    powers = await coming_powers(chain.execution) | {key: power}
    node = await node_key(chain.comet)
    if node.alone:
        others = sum(held for member, held in powers.items() if member.address != node.address)
        total = sum(powers.values())
        if (total - others) * 3 <= total * 2:
            raise Declined(
                f"this hub runs in one process, whose key {node.address.hex().upper()} would hold {total - others} of"
                f" {total} voting power: blocks need more than two thirds and would stop for good. Run the hub under"
                " CometBFT first (hutong hub init --engine cometbft)"
            )
    return powers, node


def public_key_of(text: str) -> bytes:
    """A compressed secp256k1 key, 33 bytes, from hex, or from `@` and a key file.

    Raises:
        Unusable: it is neither.
    """
    if text.startswith("@"):
        return _key_of_file(Path(text[1:]))
    match = _KEY.fullmatch(text)
    if match is None:
        raise Unusable("--public-key takes 33 bytes in hex, or @ and a priv_validator_key.json")
    return bytes.fromhex(match[1])


def _key_of_keystore(text: object) -> bytes:
    match = _KEY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("no public key")
    return bytes.fromhex(match[1])


def _key_of_file(path: Path) -> bytes:
    """The public part; the secret is not looked at."""
    try:
        with open_regular(path) as file:
            document = parse_json(file.read(MAX_KEY_FILE_BYTES + 1), "key", MAX_KEY_FILE_BYTES)
        if "pub_key" not in document and document.get("version") == 3:
            return _key_of_keystore(document["public_key"])
        entry = document["pub_key"]
        kind, key = entry["type"], base64.b64decode(entry["value"], validate=True)
    except OSError as error:
        raise Unusable(f"--public-key {path}: {error.strerror or error}") from None
    except (MalformedInput, KeyError, TypeError, ValueError, binascii.Error):
        raise Unusable(f"--public-key {path}: is not a priv_validator_key.json") from None
    if kind != _KEY_TYPE or len(key) != 33:
        raise Unusable(f"--public-key {path}: holds a key of type {str(kind)[:40]}, the hub needs {_KEY_TYPE}")
    return key
