"""Whose fault it is: one exception class a culprit. A broken assertion is ours."""


class KoggeError(Exception):
    """Anything that the person at the keyboard can act on; its text is a whole sentence."""


class ConfigError(KoggeError):
    """The operator's fault: a file, a key, a path or a state of the installation."""


class InputError(KoggeError, ValueError):
    """The user's fault: a form field or a command's argument. The text says what would be right."""


class WireError(Exception):
    """A peer's bytes are not what the protocol says. Dropped and counted by `reason`; never a traceback."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
