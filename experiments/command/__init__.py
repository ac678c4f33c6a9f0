"""The `tumorlab` command: it parses, calls and prints."""
