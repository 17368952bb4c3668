"""Which checks a task's change has to pass, and in which order. Pure."""

from collections.abc import Collection, Sequence

from locus.local.evidence.protected import touched
from locus.local.project import Check, in_order


def unknown(checks: Sequence[Check], named: Collection[str]) -> list[str]:
    """The names that somebody asked for and the project does not define."""
    return sorted(set(named) - {check.name for check in checks})


def possible(checks: Sequence[Check], named: Collection[str]) -> tuple[Check, ...]:
    """Every check that may run for a task, whatever it changes: `named` are those that its checklist asks for."""
    return _with_needs(checks, {check.name for check in checks if check.always or check.name in named})


def due(checks: Sequence[Check], named: Collection[str], paths: Sequence[str]) -> tuple[Check, ...]:
    """The checks that a change of `paths` has to pass.

    One with `paths` of its own is left out when the change touches none of them, unless it is named. What a check
    needs is run with it.
    """
    wanted = {
        check.name
        for check in checks
        if check.name in named or (check.always and (not check.paths or touched(paths, check.paths)))
    }
    return _with_needs(checks, wanted)


def alone(checks: Sequence[Check], name: str) -> tuple[Check, ...]:
    """One check, after what it needs."""
    return _with_needs(checks, {name})


def _with_needs(checks: Sequence[Check], wanted: Collection[str]) -> tuple[Check, ...]:
    by_name = {check.name: check for check in checks}
    chosen: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in chosen and name in by_name:
            chosen.add(name)
            waiting.extend(by_name[name].needs)
    return in_order(check for check in checks if check.name in chosen)
