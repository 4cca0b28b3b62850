"""Sizes in words. Source: facts/omlx.md 1.1 (config.py:18, parse_size) and the bodies of 6.4 (format_size)."""

KIB = 1024
GIB = 1024**3


def parse_size(text: str) -> int:
    """Bytes of "8GB" (1024-based, fractions allowed) or of a plain number; ValueError for all else, "20%" included."""
    value = text.strip().upper()
    for suffix, factor in (("TB", 1024**4), ("GB", GIB), ("MB", 1024**2), ("KB", KIB), ("B", 1)):
        if value.endswith(suffix):
            return int(float(value[: -len(suffix)].strip()) * factor)
    return int(value)


def format_size(count: int) -> str:
    """"821.62KB": two decimals, the largest unit that leaves at least one."""
    size = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f}{unit}"
        size /= 1024
    return f"{size:.2f}TB"
