"""Instruments: thin stand-ins for documented functions of public libraries, one module for each.

Each has `install(session)`, which replaces the functions and may add steps to the session: what is done after each
cell, and which questions it answers. The module's docstring lists the events that it reports. A new instrument is a
module here, its name in `loading.INSTRUMENTS`, and its event types in `autograder.execution.evidence`.

Three modules are no instruments but parts of that for Keras: `devices` (which GPUs TensorFlow sees, set before all
instruments), `weights` (which test rows a model gets wrong) and `model_parts` (how a model is described).
"""
