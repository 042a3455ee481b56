"""Bytes of the API into values, once: whatever is not as docs/spec/api.md says is `BadAnswer`, never a surprise later.

Fields that this version does not know are passed over, since additions keep the API's version.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from hutong.relay.schemas.fields import Name
from hutong.relay.schemas.wire import adapter_of
from hutong.relay.sdk.errors import ApiProblem, BadAnswer, shown

PROBLEM_TYPE = "application/problem+json"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Problem:
    code: Name
    detail: Annotated[str, Field(max_length=65_536)]
    field: Name | None = None


def reader(what: str, kind: type[Value]) -> Callable[[bytes], Value]:
    """A function that reads an answer's body as strict JSON of `kind`. Members that `kind` has not are passed over.

    The function raises BadAnswer with `what` and the path of the first field at fault. The body's size is bounded by
    its caller.
    """

    key: Any = kind

    def read(body: bytes) -> Value:
        try:
            value: Value = adapter_of(key).validate_json(body, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the body"
            raise BadAnswer(what, f"{where}: {first['msg']}") from None
        return value

    return read


_read_problem = reader("the refusal", _Problem)


def problem_of(what: str, status: int, media_type: str, body: bytes) -> ApiProblem | BadAnswer:
    """The error for an answer that is not a success; it is returned, and the caller raises it.

    Args:
        media_type: without parameters, in lower case. Any other than PROBLEM_TYPE makes a BadAnswer.
    """
    if media_type == PROBLEM_TYPE:
        try:
            problem = _read_problem(body)
        except BadAnswer:
            pass
        else:
            return ApiProblem(shown(problem.code), status, problem.detail, problem.field)
    return BadAnswer(what, f"HTTP status {status} without a problem that says why; is this the API's address?")
