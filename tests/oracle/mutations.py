"""Twins of a protobuf message that differ in one field: every scalar reached, every list shortened, doubled, reordered."""

from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

LARGE_LIST = 7
"""Of a longer list only both ends and the middle are entered."""


def mutations(message: Message) -> Iterator[tuple[str, bytes]]:
    """(dotted path, canonical bytes of the twin), each different from the original."""
    original = message.SerializeToString(deterministic=True)
    for path, twin in _twins(message, message, ""):
        encoded = twin.SerializeToString(deterministic=True)
        if encoded != original:
            yield path, encoded


def _twins(root: Message, part: Message, path: str) -> Iterator[tuple[str, Message]]:
    """`part` is a message inside `root`; it is changed, the root is copied, and the change undone."""
    for field in part.DESCRIPTOR.fields:
        name = f"{path}.{field.name}" if path else field.name
        if field.is_repeated:
            yield from _list_twins(root, part, field, name)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            if not part.HasField(field.name):
                continue
            child = getattr(part, field.name)
            yield from _twins(root, child, name)
            kept = type(child)()
            kept.CopyFrom(child)
            part.ClearField(field.name)
            yield f"{name} removed", _copy(root)
            getattr(part, field.name).CopyFrom(kept)
        elif field.containing_oneof is None or part.HasField(field.name):
            value = getattr(part, field.name)
            for label, changed in _changed(field, value):
                setattr(part, field.name, changed)
                yield f"{name}{label}", _copy(root)
            setattr(part, field.name, value)


def _list_twins(root: Message, part: Message, field: FieldDescriptor, name: str) -> Iterator[tuple[str, Message]]:
    items = list(getattr(part, field.name))
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        originals = [_copy(item) for item in items]
        for index in _entered(len(items)):
            yield from _twins(root, getattr(part, field.name)[index], f"{name}[{index}]")
        items = originals
    elif items:
        for index in _entered(len(items)):
            for label, changed in _changed(field, items[index]):
                _set_list(part, field, [*items[:index], changed, *items[index + 1 :]])
                yield f"{name}[{index}]{label}", _copy(root)
    if not items:
        return
    for label, changed_list in (
        ("last removed", items[:-1]),
        ("last doubled", [*items, items[-1]]),
        ("first doubled", [items[0], *items]),
        ("reversed", items[::-1]),
    ):
        _set_list(part, field, changed_list)
        yield f"{name} {label}", _copy(root)
    _set_list(part, field, items)


def _set_list(part: Message, field: FieldDescriptor, items: list) -> None:
    part.ClearField(field.name)
    getattr(part, field.name).extend(items)


def _entered(count: int) -> list[int]:
    return list(range(count)) if count <= LARGE_LIST else [0, count // 2, count - 1]


def _changed(field: FieldDescriptor, value) -> Iterator[tuple[str, object]]:
    if isinstance(value, bool):
        yield "", not value
    elif isinstance(value, int):
        yield " + 1", value + 1
        if value > 0:
            yield " to 0", 0
        if field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64):
            yield " negative", -1
    elif isinstance(value, str):
        yield " longer", value + "x"
        if value:
            yield " emptied", ""
    elif value:
        yield " bit flipped", value[:-1] + bytes([value[-1] ^ 1])
        yield " shorter", value[:-1]
        yield " longer", value + b"\x00"
        yield " emptied", b""
    else:
        yield " filled", b"\x01" * 32


def _copy(message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
