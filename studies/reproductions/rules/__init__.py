"""Update rules of other papers, one module each.

A study names them by the name of their module. They use nothing that a rule of the user's own
cannot use, too.
"""
