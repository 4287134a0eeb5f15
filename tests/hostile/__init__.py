"""Attacks and faults, each tried twice: against the protection, and without it, where it must succeed.

Every row is harmless to the machine that runs it, also unprotected: bounded in count, size and time, with bait in the
place of secrets and processes of the table's own in the place of others. What the unbounded form would be is said in
the row.
"""
