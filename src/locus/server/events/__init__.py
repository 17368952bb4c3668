"""Every change of state, in order and without a gap: written with the change, numbered by one sequencer, streamed."""
