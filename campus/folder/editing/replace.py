"""One file of a campus folder replaced, and only when the whole folder still holds.

The new file is checked in a copy of the folder made of links; a mistake it would bring in is told and nothing is written.
The old file is replaced at once, so that no reader and no power cut sees half a file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from campus.errors import FolderProblems
from campus.folder.load import RulesCheck, check_folder
from campus.problem import Problem


def check_content(
    folder: Path, file: str, content: bytes, *, decoders: Iterable[str], check_rules: RulesCheck
) -> None:
    """Raises :class:`FolderProblems` with the mistakes that *content* for *file* would bring in; older ones do not count."""
    names = frozenset(decoders)
    known = set(_errors(folder, names, check_rules))
    with _copy(folder, file, content) as copy:
        new = [one for one in _errors(Path(copy), names, check_rules) if one not in known]
    if new:
        raise FolderProblems(str(folder), sorted(new))


def replace_file(path: Path, content: bytes) -> None:
    """Puts *content* in the place of *path* at once, on the disk before it is seen."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            Path(name).chmod(path.stat().st_mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _errors(folder: Path, decoders: frozenset[str], check_rules: RulesCheck) -> list[Problem]:
    return [
        one for one in check_folder(folder, decoders=decoders, check_rules=check_rules) if not one.warning
    ]


def _copy(folder: Path, file: str, content: bytes) -> tempfile.TemporaryDirectory[str]:
    """*folder* as links, with *content* for *file*."""
    copy: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory(prefix="shouyuan-check-")
    for one in folder.resolve().iterdir():
        if one.name != file:
            (Path(copy.name) / one.name).symlink_to(one, target_is_directory=one.is_dir())
    (Path(copy.name) / file).write_bytes(content)
    return copy
