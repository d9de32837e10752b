"""Rules and figures of published papers, which the platform itself does not need.

`rules` holds update rules of other papers, `training` holds how they train, and `figures` draws the
figures of the paper behind this platform that are no sweep of a study.
"""
