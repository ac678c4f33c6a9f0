"""A command as it would be typed, so that whoever reads a report can repeat it."""


def given(options: dict) -> list[str]:
    """The options that were given, as they are typed."""
    typed = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            typed += [] if one is None else [f"--{name}", str(one)]
    return typed
