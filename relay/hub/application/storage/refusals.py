"""What the storage module refuses by the state of its records, each with its own custom error."""

from typing import ClassVar

from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application.abi import Error
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.storage import interface


class StorageRefusal(Refusal):
    """Its arguments are those of its custom error, in their order."""

    error: ClassVar[Error]

    def revert(self) -> NativeRevert:
        """The custom error, with the arguments that the refusal was made with."""
        return self.error.revert(*self.args)


class UnknownOperator(StorageRefusal):
    """No operator of these 32 bytes is registered."""

    error = interface.UNKNOWN_OPERATOR


class UnknownParty(StorageRefusal):
    """Role, and the id that is not named for it."""

    error = interface.UNKNOWN_PARTY


class NotTheNamedAccount(StorageRefusal):
    """The caller, and the account that the record names."""

    error = interface.NOT_THE_NAMED_ACCOUNT


class OperatorStateForbids(StorageRefusal):
    """Operator, and its state."""

    error = interface.OPERATOR_STATE_FORBIDS


class BatchExists(StorageRefusal):
    """Writer, sequence, and the number that the batch has."""

    error = interface.BATCH_EXISTS


class UnknownBatch(StorageRefusal):
    """No batch has this number."""

    error = interface.UNKNOWN_BATCH


class UnknownMap(StorageRefusal):
    """Neither the newest map nor the one before it."""

    error = interface.UNKNOWN_MAP


class UnknownEpoch(StorageRefusal):
    """Not an epoch of which this may be said now."""

    error = interface.UNKNOWN_EPOCH


class UnknownSecret(StorageRefusal):
    """The auditor has not committed to a secret for the epoch."""

    error = interface.UNKNOWN_SECRET


class AuditIsOver(StorageRefusal):
    """The operator has its verdict for the epoch, or the time for answers is not now, or it was not asked."""

    error = interface.AUDIT_IS_OVER


class WrongProbe(StorageRefusal):
    """Operator, the first probe that was named, and the one that is next."""

    error = interface.WRONG_PROBE


class PartIsSigned(StorageRefusal):
    """Batch, and index of a part that stands in its operator's log already."""

    error = interface.PART_IS_SIGNED


class TooManyStorageRecords(StorageRefusal):
    """Which, and the most of them."""

    error = interface.TOO_MANY_STORAGE_RECORDS
