"""The commands, in the groups in which a person remembers them. The menu, `/help` and the documentation read this."""

from locus.telegram import grammar as g
from locus.telegram.grammar import Spec

_LOOK = (
    ("status", "/status", "what works now on this machine", g.nothing),
    ("dashboard", "/dashboard", "the sprint, the agents and what waits for you", g.nothing),
    ("activity", "/activity [N]", "what happened last", g.count(10)),
    ("agents", "/agents", "the agents of the workspace", g.nothing),
    ("workspace", "/workspace", "which server and workspace this is", g.nothing),
)
_TASKS = (
    ("tasks", "/tasks [STATUS]", "open tasks, or those with a status", g.status),
    ("task", "/task KEY", "one task with its attempts and comments", g.key),
    ("backlog", "/backlog", "what agents will take next", g.nothing),
    ("approvetask", "/approvetask KEY", "accept finished work", g.key),
    ("rejecttask", "/rejecttask KEY WHAT IS MISSING", "send work back; the next attempt reads it", g.key_and_text),
    ("retry", "/retry KEY [WORDS]", "let agents try again", g.key_and_maybe_text),
    ("unblock", "/unblock KEY [WORDS]", "give a blocked task back to agents", g.key_and_maybe_text),
)
_SPRINTS = (
    ("sprints", "/sprints", "all sprints", g.nothing),
    ("sprint", "/sprint [N]", "one sprint; the active one if left out", g.sprint),
    ("startsprint", "/startsprint N", "make a sprint the active one", g.number),
    ("completesprint", "/completesprint [N]", "end a sprint", g.sprint),
)
_WORK = (
    ("run", "/run [SPRINT]", "let an agent work off the sprint", g.sprint),
    ("pause", "/pause", "stop the run, and remember it", g.nothing),
    ("resume", "/resume", "go on with the run that was paused", g.nothing),
    ("stop", "/stop [JOB]", "stop the run, or the job with this number", g.maybe_number),
    ("jobs", "/jobs", "what was started from here", g.nothing),
    ("logs", "/logs [JOB]", "the last lines of a job", g.maybe_number),
    ("review", "/review [N]", "have open pull requests reviewed, or one", g.maybe_number),
    ("iterate", "/iterate [N|KEY]", "take what reviewers said back to the agents", g.maybe_subject),
    ("exec", "/exec PROMPT", "have the agent do something in the checkout", g.text("what is to be done")),
    ("discuss", "/discuss TOPIC", "think something through with an agent", g.text("what it is about")),
)
_PLANS = (
    ("plan", "/plan GOAL", "have an agent propose a sprint", g.text("what should be better")),
    ("plans", "/plans", "plans that were proposed", g.nothing),
    ("approve", "/approve N|KEY", "take a plan, or accept a task's work", g.subject),
    ("reject", "/reject N|KEY WHAT IS WRONG", "have another plan made, or send work back", g.subject_and_text),
    ("cancel", "/cancel N|KEY", "give up a plan, or stop the agent on a task", g.subject),
)
_HERE = (
    ("git", "/git status|log|diff --stat|branch|push", "look at the checkout, or push its branch", g.git),
    ("dev", "/dev [CHECK]", "run a check of the project", g.check),
    ("limits", "/limits", "limits of runs, and who waits for one to end", g.nothing),
    ("budget", "/budget", "what the sprint has cost", g.nothing),
)
_BOT = (
    ("project", "/project [NAME]", "which project this chat is about", g.project),
    ("mute", "/mute [2h|off]", "hold news back for a while", g.mute),
    ("quiet", "/quiet [22:00-07:00|off]", "hold news back every night", g.quiet),
    ("notify", "/notify [KIND on|off|digest] or at HH:MM", "which news you get", g.notify),
    ("help", "/help", "all commands", g.nothing),
    ("start", "/start", "the same as /help", g.nothing),
)
GROUPS = {
    "Look": _LOOK,
    "Judge tasks": _TASKS,
    "Sprints": _SPRINTS,
    "Let agents work": _WORK,
    "Plan": _PLANS,
    "This machine": _HERE,
    "This chat": _BOT,
}
UNLISTED = {"start"}

COMMANDS: dict[str, Spec] = {
    name: Spec(name, usage, text, parse, section, listed=name not in UNLISTED)
    for section, group in GROUPS.items()
    for name, usage, text, parse in group
}
