"""Minimal bodies of documents that every store accepts."""


def body(state: str = "received", minute: int = 0, **more: object) -> dict[str, object]:
    return {"state": state, "received": f"2026-11-02T10:{minute:02}:00+00:00", **more}
