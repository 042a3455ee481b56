"""Reading and checking a configuration file."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from hutong.light_clients.records import Place
from hutong.relay.config.api import ApiConfig, ServerConfig
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
from hutong.relay.config.fields import Model
from hutong.relay.config.keys import (
    KEY_KINDS,
    AnyKeyConfig,
    AwsKmsConfig,
    Eth1SignerConfig,
    KeyFile,
    KeystoreConfig,
    Pkcs11Config,
    PrivvalConfig,
)
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.config.keys.signer_daemon import SignerConfig, signer_problems
from hutong.relay.config.keys.token_key import FILE_TAG, TABLE_TAG, token_key_problems
from hutong.relay.config.model import AnchorConfig, ArchiveConfig, Config, PathConfig, RelayConfig
from hutong.relay.config.networks import read_network
from hutong.relay.config.path_end import PathEnd
from hutong.relay.config.permissions import UnsafeFile, check_not_writable_by_others, check_private_file
from hutong.relay.config.reasons import reason_of
from hutong.relay.config.records.issuers import CachePushConfig, IssuerConfig
from hutong.relay.config.records.observations import ObservationConfig, PushConfig, UnusableLayout
from hutong.relay.config.secrets import secret_problems

MAX_CONFIG_BYTES = 1024 * 1024

Parsed = TypeVar("Parsed", bound=Model)
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
        IssuerConfig,
        CachePushConfig,
        KeystoreConfig,
        AwsKmsConfig,
        Pkcs11Config,
        Eth1SignerConfig,
        PrivvalConfig,
        PolicyConfig,
        ObservationConfig,
        PathConfig,
        PathEnd,
        PushConfig,
    ),
    *(AttestorConfig, AttestorProcess, SourceConfig, DestinationConfig),
)
MAX_SHOWN_NAME = 64
_CHAIN_FIELD = re.compile(r"chains\.([0-9]{1,3})(?:\.|$)")
_REMEDIES = {
    "missing": "add it",
    "int_type": "write a whole number without quotes",
    "string_type": "write a text in quotes",
    "bool_type": "write true or false",
    "tuple_type": "write a list in square brackets",
    "model_type": "write a table",
    "model_attributes_type": "write a table",
    "is_instance_of": "write a text in quotes",
    "literal_error": "use one of the values listed",
    "int_parsing": "write a whole number without quotes",
    "int_from_float": "write a whole number",
    "bool_parsing": "write true or false",
    "too_short": "add an entry",
    "too_long": "take some out",
}
_TABLES: dict[type[BaseModel], str] = {
    ApiConfig: "[api]",
    ArchiveConfig: "[archive]",
    RelayConfig: "[relay]",
    EvmChainConfig: "a [[chains]] table",
}


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
    return load_model(path, AttestorConfig, attestor_problems, _attestor_file_problems)


def _attestor_file_problems(config: AttestorConfig) -> Iterator[Problem]:
    yield from _key_problems(config.attestor.key, "attestor.key")
    for number, access in enumerate(config.source.access):
        yield from _access_file_problems(access, f"source.access.{number}")


def load_model(
    path: Path,
    model: type[Parsed],
    contradictions: Callable[[Parsed], Iterable[Problem]] = lambda _: (),
    file_problems: Callable[[Parsed], Iterable[Problem]] = lambda _: (),
) -> Parsed:
    """Another daemon's configuration in a file, by its own model: every path made absolute, no secret in it.

    Args:
        contradictions: the model's rules that more than one table takes part in.
        file_problems: what is wrong with the files that it names; asked where nothing else is wrong.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    config = _parsed(_read(path), str(path), path.resolve().parent, model, contradictions)
    problems = tuple(file_problems(config))
    if problems:
        raise ConfigError(str(path), problems)
    return config


def load_signer_config(path: Path) -> SignerConfig:
    """The configuration of `hutong signer run` in a file; files of keys and of TLS are checked as well.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, SignerConfig, signer_problems, _signer_file_problems)


def _signer_file_problems(config: SignerConfig) -> Iterator[Problem]:
    for number, key in enumerate(config.keys):
        yield from _key_problems(key, f"keys.{number}")
    if config.signer.tls_key is not None:
        try:
            check_private_file(config.signer.tls_key)
        except UnsafeFile as error:
            yield _unsafe("signer.tls_key", error)
    for name, file in (("tls_certificate", config.signer.tls_certificate), ("client_ca", config.signer.client_ca)):
        if file is not None and not file.is_file():
            yield Problem(f"signer.{name}", f"there is no file {file}", "correct the path")


def load_key_file(path: Path) -> AnyKeyConfig:
    """The key's table in a file of its own (`KeyFile`), whose files are checked as well.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, KeyFile, file_problems=lambda file: _key_problems(file.key, "key")).key


def key_problems(key: AnyKeyConfig, field: str) -> Iterator[Problem]:
    """Files of a key's table that are missing, or open to others and private.

    Args:
        field: the key's place, such as `issuer.account`.
    """
    yield from _key_problems(key, field)


def token_key_file_problems(key: Path | AnyKeyConfig, field: str) -> Iterator[Problem]:
    """The same of a key that signs tokens, which may be a PEM file; and a key that signs none.

    Args:
        field: the key's place, such as `issuer.key`.
    """
    if isinstance(key, Path):
        try:
            check_private_file(key)
        except UnsafeFile as error:
            yield Problem(field, str(error), "keep the key where its owner alone reads it")
    else:
        yield from token_key_problems(key, field)
        yield from _key_problems(key, field)


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
        causes = _causes(error.errors(include_url=False, include_input=False))
        found = [_problem(cause, document, model) for cause in causes]
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
        problems += server_problems(config.api, "api")
    if config.archive is not None and config.archive.anchor is not None:
        problems += _key_problems(config.archive.anchor.key, "archive.anchor.key")
    problems += _layout_problems(config)
    return tuple(_of_chain(problem, config) for problem in problems)


def _layout_problems(config: Config) -> Iterator[Problem]:
    """Layouts that name no slot, and two entries of one place: labels differ, the record would be the same."""
    places: dict[tuple[PathEnd, Place], int] = {}
    for index, one in enumerate(config.observations):
        try:
            place = one.place()
        except UnusableLayout as error:
            yield Problem(f"observations.{index}.{error.field}", error.reason, error.remedy)
            continue
        for end in config.observed_over(one):
            first = places.setdefault((end, place), index)
            if first != index:
                yield Problem(f"observations.{index}", f"is the place of observations.{first}", "take one of them out")


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


def _key_problems(key: AnyKeyConfig, field: str) -> Iterator[Problem]:
    for file in key.files():
        if not file.is_private:
            if not file.path.is_file():
                yield Problem(f"{field}.{file.field}", f"there is no file {file.path}", "correct the path")
            continue
        try:
            check_private_file(file.path)
        except UnsafeFile as error:
            yield _unsafe(f"{field}.{file.field}", error)


def server_problems(api: ServerConfig, table: str) -> Iterator[Problem]:
    """Files of an HTTP server that are missing or open to others.

    A file of API keys may be missing: until the first is made, nobody has one."""
    private = [("tls_key", api.tls_key)]
    if api.keys_file is not None and api.keys_file.exists():
        private.append(("keys_file", api.keys_file))
    for name, path in private:
        if path is None:
            continue
        try:
            check_private_file(path)
        except UnsafeFile as error:
            yield _unsafe(f"{table}.{name}", error)
    if api.tls_certificate is not None and not api.tls_certificate.is_file():
        yield Problem(f"{table}.tls_certificate", f"there is no file {api.tls_certificate}", "correct the path")


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


def _problem(error: Any, document: dict[str, Any], model: type[BaseModel]) -> Problem:
    location = [str(part) for part in error["loc"]]
    # A discriminated union puts its tag into the location: chains.0.evm.router is chains.0.router to the reader.
    if location[:1] == ["chains"] and len(location) > 2 and location[2] in ("evm", "hub", "cosmos"):
        del location[2]
    # Likewise the kind of a key, the first time that it stands there: chains.0.key.keystore.keystore is chains.0.key.keystore.
    tag = next((place for place, part in enumerate(location) if place and part in KEY_KINDS), None)
    if tag is not None:
        del location[tag]
    location = [part for part in location if part not in (FILE_TAG, TABLE_TAG)]
    field = ".".join(location) or "file"
    kind = error["type"]
    if kind == "union_tag_invalid" and not (location[:1] == ["chains"] and len(location) == 2):
        return _unknown_key_kind(field)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        wrong = "is no kind of chain" if kind == "union_tag_invalid" else "is missing"
        return Problem(f"{field}.kind", wrong, 'set kind = "evm", kind = "hub" or kind = "cosmos"')
    if kind == "extra_forbidden":
        return Problem(field, "unknown key", _remedy_of_unknown(location[-1], _beside(document, error["loc"]), model))
    said = reason_of(error)
    if said is not None:
        return Problem(field, said, _REMEDIES.get(kind, "correct it"))
    reason = error["msg"].removeprefix("Value error, ")
    return Problem(field, reason[:1].lower() + reason[1:], _REMEDIES.get(kind, "correct it"))


def _unknown_key_kind(field: str) -> Problem:
    known = ", ".join(f'"{one}"' for one in KEY_KINDS)
    return Problem(f"{field}.kind", "is no kind of key", f"set kind to one of {known}")


def _beside(document: dict[str, Any], place: tuple[str | int, ...]) -> frozenset[str]:
    """Keys of the table in which a place is. Parts of the place that no key or number has are pydantic's own."""
    table: Any = document
    for part in place[:-1]:
        if (isinstance(table, dict) and part in table) or (isinstance(table, list) and isinstance(part, int)):
            table = table[part]  # type: ignore[index]  # which of the two it is was asked above
    return frozenset(table) if isinstance(table, dict) else frozenset()


def _remedy_of_unknown(key: str, beside: frozenset[str], model: type[BaseModel]) -> str:
    """A known key in the wrong place is told where it belongs; another may be misspelt, unless the right one is there."""
    of_relay = model in _MODELS
    homes = [title for table, title in _TABLES.items() if of_relay and key in table.model_fields]
    if homes:
        return f"it belongs into {homes[0]}"
    known = {name for one in (_MODELS if of_relay else _tables(model)) for name in one.model_fields}
    near = [one for one in difflib.get_close_matches(key, sorted(known), n=2) if one != key and one not in beside]
    return f"did you mean {near[0]}?" if near else "remove it"


def _tables(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and those of its tables."""
    yield model
    for field in model.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _tables(kind)


def _absolute(model: Any, directory: Path) -> Any:
    if isinstance(model, Path):
        return model if model.is_absolute() else directory / model
    if isinstance(model, BaseModel):
        changed = {name: _absolute(getattr(model, name), directory) for name in type(model).model_fields}
        return model.model_copy(update=changed)
    if isinstance(model, tuple):
        return tuple(_absolute(item, directory) for item in model)
    if isinstance(model, dict):
        return {name: _absolute(item, directory) for name, item in model.items()}
    return model
