"""What `StorageAudit.sol` takes and returns, in ABI form (docs/spec/storage-audits.md)."""

from dataclasses import dataclass
from typing import Final

from hutong.adapters.evm.hub_reader import RECORD_PROOF_TUPLE, RECORD_TUPLE, ShownRecords
from hutong.adapters.ics26.abi import Function
from hutong.light_clients.ibc.abi import HEIGHT_TUPLE
from hutong.light_clients.interface import MalformedInput

TERMS_TUPLE: Final = "(uint64,uint32,uint8)"
ANSWERS_TUPLE: Final = "(uint32,uint32,bytes)"
VERDICT_TUPLE: Final = "(uint8,uint32,uint32,uint32,uint8,bytes32,bytes32,uint64,uint64)"
COUNT_TUPLE: Final = "(uint32,uint32,uint32)"
_SHOWN: Final = ("bytes", RECORD_PROOF_TUPLE, HEIGHT_TUPLE)

READ_VERDICT = Function("readVerdict", ("bytes32", "uint64", *_SHOWN, "uint64"), (VERDICT_TUPLE,))
REQUIRE_PASSED = Function("requirePassed", ("bytes32", "uint64", *_SHOWN, TERMS_TUPLE), (VERDICT_TUPLE,))
PROBE = Function(
    "probe",
    (
        "bytes32",
        "uint64",
        f"{RECORD_TUPLE}[]",
        RECORD_PROOF_TUPLE,
        HEIGHT_TUPLE,
        ANSWERS_TUPLE,
        TERMS_TUPLE,
    ),
    (COUNT_TUPLE,),
)
CLAIM = Function("claim", ("uint256", "uint64", *_SHOWN))
"""Of `ExampleStorageEscrow`, and of whatever pays by a verdict as it does."""
HUB_READER = Function("hubReader", (), ("address",))


@dataclass(frozen=True, slots=True)
class AuditTerms:
    """What a caller asks of an audit: seconds, probes asked at least, auditors who revealed at least (1 or more)."""

    max_age_s: int
    min_probes: int = 1
    min_reveals: int = 1

    @property
    def fields(self) -> tuple[int, int, int]:
        """`AuditTerms` as ABI takes it."""
        return self.max_age_s, self.min_probes, self.min_reveals


def encode_require_passed(operator: bytes, epoch: int, shown: ShownRecords, terms: AuditTerms) -> bytes:
    """Calldata of `requirePassed`, for what shows the verdict's record and nothing else.

    Raises:
        MalformedInput: not exactly one record.
    """
    value = _verdict_value(shown)
    return REQUIRE_PASSED.encode(operator, epoch, value, shown.proof_fields, shown.height_fields, terms.fields)


def encode_read_verdict(operator: bytes, epoch: int, shown: ShownRecords, max_age_s: int) -> bytes:
    """Calldata of `readVerdict`; as `encode_require_passed`."""
    value = _verdict_value(shown)
    return READ_VERDICT.encode(operator, epoch, value, shown.proof_fields, shown.height_fields, max_age_s)


def encode_claim(deal: int, epoch: int, shown: ShownRecords) -> bytes:
    """Calldata of `claim`, by which an escrow pays for an epoch; as `encode_require_passed`."""
    return CLAIM.encode(deal, epoch, _verdict_value(shown), shown.proof_fields, shown.height_fields)


def encode_probe(
    operator: bytes, epoch: int, shown: ShownRecords, answers: tuple[int, int, bytes], terms: AuditTerms
) -> bytes:
    """Calldata of `probe`.

    Args:
        shown: set and seed, and the removals that answers name.
        answers: number of the first probe, how many, and their bytes.
    """
    proof = (shown.record_fields, shown.proof_fields, shown.height_fields)
    return PROBE.encode(operator, epoch, *proof, answers, terms.fields)


def _verdict_value(shown: ShownRecords) -> bytes:
    if len(shown.records) != 1:
        raise MalformedInput("records", "a verdict is one record", got=len(shown.records), expected=1)
    return shown.records[0].value
