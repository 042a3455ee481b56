"""`hutong hub init`: a new hub, with the homes of its first validators."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.key_password import NewKeyPassword
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import NewHome
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.hub.node.genesis_options import ChainOptions, GasOptions, GovernmentOptions, KeystoreOptions
from hutong.relay.cli.hub.node.member_lines import member_lines
from hutong.relay.hub.application.revision import rules_versions

if TYPE_CHECKING:
    from hutong.relay.hub.application.genesis import Genesis
    from hutong.relay.hub.home.initialise import NewHub
    from hutong.relay.hub.home.key_file import EncodeKey

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


@grouped
def init(
    *,
    homes: HomeOptions,
    chain: ChainOptions,
    government: GovernmentOptions,
    gas: GasOptions,
    keystores: KeystoreOptions,
    password: NewKeyPassword,
) -> None:
    """Make a new hub: genesis.json, its validators' keys (0600) and admin keys; CometBFT's homes too where it is the engine.

    Exit codes: 0 done, 2 unusable input.
    """
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.config import UnsafeFile
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.keys import KeyUnavailable

    home = homes.home
    try:
        for taken in (home / "genesis.json", home / "validator-1"):
            if taken.exists():
                raise Refused(f"{taken} exists: a home is initialised once", UNUSABLE)
        encode_key = password.encoding(home, keystores.scrypt_iterations)
        if homes.engine is Engine.COMETBFT and password.is_named:
            raise Refused("CometBFT reads its key plain: an encrypted one is not supported under it", UNUSABLE)
        home.mkdir(parents=True, exist_ok=True)
        new_hub = _new_hub(homes, chain, government, gas, keystores)
        genesis, lines = _make_homes(homes, new_hub, encode_key)
    except (UnusableHome, MalformedInput, UnsafeFile, KeyUnavailable, ValueError) as error:
        raise Refused(str(error), UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{home}: {error.strerror or error}", UNUSABLE) from None
    typer.echo(f"hub {genesis.chain_id} (EVM chain id {genesis.evm_chain_id}) initialised in {home}")
    _say_rules(genesis, new_hub.operators)
    for line in lines:
        typer.echo(line)


def _new_hub(
    homes: HomeOptions,
    chain: ChainOptions,
    government: GovernmentOptions,
    gas: GasOptions,
    keystores: KeystoreOptions,
) -> "NewHub":
    from hutong.relay.hub.home.initialise import NewHub

    # All that can be refused before keystores are made: a second try would find them.
    params, funding, fees, code = chain.params(), chain.funding(), gas.fees(), gas.code_rules(chain.rules_version)
    deciding = government.decide(homes.home, homes.validators, keystores)
    return NewHub(
        chain.chain_id,
        chain.evm_chain_id,
        time.time_ns(),
        deciding.admins,
        params,
        funding,
        fees=fees,
        rules_version=chain.rules_version,
        operators=deciding.operators,
        voting_period_s=government.voting_period_s,
        code=code,
    )


def _make_homes(homes: HomeOptions, new_hub: "NewHub", encode_key: "EncodeKey") -> "tuple[Genesis, list[str]]":
    """The genesis that all homes share, and the commands by which they run."""
    from hutong.relay.hub.abci.initialise import initialise_members, ports_from
    from hutong.relay.hub.home.initialise import initialise_home
    from hutong.relay.hub.upkeep.initialise_network import initialise_network

    if homes.engine is Engine.COMETBFT:
        ports = [ports_from(homes.base_port, index) for index in range(homes.validators)]
        genesis, members = initialise_members(homes.home, new_hub, ports)
        return genesis, [line for member in members for line in member_lines(member)]
    if homes.validators == 1:
        return initialise_home(homes.home, new_hub, encode_key=encode_key), []
    genesis, peers = initialise_network(homes.home, new_hub, homes.validators, homes.base_port, encode_key)
    lines = []
    for one in peers:
        lines.append(f"hutong hub start --home {one.home} --port {one.eth} --cometbft-port {one.cometbft}")
        lines.append(f"peer {one.node_id}@127.0.0.1:{one.p2p}")
    return genesis, lines


def _say_rules(genesis: "Genesis", operators: Sequence[bytes]) -> None:
    if genesis.fees is not None:
        typer.echo(
            f"a unit of gas costs at least {genesis.fees.base_fee_wei} wei: anyone who sends needs a balance (--fund)"
        )
    rules = genesis.code_rules
    if genesis.rules_version >= rules_versions.BOUNDED_EXECUTION and not rules.is_open:
        named = ", ".join(f"0x{account.hex()}" for account in rules.deployers) or "nobody"
        typer.echo(f"code is closed: {named} may create contracts (hutong hub name-deployer)")
    if genesis.admins is not None:
        for address in genesis.admins.addresses:
            typer.echo(f"admin 0x{address.hex()}")
        typer.echo(f"admin actions need {genesis.admins.threshold} of {len(genesis.admins.addresses)} approvals")
        return
    for account in operators:
        typer.echo(f"operator 0x{account.hex()}")
    typer.echo("proposals need more than two thirds of the validators' power")
