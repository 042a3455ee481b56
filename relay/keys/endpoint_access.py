"""What endpoints ask for, from the files and variables that the configuration names."""

import os
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from hutong.adapters.rpc import AccessList, AccessUnusable, EndpointAccess, tls_context
from hutong.relay.config import AccessConfig, UnsafeFile
from hutong.relay.config.permissions import check_private_file, read_private_file


def read_access(entries: tuple[AccessConfig, ...], environment: Mapping[str, str] | None = None) -> AccessList:
    """Secrets, certificates and authorities of a chain's endpoints, read once.

    Raises:
        AccessUnusable: a file is missing, open to others or no PEM, a variable is not set, or a value cannot stand in a
            header. The sentence names the host and the place, never the value.
    """
    known = os.environ if environment is None else environment
    return AccessList(tuple(_access_of(entry, known) for entry in entries))


def _access_of(entry: AccessConfig, environment: Mapping[str, str]) -> EndpointAccess:
    try:
        host, port = entry.host_and_port
        headers = [(header.name, _value(header.value_file, header.value_env, environment)) for header in entry.headers]
        if entry.bearer_token_file is not None or entry.bearer_token_env is not None:
            token = _value(entry.bearer_token_file, entry.bearer_token_env, environment)
            headers.append(("authorization", b"Bearer " + token))
        if entry.basic_user is not None:
            password = _value(entry.basic_password_file, entry.basic_password_env, environment)
            credentials = b64encode(entry.basic_user.encode() + b":" + password)
            headers.append(("authorization", b"Basic " + credentials))
        tls = None
        if entry.ca_file is not None or entry.client_certificate is not None:
            if entry.client_key is not None:
                check_private_file(entry.client_key)
            tls = tls_context(entry.ca_file, entry.client_certificate, entry.client_key)
        return EndpointAccess(host, port, tuple(headers), tls)
    except (AccessUnusable, UnsafeFile) as error:
        raise AccessUnusable(f"access to {entry.host}: {error}") from None


def _value(file: Path | None, variable: str | None, environment: Mapping[str, str]) -> bytes:
    if file is not None:
        value = read_private_file(file).removesuffix(b"\n").removesuffix(b"\r")
        origin = str(file)
    else:
        origin = f"environment variable {variable}"
        said = environment.get(variable or "")
        if said is None:
            raise AccessUnusable(f"{origin} is not set")
        value = said.encode()
    if not value:
        raise AccessUnusable(f"{origin} is empty")
    return value
