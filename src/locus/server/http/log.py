"""The log: one JSON object or one line of text per record, on stderr. Never a body, a key or a query."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One answered request. The route is the template, so that no id and no query gets into the log."""

    request: str
    method: str
    route: str
    status: int
    ms: float
    key: str | None  # the id of the key, not the key

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.status} {self.ms}ms {self.request}"


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if isinstance(record.msg, Line):
            entry |= msgspec.structs.asdict(record.msg)
        else:
            entry["message"] = record.getMessage()
        if request := getattr(record, "request", None):
            entry["request"] = request
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


def configure(log_format: str, *, level: int = logging.INFO) -> None:
    """Send every logger of this process to stderr; `log_format` is "json" or "text".

    Raises:
        ValueError: another format is asked for.
    """
    if log_format not in ("json", "text"):
        raise ValueError(f'LOCUS_SERVER_LOG_FORMAT must be "json" or "text", not {log_format!r}.')
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # It writes whole addresses, with their queries; the frame writes the line that may be written.
    logging.getLogger("uvicorn.access").disabled = True
