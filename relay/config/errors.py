"""Why a configuration was refused."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where (`chains.1.router`), what is wrong, and what to do about it."""

    field: str
    reason: str
    remedy: str
    subject: str | None = None
    """The name of the chain whose table it is, where `field` only counts."""

    def __str__(self) -> str:
        return f"{self.field}{'' if self.subject is None else f' ({self.subject})'}: {self.reason}; {self.remedy}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` names every field at fault and never shows a secret."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        self.source = source
        self.problems = problems
        super().__init__(source, problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)
