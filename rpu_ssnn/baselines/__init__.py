"""The float network and the control, with which SSNN-BP is compared."""
