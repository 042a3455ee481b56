"""What the identity module refuses by the state of its records, each with its own custom error."""

from typing import ClassVar

from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application.abi import Error
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.refusal import Refusal


class IdentityRefusal(Refusal):
    """Its arguments are those of its custom error, in their order."""

    error: ClassVar[Error]

    def revert(self) -> NativeRevert:
        """The custom error, with the arguments that the refusal was made with."""
        return self.error.revert(*self.args)


class UnknownDid(IdentityRefusal):
    """No DID of these 32 bytes is registered."""

    error = interface.UNKNOWN_DID


class DidExists(IdentityRefusal):
    """The account has registered this salt already."""

    error = interface.DID_EXISTS


class DidDeactivated(IdentityRefusal):
    """The DID is deactivated, which is for ever."""

    error = interface.DID_DEACTIVATED


class StrangersLaneFull(IdentityRefusal):
    """As many DIDs without an accreditation stand as governance lets; the argument is how many that is."""

    error = interface.STRANGERS_LANE_FULL


class NotApproved(IdentityRefusal):
    """DID, how many approve, and how many are needed."""

    error = interface.NOT_APPROVED


class WrongSequence(IdentityRefusal):
    """DID, the sequence that was named, and the one that is next."""

    error = interface.WRONG_SEQUENCE


class UnknownKey(IdentityRefusal):
    """The DID has no key of this thumbprint."""

    error = interface.UNKNOWN_KEY


class KeyExists(IdentityRefusal):
    """The DID has the key already, or had it once."""

    error = interface.KEY_EXISTS


class KeyDoesNotCount(IdentityRefusal):
    """The key has ended, or the block is outside of its window."""

    error = interface.KEY_DOES_NOT_COUNT


class KeyLacksPurpose(IdentityRefusal):
    """DID, thumbprint, and the purposes of which it has none."""

    error = interface.KEY_LACKS_PURPOSE


class NotTheAccountOfTheKey(IdentityRefusal):
    """The caller, and the account of the log key that it named."""

    error = interface.NOT_THE_ACCOUNT_OF_THE_KEY


class KeysAreActive(IdentityRefusal):
    """A DID is deactivated after its keys have ended; the number is how many have not."""

    error = interface.KEYS_ARE_ACTIVE


class TooManyRecords(IdentityRefusal):
    """DID, which records, and the most that it may have."""

    error = interface.TOO_MANY_RECORDS


class RecoveryPending(IdentityRefusal):
    """A recovery of the DID waits already."""

    error = interface.RECOVERY_PENDING


class NoRecovery(IdentityRefusal):
    """No recovery of the DID waits."""

    error = interface.NO_RECOVERY


class NoGuardians(IdentityRefusal):
    """The DID's policy names nobody who may recover it."""

    error = interface.NO_GUARDIANS


class NotAccredited(IdentityRefusal):
    """DID, schema, and the rule that its chain of accreditations breaks."""

    error = interface.NOT_ACCREDITED


class UnknownAccreditation(IdentityRefusal):
    """The subject has no accreditation for the schema."""

    error = interface.UNKNOWN_ACCREDITATION


class SchemaExists(IdentityRefusal):
    """Somebody has registered the schema."""

    error = interface.SCHEMA_EXISTS


class UnknownList(IdentityRefusal):
    """The issuer has no status list of this number."""

    error = interface.UNKNOWN_LIST


class ListSealed(IdentityRefusal):
    """The list is sealed already."""

    error = interface.LIST_SEALED


class PersonsAreOff(IdentityRefusal):
    """The hub registers organisations only: governance, or its genesis, says so."""

    error = interface.PERSONS_ARE_OFF


class UnknownShard(IdentityRefusal):
    """The registrar has no shard of this number."""

    error = interface.UNKNOWN_SHARD


class ShardHasRoom(IdentityRefusal):
    """A shard begins after the one before it is full; the number is that of the one that is not."""

    error = interface.SHARD_HAS_ROOM


class NoPersonRecovery(IdentityRefusal):
    """No recovery stands at this place."""

    error = interface.NO_PERSON_RECOVERY


class NotATransaction(IdentityRefusal):
    """A contract called: what changes a shard is a transaction's own data, from which anybody rebuilds it."""

    error = interface.NOT_A_TRANSACTION
