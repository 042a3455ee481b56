"""`hutong hub candidate` and `rotate-key`: a consensus key proves that its holder wants it in, under one operator."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.regular_files import open_regular
from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import address_of, config_of, hub_of, run_administration
from hutong.relay.cli.hub.governance import Operator, OperatorPassword, operator_of, require_governed
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.relay.hub.home.home import ValidatorKey
    from hutong.relay.hub.home.key_file import Password

NEXT_KEY_FILE = "next_validator_key.json"
MAX_CANDIDATE_BYTES = 4096
MAX_CHAIN_ID_CHARS = 50
MAX_ADDRESS_CHARS = 42


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key with its operator and the proof that its holder made for this hub."""

    public_key: bytes
    operator: bytes
    proof: bytes


@grouped
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
    from hutong.relay.hub.home.home import UnusableHome, load_genesis
    from hutong.relay.hub.home.key_file import load_key
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    account = address_of(operator, "--operator")
    try:
        key = load_key(home, password.source())
        hub = load_genesis(home).chain_id if chain_id is None else chain_id
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    document = {
        "chain_id": hub,
        "operator": f"0x{account.hex()}",
        "public_key": key.public_key.data.hex(),
        "proof": _proof(key, hub, account).hex(),
    }
    typer.echo(json.dumps(document, indent=2))


@grouped
def rotate_key(
    config: ConfigFile,
    home: Annotated[Path, typer.Option(help="Your node's home: the new key is kept in it until it signs.")],
    operator: Operator,
    operator_password_file: OperatorPassword = None,
    hub: HubName = None,
    as_json: AsJson = False,
    *,
    password: KeyPassword,
) -> None:
    """Swap your validator's consensus key, at most once a day and without asking others. The new key is made in
    HOME/next_validator_key.json, encrypted with the same password where the present one is; run again with a key that waits
    there, the same one is used.

    Exit codes: 0 the hub took it, 1 refused, 2 unusable input.
    """
    from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE
    from hutong.relay.keys import forbid_core_dumps

    hub_chain = hub_of(config_of(config), hub)
    signer = operator_of(operator, operator_password_file)
    forbid_core_dumps()
    key = _next_key(home, password.source())
    height = run_administration(partial(_rotate, hub_chain, signer, key))
    address = key.public_key.address.hex().upper()
    if as_json:
        typer.echo(json.dumps({"address": address, "public_key": key.public_key.data.hex(), "from_height": height + 2}))
        return
    typer.echo(f"{address} signs in your validator's place from block {height + 2} on")
    typer.echo(
        f"stop the node after block {height + 1}, move {home / NEXT_KEY_FILE} to {home / VALIDATOR_KEY_FILE}, start it again"
    )


def read_candidate(file: Path, chain_id: str) -> Candidate:
    """The candidate of a file, whose proof of possession holds for this hub and operator.

    Raises:
        Refused: code 2, the file is no candidate of this hub, or its proof is wrong.
    """
    from hutong.light_clients.crypto import secp256k1
    from hutong.light_clients.ibc.governance_abi import possession_digest
    from hutong.light_clients.interface import MalformedInput
    from hutong.light_clients.interface.document import Document

    try:
        with open_regular(file) as opened:
            data = opened.read(MAX_CANDIDATE_BYTES + 1)
        with Document.parse(data, "candidate", MAX_CANDIDATE_BYTES).members() as fields:
            of_hub = fields["chain_id"].text(MAX_CHAIN_ID_CHARS)
            operator = fields["operator"].text(MAX_ADDRESS_CHARS)
            public_key, proof = fields["public_key"].hex(33), fields["proof"].hex(64)
    except OSError as error:
        raise Refused(f"--candidate {file}: {error.strerror or error}", UNUSABLE) from None
    except MalformedInput as error:
        raise Refused(f"--candidate {file}: {error}", UNUSABLE) from None
    if of_hub != chain_id:
        raise Refused(f"--candidate {file}: is for hub {of_hub}, this is {chain_id}", UNUSABLE)
    found = Candidate(public_key, address_of(operator, "operator"), proof)
    digest = possession_digest(chain_id, found.operator, found.public_key)
    if not secp256k1.verify_low_s(found.public_key, digest, found.proof):
        raise Refused(f"--candidate {file}: the proof is not the key's, for this operator and hub", UNUSABLE)
    return found


def _proof(key: "ValidatorKey", chain_id: str, operator: bytes) -> bytes:
    from hutong.light_clients.ibc.governance_abi import possession_digest

    return key.sign(possession_digest(chain_id, operator, key.public_key.data))


def _next_key(home: Path, password: "Password") -> "ValidatorKey":
    from hutong.relay.base.durable_files import write_durably
    from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE, UnusableHome, validator_key
    from hutong.relay.hub.home.key_file import PLAIN, encrypted, new_secret, open_key, read_key_file, require_own_key

    file, present = home / NEXT_KEY_FILE, home / VALIDATOR_KEY_FILE
    try:
        require_own_key(home)
        if file.exists():
            return open_key(read_key_file(file), password)
        encode = PLAIN
        if present.exists() and (present_key := read_key_file(present)).is_encrypted:
            word = password(present)
            # A mistyped password would put the next key under a word that nobody knows.
            open_key(present_key, lambda _: word)
            encode = encrypted(word, file)
        key = validator_key(new_secret())
        write_durably(file, encode(key))
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{file}: {error}", UNUSABLE) from None
    return key


async def _rotate(hub: HubChainConfig, signer: Signer, key: "ValidatorKey", random: Random) -> int:
    from hutong.adapters.hub.governance import rotate_key as send
    from hutong.adapters.ics26.transactor import Transactor

    async with open_hub(hub, random) as chain:
        await require_governed(chain.execution)
        operator = bytes.fromhex(signer.address[2:])
        transactor = Transactor(chain.execution, await chain.eth_chain_id(), signer)
        receipt = await send(transactor, key.public_key.data, _proof(key, hub.chain_id, operator))
        return receipt.height
