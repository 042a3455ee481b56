"""Names that a person takes for each other: the same but for case, width, accents and look-alike letters (UTS 39, in small)."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable

MAX_NAME_CHARS = 160
"""Vouchers are named by their trace."""

_CAPITALS = (
    ("\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7", "abezhlkmnoptyx"),  # Greek
    ("\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0406\u0408\u04ae", "abekmhopctyxsljy"),  # Cyrillic
)  # fmt: skip
"""Looked at before lower-casing, which makes other letters of some: the capital of Greek \u03bd is no v, that of \u03b7 no n."""
_LETTERS = (
    ("\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u0501\u04bb\u051b\u051d\u0475\u04af", "abekmhopctyxsljdhqwvy"),  # Cyrillic
    ("\u03b1\u03b2\u03b3\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c3\u03c4\u03c5\u03c7\u03c9", "abyeznlkuvopotuxw"),  # Greek
    ("\u0578\u057d\u0585\u0563\u0570\u0561", "nuoghw"),  # Armenian
    ("01i|!\u013158$\u20ae", "olllllsbst"),
)  # fmt: skip
_CAPITALS_ALIKE, _ALIKE = (
    str.maketrans({seen: read for many, ones in table for seen, read in zip(many, ones, strict=True)})
    for table in (_CAPITALS, _LETTERS)
)


def bounded_name(text: str | None) -> str | None:
    """What a contract calls itself, fit to be shown: printable, on one line, of bounded length. None where nothing is left."""
    if text is None:
        return None
    kept = "".join(one if one.isprintable() else " " for one in text[: 4 * MAX_NAME_CHARS])
    return " ".join(kept.split())[:MAX_NAME_CHARS] or None


def _decomposed(name: str) -> str:
    """Without width, accents and spaces."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(one for one in letters if not unicodedata.combining(one) and not one.isspace())


def skeleton(name: str) -> str:
    """A text that is equal for names that look alike (UTS 39, in small). It is for comparison, not to be shown."""
    folded = _decomposed(name).translate(_CAPITALS_ALIKE).casefold()
    return _decomposed(folded).translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def looks_like_another(name: str, shared: Collection[str]) -> bool:
    """Whether another token has a name like it, or might: letters of other scripts are too many to list those that
    deceive.

    Args:
        name: as the contract calls itself.
        shared: skeletons that several tokens have (`shared_skeletons`).
    """
    letters = _decomposed(name)
    return not letters or not letters.isascii() or skeleton(name) in shared


def shared_skeletons(names: Iterable[Iterable[str | None]]) -> set[str]:
    """Skeletons that more than one of the given sets of names has.

    Args:
        names: of each token, its name and symbol; None where it has none.
    """
    counts: Counter[str] = Counter()
    for one in names:
        counts.update({skeleton(name) for name in one if name})
    return {found for found, count in counts.items() if count > 1 and found}
