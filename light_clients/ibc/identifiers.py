"""Client and port identifiers (ICS-24, with the rules of docs/spec/identifiers.md)."""

import re

from hutong.light_clients.interface import MalformedInput

MIN_CLIENT_ID_CHARS = 8
MAX_CLIENT_ID_CHARS = 64
MIN_PORT_ID_CHARS = 2
MAX_PORT_ID_CHARS = 128

_CLIENT_ID = re.compile(r"[A-Za-z0-9_]+([A-Za-z0-9_-]+[A-Za-z0-9_])?-[0-9]{1,20}")
_PORT_ID = re.compile(r"[A-Za-z0-9._+\-#\[\]<>]+")
_CLIENT_TYPE = re.compile(r"[A-Za-z0-9_]+([A-Za-z0-9_-]+[A-Za-z0-9_])?")


def check_client_id(client_id: str, field: str = "client_id") -> str:
    """Return `client_id` if it both registers and carries packets on every stock chain.

    Raises:
        MalformedInput: not 8 to 64 characters of the form `name-number`; `field` names it.
    """
    if not MIN_CLIENT_ID_CHARS <= len(client_id) <= MAX_CLIENT_ID_CHARS:
        raise MalformedInput(field, "8 to 64 characters", got=client_id)
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise MalformedInput(field, "must look like name-number", got=client_id)
    return client_id


def check_port_id(port_id: str, field: str = "port_id") -> str:
    """Return `port_id` if it is an ICS-24 port: 2 to 128 characters of `[a-zA-Z0-9._+-#[]<>]`.

    Raises:
        MalformedInput: another length or character; `field` names it.
    """
    if not MIN_PORT_ID_CHARS <= len(port_id) <= MAX_PORT_ID_CHARS:
        raise MalformedInput(field, "2 to 128 characters", got=port_id)
    if _PORT_ID.fullmatch(port_id) is None:
        raise MalformedInput(field, "has a character outside ICS-24", got=port_id)
    return port_id


def client_id_for(client_type: str, number: int) -> str:
    """The identifier `type-number` of the hub's n-th client of a type.

    Raises:
        MalformedInput: a type out of its rules, or an identifier that is too short or too long.
    """
    if _CLIENT_TYPE.fullmatch(client_type) is None:
        raise MalformedInput("client_type", "letters, digits, _ and inner hyphens", got=client_type)
    return check_client_id(f"{client_type}-{number}")


def client_type_of(client_id: str) -> str:
    """The type part of an identifier: all before its last hyphen.

    Raises:
        MalformedInput: not a client identifier.
    """
    return check_client_id(client_id).rpartition("-")[0]
