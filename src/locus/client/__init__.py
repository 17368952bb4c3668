"""The control plane as a machine sees it: the only module that opens a connection to it."""
