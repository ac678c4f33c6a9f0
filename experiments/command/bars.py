"""What a person who waits sees of a run or a study on stderr."""

from simulation.progress import Bars


class ArmBars(Bars):
    """A bar for everything that goes on in a run, in order: growing, each arm, drawing."""

    def update(self, what: str, day: float, days: float) -> None:
        """An arm has come to this day."""
        self.show(what, day, days, f"day {day:.0f} of {days:.0f}")

    def doing(self, what: str) -> None:
        """What goes on now, for seconds that nobody can count."""
        self.show(what, 0, None)


class RunBar(ArmBars):
    """Progress of a study: runs done, time left, failures; sentences go above the bar."""

    def say(self, sentence: str) -> None:
        """A sentence above the bar, unless the screen is to stay quiet."""
        if not self.quiet:
            self.console.print(sentence, soft_wrap=True)

    def update(self, done: int, total: int, failed: int) -> None:
        """So many runs are done, of which so many failed."""
        self.show(
            "runs", done, total, f"{done} of {total}" + (f", {failed} failed" if failed else "")
        )
        if done == total:
            self.doing("tables and pictures")
