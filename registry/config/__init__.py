"""Settings: every BYLINE_* variable, typed, read once; docs/settings.md is written from them."""

from __future__ import annotations

from registry.config.origins import check_origin, is_loopback
from registry.config.page import describe
from registry.config.reading import (
    DEFAULT_DATA_DIR,
    STANDING,
    STANDING_NAMES,
    check_public,
    check_same_origin,
    load,
    read_environment,
    read_standing,
)
from registry.config.settings import Settings

__all__ = [
    "DEFAULT_DATA_DIR",
    "STANDING",
    "STANDING_NAMES",
    "Settings",
    "check_origin",
    "check_public",
    "check_same_origin",
    "describe",
    "is_loopback",
    "load",
    "read_environment",
    "read_standing",
]
