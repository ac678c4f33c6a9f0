"""One file, one teaching question: scenarios, their arms, and the TOML tables they are told in."""
