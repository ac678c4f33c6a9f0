"""Frames as files: MP4 (H.264, which browsers and slide programs play) and GIF."""

import subprocess
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from simulation.errors import TumorLabError

GIF_RATE, GIF_WIDTHS = 10, (720, 600, 480, 360)
LARGEST_GIF = 9_500_000
EXACT = ["-crf", "0", "-preset", "ultrafast"]
SMALL = [
    "-c:v",
    "libx264",
    "-crf",
    "22",
    "-preset",
    "veryfast",
    "-pix_fmt",
    "yuv420p",
    "-movflags",
    "+faststart",
]
TO_GIF = (
    "fps={rate},scale={width}:-2:flags=area,split[a][b];[a]palettegen=max_colors=128:stats_mode=full[p];"
    "[b][p]paletteuse=dither=none:diff_mode=rectangle"
)


class FilmError(TumorLabError):
    """A film that cannot be made; the message is one sentence."""


def check_ffmpeg() -> None:
    """Raises FilmError where films cannot be written."""
    if find_spec("imageio_ffmpeg") is None:
        raise FilmError('a film needs imageio-ffmpeg: pip install "tumorlab[lab]"')
    from imageio_ffmpeg import get_ffmpeg_exe

    try:
        get_ffmpeg_exe()
    except RuntimeError:
        raise FilmError(
            "imageio-ffmpeg finds no ffmpeg on this machine; install ffmpeg, or set IMAGEIO_FFMPEG_EXE"
        ) from None


def write(frames: Iterable[np.ndarray], mp4: Path, gif: Path, fps: int) -> None:
    """Write frames, (height, width, 3) of uint8 with even sides, as both; the GIF shrinks until it can be sent around."""
    master = mp4.with_suffix(".mkv")
    record(frames, master, fps)
    turn(master, mp4, *SMALL)
    for width in GIF_WIDTHS:
        turn(master, gif, "-filter_complex", TO_GIF.format(rate=min(GIF_RATE, fps), width=width))
        if gif.stat().st_size <= LARGEST_GIF:
            break
    master.unlink()


def record(frames: Iterable[np.ndarray], file: Path, fps: int) -> None:
    """Write frames without any loss."""
    from imageio_ffmpeg import write_frames

    writer = None
    for frame in frames:
        if writer is None:
            writer = write_frames(
                str(file),
                frame.shape[1::-1],
                fps=fps,
                codec="libx264rgb",
                quality=None,
                macro_block_size=2,
                pix_fmt_out="rgb24",
                output_params=EXACT,
            )
            writer.send(None)
        writer.send(np.ascontiguousarray(frame))
    if writer is not None:
        writer.close()


def turn(film: Path, file: Path, *options: str) -> None:
    """Convert a film; raises FilmError with what ffmpeg says."""
    from imageio_ffmpeg import get_ffmpeg_exe

    done = subprocess.run(
        [get_ffmpeg_exe(), "-y", "-loglevel", "error", "-i", str(film), *options, str(file)],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise FilmError(f"ffmpeg cannot write {file.name} ({' '.join(done.stderr.split())[:300]})")
