"""Finds a device by what the user wrote: a name, a law's file, or an object of aihwkit."""
