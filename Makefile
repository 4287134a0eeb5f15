# The course kit's commands. `make` lists them; nothing has to be installed by hand but Python and make.

ASSIGNMENT ?= tta-eta
SUBMITTED  ?= submitted
OUT        ?= graded
JOBS       ?=
TRAIN      ?=
SEED       ?=
SANDBOX    ?=
SCHEDULER  ?=
JUPYTER    ?=
NOTEBOOK   ?=
SOUNDFONT  ?=
TESTS      ?=
SIZES      ?=
CHROMIUM   ?=
AXE        ?=
ONLY       ?=
FORMAT     ?=
ROSTER     ?=
COLUMN     ?=

# Installs the packages; all other versions are in requirements.lock.
UV := uv==0.13.9

# The rules that `make test-browser` tries on the pages.
AXE_CORE := 4.14.1

# A machine that shows an NVIDIA GPU gets TensorFlow's GPU build. `make GPU= ...` asks for the CPU build there.
GPU  := $(shell nvidia-smi -L 2>/dev/null | grep -c '^GPU' | grep -v '^0')
LOCK := $(if $(GPU),requirements-gpu.lock,requirements.lock)

PY      := .venv/bin/python
READY   := .venv/.ready-$(basename $(LOCK))
DATA_PY := .venv-data/bin/python
DATA    := $(addprefix data/uiowa_,std_scale_train_data.npy permuted_train_labels.npy std_scale_test_data.npy test_labels.npy)
GRADER  := $(PY) -m autograder

.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup data release validate autograde rejudge feedback report export gradescope new-term formgrader demo lab test test-browser test-versions lint fidelity scheduler worker profile bench docs hostile kills lock clean distclean have-data

help: ## list the commands (this is the default)
	@echo "make <command>, one of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile
	@echo "Settings: ASSIGNMENT=$(ASSIGNMENT) SUBMITTED=$(SUBMITTED) OUT=$(OUT) JOBS=(one more than cores) PYTHON=(3.11 to 3.13)"

setup: $(READY) ## make .venv with the pinned packages (every command that needs it does this by itself)
	@echo "Ready: .venv with $$($(PY) --version) and the packages of $(LOCK)."

data: .venv-data/.ready ## render the instrument notes again and write the four files in data/; SOUNDFONT=file takes another
	@$(DATA_PY) data/make_data.py $(if $(SOUNDFONT),--soundfont "$(SOUNDFONT)")

release: $(READY) ## make the students' notebook in release/ from source/
	@$(GRADER) release --assignment "$(ASSIGNMENT)"

validate: $(READY) ## check that the release fails cleanly and the solution passes; NOTEBOOK=path checks one notebook
	@$(GRADER) validate --assignment "$(ASSIGNMENT)" $(if $(NOTEBOOK),"$(NOTEBOOK)")

autograde: $(READY) ## grade SUBMITTED/ into OUT/; JOBS=2 at a time, TRAIN=real trains for real, SEED=1 draws the same again, SANDBOX=podman takes Podman
	@$(GRADER) autograde --assignment "$(ASSIGNMENT)" --submitted "$(SUBMITTED)" --out "$(OUT)" \
	    $(if $(JOBS),--jobs $(JOBS)) $(if $(TRAIN),--train $(TRAIN)) $(if $(SEED),--seed $(SEED)) $(if $(SANDBOX),--sandbox $(SANDBOX)) \
	    $(if $(SCHEDULER),--scheduler "$(SCHEDULER)")

rejudge: $(READY) ## judge kept evidence again after a check was edited; nothing is run
	@$(GRADER) rejudge --assignment "$(ASSIGNMENT)" --out "$(OUT)"

report: $(READY) ## write feedback pages, class report and grades.csv again, with points that a person gave since
	@$(GRADER) report --assignment "$(ASSIGNMENT)" --out "$(OUT)"

feedback: report ## the same as report

export: $(READY) ## write points for another system: FORMAT=canvas, moodle (both with ROSTER=its table of the class) or nbgrader
	@$(GRADER) export --format "$(FORMAT)" --assignment "$(ASSIGNMENT)" --out "$(OUT)" \
	    $(if $(ROSTER),--roster "$(ROSTER)") $(if $(COLUMN),--column "$(COLUMN)")

gradescope: $(READY) ## pack the grader for Gradescope, into release/
	@$(GRADER) gradescope --assignment "$(ASSIGNMENT)"

# TERM counts only where it was given to make: in the environment it names the terminal.
new-term: $(READY) ## put OUT/ and SUBMITTED/ aside under terms/ and begin anew; TERM=2027-spring names the new term
	@$(GRADER) new-term --out "$(OUT)" --submitted "$(SUBMITTED)" -- "$(if $(findstring command,$(origin TERM)),$(TERM))"

demo: $(READY) have-data ## release the lab, grade a made-up class and show the result
	@$(GRADER) demo

formgrader: $(READY) ## open nbgrader's formgrader on OUT/, to read the comments and give points by hand
	@OUT="$(OUT)" $(PY) -m jupyter lab --LabApp.default_url=/formgrader $(JUPYTER)

lab: $(READY) have-data ## run the whole lab with its solution on this machine, training for real
	@$(GRADER) lab --assignment "$(ASSIGNMENT)"

test: lint ## lint, then all tests; TESTS="tests/test_x.py -k name" picks some
	@$(PY) -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal $(TESTS)

test-browser: $(READY) ## open pages and servers in Chromium, and try axe-core's rules; what is missing is fetched, or CHROMIUM=path AXE=path
	@CHROMIUM="$(CHROMIUM)" $(PY) -m tests.browser.chromium
	@[ -n "$(AXE)" ] || npm install --silent --prefix .tools axe-core@$(AXE_CORE) \
	  || echo "axe-core could not be fetched with npm: its test is left out." >&2
	@CHROMIUM="$(CHROMIUM)" AXE="$(AXE)" $(PY) -m pytest -m browser $(TESTS)

test-versions: $(READY) ## try the kit with other versions of packages and Python, and write docs/versions.md; ONLY=lowest
	@$(call install-uv,.venv)
	@$(PY) -m tests.versions $(if $(ONLY),--only "$(ONLY)") $(if $(JOBS),--jobs $(JOBS))

lint: $(READY) ## check style and types
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy

fidelity: $(READY) ## measure the grader on its corpora of right and wrong submissions, under two sets of settings
	@$(PY) -m tests.fidelity $(if $(SEED),--seed $(SEED))
	@$(PY) -m tests.fidelity --changed $(if $(SEED),--seed $(SEED))
	@$(PY) -m pytest -m slow

profile: $(READY) ## show where the time of a submission goes
	@$(GRADER) profile --assignment "$(ASSIGNMENT)"

bench: $(READY) .venv-bench/.ready ## measure against nbgrader, Otter and the limit, and write docs/performance.md; ONLY=memory, SIZES=10,100
	@$(PY) -m benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(SIZES),--sizes "$(SIZES)")

docs: $(READY) .venv-docs/.ready have-data ## make the pages of docs/ and the executed notebooks into a site, docs/_build/html/index.html
	@.venv-docs/bin/python -m sphinx -W --keep-going -q -E -j auto -c docs . docs/_build/html
	@echo "Open docs/_build/html/index.html."

hostile: $(READY) ## try attacks and broken submissions, each with and without protection; ONLY=name picks some, SANDBOX=podman takes Podman
	@$(PY) -m tests.hostile $(if $(ONLY),--only "$(ONLY)") $(if $(JOBS),--jobs $(JOBS)) $(if $(SANDBOX),--sandbox $(SANDBOX))
	@$(if $(ONLY),:,$(PY) -m tests.hostile.company $(if $(SANDBOX),--sandbox $(SANDBOX)))

kills: $(READY) ## kill a grading run at 200 random moments, and check that nothing is lost
	@$(PY) -m tests.hostile.interruption --kills 200 --submissions 40

scheduler: $(READY) ## start a Dask scheduler, for `make worker` on other machines and `make autograde SCHEDULER=tcp://...`
	@$(PY) -m dask scheduler

worker: $(READY) ## start workers for SCHEDULER=tcp://host:8786 on this machine; JOBS=4 of them
	@PYTHONPATH=. $(PY) -m dask worker "$(SCHEDULER)" --nworkers $(or $(JOBS),-1) --nthreads 1 --no-dashboard

# A lock holds every package with its hashes, for all systems and Pythons that are supported. The second is the
# first with TensorFlow's build exchanged. data/requirements.lock stays: with the same versions the data have the same bytes.
lock: ## decide the versions again, after a change of requirements.in
	@$(call create,.venv) && $(call install-uv,.venv)
	@$(call compile,requirements.lock) requirements.in
	@sed -e '/^tensorflow[=<>]/d' \
	     -e 's/^tensorflow-cpu\([^ ]*\).*/tensorflow[and-cuda]\1 ; sys_platform == "linux"/' requirements.in \
	  | $(call compile,requirements-gpu.lock) --constraint requirements.lock -

compile = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
    --custom-compile-command "make lock" --output-file $(1)

clean: ## remove what the commands made; a gradebook stays, points given by hand may be in it
	@rm -rf demo lab docs/_build release/*.zip .pytest_cache .mypy_cache .ruff_cache samples/.ruff_cache .hypothesis
	@find autograder data samples tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@find source release notebooks -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +
	@if [ -e "$(OUT)/gradebook.db" ]; then \
	    echo "Kept $(OUT)/: its gradebook may hold points given by hand. Remove it yourself if it may go."; \
	else rm -rf "$(OUT)"; fi

distclean: clean ## clean, and remove the virtual environments and what was fetched
	@rm -rf .venv .venv-data .venv-bench .venv-docs .venv-versions .tools

# The four files are in git; this is for a checkout that lost them.
have-data:
	@for file in $(DATA); do \
	  [ -e $$file ] || { echo "$$file is missing; making the data."; $(MAKE) --no-print-directory data; exit; }; \
	done

# $(call fill,FOLDER,LOCK): a virtual environment in FOLDER that holds what LOCK says and nothing else.
# uv is quick; where it cannot run, pip does the same.
fill = $(call create,$(1)) \
  && echo "Installing $(2) into $(1)." \
  && { $(call install-uv,$(1)) && $(1)/bin/python -m uv pip sync --quiet --python $(1)/bin/python $(2) \
     || $(1)/bin/python -m pip --disable-pip-version-check -qq install --no-deps --requirement $(2); }

install-uv = $(1)/bin/python -m pip --disable-pip-version-check -qq install "$(UV)"

fits = -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1

create = if ! $(1)/bin/python $(fits); then \
    for python in "$(PYTHON)" python3.11 python3.12 python3.13 python3; do \
      [ -n "$$python" ] && "$$python" $(fits) && break; python=; \
    done; \
    if [ -z "$$python" ]; then \
      echo "No Python 3.11, 3.12 or 3.13 with its venv module was found; install one or name it: make PYTHON=/path/to/python3." >&2; \
      exit 1; \
    fi; \
    echo "Making $(1) with $$("$$python" --version)."; \
    "$$python" -m venv --clear $(1); \
  fi

# The first import compiles the packages, which a sandboxed kernel may not do, and shows at once if one is broken.
$(READY): $(LOCK) Makefile
	@$(call fill,.venv,$(LOCK))
	@env -u PYTHONDONTWRITEBYTECODE TF_CPP_MIN_LOG_LEVEL=3 $(PY) -c "import tensorflow, seaborn, zeus.monitor, nbclient, \
	    nbgrader.api, ipykernel.kernelapp" 2>.venv/import.log || { cat .venv/import.log >&2; exit 1; }
	@rm -f .venv/import.log .venv/.ready-*
	@touch $@

# It sees the packages of .venv, so that both graders run the same TensorFlow.
.venv-bench/.ready: benchmarks/requirements.txt $(READY)
	@$(PY) -m venv --clear --without-pip .venv-bench
	@$(PY) -c 'import pathlib, sysconfig; \
	    there = pathlib.Path(sysconfig.get_path("purelib", vars={"base": ".venv-bench"})); \
	    (there / "kit.pth").write_text(sysconfig.get_path("purelib"))'
	@$(call install-uv,.venv)
	@$(PY) -m uv pip install --quiet --python .venv-bench/bin/python --no-deps --requirement benchmarks/requirements.txt
	@touch $@

.venv-docs/.ready: docs/requirements.txt $(READY)
	@$(PY) -m venv --clear --without-pip .venv-docs
	@$(PY) -c 'import pathlib, sysconfig; \
	    there = pathlib.Path(sysconfig.get_path("purelib", vars={"base": ".venv-docs"})); \
	    (there / "kit.pth").write_text(sysconfig.get_path("purelib"))'
	@$(call install-uv,.venv)
	@$(PY) -m uv pip install --quiet --python .venv-docs/bin/python --no-deps --requirement docs/requirements.txt
	@touch $@

.venv-data/.ready: data/requirements.lock Makefile
	@$(call fill,.venv-data,data/requirements.lock)
	@touch $@
