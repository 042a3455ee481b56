"""The TOML file that says who may do what on a chain's contracts (docs/spec/roles-file.md)."""

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.administration.rights import ARTIFACTS, MANAGER, Member, Rights, Role, Target, role_name
from hutong.contracts.roles import ROLE_NAMES
from hutong.relay.base.regular_files import open_regular

MAX_FILE_BYTES = 256 * 1024
MAX_ENTRIES = 1_000
"""Of any table: functions of a contract, members of a role."""
MAX_DELAY_S = 2**32 - 1
MAX_NUMBER = 2**63 - 1
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_SIGNATURE = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}\([a-z0-9\[\](),]{0,1000}\)|0x[0-9a-f]{8}")


class UnusableRolesFile(Exception):
    """`place` is a dotted key, `problem` what is wrong there."""

    def __init__(self, file: Path | str, place: str, problem: str) -> None:
        self.place = place
        self.problem = problem
        super().__init__(f"{file}: {place}: {problem}" if place else f"{file}: {problem}")


def encode_rights(rights: Rights) -> str:
    """One text for one value: tables and keys in order, in TOML."""
    lines = [f"chain_id = {rights.chain_id}", f"height = {rights.height}", "", "[contracts]"]
    targets = rights.targets
    lines += [f"{name} = {json.dumps(targets[name].address)}" for name in targets]
    lines += ["", "[target_admin_delay_s]"]
    lines += [f"{name} = {target.admin_delay_s}" for name, target in targets.items()]
    closed = [name for name, target in targets.items() if target.closed]
    lines += ["", "[authority]"]
    lines += [f"{name} = {json.dumps(target.authority)}" for name, target in targets.items() if target.authority]
    lines += ["", "[closed]", f"contracts = {json.dumps(closed)}"]
    for name, target in targets.items():
        lines += ["", f"[functions.{name}]"]
        lines += [
            f"{json.dumps(key)} = {json.dumps(role_name(target.functions[key]))}" for key in sorted(target.functions)
        ]
    for number in sorted(rights.roles):
        role = rights.roles[number]
        lines += ["", f"[roles.{role_name(number)}]", f"guardian = {json.dumps(role_name(role.guardian))}"]
        lines += [f"admin = {json.dumps(role_name(role.admin))}", f"grant_delay_s = {role.grant_delay_s}"]
        lines += ["", f"[roles.{role_name(number)}.members]"]
        lines += [f"{json.dumps(address)} = {role.members[address].delay_s}" for address in sorted(role.members)]
    return "\n".join(lines) + "\n"


def load_rights(file: Path) -> Rights:
    """Rights from a file of at most MAX_FILE_BYTES.

    Raises:
        UnusableRolesFile: it cannot be read, or as `decode_rights`.
    """
    try:
        with open_regular(file) as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnusableRolesFile(file, "", error.strerror or str(error)) from None
    if len(data) > MAX_FILE_BYTES:
        raise UnusableRolesFile(file, "", f"is longer than {MAX_FILE_BYTES} bytes")
    return decode_rights(data, file)


def decode_rights(data: bytes, file: Path | str = "roles file") -> Rights:
    """Rights from what `encode_rights` writes; the order of keys is free, and what has a default may be missing.

    Args:
        file: names the text in a refusal.

    Raises:
        UnusableRolesFile: anything else: unknown keys and roles, wrong checksums, numbers out of their bounds.
    """
    try:
        document = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnusableRolesFile(file, "", f"is not TOML: {error}") from None
    return _Reader(file, document).rights()


class _Reader:
    """Every value with its place, so that a mistake is found at once."""

    def __init__(self, file: Path | str, document: dict[str, Any]) -> None:
        self._file = file
        self._document = document

    def rights(self) -> Rights:
        document = self._document
        self._known(
            "",
            document,
            {"chain_id", "height", "contracts", "target_admin_delay_s", "authority", "closed", "functions", "roles"},
        )
        contracts = self._table("contracts", document.get("contracts"))
        self._known("contracts", contracts, ARTIFACTS)
        if MANAGER not in contracts:
            raise self._wrong(f"contracts.{MANAGER}", "is missing")
        targets = {name: self._target(name, address) for name, address in contracts.items()}
        named = self._table("roles", document.get("roles", {}))
        roles = {self._role_number("roles", name): self._role(name, table) for name, table in named.items()}
        chain_id = self._number("chain_id", document.get("chain_id"), MAX_NUMBER)
        return Rights(chain_id, self._number("height", document.get("height"), MAX_NUMBER), targets, roles)

    def _target(self, name: str, address: object) -> Target:
        def of(table: str) -> dict[str, Any]:
            return self._table(table, self._document.get(table, {}))

        functions = self._table(f"functions.{name}", of("functions").get(name, {}))
        for signature in functions:
            if not _SIGNATURE.fullmatch(signature):
                raise self._wrong(f"functions.{name}", f"{signature[:80]!r} is not a signature or selector")
        closed = of("closed").get("contracts", [])
        if not isinstance(closed, list):
            raise self._wrong("closed.contracts", "is not a list")
        authority = of("authority").get(name)
        return Target(
            self._address(f"contracts.{name}", address),
            {key: self._role_number(f"functions.{name}.{key}", role) for key, role in sorted(functions.items())},
            self._number(f"target_admin_delay_s.{name}", of("target_admin_delay_s").get(name, 0), MAX_DELAY_S),
            name in closed,
            "" if authority is None else self._address(f"authority.{name}", authority),
        )

    def _role(self, name: str, value: object) -> Role:
        place = f"roles.{name}"
        table = self._table(place, value)
        self._known(place, table, {"guardian", "admin", "grant_delay_s", "members"})
        members: dict[str, Member] = {}
        for address, delay_s in self._table(f"{place}.members", table.get("members", {})).items():
            where = f"{place}.members.{address[:64]}"
            members[self._address(where, address)] = Member(self._number(where, delay_s, MAX_DELAY_S))
        return Role(
            dict(sorted(members.items())),
            self._role_number(f"{place}.guardian", table.get("guardian", "admin")),
            self._role_number(f"{place}.admin", table.get("admin", "admin")),
            self._number(f"{place}.grant_delay_s", table.get("grant_delay_s", 0), MAX_DELAY_S),
        )

    def _role_number(self, place: str, name: object) -> int:
        for number, known in ROLE_NAMES.items():
            if name == known:
                return number
        if isinstance(name, str) and re.fullmatch("role-[1-9][0-9]{0,19}", name):
            number = int(name.removeprefix("role-"))
            if number < 2**64 and number not in ROLE_NAMES:
                return number
        raise self._wrong(
            place, f"{str(name)[:64]!r} is not a role; roles are {', '.join(ROLE_NAMES.values())} or role-N"
        )

    def _address(self, place: str, value: object) -> str:
        if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
            raise self._wrong(place, f"{str(value)[:64]!r} is not an address")
        checksummed = str(to_checksum_address(value))
        if value != checksummed and value != value.lower():
            raise self._wrong(place, f"{value} has a wrong EIP-55 checksum")
        if not int(value, 16):
            raise self._wrong(place, f"{value} is the zero address: nobody has its key, and no contract is there")
        return checksummed

    def _number(self, place: str, value: object, most: int) -> int:
        if type(value) is not int or not 0 <= value <= most:
            raise self._wrong(place, f"a whole number from 0 to {most} is needed, not {str(value)[:64]!r}")
        return value

    def _table(self, place: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > MAX_ENTRIES:
            raise self._wrong(place, f"a table of at most {MAX_ENTRIES} entries is needed")
        return value

    def _known(self, place: str, table: Mapping[str, Any], known: Collection[str]) -> None:
        for key in table:
            if key not in known:
                raise self._wrong(f"{place}.{key[:64]}" if place else key[:64], "is unknown")

    def _wrong(self, place: str, problem: str) -> UnusableRolesFile:
        return UnusableRolesFile(self._file, place, problem)
