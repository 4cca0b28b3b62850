"""LiteLLM's base of callbacks."""


class CustomLogger:
    """Has nothing that the callback calls."""
