"""What does another server need to serve the same models? One file a server, run in its own env."""
