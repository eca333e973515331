"""Language model engines."""
