"""Which type metadata an issuer serves: of types whose `vct` is a URL of this server."""

import re
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlsplit

from hutong.light_clients.interface import VERIFY, VerificationError
from hutong.relay.config import Problem
from hutong.relay.services.identity.issuer.settings import CredentialConfig, IssuerConfig
from hutong.relay.services.identity.rules.jose import write_json
from hutong.relay.services.identity.rules.openid4vci.type_metadata import type_metadata, type_metadata_is_of

_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def type_documents(identifier: str, config: IssuerConfig) -> dict[str, bytes]:
    """Documents by path, for a server of the issuer `identifier`.

    A type's own file is served as it is. Where there is none it is made of the configuration, but for a type with a
    `schema_hash`: its credentials name the hash of the document, so that no other bytes can be served.

    Raises:
        OSError: a file cannot be read any more.
    """
    found: dict[str, bytes] = {}
    for one in config.credentials:
        path = _path_at(identifier, one.vct)
        if path is None or path in found:
            continue
        if one.type_metadata is not None:
            found[path] = one.type_metadata.read_bytes()
        elif one.schema_hash is None:
            found[path] = write_json(type_metadata(one.description()))
    return found


def _path_at(identifier: str, vct: str) -> str | None:
    """Of a `vct` on the server of `identifier`; None for another one, and for what is no plain path."""
    own, parts = urlsplit(identifier), urlsplit(vct)
    is_here = (parts.scheme, parts.netloc) == (own.scheme, own.netloc) and not (parts.query or parts.fragment)
    return parts.path if is_here and _PLAIN_PATH.fullmatch(parts.path) else None


def type_file_problems(issuer: IssuerConfig, table: str) -> Iterator[Problem]:
    """Files of types that are missing, of another type, or not the one whose hash credentials name."""
    for index, one in enumerate(issuer.credentials):
        if one.type_metadata is None:
            continue
        name = f"{table}.credentials.{index}.type_metadata"
        try:
            data = one.type_metadata.read_bytes()
            VERIFY(type_metadata_is_of, one.vct, data)
        except OSError:
            yield Problem(name, f"there is no file {one.type_metadata}", "correct the path")
        except VerificationError as error:
            yield Problem(name, str(error), "give the type's own document")
        else:
            yield from _hash_problem(one, data, name)


def _hash_problem(one: CredentialConfig, data: bytes, name: str) -> Iterator[Problem]:
    digest = f"sha256:{sha256(data).hexdigest()}"
    if one.schema_hash not in (None, digest):
        yield Problem(
            name, f"its SHA-256 is {digest}, and not schema_hash", "register the hash of this file, or give that one"
        )
