"""The version, alone in a module, so that telling it costs nothing."""

VERSION = "0.1.0"
