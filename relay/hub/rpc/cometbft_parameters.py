"""Parameters and errors of CometBFT's RPC (cometbft rpc/jsonrpc/server/{http_uri_handler,http_json_handler}.go)."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INTEGER = re.compile(r"-?[0-9]{1,20}")


class RpcError(Exception):
    """A JSON-RPC error object."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        self.code, self.message, self.data = code, message, data
        super().__init__(message, data)

    def as_json(self) -> dict[str, Any]:
        """The `error` member of a JSON-RPC answer; `data` is there even where it is empty, as CometBFT has it."""
        return {"code": self.code, "message": self.message, "data": self.data}


def internal_error(data: str) -> RpcError:
    """-32603, CometBFT's answer where a method cannot serve a well-formed question; `data` is the sentence."""
    return RpcError(-32603, "Internal error", data)


def invalid_params(data: str) -> RpcError:
    """-32602, for a parameter of the wrong type or form; `data` is the sentence."""
    return RpcError(-32602, "Invalid params", data)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Parameters by name. From a URI strings are quoted and bytes may be `0x…`; in JSON bytes are hex (or base64)."""

    values: Mapping[str, Any]
    from_uri: bool

    def _raw(self, name: str) -> Any:
        value = self.values.get(name)
        return None if value in (None, "") else value

    def integer(self, name: str) -> int | None:
        """An int64; None where it is absent or an empty text. Decimal text is taken too, from a URI also in quotes.

        Raises:
            RpcError: -32602, it is no integer or needs more than 64 bits.
        """
        value = self._raw(name)
        if isinstance(value, str):
            value = value.strip('"') if self.from_uri else value
            if _INTEGER.fullmatch(value) is None:
                raise invalid_params(f"{name} is not an integer")
            value = int(value)
        if value is not None and (type(value) is not int or not -(2**63) <= value < 2**63):
            raise invalid_params(f"{name} is not an int64")
        return value

    def text(self, name: str) -> str:
        """A string, "" where it is absent. From a URI it must stand in double quotes; nothing in them is unescaped.

        Raises:
            RpcError: -32602, it is no string, or from a URI not quoted.
        """
        value = self._raw(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise invalid_params(f"{name} is not a string")
        if self.from_uri:
            if not (len(value) >= 2 and value[0] == value[-1] == '"'):
                raise invalid_params(f"{name} must be a quoted string")
            return value[1:-1]
        return value

    def data(self, name: str, *, base64_in_json: bool = False) -> bytes:
        """Bytes, empty where they are absent.

        From a URI: hex after `0x`, UTF-8 in double quotes, else hex. In JSON: hex, or base64 with `base64_in_json`.

        Raises:
            RpcError: -32602, it is no string, or does not decode.
        """
        value = self._raw(name)
        if value is None:
            return b""
        if not isinstance(value, str):
            raise invalid_params(f"{name} is not a string")
        try:
            if self.from_uri:
                if value.startswith("0x"):
                    return bytes.fromhex(value[2:])
                if len(value) >= 2 and value[0] == value[-1] == '"':
                    return value[1:-1].encode()
                return bytes.fromhex(value)
            return base64.b64decode(value, validate=True) if base64_in_json else bytes.fromhex(value)
        except (ValueError, binascii.Error):
            raise invalid_params(f"{name} is not bytes") from None

    def boolean(self, name: str) -> bool:
        """False where it is absent; `true` and `false` are taken as JSON values and as text.

        Raises:
            RpcError: -32602, it is anything else.
        """
        value = self._raw(name)
        if value in (None, False, "false"):
            return False
        if value in (True, "true"):
            return True
        raise invalid_params(f"{name} is not a boolean")
