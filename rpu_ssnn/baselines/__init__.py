"""What SSNN-BP is compared with: the float network and published spiking networks."""
