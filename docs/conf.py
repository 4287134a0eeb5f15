"""Settings of Sphinx for `make docs`. MyST-NB executes the notebooks with the kernel of the kit and keeps their
outputs out of git. The source folder is the whole checkout, so that links work as they do on a git host."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

project = "What training costs"
copyright = ""
html_show_copyright = False
html_copy_source = False

extensions = ["myst_nb"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "notebooks/*.ipynb", "data/README.md", "SECURITY.md", "CONTRIBUTING.md"]
exclude_patterns = ["**/.ipynb_checkpoints"]

nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_output_stderr = "remove"  # warnings of libraries about this machine; an error still ends the build
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = project
html_extra_path = ["site"]
html_theme_options = {"navigation_with_keys": True}
