"""Telling people: the gradebook, the feedback pages and the report on the class."""
