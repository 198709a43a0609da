"""What can go wrong, each kind with the exit status a user's script can rely on."""


class CryptoBotError(Exception):
    """A failure that is told to the user in one plain sentence: what, where, what to do."""

    exit_status = 1


class RunFailed(CryptoBotError):
    """Something ran and failed, or a check did not pass (exit status 1)."""

    exit_status = 1


class UsageError(CryptoBotError):
    """A flag, a parameter or a setting is wrong (exit status 2)."""

    exit_status = 2


class DataError(CryptoBotError):
    """Candles are missing, broken or not what they claim to be (exit status 3)."""

    exit_status = 3


class ExchangeError(CryptoBotError):
    """The exchange or its credentials refuse (exit status 4)."""

    exit_status = 4
