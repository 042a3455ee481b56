"""JSON-RPC errors as nodes answer them (JSON-RPC 2.0 section 5.1, EIP-1474)."""

from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
RESOURCE_NOT_FOUND = -32001
LIMIT_EXCEEDED = -32005
EXECUTION_REVERTED = 3
PRUNED_HISTORY = 4444
"""As geth answers for blocks that it no longer has (EIP-4444)."""


class JsonRpcError(Exception):
    """Becomes the `error` member of the answer. `data` is JSON."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        """The `error` member of an answer (JSON-RPC 2.0 section 5.1); `data` is left out where it is None."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


def invalid_params(message: str) -> JsonRpcError:
    """The error to raise for a parameter without the right shape or bound (-32602); `message` says which."""
    return JsonRpcError(INVALID_PARAMS, message)
