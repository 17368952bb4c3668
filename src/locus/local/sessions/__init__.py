"""Sessions: an agent that works beside a person in their own checkout, turn by turn."""
