"""What the operating system gives: folders, settings and log files, hardware."""
