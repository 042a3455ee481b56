"""`hutong hub init`: a new hub, with the homes of its first validators."""

import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.key_password import NewKeyPassword
from hutong.relay.cli.common.options import NewHome
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.hub.node.genesis_options import (
    ChainOptions,
    GasOptions,
    GovernmentOptions,
    KeystoreOptions,
    ObservationOptions,
)

if TYPE_CHECKING:
    from hutong.relay.hub.home.initialise import NewHub

DEFAULT_BASE_PORT = 26_656


class Engine(StrEnum):
    """Who makes the blocks."""

    EMBEDDED = "embedded"
    COMETBFT = "cometbft"


@dataclass(frozen=True, slots=True)
class HomeOptions:
    """The homes to make, and what shall run in them."""

    home: NewHome
    engine: Annotated[Engine, typer.Option(help="Who makes the blocks: this program or CometBFT beside it.")] = (
        Engine.EMBEDDED
    )
    validators: Annotated[
        int, typer.Option(min=1, max=100, help="Homes to make, HOME/validator-N if several: each the others' peer.")
    ] = 1
    base_port: Annotated[
        int,
        typer.Option(
            min=1024,
            max=64_000,
            help="Port for peers; +1 eth_*, +2 CometBFT RPC (with CometBFT +1 its RPC, +2 eth_*); +10 each next validator.",
        ),
    ] = DEFAULT_BASE_PORT


def init(
    *,
    homes: HomeOptions,
    chain: ChainOptions,
    government: GovernmentOptions,
    gas: GasOptions,
    observing: ObservationOptions,
    keystores: KeystoreOptions,
    password: NewKeyPassword,
) -> None:
    """Make a new hub: genesis.json, its validators' keys (0600) and admin keys; CometBFT's homes too where it is the engine.

    Exit codes: 0 done, 2 unusable input.
    """
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.administration.hub.founding import (
        judge,
        make_cometbft_homes,
        make_homes,
        observation_tables,
        rules_in_words,
    )
    from hutong.relay.config import UnsafeFile
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.keys import KeyUnavailable

    home = homes.home
    try:
        for taken in (home / "genesis.json", home / "validator-1"):
            if taken.exists():
                raise Refused(f"{taken} exists: a home is initialised once", UNUSABLE)
        encode_key = password.encoding(home, keystores.scrypt_iterations)
        tables = observation_tables(observing.open_observations, observing.writer or (), chain.rules_version)
        if homes.engine is Engine.COMETBFT and password.is_named:
            raise Refused("CometBFT reads its key plain: an encrypted one is not supported under it", UNUSABLE)
        asked = replace(_new_hub(chain, government, gas), tables=tables)
        judge(asked)  # before keystores are made: a second try would find them
        home.mkdir(parents=True, exist_ok=True)
        deciding = government.decide(home, homes.validators, keystores)
        new_hub = replace(asked, admins=deciding.admins, operators=deciding.operators)
        where = (home, new_hub, homes.validators, homes.base_port)
        genesis, lines = (
            make_homes(*where, encode_key) if homes.engine is Engine.EMBEDDED else make_cometbft_homes(*where)
        )
    except (UnusableHome, MalformedInput, UnsafeFile, KeyUnavailable, ValueError) as error:
        raise Refused(str(error), UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{home}: {error.strerror or error}", UNUSABLE) from None
    typer.echo(f"hub {genesis.chain_id} (EVM chain id {genesis.evm_chain_id}) initialised in {home}")
    for line in (*rules_in_words(genesis, new_hub.operators), *lines):
        typer.echo(line)


def _new_hub(chain: ChainOptions, government: GovernmentOptions, gas: GasOptions) -> "NewHub":
    """The hub without those who decide on it."""
    from hutong.relay.administration.hub import founding
    from hutong.relay.hub.home.initialise import NewHub

    params = founding.hub_params(chain.block_interval_ms, chain.proof_block_ms, chain.block_max_gas)
    balances = tuple(map(founding.balance_of, chain.fund or ()))
    fees = founding.fee_rules(gas.base_fee, gas.fee_recipient)
    named, version = (gas.deployer or (), gas.contract or ()), chain.rules_version
    code = founding.code_rules(gas.open_code, *named, version, has_fees=fees is not None)
    return NewHub(
        chain.chain_id,
        chain.evm_chain_id,
        time.time_ns(),
        None,
        params,
        balances,
        fees=fees,
        rules_version=version,
        voting_period_s=government.voting_period_s,
        code=code,
        libraries=founding.chosen_libraries(chain.rules_version, gm=chain.gm),
    )
