"""What the hub's native router takes: headers and proofs as the Python light clients encode them, unchanged."""

from functools import cache

from hutong.adapters.ics26.reverts import RevertReader, definitions_of, parse_definition
from hutong.contracts.artifacts import load_artifact

HUB_ERRORS = (
    "IBCClientNotActive(string client)",
    "VerificationFailed(string rule,string reason)",
    "NotSupported(string operation)",
    "UnknownFunction(bytes4 selector)",
    "NotAnAdmin(address caller)",
    "ActionRefused(bytes32 action,string reason)",
    "NotAnOperator(address caller)",
    "ProposalRefused(uint64 proposal,string reason)",
    "InsufficientExecutionGas(uint64 proposal)",
    "QuotaExceeded(string client,string reason)",
    "InsufficientTokens(string denom,uint256 held,uint256 needed)",
    "InvalidReceiver(address account)",
    "ObservationsNotOpen(address caller)",
    "TooManyObservations(address caller,uint64 limit)",
)


@cache
def hub_reverts() -> RevertReader:
    """A reader that knows the custom errors of the native modules and of the one contract that relays call.

    The modules' are listed in docs/spec/hub-modules.md.
    """
    return RevertReader([*map(parse_definition, HUB_ERRORS), *definitions_of(load_artifact("ArchiveAnchor").abi)])
