"""What the operating system refuses, as one sentence for whoever can mend it."""

import errno

_REMEDIES = {
    errno.ENOSPC: "free some space and run it again",
    errno.EDQUOT: "free some space and run it again",
    errno.EACCES: "give it to the user that runs this",
    errno.EROFS: "name a place that can be written",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def os_reason(error: OSError) -> str:
    """In one sentence: which file, what is wrong with it, and what to do where that is known."""
    said = error.strerror or str(error) or type(error).__name__
    where = f"{error.filename}: " if error.filename is not None else ""
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{where}{said}" + (f"; {remedy}" if remedy else "")


def os_reasons(error: BaseException) -> list[str] | None:
    """The sentences (`os_reason`) of an error, or of a group, that consists of nothing but OSErrors, each once.

    Returns:
        None for any other error, so that a defect is not taken for a full disk.
    """
    if isinstance(error, OSError):
        return [os_reason(error)]
    if not isinstance(error, BaseExceptionGroup):
        return None
    found = [os_reasons(inner) for inner in error.exceptions]
    if any(one is None for one in found):
        return None
    return list(dict.fromkeys(sentence for one in found if one is not None for sentence in one))
