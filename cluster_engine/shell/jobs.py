"""What runs in the background of a terminal: begun by `&`, listed by `jobs`, waited for by `wait`, ended by `kill`.

A job is a task of the cluster's; it goes on while lines come and go, and prints where the line that began it printed.
At most JOBS_MAX run at a time. Modelled on bash. Left out: stopping and resuming, `fg`, `bg`.
"""

import asyncio
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cluster_engine.programs.streams import Write

JOBS_MAX = 16


class Job(msgspec.Struct, eq=False):
    """One job; its task returns its exit code."""

    number: int
    pid: int
    text: str
    task: "asyncio.Task[int]"
    write: "Write | None"

    def told(self) -> str:
        """Return the job as `jobs` lists it."""
        if not self.task.done():
            state = "Running"
        elif self.task.cancelled():
            state = "Terminated"
        else:
            state = "Done" if self.task.result() == 0 else f"Exit {self.task.result()}"
        return f"[{self.number}]+  {state:<24}{self.text}{'' if self.task.done() else ' &'}"


class Jobs:
    """The jobs of one terminal that run, or have ended and are not told of yet."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self.last_pid = 0

    @property
    def all(self) -> list[Job]:
        """The jobs in the order of their numbers."""
        return [self._jobs[number] for number in sorted(self._jobs)]

    @property
    def is_full(self) -> bool:
        """Whether no more may begin."""
        return len(self._jobs) >= JOBS_MAX

    def printing(self, write: "Write") -> list["asyncio.Task[int]"]:
        """Return the jobs that run and print there: those that a line began."""
        return [job.task for job in self.all if job.write is write and not job.task.done()]

    def add(self, pid: int, text: str, task: "asyncio.Task[int]", write: "Write | None" = None) -> Job:
        """Add a job that has begun. `write` is where its line prints, as far as somebody will ask (`printing`)."""
        number = next(number for number in range(1, JOBS_MAX + 1) if number not in self._jobs)
        job = self._jobs[number] = Job(number, pid, text, task, write)
        self.last_pid = pid
        return job

    def runs_in(self, job: Job, pid: int) -> None:
        """Know a job by the number of the shell that stays for it."""
        job.pid = self.last_pid = pid

    def find(self, word: str) -> Job | None:
        """Find a job by what was typed: %1, or the number of its process."""
        return next((job for job in self.all if word in (f"%{job.number}", str(job.pid))), None)

    def ended(self) -> list[Job]:
        """Return the jobs that have ended, and forget them."""
        ended = [job for job in self.all if job.task.done()]
        for job in ended:
            del self._jobs[job.number]
        return ended
