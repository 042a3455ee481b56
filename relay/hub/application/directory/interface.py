"""ABI of the directory module (docs/spec/directory-calls.md): its calls are those of the service's rules; its errors stand here."""

from typing import Final

from hutong.relay.hub.application.abi import Error, Event, Function
from hutong.relay.services.directory.rules import calls

PUBLISH: Final = Function(calls.PUBLISH.name, calls.PUBLISH.arguments, calls.PUBLISH.results)
GET_RECORD: Final = Function(calls.GET_RECORD.name, calls.GET_RECORD.arguments, calls.GET_RECORD.results)

LOGGED_EVENT: Final = Event("DirectoryLogged", ["bytes32"], ["uint64", "bytes"])
"""Publisher; place in the log, and the logged operation: from these anybody reads the whole log."""

UNKNOWN_PUBLISHER: Final = Error("UnknownPublisher", "bytes32")
NOT_THE_NAMED_ACCOUNT: Final = Error("NotTheNamedAccount", "address", "address")
TOO_MANY_PUBLISHERS: Final = Error("TooManyPublishers", "uint64")
