"""What a process that is ours alone does without: pandas, and memory that Arrow keeps for later."""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from typing import Any


class _Nowhere(MetaPathFinder):
    def find_spec(self, fullname: str, *_: Any) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is left out of this process", name=fullname)


def lean() -> None:
    """Take less memory, before pyarrow is imported; never in a process of somebody else's.

    Pyarrow imports pandas wherever it is installed (45 MB, a third of a second), and nothing here needs it; Arrow's own
    pool keeps 10 to 40 MB that the system's gives back.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _Nowhere())
