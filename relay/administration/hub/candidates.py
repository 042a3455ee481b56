"""A consensus key proves that its holder wants it in, under one operator: a new member's, or a member's next key."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from hutong.adapters.hub import governance
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.ibc.governance_abi import possession_digest
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.administration.hub.governance import require_governed
from hutong.relay.base.durable_files import write_durably
from hutong.relay.base.regular_files import open_regular
from hutong.relay.config import HubChainConfig
from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE, ValidatorKey, validator_key
from hutong.relay.hub.home.key_file import (
    PLAIN,
    Password,
    encrypted,
    new_secret,
    open_key,
    read_key_file,
    require_own_key,
)
from hutong.relay.keys import Signer

NEXT_KEY_FILE = "next_validator_key.json"
MAX_CANDIDATE_BYTES = 4096
MAX_CHAIN_ID_CHARS = 50
MAX_ADDRESS_CHARS = 42


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key (33 bytes) with its operator (20 bytes) and the proof (64 bytes) that its holder made for one hub."""

    public_key: bytes
    operator: bytes
    proof: bytes


def proof_of_possession(key: ValidatorKey, chain_id: str, operator: bytes) -> bytes:
    """The key's signature that it speaks on this hub for this operator, 64 bytes."""
    return key.sign(possession_digest(chain_id, operator, key.public_key.data))


def candidate_fields(key: ValidatorKey, chain_id: str, operator: bytes) -> dict[str, str]:
    """What the members need to let a validator in, as `read_candidate` reads it. No secret is in it.

    Args:
        operator: the account that will speak for it, 20 bytes.
    """
    return {
        "chain_id": chain_id,
        "operator": f"0x{operator.hex()}",
        "public_key": key.public_key.data.hex(),
        "proof": proof_of_possession(key, chain_id, operator).hex(),
    }


def read_candidate(file: Path, chain_id: str) -> Candidate:
    """The candidate of a file, whose proof of possession holds for this hub and operator.

    Raises:
        Unusable: the file is no candidate of this hub, or its proof is wrong.
    """
    try:
        with open_regular(file) as opened:
            data = opened.read(MAX_CANDIDATE_BYTES + 1)
        with Document.parse(data, "candidate", MAX_CANDIDATE_BYTES).members() as fields:
            of_hub = fields["chain_id"].text(MAX_CHAIN_ID_CHARS)
            operator = fields["operator"].text(MAX_ADDRESS_CHARS)
            public_key, proof = fields["public_key"].hex(33), fields["proof"].hex(64)
    except OSError as error:
        raise Unusable(f"--candidate {file}: {error.strerror or error}") from None
    except MalformedInput as error:
        raise Unusable(f"--candidate {file}: {error}") from None
    if of_hub != chain_id:
        raise Unusable(f"--candidate {file}: is for hub {of_hub}, this is {chain_id}")
    found = Candidate(public_key, address_of(operator, "operator"), proof)
    digest = possession_digest(chain_id, found.operator, found.public_key)
    if not secp256k1.verify_low_s(found.public_key, digest, found.proof):
        raise Unusable(f"--candidate {file}: the proof is not the key's, for this operator and hub")
    return found


def next_key(home: Path, password: Password) -> ValidatorKey:
    """The key that waits in a home to sign next; made where none waits, encrypted if the present one is.

    Raises:
        UnusableHome: the key is with a signer, or a key file or the password is unusable.
        Unusable: the file cannot be written.
    """
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
    except OSError as error:
        raise Unusable(f"{file}: {error}") from None
    return key


async def rotate_key(hub: HubChainConfig, operator: Signer, key: ValidatorKey, random: Random) -> int:
    """Swap the operator's consensus key for `key`; the height of the block that did it.

    Raises:
        RefusedByChain: the hub refuses it, or admins govern it.
        AdapterError: it does not answer.
    """
    async with open_hub(hub, random) as chain:
        await require_governed(chain.execution)
        account = bytes.fromhex(operator.address[2:])
        proof = proof_of_possession(key, hub.chain_id, account)
        receipt = await governance.rotate_key(await transactor_of(chain, operator), key.public_key.data, proof)
        return receipt.height
