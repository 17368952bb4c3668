"""The sandbox: the walls around an agent, a set-up command or a check, and what may pass them.

`policy.of` makes the user's settings into a Policy, `opened` a sandbox for one worker, `Sandbox.around` what has to be
around one command, `bubblewrap.probe` says whether any of this works on this machine.
"""

from locus.local.sandbox import policy
from locus.local.sandbox.bubblewrap import NoSandbox, probe
from locus.local.sandbox.enclosed import TEMPORARY, Inside, Sandbox, fault, opened, run_in
from locus.local.sandbox.needs import Loan, Needs, reaching
from locus.local.sandbox.policy import Network, Policy
from locus.local.sandbox.view import Ground

__all__ = [
    "TEMPORARY",
    "Ground",
    "Inside",
    "Loan",
    "Needs",
    "Network",
    "NoSandbox",
    "Policy",
    "Sandbox",
    "fault",
    "opened",
    "policy",
    "probe",
    "reaching",
    "run_in",
]
