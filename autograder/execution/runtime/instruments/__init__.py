"""Instruments: thin replacements for documented functions of public libraries, one module each.

Each has `install(session)`, which replaces the functions and may add steps to the session: functions to call after each
cell, and questions to answer. The module's docstring lists the events that the instrument reports. A new instrument is
a module here, its name in `loading.INSTRUMENTS`, and its event types in `autograder.execution.evidence`.

Three modules are not instruments but parts of the one for Keras: `devices` (the GPUs that TensorFlow sees, set before
all instruments), `weights` (the test rows that a model gets wrong) and `model_parts` (descriptions of models).
"""
