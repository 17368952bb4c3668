"""What the server counts about itself, in the text format of Prometheus."""

from collections import defaultdict
from dataclasses import dataclass, field

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds


@dataclass
class Latency:
    """How long the requests of one route took."""

    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    total: float = 0.0
    count: int = 0

    def add(self, seconds: float) -> None:
        for place, bound in enumerate(BUCKETS):
            if seconds <= bound:
                self.buckets[place] += 1
                break
        self.total += seconds
        self.count += 1


@dataclass(frozen=True)
class Gauge:
    """One number as it is now."""

    name: str
    help: str
    value: float


class Metrics:
    """Counts of requests since the process began."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self._latencies: dict[tuple[str, str], Latency] = defaultdict(Latency)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is the template, never the path."""
        self._requests[method, route, status] += 1
        self._latencies[method, route].add(seconds)

    def text(self, gauges: list[Gauge]) -> str:
        """Everything in the exposition format, with `gauges` that were read just now."""
        lines = ["# HELP locus_requests_total Answered requests.", "# TYPE locus_requests_total counter"]
        for (method, route, status), count in sorted(self._requests.items()):
            lines.append(f'locus_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}')
        name = "locus_request_seconds"
        lines += [f"# HELP {name} Time from request to the end of its answer.", f"# TYPE {name} histogram"]
        for (method, route), latency in sorted(self._latencies.items()):
            labels, below = f'method="{method}",route="{route}"', 0
            for bound, count in zip(BUCKETS, latency.buckets, strict=True):
                below += count
                lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {below}')
            lines.append(f'{name}_bucket{{{labels},le="+Inf"}} {latency.count}')
            lines.append(f"{name}_sum{{{labels}}} {latency.total:.6f}")
            lines.append(f"{name}_count{{{labels}}} {latency.count}")
        now = Gauge("locus_requests_in_flight", "Requests that are being answered now.", self.in_flight)
        for gauge in [now, *gauges]:
            lines += [
                f"# HELP {gauge.name} {gauge.help}",
                f"# TYPE {gauge.name} gauge",
                f"{gauge.name} {gauge.value:g}",
            ]
        return "\n".join(lines) + "\n"
