"""What compilers and their tools write, and the layout of one contract in it.

Read are: solc's `storageLayout` itself; an artifact of Foundry or Hardhat that holds it; the output of solc's standard
JSON, with any number of contracts, also as `output` of a build-info file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hutong.light_clients.interface.document import Document
from hutong.relay.storage_layout.errors import listed
from hutong.relay.storage_layout.layout import StorageLayout
from hutong.relay.storage_layout.layout_document import MAX_NAME_CHARS, Underlying, elementary_type, layout_of

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
"""A build of many contracts with syntax trees is longer: the output `storageLayout` alone is a few kilobytes a contract."""
MAX_FILES = 10_000
MAX_CONTRACTS = 10_000
"""Of a source file."""
MAX_ABI_ENTRIES = 10_000
MAX_ABI_PARAMETERS = 1_000

_HOW_TO_ASK = "ask the compiler for the output storageLayout (solc's outputSelection, Foundry's extra_output, Hardhat's outputSelection)"


@dataclass(frozen=True, slots=True)
class _Contract:
    """`layout` is None where the compiler was not asked for it."""

    name: str
    fields: Document

    @property
    def layout(self) -> Document | None:
        layout = self.fields.members().optional("storageLayout")
        return None if layout is None else layout.nullable()

    @property
    def has_variables(self) -> bool:
        layout = self.layout
        storage = None if layout is None else layout.members().optional("storage")
        return storage is not None and storage.value != []


def read_layout(data: bytes, contract: str | None = None, underlying: Mapping[str, str] | None = None) -> StorageLayout:
    """The layout of one contract in a document of at most MAX_DOCUMENT_BYTES.

    Args:
        contract: its name, `Token` or `src/Token.sol:Token`; None is enough where one contract alone has variables.
        underlying: label of a user-defined value type → its elementary type, such as `{"Price": "uint128"}`. What the
            document's ABI says of others is taken from there.

    Raises:
        MalformedInput: the document is none of those above, holds no such contract or several, or the layout is none (see
            `layout_of`).
    """
    document = Document.parse(data, "layout", MAX_DOCUMENT_BYTES)
    fields = document.members()
    said = dict(underlying or {})
    for label, name in said.items():
        if elementary_type(name) is None:
            raise document.refused(
                f"{label} cannot be made of this type",
                got=name,
                expected="a type such as uint128, int64, bytes4 or address",
            )
    if "storage" in fields:
        found = layout_of(document, "", Underlying(said, {}))
    else:
        chosen = _chosen(document, list(_contracts(document)), contract)
        layout = chosen.layout
        if layout is None:
            raise document.refused(f"{chosen.name or 'the artifact'} has no storageLayout: {_HOW_TO_ASK}")
        made_of = Underlying(said, _abi_types(chosen.fields))
        found = layout_of(layout, chosen.name, made_of, _transient(chosen.fields))
    if contract is not None and found.contract and not _is_called(found.contract, contract):
        raise document.refused("is of another contract", got=found.contract, expected=contract)
    return found


def _contracts(document: Document) -> Iterator[_Contract]:
    fields = document.members()
    if "output" in fields:
        fields = fields["output"].members()
    if "contracts" in fields:
        for file, contracts in fields["contracts"].entries(MAX_FILES):
            for name, contract in contracts.entries(MAX_CONTRACTS):
                yield _Contract(f"{file.text(MAX_NAME_CHARS)}:{name.text(MAX_NAME_CHARS)}", contract)
    elif "storageLayout" in fields or "abi" in fields:
        yield _Contract("", document)
    else:
        raise document.refused(
            "is neither a storageLayout, nor an artifact or a compiler's output that holds one", document.value
        )


def _chosen(document: Document, contracts: list[_Contract], wanted: str | None) -> _Contract:
    if len(contracts) == 1 and not contracts[0].name:
        return contracts[0]
    if wanted is not None:
        fitting = [one for one in contracts if _is_called(one.name, wanted)]
        if not fitting:
            raise document.refused(
                f"has no contract {wanted[:MAX_NAME_CHARS]}; it has {listed(one.name for one in contracts)}"
            )
    else:
        fitting = [one for one in contracts if one.has_variables]
        if not fitting and any(one.layout is not None for one in contracts):
            raise document.refused("none of its contracts has state variables")
        if not fitting:
            raise document.refused(f"none of its contracts has a storageLayout: {_HOW_TO_ASK}")
    if len(fitting) > 1:
        raise document.refused(f"has several contracts, name one: {listed(one.name for one in fitting)}")
    return fitting[0]


def _is_called(name: str, wanted: str) -> bool:
    return name == wanted or name.rpartition(":")[2] == wanted


def _transient(fields: Document) -> frozenset[str]:
    layout = fields.members().optional("transientStorageLayout")
    if layout is None or layout.nullable() is None:
        return frozenset()
    listed_variables = layout.members()["storage"].items(MAX_ABI_ENTRIES)
    return frozenset(variable.members()["label"].text(MAX_NAME_CHARS) for variable in listed_variables)


def _abi_types(fields: Document) -> dict[str, str]:
    """What the ABI says of user-defined value types: label → elementary type. Labels that it uses for two are left out."""
    abi = fields.members().optional("abi")
    if abi is None or abi.nullable() is None:
        return {}
    found: dict[str, set[str]] = {}
    for entry in abi.items(MAX_ABI_ENTRIES):
        for list_name in ("inputs", "outputs"):
            parameters = entry.members().optional(list_name)
            if parameters is not None:
                _collect(parameters, found)
    return {label: next(iter(types)) for label, types in found.items() if len(types) == 1}


def _collect(parameters: Document, found: dict[str, set[str]]) -> None:
    """As deep as the document's brackets, which the parser bounds."""
    for parameter in parameters.items(MAX_ABI_PARAMETERS):
        fields = parameter.members()
        components, internal = fields.optional("components"), fields.optional("internalType")
        if components is not None and components.nullable() is not None:
            _collect(components, found)
        if internal is not None and internal.nullable() is not None:
            name = fields["type"].text(MAX_NAME_CHARS).partition("[")[0]
            label = internal.text(MAX_NAME_CHARS).partition("[")[0]
            if label != name and elementary_type(name) is not None:
                found.setdefault(label, set()).add(name)
