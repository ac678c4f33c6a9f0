"""Which versions a run depends on."""

import platform
from importlib import metadata

PACKAGES = ("mesa", "numpy", "scipy", "numba", "pandas", "matplotlib", "pydantic")


def version() -> str:
    """The installed version of this package."""
    try:
        return metadata.version("tumorlab")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def packages() -> dict[str, str]:
    """The versions a run depends on for its last digits."""
    found = {"python": platform.python_version(), "tumorlab": version()}
    return found | {name: metadata.version(name) for name in PACKAGES}
