"""Every command of `hutong`, read from the program itself, with arguments that lead it as far as a folder can."""

from importlib import import_module
from pathlib import Path

from typer.main import get_command

from hutong.relay.cli.main import SUBCOMMANDS

CONFIG = """
[relay]
home = "home"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 7001
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "HUTONG_PASSWORD" }

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:1"]
consensus_rpc = ["http://127.0.0.1:1"]
key = { keystore = "key.json", password_env = "HUTONG_PASSWORD" }
"""
VALUES = {
    "--config": "hutong.toml",
    "--home": "home",
    "--keystore": "key.json",
    "--chain": "alpha",
    "--a": "alpha",
    "--b": "beta",
}
NUMBERS = frozenset(
    {"amount", "height", "power", "packets", "bytes", "threshold", "overlap", "blocks", "sequence", "number"}
)
OF_ITS_OWN = frozenset({("demo",), ("city", "up")})
"""They need nothing and start whole networks: a test each of their own, here and in `tests/relay/city`."""


def _walk(command, path):
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _walk(inner, (*path, name))
    else:
        yield path, command


def commands() -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each command's name, and arguments for all that it requires: files that exist and say nothing, and numbers."""
    found = []
    for name, (module, _) in SUBCOMMANDS.items():
        for path, command in _walk(get_command(import_module(module).app), (name,)):
            if path in OF_ITS_OWN:
                continue
            arguments: list[str] = []
            for parameter in command.params:
                if parameter.required:
                    arguments += _given(parameter)
            found.append((path, tuple(arguments)))
    return found


def _given(parameter) -> list[str]:
    option = parameter.opts[0]
    value = VALUES.get(option, "1" if NUMBERS & set(option.strip("-").replace("_", "-").split("-")) else "file.json")
    return [value] if parameter.param_type_name == "argument" else [option, value]


def fill(folder: Path) -> None:
    """The files that the arguments name."""
    (folder / "home").mkdir()
    for name, text in (("hutong.toml", CONFIG), ("file.json", "{}"), ("key.json", "{}")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
