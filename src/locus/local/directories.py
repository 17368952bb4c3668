"""Where Locus keeps things of this user on this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from platformdirs import PlatformDirs


class Directories(Struct, frozen=True):
    """The three directories. They exist only once something was written to them."""

    config: Path  # settings and credentials
    state: Path  # logs, transcripts, clones, what runs
    data: Path  # the database that `locus up` starts

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"

    @property
    def prices(self) -> Path:
        """Of models that the shipped list does not have."""
        return self.config / "prices.toml"

    @property
    def credentials(self) -> Path:
        return self.config / "credentials.json"


def directories(environ: Mapping[str, str] = os.environ) -> Directories:
    """The user's directories: LOCUS_CONFIG_DIR, LOCUS_STATE_DIR and LOCUS_DATA_DIR, else the platform's own."""
    usual = PlatformDirs("locus", appauthor=False)
    return Directories(
        config=Path(environ.get("LOCUS_CONFIG_DIR") or usual.user_config_dir),
        state=Path(environ.get("LOCUS_STATE_DIR") or usual.user_state_dir),
        data=Path(environ.get("LOCUS_DATA_DIR") or usual.user_data_dir),
    )
