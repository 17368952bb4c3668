"""The bot: a phone as the remote control of this machine. It plans nothing and holds nothing but a queue."""
