"""Options of one concern as one value: a command takes a dataclass, and typer reads the dataclass's fields."""

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, get_args, get_type_hints


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of a dataclass's type are the options that the dataclass's fields describe.

    A field is annotated as a parameter of a command would be, and its default is the option's; a field of a dataclass's
    type stands for that dataclass's own fields. The function's own options come first in its help, then those of its
    groups in order. Where a dataclass has a PREFIX, all of its options begin with it, and help texts may name it in
    capitals as {PREFIX}, so that one shape serves several times. A function without such a parameter is returned as it is.

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
        if _is_group(kind):
            groups[parameter.name] = kind
            grouped_options += _options_of(kind)
        else:
            own.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))

    if not groups:
        return function

    def command(**given: Any) -> None:
        values = {name: _value_of(group, given) for name, group in groups.items()}
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
    options = []
    for field in fields(group):
        kind, default = hints[field.name], _default_of(field)
        if _is_group(kind):
            options += _options_of(kind)
        else:
            name, kind = _name_of(group, field.name), _with_prefix_in_help(group, kind)
            options.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default))
    return options


def _value_of(group: type, given: dict[str, Any]) -> Any:
    """Takes what it needs out of `given`."""
    hints = get_type_hints(group, include_extras=True)
    return group(
        **{
            field.name: _value_of(kind, given)
            if _is_group(kind := hints[field.name])
            else given.pop(_name_of(group, field.name))
            for field in fields(group)
        }
    )


def _name_of(group: type, field: str) -> str:
    prefix: str | None = getattr(group, "PREFIX", None)
    return field if prefix is None else f"{prefix}_{field}"


def _with_prefix_in_help(group: type, kind: Any) -> Any:
    prefix: str | None = getattr(group, "PREFIX", None)
    if prefix is None:
        return kind
    plain, option = get_args(kind)
    option = copy(option)
    option.help = option.help.replace("{PREFIX}", prefix.upper())
    return Annotated[plain, option]


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def _default_of(field: "Field[Any]") -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default
