"""Puts the values together: flag, environment, project, user, default; the first that has one wins."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from locus.local import files, toml
from locus.local.directories import directories
from locus.local.errors import LocalError, Usage
from locus.local.settings.kinds import Value
from locus.local.settings.setting import Origin, Setting
from locus.local.settings.table import BY_NAME, PROJECT_KEYS, TABLE, Settings

PROJECT_FILE = Path(".locus", "config.toml")


def load(
    *,
    root: Path | None = None,
    flags: Mapping[str, Value] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings in force.

    `root` is the repository whose `.locus/config.toml` counts, `flags` are values from the command line (text or of
    the setting's own type; None is not given).
    Raises Usage for a bad flag or variable, LocalError for a bad file; both name the place.
    """
    user = user_values(environ=environ)
    project = project_values(root) if root else {}
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for setting in TABLE:
        name = setting.name
        given = (flags or {}).get(name)
        variable = setting.variable and environ.get(setting.variable)
        if given is not None:
            values[name], origins[name] = _flag(setting, given), Origin.FLAG
        elif variable:
            values[name], origins[name] = _variable(setting, variable), Origin.ENVIRONMENT
        elif name in project:
            values[name], origins[name] = project[name], Origin.PROJECT
        elif name in user:
            values[name], origins[name] = user[name], Origin.USER
        else:
            values[name], origins[name] = setting.default, Origin.DEFAULT
    return Settings(**values, origins=origins)


def user_values(*, environ: Mapping[str, str] = os.environ) -> dict[str, Value]:
    """What the user's own file says. Raises LocalError for a key or value that it may not have."""
    path = directories(environ).settings
    text = files.read_private(path)
    if text is None:
        return {}
    values: dict[str, Value] = {}
    for key, value in toml.parse(text, path).items():
        if key not in BY_NAME:
            raise toml.unknown(key, BY_NAME, text=text, path=path)
        values[key] = _from_file(BY_NAME[key], key, value, text=text, path=path)
    return values


def project_values(root: Path) -> dict[str, Value]:
    """What the repository's file says of settings. Its other keys are for `locus.local.project`.

    Raises LocalError for a value that it may not have, and for a setting that no repository may set.
    """
    path = root / PROJECT_FILE
    text = files.read(path)
    if text is None:
        return {}
    values: dict[str, Value] = {}
    for key, value in toml.flatten(toml.parse(text, path)):
        if key in PROJECT_KEYS:
            values[PROJECT_KEYS[key].name] = _from_file(PROJECT_KEYS[key], key, value, text=text, path=path)
            continue
        setting = BY_NAME.get(key.rsplit(".", 1)[-1])
        if setting and not setting.project:
            raise LocalError(
                f"{toml.where(text, path, key)}: `{setting.name}` cannot be set by a repository: {setting.why_not}.",
                remedy=f"Remove it there. For yourself: `locus config set {setting.name} VALUE`.",
            )
    return values


def _flag(setting: Setting, given: Value) -> Value:
    try:
        return setting.kind.from_text(given) if isinstance(given, str) else given
    except ValueError as e:
        raise Usage(f"--{setting.name.replace('_', '-')} {e}.") from e


def _variable(setting: Setting, text: str) -> Value:
    try:
        return setting.kind.from_text(text)
    except ValueError as e:
        raise Usage(f"{setting.variable} {e}.", remedy="Change or unset the variable.") from e


def _from_file(setting: Setting, key: str, value: object, *, text: str, path: Path) -> Value:
    try:
        return setting.kind.from_toml(value)
    except ValueError as e:
        raise LocalError(f"{toml.where(text, path, key)}: `{key}` {e}.", remedy="Mend that line.") from e
