"""Attacks and faults, each tried twice: with protection, and without it, when it must succeed.

Every row is harmless to the machine, even without protection: it is limited in number, size and time, and uses bait
instead of secrets and its own processes instead of others. The description of the row names the unlimited form.
"""
