"""Reading and checking a configuration file."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hutong.relay.config.api import ApiConfig
from hutong.relay.config.attestor import (
    AttestorConfig,
    AttestorProcess,
    DestinationConfig,
    SourceConfig,
    attestor_problems,
)
from hutong.relay.config.chains import CosmosChainConfig, EvmChainConfig, HubChainConfig
from hutong.relay.config.consistency import consistency_problems
from hutong.relay.config.endpoints import AccessConfig, EndpointsConfig, HeaderConfig
from hutong.relay.config.errors import ConfigError, Problem
from hutong.relay.config.key import KeyConfig
from hutong.relay.config.model import AnchorConfig, ArchiveConfig, Config, PathConfig, PathEnd, RelayConfig
from hutong.relay.config.networks import read_network
from hutong.relay.config.permissions import UnsafeFile, check_not_writable_by_others, check_private_file
from hutong.relay.config.secrets import secret_problems

MAX_CONFIG_BYTES = 1024 * 1024

Parsed = TypeVar("Parsed", Config, AttestorConfig)
_MODELS = (
    *(
        AccessConfig,
        AnchorConfig,
        ApiConfig,
        ArchiveConfig,
        Config,
        EndpointsConfig,
        HeaderConfig,
        RelayConfig,
        EvmChainConfig,
        HubChainConfig,
        CosmosChainConfig,
        KeyConfig,
        PathConfig,
        PathEnd,
    ),
    *(AttestorConfig, AttestorProcess, SourceConfig, DestinationConfig),
)
MAX_SHOWN_NAME = 64
_CHAIN_FIELD = re.compile(r"chains\.([0-9]{1,3})(?:\.|$)")
_EVERY_KEY = sorted({name for model in _MODELS for name in model.model_fields})
_REMEDIES = {
    "missing": "add it",
    "int_type": "write a whole number without quotes",
    "string_type": "write a text in quotes",
    "bool_type": "write true or false",
    "tuple_type": "write a list in square brackets",
    "model_type": "write a table",
    "literal_error": "use one of the values listed",
    "int_parsing": "write a whole number without quotes",
    "int_from_float": "write a whole number",
    "bool_parsing": "write true or false",
    "too_short": "add an entry",
    "too_long": "take some out",
}
_REASONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "int_parsing": lambda _: "is not a whole number",
    "int_type": lambda _: "is not a whole number",
    "int_from_float": lambda _: "is not a whole number",
    "bool_parsing": lambda _: "is neither true nor false",
    "bool_type": lambda _: "is neither true nor false",
    "string_type": lambda _: "is not a text",
    "tuple_type": lambda _: "is not a list",
    "model_type": lambda _: "is not a table",
    "too_short": lambda said: f"needs at least {said['min_length']} {_entries(said['min_length'])}",
    "too_long": lambda said: f"may have at most {said['max_length']} {_entries(said['max_length'])}",
    "greater_than_equal": lambda said: f"is less than {said['ge']}",
    "less_than_equal": lambda said: f"is more than {said['le']}",
    "greater_than": lambda said: f"must be more than {said['gt']}",
    "less_than": lambda said: f"must be less than {said['lt']}",
}
"""In place of the library's words, which speak of validation and tuples."""
_TABLES: dict[type[BaseModel], str] = {
    ApiConfig: "[api]",
    ArchiveConfig: "[archive]",
    RelayConfig: "[relay]",
    EvmChainConfig: "a [[chains]] table",
}


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


def load_config(path: Path) -> Config:
    """The configuration in a file, with every path made absolute and every rule checked.

    The files that it names are checked for permissions by `file_problems`, which `hutong relay run` and
    `hutong config check` call as well.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return parse_config(_read(path), str(path), path.resolve().parent)


def load_attestor_config(path: Path) -> AttestorConfig:
    """The attestor's configuration in a file, likewise; its key's files are checked as well.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    config = _parsed(_read(path), str(path), path.resolve().parent, AttestorConfig, attestor_problems)
    problems = tuple(_key_problems(config.attestor.key, "attestor.key"))
    for number, access in enumerate(config.source.access):
        problems += tuple(_access_file_problems(access, f"source.access.{number}"))
    if problems:
        raise ConfigError(str(path), problems)
    return config


def _read(path: Path) -> bytes:
    source = str(path)
    try:
        check_not_writable_by_others(path)
        return path.read_bytes()
    except UnsafeFile as error:
        raise ConfigError(source, (_unsafe("file", error, named=False),)) from None
    except OSError as error:
        raise ConfigError(source, (Problem("file", f"cannot be read ({error.strerror})", "check the path"),)) from None


def parse_config(data: bytes, source: str, directory: Path) -> Config:
    """Like `load_config`, from bytes.

    Args:
        source: the file's name in problems.
        directory: what relative paths are taken from.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return _parsed(data, source, directory, Config, consistency_problems)


def _parsed(
    data: bytes,
    source: str,
    directory: Path,
    model: type[Parsed],
    contradictions: Callable[[Parsed], Iterable[Problem]],
) -> Parsed:
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(source, (Problem("file", f"has more than {MAX_CONFIG_BYTES} bytes", "shorten it"),))
    try:
        document = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ConfigError(source, (Problem("file", "is not UTF-8 text", "save it as UTF-8"),)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # The parser's sentence quotes at most one character of the input.
        raise ConfigError(source, (Problem("file", f"is not TOML ({error})", "mend the syntax"),)) from None
    secrets = tuple(secret_problems(document))
    if secrets:
        raise ConfigError(source, secrets)
    try:
        config = model.model_validate(document)
    except ValidationError as error:
        found = map(_problem, _causes(error.errors(include_url=False, include_input=False)))
        raise ConfigError(source, tuple(_named(problem, document) for problem in found)) from None
    problems = tuple(_named(problem, document) for problem in contradictions(config))
    if problems:
        raise ConfigError(source, problems)
    absolute: Parsed = _absolute(config, directory)
    return absolute


def _named(problem: Problem, document: dict[str, Any]) -> Problem:
    """With the chain's name, where the document has one that can be shown."""
    match = _CHAIN_FIELD.match(problem.field)
    chains = document.get("chains")
    if match is None or not isinstance(chains, list) or int(match[1]) >= len(chains):
        return problem
    chain = chains[int(match[1])]
    name = chain.get("name") if isinstance(chain, dict) else None
    shown = isinstance(name, str) and name.isascii() and name.isprintable() and len(name) <= MAX_SHOWN_NAME
    return replace(problem, subject=name) if shown else problem


def _of_chain(problem: Problem, config: Config) -> Problem:
    match = _CHAIN_FIELD.match(problem.field)
    return problem if match is None else replace(problem, subject=config.chains[int(match[1])].name)


def file_problems(config: Config) -> tuple[Problem, ...]:
    """Keystores, password files, secrets of endpoints and of the API that are missing or open to others.

    Networks of Ethereum chains are read, too. No keystore is opened.
    """
    problems: list[Problem] = []
    for index, chain in enumerate(config.chains):
        for number, key in enumerate(chain.all_keys):
            field = "key" if chain.key is not None else f"keys.{number}"
            problems += _key_problems(key, f"chains.{index}.{field}")
        for number, access in enumerate(chain.access):
            problems += _access_file_problems(access, f"chains.{index}.access.{number}")
        if isinstance(chain, EvmChainConfig) and chain.network is not None:
            try:
                read_network(chain.network)
            except ValueError as error:
                problems.append(
                    Problem(f"chains.{index}.network", str(error), "name a public network or mend the file")
                )
    if config.api is not None:
        problems += _api_problems(config.api)
    if config.archive is not None and config.archive.anchor is not None:
        problems += _key_problems(config.archive.anchor.key, "archive.anchor.key")
    return tuple(_of_chain(problem, config) for problem in problems)


def _access_file_problems(access: AccessConfig, field: str) -> Iterator[Problem]:
    private = [("bearer_token_file", access.bearer_token_file), ("basic_password_file", access.basic_password_file)]
    private += [("client_key", access.client_key)]
    private += [(f"headers.{number}.value_file", header.value_file) for number, header in enumerate(access.headers)]
    for name, path in private:
        if path is None:
            continue
        try:
            check_private_file(path)
        except UnsafeFile as error:
            yield _unsafe(f"{field}.{name}", error)
    for name, path in (("ca_file", access.ca_file), ("client_certificate", access.client_certificate)):
        if path is not None and not path.is_file():
            yield Problem(f"{field}.{name}", f"there is no file {path}", "correct the path")


def _key_problems(key: KeyConfig, field: str) -> Iterator[Problem]:
    for name in ("keystore", "password_file"):
        path = getattr(key, name)
        if path is None:
            continue
        try:
            check_private_file(path)
        except UnsafeFile as error:
            yield _unsafe(f"{field}.{name}", error)


def _api_problems(api: ApiConfig) -> Iterator[Problem]:
    """A file of API keys may be missing: until the first is made, nobody has one."""
    private = [("tls_key", api.tls_key)]
    if api.keys_file is not None and api.keys_file.exists():
        private.append(("keys_file", api.keys_file))
    for name, path in private:
        if path is None:
            continue
        try:
            check_private_file(path)
        except UnsafeFile as error:
            yield _unsafe(f"api.{name}", error)
    if api.tls_certificate is not None and not api.tls_certificate.is_file():
        yield Problem("api.tls_certificate", f"there is no file {api.tls_certificate}", "correct the path")


def _unsafe(field: str, error: UnsafeFile, *, named: bool = True) -> Problem:
    """`named`: whether the sentence says which file, which the field does not."""
    reason, _, remedy = error.reason.partition("; ")
    return Problem(
        field, f"{error.path}: {reason}" if named else reason, remedy or "correct the path or the file's owner"
    )


def _causes(errors: list[Any]) -> list[Any]:
    """Without the lists that are too short for the one reason that an entry of theirs was refused."""
    places = [error["loc"] for error in errors]
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or not any(place[: len(error["loc"])] == error["loc"] != place for place in places)
    ]


def _problem(error: Any) -> Problem:
    location = [str(part) for part in error["loc"]]
    # A discriminated union puts its tag into the location: chains.0.evm.router is chains.0.router to the reader.
    if location[:1] == ["chains"] and len(location) > 2 and location[2] in ("evm", "hub", "cosmos"):
        del location[2]
    field = ".".join(location) or "file"
    kind = error["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        said = "is no kind of chain" if kind == "union_tag_invalid" else "is missing"
        return Problem(f"{field}.kind", said, 'set kind = "evm", kind = "hub" or kind = "cosmos"')
    if kind == "extra_forbidden":
        return Problem(field, "unknown key", _remedy_of_unknown(location[-1]))
    if kind in _REASONS:
        return Problem(field, _REASONS[kind](error.get("ctx", {})), _REMEDIES.get(kind, "correct it"))
    reason = error["msg"].removeprefix("Value error, ")
    return Problem(field, reason[:1].lower() + reason[1:], _REMEDIES.get(kind, "correct it"))


def _remedy_of_unknown(key: str) -> str:
    """A known key in the wrong place is told where it belongs; another may be misspelt."""
    homes = [title for model, title in _TABLES.items() if key in model.model_fields]
    if homes:
        return f"it belongs into {homes[0]}"
    near = [one for one in difflib.get_close_matches(key, _EVERY_KEY, n=2) if one != key]
    return f"did you mean {near[0]}?" if near else "remove it"


def _absolute(model: Any, directory: Path) -> Any:
    if isinstance(model, Path):
        return model if model.is_absolute() else directory / model
    if isinstance(model, BaseModel):
        changed = {name: _absolute(getattr(model, name), directory) for name in type(model).model_fields}
        return model.model_copy(update=changed)
    if isinstance(model, tuple):
        return tuple(_absolute(item, directory) for item in model)
    return model
