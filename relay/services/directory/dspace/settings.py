"""The configuration of `hutong directory serve`.

Example:

    [connector]
    home = "connector"                      # database and lock; relative to this file
    listen = "127.0.0.1:9600"
    public_url = "https://data.example"     # what others call it by
    participant_id = "did:web:data.example" # assigner of its offers, assignee where it consumes
    datasets_file = "datasets.json"         # a list of data sets (docs/spec/directory-documents.md)
    keys_file = "api-keys.json"             # made by `hutong directory operator-key`
    decisions = "automatic"                 # or "manual": every step is the operator's

    [[participants]]                        # nobody else may ask
    id = "did:web:lab.example"
    url = "https://lab.example/dsp"         # nothing is sent to addresses that do not begin with it
    token_digest = "sha256:9f…"             # of the token that it shows us
    token_file = "lab.token"                # the token that we show it, mode 0600
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config import Problem, UnsafeFile, check_private_file, load_model, server_problems
from hutong.relay.config.api import ServerConfig, check_public_url, is_loopback
from hutong.relay.config.fields import FilePath, Model, url_of

MAX_PARTICIPANTS = 4_096


def _check_name(text: str) -> str:
    if not 1 <= len(text) <= 512 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be 1 to 512 printable ASCII characters without spaces")
    return text


def _check_digest(text: str) -> str:
    digits = text.removeprefix("sha256:")
    if len(text) != len("sha256:") + 64 or len(digits) != 64 or digits.strip("0123456789abcdef"):
        raise ValueError("must be sha256: and 64 lower-case hexadecimal digits")
    return text


Name = Annotated[str, AfterValidator(_check_name)]


class ConnectorProcess(ServerConfig):
    """The process: who it is, where it listens, what it offers, who decides."""

    home: FilePath
    public_url: Annotated[str, AfterValidator(check_public_url)]
    participant_id: Name
    datasets_file: FilePath | None = None
    """Without it nothing is offered."""
    decisions: Literal["automatic", "manual"] = "automatic"
    page_size: Annotated[int, Field(ge=1, le=1_000)] = 250
    """Data sets on a page of the catalogue."""
    give_up_after_s: Annotated[int, Field(ge=1, le=2_592_000)] = 86_400
    """A message that could not be delivered for so long ends its process."""
    ca_file: FilePath | None = None
    """PEM of the authorities that certify participants; the system's are not asked, then."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class ParticipantTable(Model):
    """A party that may ask, and may be asked."""

    id: Name
    url: Annotated[str, url_of("http", "https")]
    token_digest: Annotated[str, AfterValidator(_check_digest)]
    token_file: FilePath

    @model_validator(mode="after")
    def _tokens_are_not_sent_in_the_clear(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("must be https:// anywhere but on this machine: tokens go with every request")
        if parts.query or parts.fragment:
            raise ValueError("must have no query or fragment")
        return self


class HubTable(Model):
    """Where agreements would be recorded."""

    rpc: tuple[str, ...] = Field(default=(), strict=False)
    consensus_rpc: tuple[str, ...] = Field(default=(), strict=False)


class ConnectorConfig(Model):
    """A whole file."""

    connector: ConnectorProcess
    participants: Annotated[tuple[ParticipantTable, ...], Field(max_length=MAX_PARTICIPANTS, strict=False)] = ()
    hub: HubTable | None = None

    @model_validator(mode="after")
    def _participants_are_told_apart(self) -> Self:
        for name in ("id", "token_digest"):
            if len({getattr(one, name) for one in self.participants}) != len(self.participants):
                raise ValueError(f"has two participants with one {name}")
        return self


def load_connector_config(path: Path) -> ConnectorConfig:
    """The configuration in a file, with every path absolute and every file that it names looked at.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, ConnectorConfig, _contradictions, _file_problems)


def _contradictions(config: ConnectorConfig) -> Iterator[Problem]:
    if config.hub is not None:
        yield Problem(
            "hub",
            "agreements on a hub are not supported yet",
            "leave the table out; agreements then are recorded nowhere",
        )


def _file_problems(config: ConnectorConfig) -> Iterator[Problem]:
    yield from server_problems(config.connector, "connector")
    for name in ("datasets_file", "ca_file"):
        path = getattr(config.connector, name)
        if path is not None and not path.is_file():
            yield Problem(f"connector.{name}", f"there is no file {path}", "correct the path")
    for number, one in enumerate(config.participants):
        try:
            check_private_file(one.token_file)
        except UnsafeFile as error:
            yield Problem(f"participants[{number}].token_file", str(error), "keep it where its owner alone reads it")
