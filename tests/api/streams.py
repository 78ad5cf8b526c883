"""Bodies that do what bodies should not."""

from __future__ import annotations

import io


class _Stream(io.RawIOBase):
    """What the test client needs to take a stream for a body."""

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """As far as the test client is concerned."""
        return True

    def seek(self, _offset: int, _whence: int = 0) -> int:
        """Nowhere."""
        return 0

    def tell(self) -> int:
        """At the beginning."""
        return 0


class Endless(_Stream):
    """Spaces without end; complains when far more is read than any limit allows."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill it."""
        self.given += len(buffer)
        assert self.given < 8 << 20, "read far past the limit"
        buffer[:] = b" " * len(buffer)
        return len(buffer)


class Unread(_Stream):
    """A body that must not be read."""

    def readinto(self, _: memoryview) -> int:  # type: ignore[override]
        """Complain."""
        raise AssertionError("the body was read")
