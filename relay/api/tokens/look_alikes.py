"""Names that a person takes for each other: the same but for case, width, accents and look-alike letters (UTS 39, in small)."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

MAX_NAME_CHARS = 160
"""Vouchers are named by their trace."""

_LETTERS = (
    ("\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb", "aeopcyxijsdh"),  # Cyrillic
    ("\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9", "abeniknoptuxw"),  # Greek
    ("\u0578\u057d\u0585\u0563\u0570\u0561", "nuoghw"),  # Armenian
    ("01i|\u0131\u212358$", "olllllsbs"),
)
_ALIKE = str.maketrans({seen: read for many, ones in _LETTERS for seen, read in zip(many, ones, strict=True)})


def bounded_name(text: str | None) -> str | None:
    """What a contract calls itself, fit to be shown: printable, on one line, of bounded length. None where nothing is left."""
    if text is None:
        return None
    kept = "".join(one if one.isprintable() else " " for one in text[: 4 * MAX_NAME_CHARS])
    return " ".join(kept.split())[:MAX_NAME_CHARS] or None


def skeleton(name: str) -> str:
    """Equal for names that look alike."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    letters = (one for one in decomposed if not unicodedata.combining(one) and not one.isspace())
    return "".join(letters).translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def shared_skeletons(names: Iterable[Iterable[str | None]]) -> set[str]:
    """Skeletons that more than one of the given sets of names has."""
    counts: Counter[str] = Counter()
    for one in names:
        counts.update({skeleton(name) for name in one if name})
    return {found for found, count in counts.items() if count > 1 and found}
