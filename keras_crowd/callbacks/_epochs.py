"""Numbers of epochs, as users give them."""


def as_epochs(number: float, epochs: int) -> float:
    """`number` of epochs; below 1, it is a share of all `epochs`."""
    return number * epochs if number < 1 else number
