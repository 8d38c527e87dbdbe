"""What the service does by itself, one file per duty; each can be run again at any time."""
