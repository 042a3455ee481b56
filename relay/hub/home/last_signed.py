"""The last-signed record of a consensus key: what was signed last, on disk before any signature leaves."""

import json
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.light_clients.tendermint.skip_certificate import (
    decode_statement,
    encode_statement,
)
from hutong.light_clients.tendermint.types import MAX_INT64
from hutong.relay.base.regular_files import open_regular
from hutong.relay.hub.consensus.signing import (
    SIGNING_STEPS,
    LastSigned,
    Signed,
    SignedSkip,
)
from hutong.relay.hub.home.home import LAST_SIGNED_FILE, UnusableHome

MAX_RECORD_BYTES = 64 * 1024


_STEP_NAMES = {step: step.name.lower() for step in SIGNING_STEPS}


_STEPS = {name: step for step, name in _STEP_NAMES.items()}


FORMAT = "hutong-last-signed-1"


FORMAT_WITH_SKIP = "hutong-last-signed-2"
"""Only where there is a skip, so that an older hutong refuses the record and does not forget what was promised."""


def encode_last_signed(record: LastSigned) -> bytes:
    """The record as JSON; the format says whether it has a skip."""
    document: dict[str, Any] = {
        "format": FORMAT if record.skip is None else FORMAT_WITH_SKIP,
        "height": record.height,
        "round": record.round,
        "signed": [
            {
                "step": _STEP_NAMES[entry.step],
                "sign_bytes": entry.sign_bytes.hex(),
                "timestamp_ns": entry.timestamp_ns,
                "signature": entry.signature.hex(),
            }
            for entry in record.signed
        ],
    }
    if record.skip is not None:
        document["skip"] = {
            "statement": encode_statement(record.skip.statement).hex(),
            "signature": record.skip.signature.hex(),
        }
    return json.dumps(document, indent=1).encode() + b"\n"


def decode_last_signed(data: bytes) -> LastSigned:
    """Inverse of `encode_last_signed`, of at most MAX_RECORD_BYTES. A validator does not guess what it has signed.

    Raises:
        ValueError: it is anything else.
    """
    try:
        with Document.parse(data, "record", MAX_RECORD_BYTES).members() as fields:
            form = fields["format"].text(MAX_RECORD_BYTES)
            if form not in (FORMAT, FORMAT_WITH_SKIP):
                raise fields.refused("has another format", form, FORMAT)
            return LastSigned(
                fields["height"].integer(0, MAX_INT64),
                fields["round"].integer(0, MAX_INT64),
                tuple(_signed(entry) for entry in fields["signed"].items(MAX_RECORD_BYTES)),
                _skip(fields["skip"]) if form == FORMAT_WITH_SKIP else None,
            )
    except MalformedInput as error:
        raise ValueError(f"is not a last-signed record ({error})") from error


def _signed(document: Document) -> Signed:
    with document.members() as fields:
        step = fields["step"].text(MAX_RECORD_BYTES)
        if step not in _STEPS:
            raise fields.refused("has an unknown step", step, list(_STEPS))
        return Signed(
            _STEPS[step],
            fields["sign_bytes"].hex_of_at_most(MAX_RECORD_BYTES),
            fields["timestamp_ns"].integer(0, MAX_INT64),
            fields["signature"].hex_of_at_most(MAX_RECORD_BYTES),
        )


def _skip(document: Document) -> SignedSkip:
    with document.members() as fields:
        statement = decode_statement(fields["statement"].hex_of_at_most(MAX_RECORD_BYTES))
        return SignedSkip(statement, fields["signature"].hex_of_at_most(MAX_RECORD_BYTES))


def read_record(path: Path) -> LastSigned:
    """The last-signed record of a file that came from another machine.

    Raises:
        UnusableHome: it is a pipe or device, cannot be read, or is not a record of at most MAX_RECORD_BYTES.
    """
    try:
        with open_regular(path) as file:
            return decode_last_signed(file.read(MAX_RECORD_BYTES + 1))
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UnusableHome(f"{path}: {error}") from None


def load_record(home: Path) -> LastSigned:
    """The last-signed record of a home.

    Raises:
        UnusableHome: it is missing or is not a record; a validator without it could sign a second block.
    """
    path = home / LAST_SIGNED_FILE
    try:
        return decode_last_signed(path.read_bytes())
    except OSError as error:
        raise UnusableHome(
            f"{path}: {error.strerror or error}; without it this validator could sign a second block"
        ) from None
    except ValueError as error:
        raise UnusableHome(f"{path}: {error}") from None
