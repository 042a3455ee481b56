"""What every model of a configuration file is made of."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class Model(BaseModel):
    """Unknown keys are refused, and no error shows what was typed: it may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _check_listen(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise ValueError("must be host:port")
    return text


def resolve_path(value: Any) -> Any:
    """A path from its text, `~` resolved; anything else as it is, for pydantic to refuse."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("must not be empty")
    return Path(value).expanduser() if isinstance(value, str) else value


FilePath = Annotated[Path, BeforeValidator(resolve_path)]
ListenAddress = Annotated[str, AfterValidator(_check_listen)]
