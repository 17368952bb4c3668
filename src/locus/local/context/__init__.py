"""What an agent is told: the task, all feedback, and what the repository says of itself."""
