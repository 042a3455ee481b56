"""`hutong hub`: a validator of the hub chain."""

import json
import os
import re
import time
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.disk_options import GIB, DatabaseGib, KeepBodiesGib
from hutong.relay.cli.common.execution_limits import (
    DEFAULT_LIMIT_MIB,
    DEFAULT_LIMIT_S,
    ExecutionLimitMib,
    ExecutionLimitS,
)
from hutong.relay.cli.common.key_password import (
    KeyPasswordEnv,
    KeyPasswordFile,
    NewKeyPasswordEnv,
    NewKeyPasswordFile,
    key_password,
    new_key_encoding,
)
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import AsJson, ConfigFile, config_of, hub_of, run_administration
from hutong.relay.cli.hub.abci import abci
from hutong.relay.cli.hub.backup import backup, restore, rollback
from hutong.relay.cli.hub.candidate import candidate, rotate_key
from hutong.relay.cli.hub.code import code, name_contract, name_deployer, schedule_rules, set_code
from hutong.relay.cli.hub.evidence import evidence
from hutong.relay.cli.hub.governance import execute, members, proposals
from hutong.relay.cli.hub.join import join
from hutong.relay.cli.hub.key import app as key_app
from hutong.relay.cli.hub.network import app as network_app
from hutong.relay.cli.hub.pause import pause, resume
from hutong.relay.cli.hub.propose import app as propose_app
from hutong.relay.cli.hub.restart import restart
from hutong.relay.cli.hub.signer import app as signer_app
from hutong.relay.cli.hub.skip import app as skip_app
from hutong.relay.cli.hub.snapshot import app as snapshot_app
from hutong.relay.cli.hub.status import status
from hutong.relay.cli.hub.validators import set_validator, validators
from hutong.relay.cli.hub.vote import vote
from hutong.relay.hub.application.revision import rules_versions

if TYPE_CHECKING:
    from hutong.relay.hub.application.machine.fees import FeeRules
    from hutong.relay.hub.application.named_code import CodeRules

DEFAULT_EVM_CHAIN_ID = 41_000
DEFAULT_BASE_PORT = 26_656
_ADDRESS = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")
_FUND = re.compile(r"(?:0x)?([0-9a-fA-F]{40})(?:=([0-9]{1,38}))?")
DEFAULT_FUNDING_WEI = 10**24

app = command_group("A validator of the hub chain.")
app.command()(abci)
app.command()(evidence)
app.command()(join)
app.command()(backup)
app.command()(restore)
app.command()(rollback)
app.command()(pause)
app.command()(resume)
app.command()(validators)
app.command()(set_validator)
app.command()(status)
app.command()(code)
app.command()(set_code)
app.command()(name_deployer)
app.command()(name_contract)
app.command()(schedule_rules)
app.command()(vote)
app.command()(execute)
app.command()(proposals)
app.command()(members)
app.command()(candidate)
app.command()(rotate_key)
app.command()(restart)
app.add_typer(propose_app, name="propose")
app.add_typer(network_app, name="network")
app.add_typer(snapshot_app, name="snapshot")
app.add_typer(key_app, name="key")
app.add_typer(signer_app, name="signer")
app.add_typer(skip_app, name="skip")


class Governors(StrEnum):
    """Who decides about validators, clients, pauses and rules."""

    ADMINS = "admins"
    VALIDATORS = "validators"


class Engine(StrEnum):
    """Who makes the blocks."""

    EMBEDDED = "embedded"
    COMETBFT = "cometbft"


@app.command()
def init(
    home: Annotated[Path, typer.Option(help="The directory to fill; an initialised one is never changed.")],
    engine: Annotated[
        Engine, typer.Option(help="Who makes the blocks: this program or CometBFT beside it.")
    ] = Engine.EMBEDDED,
    validators: Annotated[
        int, typer.Option(min=1, max=100, help="Homes to make, HOME/validator-N if several: each the others' peer.")
    ] = 1,
    base_port: Annotated[
        int,
        typer.Option(
            min=1024,
            max=64_000,
            help="Port for peers; +1 eth_*, +2 CometBFT RPC (with CometBFT +1 its RPC, +2 eth_*); +10 each next validator.",
        ),
    ] = DEFAULT_BASE_PORT,
    chain_id: Annotated[str, typer.Option(help="CometBFT chain id, name-1.")] = "hutong-1",
    evm_chain_id: Annotated[int, typer.Option(help="EIP-155 chain id of the hub's EVM.")] = DEFAULT_EVM_CHAIN_ID,
    admin: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="An admin's address; may be repeated.")
    ] = None,
    admins: Annotated[
        int, typer.Option(min=0, max=64, help="Make this many admin keystores in HOME/admins (1 without --admin).")
    ] = 0,
    threshold: Annotated[
        int | None, typer.Option(min=1, max=64, help="Approvals that an admin action needs (default: more than half).")
    ] = None,
    admin_password_file: Annotated[
        Path | None,
        typer.Option(
            help="Password of the keystores, mode 0600 (default: HOME/admin_password or operator_password, made at random)."
        ),
    ] = None,
    fund: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS[=WEI]", help="Balance in genesis; may be repeated.")
    ] = None,
    block_interval_ms: Annotated[int, typer.Option(help="Time between blocks.")] = 1_000,
    proof_block_ms: Annotated[int, typer.Option(help="Time to the next block after the app hash changed.")] = 200,
    base_fee: Annotated[
        str | None,
        typer.Option(metavar="WEI", help="First and least price of a unit of gas (EIP-1559); without it gas is free."),
    ] = None,
    fee_recipient: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="With --base-fee: who gets the tips (default: burnt too).")
    ] = None,
    governed_by: Annotated[
        Governors, typer.Option(help="Who decides: m of n admins, or the validators by more than two thirds of power.")
    ] = Governors.ADMINS,
    operator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where the validators govern: the account that speaks for one, repeated for each in the order of their homes"
            " (default: keystores are made in HOME/operators).",
        ),
    ] = None,
    voting_period_s: Annotated[
        int, typer.Option(min=60, max=30 * 86_400, help="Where the validators govern: how long a proposal is open.")
    ] = 3 * 86_400,
    rules_version: Annotated[
        int,
        typer.Option(
            min=rules_versions.FIRST,
            max=rules_versions.NEWEST,
            help="Rules of the first block; an older one only to rehearse an upgrade.",
        ),
    ] = rules_versions.NEWEST,
    open_code: Annotated[
        bool | None,
        typer.Option(
            "--open-code/--closed-code",
            help="Everybody creates and calls contracts, or named accounts and contracts alone (default: closed, open with"
            " --base-fee).",
        ),
    ] = None,
    deployer: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="An account that creates contracts on a closed hub; may be repeated."),
    ] = None,
    contract: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A contract that may be called on a closed hub; may be repeated."),
    ] = None,
    block_max_gas: Annotated[
        int | None, typer.Option(help="Of the gas limits in a block (default: one transaction's most, 16777216).")
    ] = None,
    scrypt_iterations: Annotated[
        int | None, typer.Option(help="Cost of the keystores; a power of two (default: the library's).")
    ] = None,
    key_password_file: NewKeyPasswordFile = None,
    key_password_env: NewKeyPasswordEnv = None,
) -> None:
    """Make a new hub: genesis.json, its validators' keys (0600) and admin keys; CometBFT's homes too where it is the engine.

    Exit codes: 0 done, 2 unusable input.
    """
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.config import UnsafeFile
    from hutong.relay.hub.abci.initialise import MemberHome, initialise_members, ports_from
    from hutong.relay.hub.application.admin import AdminSet
    from hutong.relay.hub.application.genesis import HubParams
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.initialise import NewHub, initialise_home
    from hutong.relay.hub.upkeep.initialise_network import ValidatorHome, initialise_network
    from hutong.relay.keys import KeyUnavailable

    try:
        for taken in (home / "genesis.json", home / "validator-1"):
            if taken.exists():
                raise Refused(f"{taken} exists: a home is initialised once", UNUSABLE)
        encode_key = new_key_encoding(home, key_password_file, key_password_env, scrypt_iterations)
        if engine is Engine.COMETBFT and (key_password_file is not None or key_password_env is not None):
            raise Refused("CometBFT reads its key plain: an encrypted one is not supported under it", UNUSABLE)
        home.mkdir(parents=True, exist_ok=True)
        given = [_holder(text, "--admin") for text in admin or ()]
        operators = [_holder(text, "--operator") for text in operator or ()]
        deployers = [_holder(text, "--deployer") for text in deployer or ()]
        if governed_by is Governors.VALIDATORS:
            if given or admins or threshold is not None:
                raise Refused(
                    "--governed-by validators: there are no admins, leave --admin, --admins and --threshold out",
                    UNUSABLE,
                )
            if len(operators) not in (0, validators):
                raise Refused(f"--operator: give one for each of the {validators} validators, or none", UNUSABLE)
            made = 0 if operators else validators
            operators += _make_keystores(home, "operator", made, admin_password_file, scrypt_iterations)
            admin_set = None
        else:
            if operators:
                raise Refused("--operator: only with --governed-by validators", UNUSABLE)
            wanted = admins if admins or given else 1
            everyone = tuple(given + _make_keystores(home, "admin", wanted, admin_password_file, scrypt_iterations))
            admin_set = AdminSet(everyone, len(everyone) // 2 + 1 if threshold is None else threshold)
        new_hub = NewHub(
            chain_id,
            evm_chain_id,
            time.time_ns(),
            admin_set,
            HubParams(
                block_interval_ms=block_interval_ms,
                proof_block_delay_ms=proof_block_ms,
                block_max_gas=HubParams().block_max_gas if block_max_gas is None else block_max_gas,
            ),
            tuple(_funding(text) for text in fund or ()),
            fees=_fees(base_fee, fee_recipient),
            rules_version=rules_version,
            operators=tuple(operators),
            voting_period_s=voting_period_s,
            code=_code_rules(
                open_code,
                base_fee is not None,
                deployers,
                [_address(text, "--contract") for text in contract or ()],
                rules_version,
            ),
        )
        homes: list[MemberHome] = []
        validator_homes: list[ValidatorHome] = []
        if engine is Engine.EMBEDDED and validators == 1:
            genesis = initialise_home(home, new_hub, encode_key=encode_key)
        elif engine is Engine.EMBEDDED:
            genesis, validator_homes = initialise_network(home, new_hub, validators, base_port, encode_key)
        else:
            ports = [ports_from(base_port, index) for index in range(validators)]
            genesis, homes = initialise_members(home, new_hub, ports)
    except (UnusableHome, MalformedInput, UnsafeFile, KeyUnavailable, ValueError) as error:
        raise Refused(str(error), UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{home}: {error.strerror or error}", UNUSABLE) from None
    typer.echo(f"hub {genesis.chain_id} (EVM chain id {genesis.evm_chain_id}) initialised in {home}")
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
    else:
        for account in operators:
            typer.echo(f"operator 0x{account.hex()}")
        typer.echo("proposals need more than two thirds of the validators' power")
    for one in validator_homes:
        typer.echo(f"hutong hub start --home {one.home} --port {one.eth} --cometbft-port {one.cometbft}")
        typer.echo(f"peer {one.node_id}@127.0.0.1:{one.p2p}")
    for member in homes:
        typer.echo(
            f"hutong hub abci --home {member.home} --listen {member.listen} --cometbft-rpc {member.cometbft_rpc}"
            f" --port {member.ports.eth}"
        )
        typer.echo(f"cometbft node --home {member.cometbft_home}")
        typer.echo(f"peer {member.node_id}@127.0.0.1:{member.ports.p2p}")


@app.command()
def start(
    home: Annotated[Path, typer.Option(help="A directory that `hutong hub init` filled.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="eth_* JSON-RPC; 0 takes a free one.")] = 8545,
    cometbft_port: Annotated[int, typer.Option(min=0, max=65_535, help="CometBFT RPC; 0 takes a free one.")] = 26_657,
    snapshot_interval: Annotated[
        int, typer.Option(min=0, help="Make a snapshot every so many blocks in HOME/snapshots; 0 makes none.")
    ] = 0,
    keep_snapshots: Annotated[int, typer.Option(min=1, max=100, help="Older snapshots are removed.")] = 2,
    keep_states_h: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100_000,
            help="Hours of states to keep for proofs and calls; 0 all (default: the trusting period).",
        ),
    ] = None,
    keep_blocks: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**40,
            help="Blocks to keep beside those of three weeks, 1814400 at least, while evidence counts; 0 all (default: 1814400).",
        ),
    ] = None,
    keep_bodies_gib: KeepBodiesGib = None,
    database_gib: DatabaseGib = 256,
    relays: Annotated[
        list[str] | None,
        typer.Option(
            "--relay",
            metavar="ADDRESS",
            help="A relay's account that always finds room in this node's pool; may be repeated. Others are known once they were of use.",
        ),
    ] = None,
    execution_limit_s: ExecutionLimitS = DEFAULT_LIMIT_S,
    execution_limit_mib: ExecutionLimitMib = DEFAULT_LIMIT_MIB,
    key_password_file: KeyPasswordFile = None,
    key_password_env: KeyPasswordEnv = None,
) -> None:
    """Run the validator until SIGTERM or SIGINT. Prints one line when ready.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.chain.execution_guard import ExecutionLimits
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule
    from hutong.relay.hub.process.start import Kept, NodeOptions, Ports, run_node
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    password = key_password(key_password_file, key_password_env)
    try:
        schedule = SnapshotSchedule(snapshot_interval, keep_snapshots)
        kept = Kept(keep_states_h, keep_blocks, keep_bodies_gib)
        named = tuple(_address(relay, "--relay") for relay in relays or ())
        limits = ExecutionLimits(execution_limit_s, execution_limit_mib)
        options = NodeOptions(int(database_gib * GIB), named, limits)
        run_node(home, Ports(host, port, cometbft_port), schedule, kept, password, options)
    except NodeRefused as error:
        raise Refused(str(error), UNUSABLE) from None
    except NodeHalted as error:
        raise Refused(str(error), REFUSED) from None


@app.command()
def stuck(
    config: ConfigFile,
    client: Annotated[str | None, typer.Option(help="Only over this client of the hub.")] = None,
    hub: Annotated[str | None, typer.Option(help="Name of the hub; unneeded if there is one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Packets that wait because a client of the hub is frozen or expired: `hutong client recover` lets them settle.

    Exit codes: 0 answered (also with rows), 1 the hub did not answer, 2 unusable input.
    """
    from hutong.adapters.hub.stuck import StuckPacket, stuck_packets

    hub_chain = hub_of(config_of(config), hub)

    async def read(random: Random) -> list[StuckPacket]:
        async with open_hub(hub_chain, random) as chain:
            return await stuck_packets(chain.execution, client)

    rows = run_administration(read)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    for row in rows:
        origin = "sent by an account" if row.origin is None else f"from {row.origin[0]} {row.origin[1]}"
        tokens = "" if row.denom is None else f", {row.amount} of {row.denom}"
        typer.echo(f"{row.client_id} {row.sequence}: {row.kind} {origin}{tokens}; the client is {row.client_status}")
    if not rows:
        typer.echo(
            "nothing waits for a frozen or expired client of the hub; see hutong pending for other packets that wait"
        )


def _holder(text: str, option: str) -> bytes:
    """An account that shall decide something: genesis cannot be mended afterwards."""
    address = _address(text, option)
    if not any(address):
        raise Refused(
            f"{option} is the zero address: nobody has its key; name the account that shall hold it", UNUSABLE
        )
    return address


def _address(text: str, option: str = "--admin") -> bytes:
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise Refused(f"{option} {text[:64]}: an address has 40 hex digits", UNUSABLE)
    return bytes.fromhex(match[1])


def _funding(text: str) -> tuple[bytes, int]:
    match = _FUND.fullmatch(text)
    if match is None:
        raise Refused(f"--fund {text[:64]}: give ADDRESS or ADDRESS=WEI", UNUSABLE)
    return bytes.fromhex(match[1]), DEFAULT_FUNDING_WEI if match[2] is None else int(match[2])


def _code_rules(
    is_open: bool | None, has_fees: bool, deployers: list[bytes], contracts: list[bytes], rules_version: int
) -> "CodeRules | None":
    """None where nothing is said: then genesis needs no word of it."""
    from hutong.relay.hub.application.named_code import CodeRules

    if is_open is None and not deployers and not contracts:
        return None
    if rules_version < rules_versions.BOUNDED_EXECUTION:
        raise Refused("--open-code, --closed-code, --deployer and --contract: from rules version 3 on", UNUSABLE)
    return CodeRules(
        has_fees if is_open is None else is_open, tuple(sorted(set(deployers))), tuple(sorted(set(contracts)))
    )


def _fees(base_fee: str | None, recipient: str | None) -> "FeeRules | None":
    from hutong.relay.hub.application.machine.fees import NOBODY, FeeRules

    if base_fee is None:
        if recipient is not None:
            raise Refused("--fee-recipient: there are tips only with --base-fee", UNUSABLE)
        return None
    if re.fullmatch(r"[0-9]{1,38}", base_fee) is None:
        raise Refused(f"--base-fee {base_fee[:64]}: a whole number of wei", UNUSABLE)
    return FeeRules(int(base_fee), NOBODY if recipient is None else _address(recipient, "--fee-recipient"))


def _make_keystores(
    home: Path, role: str, count: int, password_file: Path | None, iterations: int | None
) -> list[bytes]:
    """HOME/<role>s/<role>-N.json."""
    from hutong.relay.base.durable_files import write_durably
    from hutong.relay.config import read_private_file
    from hutong.relay.hub.home.key_file import new_secret
    from hutong.relay.keys import create_keystore

    if count == 0:
        return []
    if password_file is None:
        password_file = home / f"{role}_password"
        write_durably(password_file, os.urandom(24).hex().encode() + b"\n")
    password = read_private_file(password_file).rstrip(b"\r\n")
    (home / f"{role}s").mkdir(mode=0o700, exist_ok=True)
    return [
        _address(create_keystore(home / f"{role}s" / f"{role}-{number}.json", new_secret(), password, iterations))
        for number in range(1, count + 1)
    ]
