"""Application cases of a city with their last run."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from hutong.relay.schemas.documented import UNDESCRIBED
from hutong.relay.schemas.fields import Count, Instant, Items, Name, Seconds, Text


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """One assertion of a case."""

    __pydantic_config__ = UNDESCRIBED

    name: Name
    held: bool
    negative: Annotated[bool, Field(description="something had to be refused")]
    said: Annotated[Text, Field(description="what was found; may be empty")]


@dataclass(frozen=True, slots=True)
class CaseRun:
    """The last run of a case, as the program that ran it says; its evidence is judged by `hutong audit case`."""

    __pydantic_config__ = UNDESCRIBED

    number: Count
    name: Annotated[Name, Field(examples=["food-lots"])]
    title: Text
    unit: Annotated[Name, Field(description="of `size`", examples=["lots"])]
    size: Count
    good: bool
    failure: Annotated[Text, Field(description="one sentence where it broke off, else empty")]
    checks: Items[CaseCheck]
    time: Annotated[Instant, Field(description="when its report was written")]
    duration_s: Seconds
    messages: Count
    proof_bytes: Annotated[Count, Field(description="of all bundles in its evidence")]
    transactions: Count
    gas: Count
    judged: Annotated[bool | None, Field(description="whether its evidence held offline; null where it was not judged")]
    evidence: Annotated[Text | None, Field(description="address of its evidence, for `hutong audit case`")]


@dataclass(frozen=True, slots=True)
class CaseList:
    """Ascending by their numbers; `unreadable` are names of files in the folder that are no reports of cases."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[CaseRun]
    unreadable: Items[Name]
