"""Colours: blue for what is well, orange for what is not. Never red against green."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="callboard-dark",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#ffaf5f",
    warning="#ffaf00",
    error="#ff875f",
    success="#5fafff",
    foreground="#d8dee9",
    background="#10141a",
    surface="#171c24",
    panel="#202733",
    dark=True,
    variables={
        "text-muted": "#8f9bab",
        "block-cursor-background": "#1f4f82",
        "block-cursor-foreground": "#ffffff",
    },
)

LIGHT = Theme(
    name="callboard-light",
    primary="#005faf",
    secondary="#44617f",
    accent="#af5f00",
    warning="#8a5200",
    error="#b03a00",
    success="#005faf",
    foreground="#1c2430",
    background="#fafafa",
    surface="#f0f2f5",
    panel="#e2e6ec",
    dark=False,
    variables={
        "text-muted": "#566273",
        "block-cursor-background": "#005faf",
        "block-cursor-foreground": "#ffffff",
    },
)

THEMES = (DARK, LIGHT)
