from __future__ import annotations
from dataclasses import dataclass
DEFAULT_LIMIT = 480
HARD_LIMIT = 1600
@dataclass(frozen=True, slots=True)
class Measure:
    encoding: str
    units: int
    segments: int
    left_in_segment: int
    offending: tuple[tuple[int, str], ...]
def measure(text: str) -> Measure:
    n = len(text)
    return Measure("GSM-7", n, 1 if n <= 160 else -(-n // 153), 0, ())
