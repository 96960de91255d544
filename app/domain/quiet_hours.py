from __future__ import annotations
from dataclasses import dataclass
from datetime import timedelta, time
from app.domain.times import wall, at_wall
@dataclass(frozen=True, slots=True)
class Window:
    start: int
    end: int
def held(now_ms: int, zone: str, window: Window, needed_by_ms: int | None = None) -> int | None:
    return None
