"""What administrative commands share: keys from the command line, and refusals as one sentence with an exit code."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import TypeVar

import trio
import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.config import (
    AnyChainConfig,
    Config,
    ConfigError,
    CosmosChainConfig,
    EvmChainConfig,
    HubChainConfig,
    KeyConfig,
    PathEnd,
    UnsafeFile,
    load_config,
)
from hutong.relay.keys import KeyUnavailable, Signer, load_signer

_REMEDIES = {
    "NotAnOperator": "only the operator account of a validator decides: hutong hub members lists them",
    "NotAnAdmin": "only the hub's admins decide that; where its validators govern, hutong hub propose",
    "InsufficientExecutionGas": "another vote came in between and this one now decides: run the command again",
    "ActionRefused": "the hub's admins decide together: name as many different ones with --hub-admin as its threshold asks for",
    "AccessManagedUnauthorized": "this account may not decide that there: use the keystore of the one that may, which the file of"
    " hutong deploy --out names; after --development the one that deployed the contracts. Where it is a multisig, --decide-as ADDRESS prints its calls:"
    " of path create, peer, client recover and transfer limits set",
}
"""What to do about a refusal, by the name of the contract's error."""
DEADLINE_S = 300
"""Longest that one administrative command may take, all its transactions included."""

Result = TypeVar("Result")


def demand_terminal(what: str, options: str) -> None:
    """Refuse where nobody can be asked: without it a prompt ends with "Aborted!" and exit code 1.

    Args:
        what: the prompt is for.
        options: by which it can be given instead.

    Raises:
        Refused: code 2, standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise Refused(f"there is no terminal to ask for {what}: give {options}", UNUSABLE)


def signer_of(keystore: Path, password_file: Path | None, password_env: str | None) -> Signer:
    """Open a keystore with its one password.

    Raises:
        Refused: code 2, not exactly one of file and variable is given, or the keystore does not open.
    """
    if (password_file is None) == (password_env is None):
        raise Refused("give exactly one of --password-file and --password-env", UNUSABLE)
    key = KeyConfig(keystore=keystore, password_file=password_file, password_env=password_env)
    try:
        return load_signer(key)
    except (KeyUnavailable, UnsafeFile) as error:
        raise Refused(str(error), UNUSABLE) from None


def admins_of(keystores: list[Path], password_files: list[Path]) -> list[Signer]:
    """Open the admins' keystores, each with the password file at its place.

    Raises:
        Refused: code 2, there are not as many files as keystores, or one does not open.
    """
    if len(keystores) != len(password_files):
        raise Refused("give one --hub-admin-password-file for each --hub-admin", UNUSABLE)
    return [signer_of(key, file, None) for key, file in zip(keystores, password_files, strict=True)]


def config_of(file: Path) -> Config:
    """Load the configuration.

    Raises:
        Refused: code 2, with every problem found.
    """
    try:
        return load_config(file)
    except ConfigError as error:
        raise Refused(str(error), UNUSABLE) from None


def evm_chain_of(config: Config, name: str) -> EvmChainConfig:
    """The EVM chain of that name; a hub is not an EVM chain here.

    Raises:
        Refused: code 2, no chain has the name, or it is of another kind.
    """
    chain = chain_of(config, name)
    if not isinstance(chain, EvmChainConfig):
        raise Refused(f"chain {name} is of kind {chain.kind}; an EVM chain is needed here", UNUSABLE)
    return chain


def chain_of(config: Config, name: str) -> AnyChainConfig:
    """The chain of that name, of any kind.

    Raises:
        Refused: code 2, no chain has the name.
    """
    try:
        return config.chain(name)
    except KeyError:
        known = ", ".join(chain.name for chain in config.chains)
        raise Refused(f"no chain is called {name}; the configuration has {known}", UNUSABLE) from None


def member_chain_of(config: Config, name: str) -> EvmChainConfig | CosmosChainConfig:
    """A chain that joins a hub, by its name.

    Raises:
        Refused: code 2, no chain has the name, or it is a hub.
    """
    chain = chain_of(config, name)
    if isinstance(chain, HubChainConfig):
        raise Refused(f"chain {name} is a hub; an EVM or Cosmos chain is needed here", UNUSABLE)
    return chain


def hub_of(config: Config, name: str | None) -> HubChainConfig:
    """The hub of that name, or the only one.

    Raises:
        Refused: code 2, no hub has the name, or without a name there is not exactly one.
    """
    if name is None:
        hubs = [chain for chain in config.chains if isinstance(chain, HubChainConfig)]
        if len(hubs) != 1:
            raise Refused(f"the configuration has {len(hubs)} hubs; name one with --hub", UNUSABLE)
        return hubs[0]
    chain = chain_of(config, name)
    if not isinstance(chain, HubChainConfig):
        raise Refused(f"chain {name} is not a hub", UNUSABLE)
    return chain


def client_end_of(config: Config, chain: str, client: str, option: str = "--client") -> PathEnd:
    """A client on a configured chain; whether it exists there is not asked.

    Args:
        option: names the identifier in a refusal.

    Raises:
        Refused: code 2, the chain is unknown or the identifier is not one.
    """
    name = chain_of(config, chain).name
    try:
        return PathEnd(chain=name, client=client)
    except ValueError:
        raise Refused(
            f"{option}: {client[:80]!r} is not a client identifier, which looks like name-number", UNUSABLE
        ) from None


def followed_of(config: Config, end: PathEnd) -> PathEnd:
    """The other end of a client's path: whom it follows.

    Raises:
        Refused: code 2, it is an end of no configured path.
    """
    for path in config.paths:
        if end == path.a:
            return path.b
        if end == path.b:
            return path.a
    raise Refused(f"{end.chain} {end.client} is not an end of a configured path", UNUSABLE)


def address_of(text: str, option: str) -> bytes:
    """An EVM address as 20 bytes; with letters in both cases it must have the right checksum (EIP-55).

    Args:
        option: names the value in a refusal.

    Raises:
        Refused: code 2, it is no address, or not the one that its checksum says.
    """
    from eth_utils.address import (
        is_checksum_address,
        is_checksum_formatted_address,
        is_hex_address,
        to_canonical_address,
    )

    if not is_hex_address(text):
        raise Refused(f"{option}: {text[:80]!r} is not an address", UNUSABLE)
    if is_checksum_formatted_address(text) and not is_checksum_address(text):
        raise Refused(f"{option}: {text} has a wrong EIP-55 checksum", UNUSABLE)
    return bytes(to_canonical_address(text))


def run_administration(work: Callable[[Random], Awaitable[Result]], *, as_json: bool = False) -> Result:
    """Run `work` in a trio run of its own, to the end or for DEADLINE_S seconds.

    Args:
        work: is given a source of jitter between retries, nothing secret.
        as_json: calls that another account has to make are a document on standard output as well.

    Raises:
        Refused: code 1, a chain's refusal or silence, what does not verify, or the deadline, as one sentence; code
            2, what the API would refuse as a request of its own.
    """
    from hutong.adapters.interface import AdapterError
    from hutong.light_clients.interface import VerificationError
    from hutong.relay.api.problems import ApiProblem

    random = Random(os.urandom(16))  # noqa: S311 - jitter between retries

    async def bounded() -> Result:
        with trio.fail_after(DEADLINE_S):
            return await work(random)

    expected = (AdapterError, VerificationError, ApiProblem, Refused, trio.TooSlowError)
    try:
        return trio.run(bounded, strict_exception_groups=True)
    except (*expected, BaseExceptionGroup) as error:
        raise _refusal(expected_leaves(error, expected)[0], as_json=as_json) from None


def _refusal(error: BaseException, *, as_json: bool = False) -> Refused:
    from hutong.relay.api.problems import ApiProblem, Code

    if isinstance(error, Refused):
        return error
    if isinstance(error, ApiProblem) and error.code is Code.INVALID_REQUEST:
        option = "" if error.field is None else f"--{error.field.replace('_', '-')}"
        return Refused(f"{option}{error.detail.removeprefix(error.field or '')}", UNUSABLE)
    if as_json:
        from hutong.adapters.evm.administration.deciding import Pending, Undecided

        if isinstance(error, Pending | Undecided):
            typer.echo(json.dumps({"decided": False, "calls": error.documents(), "then": error.then or None}))
    return Refused(_sentence(error), REFUSED)


def _sentence(error: BaseException) -> str:
    if isinstance(error, trio.TooSlowError):
        return (
            f"the chains did not get it done within {DEADLINE_S} s; look at the endpoints, then run the command again"
        )
    from hutong.adapters.interface import RefusedByChain

    said = str(error)
    name = said.partition(":")[0]
    if isinstance(error, RefusedByChain) and name in _REMEDIES:
        return f"the chain refused it ({said}); {_REMEDIES[name]}"
    return said
