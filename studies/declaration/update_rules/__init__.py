"""Contains the update rules of the platform, one module each.

`loading` finds these and all other rules by name, by file, or by module.
"""
