"""Holds a stratified share of labelled samples out."""

import numpy as np
from jaxtyping import Int64


def hold_out(
    labels: Int64[np.ndarray, " n"], share: float, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, " kept"], Int64[np.ndarray, " held"]]:
    """Splits positions in two so that each class gives the same share, to within one sample.

    ``round(share * n)`` samples are held out. Where that does not divide evenly, the classes with
    the largest remainders give one more (the lower class first where these tie).

    Args:
        labels: the class of each sample.
        share: the part to hold out, 0 to 1.
        rng: the generator that chooses the samples of a class.

    Returns:
        The positions kept and the positions held out, each ascending.
    """
    n = len(labels)
    n_held = round(share * n)
    classes, counts = np.unique(labels, return_counts=True)
    # Quotas are whole numbers: an exact one must not fall short by a rounding error.
    quotas, remainders = np.divmod(counts * n_held, n)
    quotas[np.argsort(-remainders, kind="stable")[: n_held - quotas.sum()]] += 1
    held = np.zeros(n, dtype=bool)
    for label, quota in zip(classes, quotas, strict=True):
        held[rng.permutation(np.flatnonzero(labels == label))[:quota]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
