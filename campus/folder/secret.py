"""Secrets of site.yaml: from the environment by ``${VARIABLE}``, or from a file by ``KEY_file``."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

from campus.problem import Problem

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
#: settings that are files themselves: programs read those by their path
_FILES = {"ca_file", "tls_cert_file", "tls_key_file", "listen_tls_cert_file", "listen_tls_key_file"}


class Secrets:
    """Puts secrets in their places, and tells of each that is not there."""

    def __init__(self, folder: Path, name: str, problems: list[Problem]) -> None:
        self._folder = folder
        self._name = name
        self._problems = problems

    def resolved(self, body: Any, key: str = "") -> Any:
        """*body* with every ``${VARIABLE}`` and ``KEY_file`` replaced by what it stands for."""
        if isinstance(body, str):
            return _VARIABLE.sub(lambda match: self._variable(match[1], key), body)
        if isinstance(body, list):
            return [self.resolved(one, f"{key}[{index}]") for index, one in enumerate(body)]
        if isinstance(body, dict):
            return self._mapping(body, key)
        return body

    def _mapping(self, body: dict[Any, Any], key: str) -> dict[Any, Any]:
        resolved: dict[Any, Any] = {}
        for field, value in body.items():
            where = f"{key}.{field}" if key else str(field)
            if field in _FILES and value:
                resolved[field] = self._path(value, where)
                continue
            if not str(field).endswith("_file") or field in _FILES:
                resolved[field] = self.resolved(value, where)
                continue
            target = str(field).removesuffix("_file")
            if target in body:
                self._report(where, f"{target} and {field}", f"at most one of {target} and {field}")
            else:
                resolved[target] = self._from_file(value, where)
        return resolved

    def _variable(self, variable: str, key: str) -> str:
        value = os.environ.get(variable)
        if value is None:
            self._report(key, f"${{{variable}}}", f"an environment variable {variable} that is set")
        return value or ""

    def _path(self, value: object, key: str) -> object:
        """The file's whole path; the folder is where a path begins that is not whole itself."""
        if not isinstance(value, str):
            return value  # the model tells of it
        path = (self._folder / self.resolved(value, key)).resolve()
        try:
            path.read_bytes()
        except (OSError, ValueError):
            self._report(key, value, "a readable file")
        else:
            if key.endswith("key_file"):
                self._check_private(path, key)
        return str(path)

    def _from_file(self, value: object, key: str) -> str:
        try:
            secret = (self._folder / str(value)).read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError):
            secret = ""
        if not secret:
            self._report(key, str(value), "a readable text file with the secret in it")
        else:
            self._check_private(self._folder / str(value), key)
        return secret

    def _check_private(self, path: Path, key: str) -> None:
        """A secret that every user of this computer can read is told of; it works all the same."""
        mode = stat.S_IMODE(path.stat().st_mode)
        if os.name == "posix" and mode & stat.S_IROTH:
            found = f"{path.name}, which everybody on this computer can read ({mode:04o})"
            self._problems.append(Problem(self._name, 0, key, found, f"chmod 600 {path.name}", warning=True))

    def _report(self, key: str, found: str, expected: str) -> None:
        self._problems.append(Problem(self._name, 0, key, found, expected))
