"""Contains the update rules of other papers, one module each.

A study uses the names of these modules. The rules use only what a user's rule can use too.
"""
