"""What every model has in common."""

from pydantic import BaseModel, ConfigDict, Field

from hutong.relay.web.problems import Code


class Demand(BaseModel):
    """Sent by a client: unknown fields are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(examples=["urn:hutong:problem:not_found"])
    title: str = Field(examples=["There is no such thing"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["the ledger knows no message alpha/client-0/7"])
    code: Code
    field: str | None = None
