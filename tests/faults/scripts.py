"""The small programs of a world: an agent, git as it is found on PATH, and what checks and hooks call."""

# Does the task of its prompt: a file with the task's key in its name. `sh` and `cat` are all that it needs.
# Its argument is the point at which it stops, in files of its tree that git ignores: they reach into a sandbox.
AGENT = """\
prompt=$(cat)
rest=${prompt#*"# Your task: "}
key=
for key in $rest; do break; done
stop() { if [ "$want" = "$1" ]; then : > there.log; while [ ! -e go.log ]; do sleep 0.02; done; fi; }
want=${1:-none}
stop start
echo half > "$key.txt"
stop half
echo "$key" > "$key.txt"
stop done
if command -v at > /dev/null; then sh "$(command -v at)" agent; fi
echo done
"""
# Checks and set-up commands stop in files beside the machine.
# `armed` has the point at which somebody is waited for and a number, of which the files `there` and `go` are named.
# What lies ready in `then-POINT` is armed when that point is passed.
STOP = """\
stop_at() {{
  if [ -e {trap}/armed ]; then
    read -r want number < {trap}/armed
    if [ "$want" = "$1" ] && mv {trap}/armed {trap}/sprung-$number 2> /dev/null; then
      : > {trap}/there-$number
      while [ ! -e {trap}/go-$number ]; do sleep 0.02; done
    fi
  fi
}}
"""
# Checks, set-up commands, hooks and agents call this by name.
AT = (
    STOP
    + """\
if [ -e {trap}/then-$1 ]; then mv {trap}/then-$1 {trap}/armed; exit 0; fi
stop_at "$1"
"""
)
# git, as it is found on PATH: it stops before or after a command that somebody waits for.
GIT = (
    STOP
    + """\
if [ -e {trap}/armed ]; then
  cmd= skip=
  for a in "$@"; do
    if [ -n "$skip" ]; then skip=; continue; fi
    case $a in -c) skip=1 ;; -*) ;; *) cmd=$a; break ;; esac
  done
  stop_at "$cmd:before"
  read -r want number < {trap}/armed 2> /dev/null
  if [ "$want" = "$cmd:after" ]; then
    {git} "$@"
    code=$?
    stop_at "$cmd:after"
    exit $code
  fi
fi 2> /dev/null
exec {git} "$@"
"""
)
CONFIG = """\
[checks.unit]
run = "sh {bin}/at checks; for f in SHOP-*.txt; do test -s $f || exit 1; done; echo 1 passed in 0.01s"

[worktree]
setup = ["sh {bin}/at setup"]
"""
CONFIG_IN_SANDBOX = """\
[checks.unit]
run = "for f in SHOP-*.txt; do test -s $f || exit 1; done; echo 1 passed in 0.01s"
"""
