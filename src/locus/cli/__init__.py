"""What a person types. A command is a file in commands/, imported on use."""
