"""A device by what the user wrote: a name, the file of a law, or an object of aihwkit."""
