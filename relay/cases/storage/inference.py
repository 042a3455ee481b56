"""A model whose weights lie in trusted storage, and receipts of what a hospital has it answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, shake_128

WEIGHTS_BYTES = 4 * 2**20
FEATURES = 64


def weights_of(version: int) -> bytes:
    """Of a version of the model, as its maker trained them."""
    return shake_128(b"weights %d" % version).digest(WEIGHTS_BYTES)


def answer(weights: bytes, patient: bytes) -> int:
    """A score by whole numbers alone, so that everybody who has the weights finds the same."""
    row = int.from_bytes(sha256(patient).digest()[:4], "big") % (len(weights) // FEATURES) * FEATURES
    values = shake_128(patient).digest(FEATURES)
    return sum((weight - 128) * value for weight, value in zip(weights[row : row + FEATURES], values, strict=True))


@dataclass(frozen=True)
class Receipt:
    """Of one answer: what was asked and answered is committed to under a salt that the patient has."""

    approval: str
    """Digest of the seal under which the model was approved, 64 digits."""
    salt: bytes
    patient: bytes
    score: int
    time_s: int

    @property
    def leaf(self) -> bytes:
        """As it is anchored."""
        said = {
            "answer": sha256(self.salt + str(self.score).encode()).hexdigest(),
            "approval": self.approval,
            "input": sha256(self.salt + self.patient).hexdigest(),
            "time_s": self.time_s,
        }
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def receipts_of(weights: bytes, approval: str, count: int, first: int, time_s: int) -> Sequence[Receipt]:
    """Of as many patients, numbered from `first` on."""
    made = []
    for number in range(first, first + count):
        patient = sha256(b"patient %d" % number).digest()
        salt = sha256(b"salt %d %d" % (number, time_s)).digest()
        made.append(Receipt(approval, salt, patient, answer(weights, patient), time_s))
    return made
