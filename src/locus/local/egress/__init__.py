"""The egress log: what leaves this machine for a control plane, written down before it is sent, in a chain of hashes.

One file a month, one line a fact; `log` writes, `read` looks, `verify` proves that nothing was changed.
"""
