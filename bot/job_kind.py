"""The base class of all kinds of jobs."""

from typing import ClassVar


class JobKind:
    """A kind of job: a frozen dataclass whose `class` line gives the stored word, the key and the attempts."""

    kind: ClassVar[str]
    """The stored word."""
    key_pattern: ClassVar[str | None] = None
    attempts: ClassVar[int] = 8
    """How often it is tried before it is parked."""
    inlined: ClassVar[str | None] = None
    """The name of its only field, if that field's own fields are stored in its place."""

    def __init_subclass__(
        cls, *, kind: str, key: str | None = None, attempts: int = attempts, inlined: str | None = None
    ) -> None:
        cls.kind, cls.key_pattern, cls.attempts, cls.inlined = kind, key, attempts, inlined

    @property
    def key(self) -> str | None:
        """Jobs of one key run one after another; None for jobs that wait for no other."""
        return self.key_pattern and self.key_pattern.format(job=self)
