"""Options of one concern as one value: a command takes a dataclass, and typer reads the dataclass's fields."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of a dataclass's type are the options that the dataclass's fields describe.

    A field is annotated as a parameter of a command would be, and its default is the option's. The function's own
    options come first in its help, then those of its groups in order.

    Raises:
        TypeError: `function` has no annotation for a parameter.
        ValueError: two options have one name.
    """
    hints = get_type_hints(function, include_extras=True)
    own, grouped_options, groups = [], [], {}
    for parameter in inspect.signature(function).parameters.values():
        kind = hints.get(parameter.name)
        if kind is None:
            raise TypeError(f"{function.__name__}: {parameter.name} has no annotation")
        if isinstance(kind, type) and is_dataclass(kind):
            groups[parameter.name] = kind
            grouped_options += _options_of(kind)
        else:
            own.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))

    def command(**given: Any) -> None:
        values = {
            name: group(**{field.name: given.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        function(**given, **values)

    options = [*own, *grouped_options]
    # What typer reads in place of `given`.
    # typer reads the field that `inspect` documents and mypy does not know
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


def _options_of(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, annotation=hints[field.name], default=_default_of(field)
        )
        for field in fields(group)
    ]


def _default_of(field: "Field[Any]") -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default
