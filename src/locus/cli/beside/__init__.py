"""What the commands share in which an agent works beside a person: exec, plan, discuss."""
