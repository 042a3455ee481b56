"""What every model of a configuration file is made of."""

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from eth_utils.address import is_checksum_address, is_hex_address
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput

MAX_ENDPOINTS = 8
MAX_URL_CHARS = 2048

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_HUB_CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*-[1-9][0-9]{0,18}")
_ENDPOINT_SCHEMES = ("http", "https", "ws", "wss")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class Model(BaseModel):
    """Unknown keys are refused, and no error shows what was typed: it may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _check_listen(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise ValueError("must be host:port")
    return text


def resolve_path(value: Any) -> Any:
    """A path from its text, `~` resolved; anything else as it is, for pydantic to refuse. Need not exist, may be
    relative.

    Raises:
        ValueError: the text is blank.
    """
    if isinstance(value, str) and not value.strip():
        raise ValueError("must not be empty")
    return Path(value).expanduser() if isinstance(value, str) else value


FilePath = Annotated[Path, BeforeValidator(resolve_path)]
ListenAddress = Annotated[str, AfterValidator(_check_listen)]


def _check_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError("must be 1 to 32 characters of a-z, 0-9 and inner hyphens")
    return name


def _check_hub_chain_id(chain_id: str) -> str:
    if len(chain_id) > 50 or _HUB_CHAIN_ID.fullmatch(chain_id) is None:
        raise ValueError("must look like name-1, at most 50 characters, ending in the revision")
    return chain_id


def _check_chain_id(chain_id: str) -> str:
    if chain_id.isdecimal() and chain_id.isascii() and chain_id[0] != "0" and int(chain_id) < 2**63:
        return chain_id
    try:
        return _check_hub_chain_id(chain_id)
    except ValueError:
        raise ValueError("must be an EIP-155 number in quotes, or a hub's name-1") from None


def _check_environment_name(name: str) -> str:
    if _ENVIRONMENT_NAME.fullmatch(name) is None:
        raise ValueError("must be the name of an environment variable, not its value")
    return name


def _check_address(address: str) -> str:
    if not is_hex_address(address) or not address.startswith("0x"):
        raise ValueError("must be 0x and 40 hex digits")
    digits = address[2:]
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(address):
        raise ValueError("has a wrong EIP-55 checksum")
    if int(digits, 16) == 0:
        raise ValueError("must not be the zero address")
    return address


def url_of(*schemes: str) -> AfterValidator:
    """A check of a field: a URL of one of these schemes, at most MAX_URL_CHARS, and for endpoints without a user in it.

    No sentence of it repeats the URL, which may hold a password.
    """

    def check(url: str) -> str:
        if len(url) > MAX_URL_CHARS:
            raise ValueError(f"is longer than {MAX_URL_CHARS} characters")
        parts = urlsplit(url)
        if parts.scheme not in schemes or not (parts.hostname or parts.scheme == "unix"):
            raise ValueError(f"must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if parts.username is not None and parts.scheme in _ENDPOINT_SCHEMES:
            raise ValueError("must not hold a user: write an access entry for its host (basic_user)")
        try:
            _ = parts.port
        except ValueError:  # whose words repeat what may be a password with a `/` or `#` in it
            raise ValueError("must have a number from 0 to 65535 where its port is, and no password") from None
        return url

    return AfterValidator(check)


def _check_client(client_id: str) -> str:
    try:
        return check_client_id(client_id)
    except MalformedInput as error:
        raise ValueError(error.reason) from None


Name = Annotated[str, AfterValidator(_check_name)]
Address = Annotated[str, AfterValidator(_check_address)]
HttpUrls = Annotated[
    tuple[Annotated[str, url_of("http", "https")], ...], Field(min_length=1, max_length=MAX_ENDPOINTS, strict=False)
]
WebSocketUrls = Annotated[
    tuple[Annotated[str, url_of("ws", "wss")], ...], Field(max_length=MAX_ENDPOINTS, strict=False)
]
ClientId = Annotated[str, AfterValidator(_check_client)]
ChainId = Annotated[str, AfterValidator(_check_chain_id)]
"""Of any chain: a decimal EIP-155 number, or a hub's `name-N`."""
HubChainId = Annotated[str, AfterValidator(_check_hub_chain_id)]
EnvironmentName = Annotated[str, AfterValidator(_check_environment_name)]
