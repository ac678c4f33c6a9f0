"""Which versions a run depends on."""

import platform
from importlib import metadata

PACKAGES = ("mesa", "numpy", "scipy", "numba", "pandas", "matplotlib", "pydantic")


def version() -> str:
    """The version of this package, installed or run from its source."""
    try:
        return metadata.version("tumorlab")
    except metadata.PackageNotFoundError:
        from simulation import __version__

        return __version__


def packages() -> dict[str, str]:
    """The versions a run depends on for its last digits."""
    found = {"python": platform.python_version(), "tumorlab": version()}
    return found | {name: metadata.version(name) for name in PACKAGES}
