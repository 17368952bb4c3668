"""Which installer installed this Locus, told by what installers leave behind. Pure but for looking at files."""

import json
import site
import sys
import sysconfig
from enum import StrEnum
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from os import W_OK, access
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

NAME = "locusai"


class Installer(StrEnum):
    UV_TOOL = "uv tool"
    PIPX = "pipx"
    UV = "uv"  # into a virtual environment
    PIP = "pip"  # into a virtual environment, or the user's own packages
    CHECKOUT = "checkout"  # an editable installation: the source itself
    URL = "url"  # a file, a folder or a repository, and no index
    SYSTEM = "system"  # a Python that the system or another user looks after


class Place(Struct, frozen=True):
    """The Python that Locus runs in."""

    python: str
    prefix: Path
    base_prefix: Path
    packages: Path
    user_packages: Path | None
    stdlib: Path

    @classmethod
    def of_this_process(cls) -> "Place":
        user = site.getusersitepackages() if site.ENABLE_USER_SITE else None
        paths = sysconfig.get_paths()
        return cls(
            sys.executable,
            Path(sys.prefix),
            Path(sys.base_prefix),
            Path(paths["purelib"]),
            Path(user) if user else None,
            Path(paths["stdlib"]),
        )


class Found(Struct, frozen=True):
    """How this Locus was installed. `source` is where it came from, when that is no index."""

    installer: Installer
    place: Place
    source: str = ""
    extras: tuple[str, ...] = ()
    by_user: bool = False

    @property
    def wanted(self) -> str:
        """What an installer is asked for: the package, with the parts of it that are there now."""
        return f"{NAME}[{','.join(self.extras)}]" if self.extras else NAME


def find(place: Place, package: Distribution) -> Found:
    """Who installed `package` into `place`."""
    direct = json.loads(package.read_text("direct_url.json") or "{}")
    source = str(direct.get("url", ""))
    if direct.get("dir_info", {}).get("editable"):
        return Found(Installer.CHECKOUT, place, unquote(urlsplit(source).path))
    if source:
        return Found(Installer.URL, place, source)
    if (place.prefix / "uv-receipt.toml").is_file():
        return Found(Installer.UV_TOOL, place)
    if (place.prefix / "pipx_metadata.json").is_file():
        return Found(Installer.PIPX, place)
    extras = _extras(package)
    by = Installer.UV if (package.read_text("INSTALLER") or "").strip() == "uv" else Installer.PIP
    if place.prefix != place.base_prefix:
        return Found(by, place, extras=extras)
    where = Path(str(package.locate_file(""))).resolve()
    by_user = place.user_packages is not None and where == place.user_packages.resolve()
    if (place.stdlib / "EXTERNALLY-MANAGED").exists() or not (by_user or access(place.packages, W_OK)):
        return Found(Installer.SYSTEM, place)
    return Found(by, place, extras=extras, by_user=by_user)


def _extras(package: Distribution) -> tuple[str, ...]:
    """The extras whose every package is there; one of which only some packages are there was not asked for."""
    wanted: dict[str, list[str]] = {name: [] for name in package.metadata.get_all("Provides-Extra") or []}
    for line in package.requires or []:
        requirement, _, condition = line.partition(";")
        for name, packages in wanted.items():
            if f"extra == '{name}'" in condition or f'extra == "{name}"' in condition:
                packages.append(_name(requirement))
    return tuple(name for name, packages in wanted.items() if packages and all(_is_there(one) for one in packages))


def _name(requirement: str) -> str:
    end = next((at for at, sign in enumerate(requirement) if sign in " <>=!~[(;"), len(requirement))
    return requirement[:end]


def _is_there(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
