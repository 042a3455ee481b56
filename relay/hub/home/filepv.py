"""CometBFT's own files of a validator: priv_validator_key.json, and priv_validator_state.json with what it signed last.

Source: cometbft v0.38 privval/file.go.
"""

import base64
import json
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.types import MAX_INT64
from hutong.relay.hub.consensus.signing import SIGNING_STEPS, LastSigned, Signed
from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.home.home import UnusableHome
from hutong.relay.keys.documents import parse_consensus
from hutong.relay.keys.errors import ForeignDocument

KEY_FILE = "priv_validator_key.json"
STATE_FILE = "priv_validator_state.json"
MAX_STATE_BYTES = 64 * 1024
LAST_ROUND = 2**31 - 1
"""Nothing is signed after it, so that a record of it forbids its whole height (as `engine.signing_record.FLOOR_ROUND`)."""
_STEPS = dict(enumerate(SIGNING_STEPS, start=1))
"""stepPropose, stepPrevote, stepPrecommit."""
_NUMBERS = {step: number for number, step in _STEPS.items()}


def encode_state(record: LastSigned) -> bytes:
    """The state file of a key that signed what `record` says: of its newest signature, or of the precommit of its round.

    A signature that was asked for and is not known is written as a precommit of its round without bytes, and a record without
    any as one of the last round: CometBFT then signs nothing there.
    """
    newest = max(record.signed, key=lambda entry: entry.step, default=None)
    if record.height == 0:
        document: dict[str, Any] = {"height": "0", "round": 0, "step": 0}
    elif newest is None:
        document = {"height": str(record.height), "round": LAST_ROUND, "step": _NUMBERS[Step.PRECOMMIT]}
    elif not newest.signature:
        document = {"height": str(record.height), "round": record.round, "step": _NUMBERS[Step.PRECOMMIT]}
    else:
        document = {
            "height": str(record.height),
            "round": record.round,
            "step": _NUMBERS[newest.step],
            "signature": base64.b64encode(newest.signature).decode(),
            "signbytes": newest.sign_bytes.hex().upper(),
        }
    return json.dumps(document, indent=2).encode() + b"\n"


def decode_state(data: bytes) -> LastSigned:
    """The record of a key of CometBFT's, of at most MAX_STATE_BYTES.

    Where the file does not say what was signed, or says it in another form than CometBFT's, nothing is signed in that round
    or below.

    Raises:
        ValueError: a predicate: it is not such a file.
    """
    try:
        document: Any = parse_json(data, "state", MAX_STATE_BYTES)
        height, round_, step = int(document["height"]), int(document["round"]), int(document["step"])
        if not 0 <= height <= MAX_INT64 or not 0 <= round_ <= LAST_ROUND or not 0 <= step <= len(_STEPS):
            raise ValueError
        signature = base64.b64decode(document.get("signature") or "", validate=True)
        sign_bytes = bytes.fromhex(document.get("signbytes") or "")
    except (MalformedInput, KeyError, TypeError, ValueError, AttributeError):
        raise ValueError("is not a CometBFT signing state") from None
    if height == 0 or step == 0:
        return LastSigned(height, LAST_ROUND if height else 0)
    try:
        signed = parse_consensus(sign_bytes)
    except ForeignDocument:
        return LastSigned(height, round_, (Signed(Step.PRECOMMIT, sign_bytes, 0, signature),))
    return LastSigned(height, round_, (Signed(_STEPS[step], sign_bytes, signed.timestamp_ns, signature),))


def read_state(path: Path) -> LastSigned:
    """As `decode_state`, from a file.

    Raises:
        UnusableHome: it is missing or is no state; without it a validator could sign twice.
    """
    try:
        with path.open("rb") as file:
            return decode_state(file.read(MAX_STATE_BYTES + 1))
    except OSError as error:
        raise UnusableHome(
            f"{path}: {error.strerror or error}; without it this validator could sign a second block"
        ) from None
    except ValueError as error:
        raise UnusableHome(f"{path}: {error}") from None
