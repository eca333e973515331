"""The `samantha` command: one file per subcommand."""
