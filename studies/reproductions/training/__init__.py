"""Trains networks by the update rules of other papers."""
