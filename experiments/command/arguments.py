"""What is typed on the command line, as values; a mistake is one sentence."""

import typer


def arms(text: str | None) -> list[str] | None:
    """``a,b,c`` as a list of names."""
    if text is not None and not text.strip(" ,"):
        raise typer.BadParameter("it must be names of arms such as a,b", param_hint="'--arms'")
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def settings(texts: list[str] | None) -> dict[str, float | str] | None:
    """``dotted.name=value`` texts as names and values: numbers where they read as such, else texts with a unit."""
    from ..scenarios.toml_tables import ScenarioError

    values: dict[str, float | str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise ScenarioError(
                "it must be dotted.name=value, such as tumor.division_rate=0.02",
                key=f"--set {text}",
            )
        try:
            values[name] = int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError:
            values[name] = value
    return values or None


def shard(text: str | None) -> tuple[int, int] | None:
    """3/20 as (3, 20)."""
    if text is None:
        return None
    this, _, all_ = text.partition("/")
    if not (this.isdigit() and all_.isdigit() and 1 <= int(this) <= int(all_)):
        raise typer.BadParameter(
            f"{text} is not allowed; it must be such as 3/20, the third of twenty",
            param_hint="'--shard'",
        )
    return int(this), int(all_)
