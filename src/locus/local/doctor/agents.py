"""The agent CLIs on this machine: there or not, which version, signed in or not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from locus.local import process
from locus.local.doctor.finding import Finding, failed, ok, warning
from locus.local.errors import LocalError
from locus.local.providers import table
from locus.local.providers.base import Ask, Provider
from locus.local.providers.run import version

ASK_LIMIT = 20.0  # seconds for a question that the program answers from its own files


async def look(chosen: str, command: Sequence[str], environ: Mapping[str, str]) -> list[Finding]:
    """Look for every agent that Locus can drive. Only the chosen one must be there; no model is called."""
    findings = []
    for name in table.PROVIDERS:
        provider = table.choose(name, command=command)
        if name == chosen:
            findings += await _chosen(provider, environ)
        elif provider.VERSION and (found := await version(provider, environ)) is not None:
            findings.append(ok("agents", f"{name} is there too: {found}"))
    return findings


async def _chosen(provider: Provider, environ: Mapping[str, str]) -> list[Finding]:
    try:
        binary = provider.locate(environ)
    except LocalError as error:
        return [failed("agents", error.message, error.remedy)]
    if not provider.VERSION:
        return [ok("agents", f"{provider.NAME} runs {binary}")]
    found = await version(provider, environ)
    if found is None:
        return [
            failed("agents", f"{binary} does not say which version it is.", f"Start it by hand: {binary} --version")
        ]
    return [ok("agents", f"{provider.NAME} is the agent in use: {found} ({binary})"), await _login(provider, environ)]


async def _login(provider: Provider, environ: Mapping[str, str]) -> Finding:
    """Ask the program itself, in the environment that a run of it would have."""
    ask = Ask(prompt="", cwd=Path("/"), run_id=str(uuid4()))
    question = " ".join((provider.NAME, *provider.SIGNED_IN))
    done = await process.run(
        [str(provider.locate(environ)), *provider.SIGNED_IN],
        cwd=ask.cwd,
        env=provider.environment(ask, environ),
        timeout=ASK_LIMIT,
    )
    if done.ok:
        return ok("login", f"{provider.NAME} is signed in (`{question}`)")
    # Not a failure: a key in a variable, or a model service of one's own, is not always known to the question.
    return warning(
        "login",
        f"{provider.NAME} says that it is not signed in (`{question}`).",
        f"Start {provider.NAME} once by hand and sign in, or give it its key in the environment.",
    )
