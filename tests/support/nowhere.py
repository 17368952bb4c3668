"""An egress log that keeps what it is told in memory, for tests of something else."""

from dataclasses import dataclass, field

from locus.client.egress import Outgoing


@dataclass
class Nowhere:
    """`requests` is all that was about to be sent; `answers` what came back for each."""

    requests: list[Outgoing] = field(default_factory=list)
    answers: dict[int, int | None] = field(default_factory=dict)

    def sent(self, request: Outgoing) -> int:
        self.requests.append(request)
        return len(self.requests)

    def answered(self, number: int, status: int | None) -> None:
        self.answers[number] = status
