"""Training on a data set: the loop over epochs, and the spiking network that it trains."""

from rpu_ssnn.training.spiking import Trained, train

__all__ = ["Trained", "train"]
