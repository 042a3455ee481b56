"""`hutong path`: two chains that hold light clients of each other."""

import json
import re
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.beginnings import Agreement, Beginning
from hutong.relay.administration.cosmos_paths import Wish, create_cosmos_path
from hutong.relay.administration.path_joining import Begun
from hutong.relay.administration.paths import (
    AttestorSet,
    CreatedPath,
    Member,
    Trust,
    continue_with_hub,
    create_direct,
    create_with_hub,
)
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.confirming import AtTerminal, pin_of
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import (
    AsJson,
    ConfigFile,
    DecideAs,
    HubAdminPasswordFiles,
    HubAdmins,
    Keystore,
    PasswordEnv,
    PasswordFile,
    address_of,
    admins_of,
    chain_of,
    config_of,
    evm_chain_of,
    hub_of,
    member_chain_of,
    run_administration,
    signer_of,
)
from hutong.relay.config import CosmosChainConfig, EvmChainConfig
from hutong.relay.keys import Signer

app = command_group("Paths between chains.")

DAY_S = 86_400

MailboxAddress = Annotated[
    str | None, typer.Option(help="Mailbox of the chain that shall accept messages over the path.")
]
TransferAddress = Annotated[
    str | None, typer.Option(help="Transfer of the chain that shall send tokens over the hub to other chains.")
]
Attestors = Annotated[
    list[str], typer.Option("--attestor", help="Address of an attestor of the chain; once for each, if it is attested.")
]
Threshold = Annotated[
    int, typer.Option("--threshold", min=1, help="How many of its attestors must sign; more than half of them.")
]
TrustingPeriod = Annotated[int, typer.Option(min=1)]
ClockDrift = Annotated[int, typer.Option(min=1, help="How far a header may be ahead of the clock where it is judged.")]


@app.command()
def create(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the EVM or Cosmos chain in the configuration.")],
    keystore: Keystore,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    hub: Annotated[str | None, typer.Option(help="Name of the hub; unneeded if there is one.")] = None,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    mailbox: MailboxAddress = None,
    transfer: TransferAddress = None,
    attestor: Attestors = [],  # noqa: B006  typer reads it
    threshold: Threshold = 1,
    trusting_period_s: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of both clients; unless given a week, with a Cosmos chain as the hub's genesis says and two thirds of the"
            " chain's unbonding period.",
        ),
    ] = None,
    unbonding_period_s: Annotated[
        int | None,
        typer.Option(
            min=2, help="How long a removed hub validator stays accountable; 21 days. Not with a Cosmos chain."
        ),
    ] = None,
    max_clock_drift_s: ClockDrift = 15,
    trusted_root: Annotated[
        str | None,
        typer.Option(
            help="Root of a finalized beacon block, 0x and 64 hex digits, from where the client of an Ethereum chain begins;"
            " unless given the newest that its beacon nodes name."
        ),
    ] = None,
    min_participants: Annotated[
        int | None,
        typer.Option(min=1, help="Members of a sync committee who must sign, two thirds unless given. Ethereum alone."),
    ] = None,
    trusted_height: Annotated[
        int | None,
        typer.Option(min=1, help="Final block of the chain from where the hub's client begins; with --trusted-hash."),
    ] = None,
    trusted_hash: Annotated[
        str | None, typer.Option(help="Hash of that block, from somebody whom you trust; another one is refused.")
    ] = None,
    hub_trusted_height: Annotated[
        int | None,
        typer.Option(min=1, help="Block of the hub from where the chain's client begins; with --hub-trusted-hash."),
    ] = None,
    hub_trusted_hash: Annotated[
        str | None, typer.Option(help="Hash of that block of the hub; another one is refused.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: you know the first blocks to be right.")] = False,
    on_hub: Annotated[
        str | None,
        typer.Option(help="Go on with this client on the hub, as a run printed whose decisions had to wait."),
    ] = None,
    light_client: Annotated[
        str | None, typer.Option(help="Go on with this light client contract on the chain, likewise.")
    ] = None,
    decide_as: DecideAs = None,
    as_json: AsJson = False,
) -> None:
    """Create the hub's client of the chain and the chain's client of the hub, each as the other's counterparty.

    Shows on standard error from which block each client begins, its height and hash, and asks before anything is sent;
    blocks that are pinned are compared instead. Prints the `[[paths]]` entry for the relay's configuration; for an attested
    chain also, on standard error, the `[[destinations]]` entry for its attestors.
    """
    loaded = config_of(config)
    evm, hub_chain = member_chain_of(loaded, chain), hub_of(loaded, hub)
    if isinstance(evm, CosmosChainConfig):
        _only_for_evm(
            chain,
            mailbox=mailbox,
            transfer=transfer,
            attestor=attestor,
            unbonding_period_s=unbonding_period_s,
            trusted_root=trusted_root,
            min_participants=min_participants,
        )
    elif evm.consensus != "ethereum":
        for option, value in (("trusted-root", trusted_root), ("min-participants", min_participants)):
            if value is not None:
                raise Refused(f"--{option} is for Ethereum chains; {chain}'s consensus is {evm.consensus}", UNUSABLE)
    if isinstance(evm, EvmChainConfig) and evm.consensus in ("ethereum", "attested") and trusted_height is not None:
        begins = "at a block root: --trusted-root" if evm.consensus == "ethereum" else "where its attestors say"
        raise Refused(
            f"not supported: --trusted-height of {chain}; the client of such a chain begins {begins}", UNUSABLE
        )
    agreement = Agreement(
        AtTerminal(yes).confirm,
        pin_of(trusted_height, trusted_hash, ""),
        pin_of(hub_trusted_height, hub_trusted_hash, "hub-"),
    )
    block_root = _root(trusted_root)
    owner = signer_of(keystore, password_file, password_env)
    if isinstance(evm, CosmosChainConfig):
        admins = admins_of(hub_admin, hub_admin_password_file)
        wish = Wish(trusting_period_s, max_clock_drift_s)
        _print(run_administration(partial(create_cosmos_path, evm, owner, hub_chain, admins, wish, agreement)), as_json)
        return
    for option, address in (("--mailbox", mailbox), ("--transfer", transfer)):
        if address is not None:
            address_of(address, option)
    account = None if decide_as is None else address_of(decide_as, "--decide-as")
    member = Member(evm, owner, mailbox, _attestors(evm, attestor, threshold, "--attestor"), transfer, account)
    admins = admins_of(hub_admin, hub_admin_password_file)
    if (on_hub is None) != (light_client is None):
        raise Refused("--on-hub and --light-client go together, as an earlier run has printed them", UNUSABLE)
    if on_hub is not None and light_client is not None:
        begun = Begun(on_hub, address_of(light_client, "--light-client"))
        _print(
            run_administration(partial(continue_with_hub, member, hub_chain, admins, begun), as_json=as_json), as_json
        )
        return
    trust = Trust(
        trusting_period_s or 7 * DAY_S,
        unbonding_period_s or 21 * DAY_S,
        max_clock_drift_s,
        block_root,
        min_participants,
    )
    _print(
        run_administration(partial(create_with_hub, member, hub_chain, admins, trust, agreement), as_json=as_json),
        as_json,
    )


@app.command()
def direct(
    config: ConfigFile,
    a: Annotated[str, typer.Option(help="Name of one attested EVM chain.")],
    b: Annotated[str, typer.Option(help="Name of the other.")],
    a_keystore: Annotated[Path, typer.Option(help="Keystore of the account that owns A's contracts.")],
    b_keystore: Annotated[Path, typer.Option(help="The same on B.")],
    a_password_file: PasswordFile = None,
    b_password_file: PasswordFile = None,
    a_password_env: PasswordEnv = None,
    b_password_env: PasswordEnv = None,
    a_mailbox: MailboxAddress = None,
    b_mailbox: MailboxAddress = None,
    a_attestor: Annotated[list[str], typer.Option(help="Address of an attestor of A; once for each.")] = [],  # noqa: B006
    b_attestor: Annotated[list[str], typer.Option(help="Address of an attestor of B; once for each.")] = [],  # noqa: B006
    a_threshold: Annotated[int, typer.Option(min=1, help="How many attestors of A must sign.")] = 1,
    b_threshold: Annotated[int, typer.Option(min=1, help="How many attestors of B must sign.")] = 1,
    trusting_period_s: TrustingPeriod = 7 * DAY_S,
    max_clock_drift_s: ClockDrift = 15,
    as_json: AsJson = False,
) -> None:
    """Connect two attested EVM chains without a hub: a client of each on the other.

    Prints the `[[paths]]` entry for the relay's configuration and, on standard error, the `[[destinations]]` entries
    for the attestors of both chains.
    """
    loaded = config_of(config)
    for name in (a, b):
        if isinstance(chain_of(loaded, name), CosmosChainConfig):
            raise Refused(
                f"not supported: a path without a hub to {name}, of kind cosmos: its clients verify no EVM chain",
                UNUSABLE,
            )
    chain_a, chain_b = evm_chain_of(loaded, a), evm_chain_of(loaded, b)
    if a == b:
        raise Refused("a path joins two chains", UNUSABLE)
    for end in (chain_a, chain_b):
        if end.consensus != "attested":
            raise Refused(
                f"not supported: a path without a hub to {end.name}, whose consensus is {end.consensus}:"
                " EVM chains hold no light client of it",
                UNUSABLE,
            )
    members = (
        _direct_member(
            chain_a, signer_of(a_keystore, a_password_file, a_password_env), a_mailbox, a_attestor, a_threshold, "--a"
        ),
        _direct_member(
            chain_b, signer_of(b_keystore, b_password_file, b_password_env), b_mailbox, b_attestor, b_threshold, "--b"
        ),
    )
    trust = Trust(trusting_period_s, 2 * trusting_period_s, max_clock_drift_s)
    _print(run_administration(partial(create_direct, *members, trust)), as_json)


def _only_for_evm(chain: str, **options: object) -> None:
    for name, value in options.items():
        if value:
            raise Refused(f"--{name.replace('_', '-')} is for EVM chains; {chain} is of kind cosmos", UNUSABLE)


def _root(text: str | None) -> bytes | None:
    if text is None:
        return None
    if re.fullmatch(r"0x[0-9a-fA-F]{64}", text) is None:
        raise Refused("--trusted-root must be 0x and 64 hex digits", UNUSABLE)
    return bytes.fromhex(text[2:])


def _direct_member(
    chain: EvmChainConfig, owner: Signer, mailbox: str | None, addresses: list[str], threshold: int, option: str
) -> Member:
    if mailbox is not None:
        address_of(mailbox, f"{option}-mailbox")
    return Member(chain, owner, mailbox, _attestors(chain, addresses, threshold, f"{option}-attestor"))


def _attestors(chain: EvmChainConfig, addresses: list[str], threshold: int, option: str) -> AttestorSet | None:
    """Whom the new client shall believe; Refused where that does not fit the chain."""
    from eth_utils.address import is_checksum_formatted_address, is_hex_address, to_canonical_address

    if chain.consensus != "attested":
        if addresses:
            raise Refused(f"{chain.name} is not attested: its consensus is {chain.consensus}", UNUSABLE)
        return None
    if not addresses:
        raise Refused(f"{chain.name} is attested: name its attestors with {option}", UNUSABLE)
    for address in addresses:
        if not is_hex_address(address) or not address.startswith("0x"):
            raise Refused(f"{option} {address[:80]} is not an address", UNUSABLE)
        if is_checksum_formatted_address(address) and to_checksum(address) != address:
            raise Refused(f"{option} {address} has a wrong EIP-55 checksum", UNUSABLE)
    distinct = {bytes(to_canonical_address(address)) for address in addresses}
    if len(distinct) != len(addresses):
        raise Refused(f"{option} names an attestor twice", UNUSABLE)
    if not len(distinct) < 2 * threshold <= 2 * len(distinct):
        raise Refused(
            f"the threshold must be more than half of {len(distinct)} attestors, and no more than all", UNUSABLE
        )
    return AttestorSet(tuple(sorted(distinct)), threshold)


def to_checksum(address: str) -> str:
    """EIP-55 form of an address in any case of its letters.

    Raises:
        ValueError: that is no address.
    """
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(address))


def _shown(one: Beginning) -> dict[str, str]:
    return {"on": one.host, "of": one.followed, "height": one.height, "hash": f"0x{one.block_hash.hex()}"}


def _print(path: CreatedPath, as_json: bool) -> None:
    ends = [{"chain": chain, "client": client} for chain, client in (path.a, path.b)]
    if as_json:
        document = {"a": ends[0], "b": ends[1]}
        if path.destinations:
            document["destinations"] = [asdict(destination) for destination in path.destinations]  # type: ignore[assignment]
        if path.beginnings:
            document["begins"] = [_shown(one) for one in path.beginnings]  # type: ignore[assignment]
        typer.echo(json.dumps(document))
        return
    sides = [
        f'{side} = {{ chain = "{end["chain"]}", client = "{end["client"]}" }}'
        for side, end in zip("ab", ends, strict=True)
    ]
    typer.echo("\n".join(["[[paths]]", *sides]))
    for to in path.destinations:  # to stderr: what is printed can be appended to the relay's file as it is
        typer.echo(
            f"# for every attestor of {to.source}\n[[destinations]]\n"
            f'chain_id = "{to.chain_id}"\nrouter = "{to.router}"\nclient = "{to.client}"\n',
            err=True,
        )
