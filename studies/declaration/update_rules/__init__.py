"""The update rules that belong to the platform, one module each, and the door for all others.

`loading` finds a rule by its name, by its file, or by its module.
"""
