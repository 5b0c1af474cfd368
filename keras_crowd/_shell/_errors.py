"""The error of options that cannot be used."""


class UsageError(Exception):
    """Options that do not fit each other, or that lack another one."""
