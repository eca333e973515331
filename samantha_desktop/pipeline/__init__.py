"""The shell around the pure core: threads, queues and timing of a conversation."""
