"""How to install what a command misses. hutong is in no package index: a name there would be somebody else's."""


def install_hint(extra: str) -> str:
    """A command for the checkout that this was installed from."""
    return f"in the checkout of hutong run: pip install '.[{extra}]'"
