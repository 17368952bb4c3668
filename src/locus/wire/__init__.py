"""What crosses the network: closed types for task metadata, never code. Types only, no I/O."""
