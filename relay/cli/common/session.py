"""What administrative commands share: keys from the command line, and refusals as one sentence with an exit code."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import trio
import typer

from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.config import Config, ConfigError, KeystoreConfig, UnsafeFile, load_config, load_key_file
from hutong.relay.keys import KeyUnavailable, Signer, load_signer

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


_ELSEWHERE: list[Signer] = []
"""Those of this process whose keys are elsewhere: what they opened in a trio run ends with it."""


def signer_of(keystore: Path, password_file: Path | None, password_env: str | None) -> Signer:
    """Open a keystore with its one password; or the key of a file that ends in .toml, which says where it is.

    Raises:
        Refused: code 2, not exactly one of file and variable is given, or the keystore does not open; a key file with a
            password, or that cannot be used.
    """
    if is_key_file(keystore):
        return _signer_of_key_file(keystore, is_password_given=(password_file or password_env) is not None)
    if (password_file is None) == (password_env is None):
        raise Refused("give exactly one of --password-file and --password-env", UNUSABLE)
    key = KeystoreConfig(keystore=keystore, password_file=password_file, password_env=password_env)
    try:
        return load_signer(key)
    except (KeyUnavailable, UnsafeFile) as error:
        raise Refused(str(error), UNUSABLE) from None


def is_key_file(path: Path) -> bool:
    """Whether a command was given a key's table in the place of a keystore, so that it needs no password."""
    return path.suffix == ".toml"


def _signer_of_key_file(path: Path, *, is_password_given: bool) -> Signer:
    if is_password_given:
        raise Refused(f"{path}: the password of a key file is named in the file", UNUSABLE)
    try:
        signer = load_signer(load_key_file(path))
    except (ConfigError, KeyUnavailable) as error:
        raise Refused(str(error), UNUSABLE) from None
    _ELSEWHERE.append(signer)
    return signer


def admins_of(keystores: list[Path], password_files: list[Path]) -> list[Signer]:
    """Open the admins' keystores, each with the password file at its place; key files (.toml) have none.

    Raises:
        Refused: code 2, there are not as many files as keystores, or one does not open.
    """
    if sum(not is_key_file(key) for key in keystores) != len(password_files):
        raise Refused("give one --hub-admin-password-file for each --hub-admin", UNUSABLE)
    passwords = iter(password_files)
    return [signer_of(key, None if is_key_file(key) else next(passwords), None) for key in keystores]


def config_of(file: Path) -> Config:
    """Load the configuration.

    Raises:
        Refused: code 2, with every problem found.
    """
    try:
        return load_config(file)
    except ConfigError as error:
        raise Refused(str(error), UNUSABLE) from None


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
    from hutong.relay.web.problems import ApiProblem

    random = Random(os.urandom(16))  # noqa: S311 - jitter between retries

    async def bounded() -> Result:
        try:
            with trio.fail_after(DEADLINE_S):
                return await work(random)
        finally:
            with trio.CancelScope(shield=True):
                for signer in _ELSEWHERE:
                    await signer.aclose()

    expected = (AdapterError, VerificationError, ApiProblem, Declined, Unusable, Refused, trio.TooSlowError)
    try:
        return trio.run(bounded, strict_exception_groups=True)
    except (*expected, BaseExceptionGroup) as error:
        raise _refusal(expected_leaves(error, expected)[0], as_json=as_json) from None


def run_signing(sign: Callable[..., Awaitable[bytes]], *arguments: Any) -> bytes:
    """One signature and nothing else, in a trio run of its own.

    Raises:
        Refused: as `run_administration`.
    """
    return run_administration(lambda _: sign(*arguments))


def _refusal(error: BaseException, *, as_json: bool = False) -> Refused:
    from hutong.relay.web.problems import ApiProblem, Code

    if isinstance(error, Refused):
        return error
    if isinstance(error, Declined | Unusable):
        return Refused(str(error), REFUSED if isinstance(error, Declined) else UNUSABLE)
    if isinstance(error, ApiProblem) and error.code is Code.INVALID_REQUEST:
        option = "" if error.field is None else f"--{error.field.replace('_', '-')}"
        return Refused(f"{option}{error.detail.removeprefix(error.field or '')}", UNUSABLE)
    if as_json:
        from hutong.adapters.evm.administration.deciding import Pending, Undecided

        if isinstance(error, Pending | Undecided):
            typer.echo(json.dumps({"decided": False, "calls": error.documents(), "then": error.then or None}))
    if isinstance(error, trio.TooSlowError):
        return Refused(
            f"the chains did not get it done within {DEADLINE_S} s; look at the endpoints, then run the command again",
            REFUSED,
        )
    from hutong.relay.administration.remedies import sentence_of

    return Refused(sentence_of(error), REFUSED)
