"""Reporting results: the gradebook, the feedback pages and the class report."""
