"""One stage: its typed spec and its entry point."""
