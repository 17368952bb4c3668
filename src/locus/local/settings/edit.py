"""Changes a settings file and leaves the rest of it, comments included, as its owner wrote it."""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from locus.local import files
from locus.local.directories import directories
from locus.local.errors import LocalError, Usage
from locus.local.settings.kinds import Value
from locus.local.settings.load import PROJECT_FILE
from locus.local.settings.setting import Setting


def set_user(setting: Setting, value: Value, *, environ: Mapping[str, str] = os.environ) -> Path:
    """Write a value into the user's own file (None removes it) and return its path. Raises LocalError."""
    path = directories(environ).settings
    with files.locked(path):
        _change(path, [setting.name], value, mode=0o600, private=True)
    return path


def set_project(root: Path, setting: Setting, value: Value) -> Path:
    """Write a value into the repository's file (None removes it) and return its path.

    Raises Usage when a repository may not set it.
    """
    if setting.project is None:
        raise Usage(
            f"`{setting.name}` cannot be set by a repository: {setting.why_not}.", remedy="Leave out `--project`."
        )
    path = root / PROJECT_FILE
    _change(path, setting.project.split("."), value, mode=0o644, private=False)
    return path


def _change(path: Path, key: list[str], value: Value, *, mode: int, private: bool) -> None:
    # Here, because every command imports this package and hardly any writes.
    import tomlkit
    from tomlkit.exceptions import ParseError

    text = (files.read_private(path) if private else files.read(path)) or ""
    try:
        document = tomlkit.parse(text)
    except ParseError as e:
        raise LocalError(f"{path} is not valid TOML: {e}.", remedy="Mend that line.") from e
    table: MutableMapping[str, Any] = document
    *sections, last = key
    for section in sections:
        if section not in table:
            if value is None:
                return
            table[section] = tomlkit.table()
        table = table[section]
        if not isinstance(table, MutableMapping):
            raise LocalError(f"{path}: `{section}` is not a section.", remedy=f"Make it a section, `[{section}]`.")
    if value is None:
        if last not in table:
            return
        del table[last]
    else:
        table[last] = list(value) if isinstance(value, tuple) else value
    files.write(path, tomlkit.dumps(document), mode=mode)
