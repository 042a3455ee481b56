"""`hutong hub init`: a new chain's genesis, a validator key, and admin keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.constitution import DEFAULT_VOTING_PERIOD_S, Constitution
from hutong.relay.hub.application.genesis import (
    RULES_VERSION,
    Genesis,
    GenesisValidator,
    HubParams,
    decode_genesis,
    encode_genesis,
    runtime_rules,
)
from hutong.relay.hub.application.machine.fees import FeeRules
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.home.home import (
    GENESIS_FILE,
    LAST_SIGNED_FILE,
    VALIDATOR_KEY_FILE,
    UnusableHome,
    ValidatorKey,
    validator_key,
)
from hutong.relay.hub.home.key_file import PLAIN, EncodeKey, new_secret
from hutong.relay.hub.home.last_signed import encode_last_signed

VALIDATOR_POWER = 10


@dataclass(frozen=True, slots=True)
class NewHub:
    """What `init` is asked for."""

    chain_id: str
    evm_chain_id: int
    genesis_time_ns: int
    admins: AdminSet | None
    """None where the validators govern; then `operators` speak for them."""
    params: HubParams
    allocations: tuple[tuple[Address, int], ...] = ()
    rules_version: int = RULES_VERSION
    operators: tuple[Address, ...] = ()
    voting_period_s: int = DEFAULT_VOTING_PERIOD_S
    fees: FeeRules | None = None
    code: CodeRules | None = None
    tables: tuple[tuple[str, Any], ...] = ()
    """What modules have in genesis, in order of names."""
    libraries: tuple[str, ...] = ()
    """What it names of libraries besides those of its rules version: see `consensus_libraries.CHOSEN`."""

    def constitution(self, validators: tuple[ValidatorKey, ...]) -> Constitution | None:
        """Who speaks for each of `validators`, which stand in the order of `operators`; None where admins govern.

        Raises:
            ValueError: there are more validators than operators, or fewer.
        """
        if self.admins is not None:
            return None
        named = zip((key.public_key.data for key in validators), self.operators, strict=True)
        return Constitution(tuple(sorted(named)), self.voting_period_s)


def build_genesis(hub: NewHub, validators: tuple[ValidatorKey, ...]) -> Genesis:
    """The genesis of a new hub, each validator with VALIDATOR_POWER; checked by the parser that `start` uses.

    Raises:
        MalformedInput: a chain id, amount or parameter is out of its bounds.
        ValueError: validators and operators are not equally many.
    """
    genesis = Genesis(
        hub.chain_id,
        hub.evm_chain_id,
        hub.genesis_time_ns,
        tuple(GenesisValidator(key.public_key, VALIDATOR_POWER) for key in validators),
        hub.admins,
        hub.params,
        hub.rules_version,
        runtime_rules(hub.rules_version, hub.libraries),
        hub.allocations,
        hub.fees,
        hub.constitution(validators),
        code=hub.code,
        tables=hub.tables,
    )
    return decode_genesis(encode_genesis(genesis))


def initialise_home(
    home: Path, hub: NewHub, private_key: bytes | None = None, encode_key: EncodeKey = PLAIN
) -> Genesis:
    """Write genesis, validator key (0600) and an empty last-signed record. A home is never overwritten.

    Genesis is written last. `private_key` None makes a new key; one that is given must never have signed for this
    chain.

    Raises:
        UnusableHome: one of the files exists, cannot be written, or the key cannot be encoded.
        MalformedInput, ValueError: as `build_genesis`, or the given key is no secret.
    """
    key = validator_key(new_secret() if private_key is None else private_key)
    genesis = build_genesis(hub, (key,))
    try:
        home.mkdir(parents=True, exist_ok=True)
        for name in (GENESIS_FILE, VALIDATOR_KEY_FILE, LAST_SIGNED_FILE):
            if (home / name).exists():
                raise UnusableHome(f"{home / name} exists: a home is initialised once")
        write_durably(home / VALIDATOR_KEY_FILE, encode_key(key))
        write_durably(home / LAST_SIGNED_FILE, encode_last_signed(LastSigned()))
        write_durably(home / GENESIS_FILE, encode_genesis(genesis), mode=0o644)
    except OSError as error:
        raise UnusableHome(f"{home}: {error.strerror or error}") from None
    return genesis
