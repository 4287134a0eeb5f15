# The commands of the course kit. `make` lists them, under the headings `##@`; `|` in a description begins a new line.
# You need nothing but Python and make.

ASSIGNMENT ?= tta-eta
SUBMITTED  ?= submitted
OUT        ?= graded
JOBS       ?=
TRAIN      ?=
SEED       ?=
SOCKET     ?=
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
MINUTES    ?=
LIMIT      ?=
RUN_AS     ?=
STUDENT    ?=
EVIDENCE   ?=
WATCH      ?=
NAME       ?=

# uv installs the packages; all other versions are in requirements.lock.
UV := uv==0.13.9

# The accessibility rules of `make test-browser`.
AXE_CORE := 4.14.1

# A machine with an NVIDIA GPU gets TensorFlow's GPU build; `make GPU= ...` installs the CPU build there.
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
.PHONY: help setup data release validate new-assignment try autograde rejudge feedback report export gradescope serve new-term formgrader demo lab test test-browser test-versions lint fidelity scheduler worker profile bench compare-fidelity architecture pictures docs hostile fuzz kills lock clean distclean have-data

##@ Everyone

help: ## list the commands (this is the default)
	@echo "Usage: make COMMAND [SETTING=value ...]"
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } \
	  /^[a-z-]+:.*## / { n = split($$2, line, " [|] "); printf "  %-17s%s\n", $$1, line[1]; \
	    for (i = 2; i <= n; i++) printf "  %-17s%s\n", "", line[i] }' Makefile
	@echo; echo "Settings: ASSIGNMENT=$(ASSIGNMENT) SUBMITTED=$(SUBMITTED) OUT=$(OUT)"
	@echo "          JOBS=(default: number of cores + 1) PYTHON=(3.11 to 3.13)"

setup: $(READY) ## install the pinned packages into .venv | Other commands do this if necessary.
	@echo "Ready: .venv with $$($(PY) --version) and the packages of $(LOCK)."

demo: $(READY) have-data ## grade a sample class on three assignments; show the results
	@$(GRADER) demo

clean: ## delete generated files, but never a folder with a gradebook
	@rm -rf demo lab docs/_build release/*.zip .pytest_cache .mypy_cache .ruff_cache samples/.ruff_cache .hypothesis
	@find autograder data samples tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@find source release notebooks -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +
	@if [ -e "$(OUT)/gradebook.db" ]; then \
	    echo "Kept $(OUT)/: its gradebook may contain points that were entered manually. Delete it yourself if you no longer need it."; \
	else rm -rf "$(OUT)"; fi

distclean: clean ## clean, and delete the virtual environments and downloads
	@rm -rf .venv .venv-data .venv-bench .venv-docs .venv-fuzz .venv-versions .tools

##@ Students

validate: $(READY) ## check NOTEBOOK=path before you submit it | Without NOTEBOOK: check the release and the solution
	@$(GRADER) validate --assignment "$(ASSIGNMENT)" $(if $(NOTEBOOK),"$(NOTEBOOK)")

##@ Graders

autograde: $(READY) ## grade the submissions in SUBMITTED/, write results to OUT/ | JOBS=2 grades two at a time, | SEED=1 grades all on the same data and training curves, | TRAIN=real trains every model, SANDBOX=podman uses Podman, | STUDENT=name grades one, SCHEDULER=address uses a cluster
	@$(GRADER) autograde --assignment "$(ASSIGNMENT)" --submitted "$(SUBMITTED)" --out "$(OUT)" \
	    $(if $(JOBS),--jobs $(JOBS)) $(if $(TRAIN),--train $(TRAIN)) $(if $(SEED),--seed $(SEED)) $(if $(SANDBOX),--sandbox $(SANDBOX)) \
	    $(if $(SCHEDULER),--scheduler "$(SCHEDULER)") $(if $(STUDENT),--student "$(STUDENT)")

formgrader: $(READY) ## open nbgrader's formgrader on OUT/ to grade manually
	@OUT="$(OUT)" $(PY) -m jupyter lab --LabApp.default_url=/formgrader $(JUPYTER)

report: $(READY) ## update the feedback pages, the class report and grades.csv
	@$(GRADER) report --assignment "$(ASSIGNMENT)" --out "$(OUT)"

feedback: report ## the same as report

export: $(READY) ## export the points to another system: FORMAT=canvas or moodle, | both with ROSTER=file, or FORMAT=nbgrader
	@$(GRADER) export --format "$(FORMAT)" --assignment "$(ASSIGNMENT)" --out "$(OUT)" \
	    $(if $(ROSTER),--roster "$(ROSTER)") $(if $(COLUMN),--column "$(COLUMN)")

rejudge: $(READY) ## apply edited checks to the recorded runs | A submission is rerun only if its record lacks data.
	@$(GRADER) rejudge --assignment "$(ASSIGNMENT)" --out "$(OUT)" --submitted "$(SUBMITTED)"

# Use TERM only if it was given to make: in the environment it names the terminal.
new-term: $(READY) ## archive OUT/ and SUBMITTED/ in terms/; TERM=2027-spring
	@$(GRADER) new-term --out "$(OUT)" --submitted "$(SUBMITTED)" -- "$(if $(findstring command,$(origin TERM)),$(TERM))"

scheduler: $(READY) ## start a Dask scheduler
	@$(PY) -m dask scheduler

worker: $(READY) ## start workers for SCHEDULER=tcp://host:8786; JOBS=4 starts 4
	@PYTHONPATH=. $(PY) -m dask worker "$(SCHEDULER)" --nworkers $(or $(JOBS),-1) --nthreads 1 --no-dashboard

##@ Instructors

new-assignment: $(READY) ## create a small assignment to start from; NAME=my-task
	@$(GRADER) new-assignment -- "$(NAME)"

try: $(READY) ## run NOTEBOOK=path, or the solution, and show all results | EVIDENCE=1 shows the record, WATCH=1 reruns after each edit
	@$(GRADER) try --assignment "$(ASSIGNMENT)" $(if $(NOTEBOOK),"$(NOTEBOOK)") $(if $(SEED),--seed $(SEED)) \
	    $(if $(EVIDENCE),--evidence) $(if $(WATCH),--watch)

release: $(READY) ## write the students' version to release/
	@$(GRADER) release --assignment "$(ASSIGNMENT)"

lab: $(READY) have-data ## run the solution notebook with real training
	@$(GRADER) lab --assignment "$(ASSIGNMENT)"

serve: $(READY) ## run a server at SOCKET=path that tells students their points | MINUTES=30 sets the minimum time between a student's requests
	@$(GRADER) serve --assignment "$(ASSIGNMENT)" --out "$(OUT)" $(if $(SOCKET),--socket "$(SOCKET)") $(if $(MINUTES),--minutes "$(MINUTES)")

gradescope: $(READY) ## package the autograder for Gradescope in release/
	@$(GRADER) gradescope --assignment "$(ASSIGNMENT)"

data: .venv-data/.ready ## generate the default data again | SOUNDFONT=file uses a different SoundFont
	@$(DATA_PY) data/make_data.py $(if $(SOUNDFONT),--soundfont "$(SOUNDFONT)")

##@ Developers

test: lint ## run linters and all tests; TESTS="tests/test_x.py -k name"
	@$(PY) -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal $(TESTS)

# The checks that instructors add need not keep to the style of the kit.
KIT_CHECKS := features fixed_epochs tta_eta __pycache__
OWN_CHECKS := $(filter-out $(KIT_CHECKS:%=autograder/checks/%/),$(wildcard autograder/checks/*/))

lint: $(READY) ## check style and types
	@$(PY) -m ruff check $(OWN_CHECKS:%=--extend-exclude "%")
	@$(PY) -m ruff format --check $(OWN_CHECKS:%=--exclude "%")
	@$(PY) -m mypy $(OWN_CHECKS:%=--exclude "%")
	@.venv/bin/lint-imports --no-cache

fidelity: $(READY) ## grade the corpora of correct and faulty submissions
	@$(PY) -m tests.fidelity $(if $(SEED),--seed $(SEED))
	@$(PY) -m tests.fidelity --changed $(if $(SEED),--seed $(SEED))
	@$(PY) -m tests.fidelity --assignment features $(if $(SEED),--seed $(SEED))
	@$(PY) -m pytest -m slow

hostile: $(READY) ## try attacks and damaged files with and without the sandbox | ONLY=name selects some, SANDBOX=podman uses Podman | RUN_AS=user runs them as that user if you are root
	@$(PY) -m tests.hostile $(if $(RUN_AS),--user "$(RUN_AS)") $(if $(ONLY),--only "$(ONLY)") $(if $(JOBS),--jobs $(JOBS)) $(if $(SANDBOX),--sandbox $(SANDBOX))
	@$(if $(ONLY),:,$(PY) -m tests.hostile.company $(if $(SANDBOX),--sandbox $(SANDBOX)))

fuzz: $(READY) .venv-fuzz/.ready ## search for input on which a parser fails | MINUTES=10 for each parser, ONLY=archive
	@.venv-fuzz/bin/python -m tests.fuzz $(if $(ONLY),--only "$(ONLY)") $(if $(MINUTES),--minutes $(MINUTES))

kills: $(READY) ## kill a grading run at 200 random moments; check the results
	@$(PY) -m tests.hostile.interruption --kills 200 --submissions 40

test-browser: $(READY) ## test pages and servers in Chromium; CHROMIUM=path AXE=path
	@CHROMIUM="$(CHROMIUM)" $(PY) -m tests.browser.chromium
	@[ -n "$(AXE)" ] || npm install --silent --prefix .tools axe-core@$(AXE_CORE) \
	  || echo "axe-core could not be fetched with npm: its test is skipped." >&2
	@CHROMIUM="$(CHROMIUM)" AXE="$(AXE)" $(PY) -m pytest -m browser $(TESTS)

test-versions: $(READY) ## test with other versions of packages and Python; ONLY=lowest
	@$(call install-uv,.venv)
	@$(PY) -m tests.versions $(if $(ONLY),--only "$(ONLY)") $(if $(JOBS),--jobs $(JOBS))

profile: $(READY) ## show how long each part of grading takes
	@$(GRADER) profile --assignment "$(ASSIGNMENT)"

bench: $(READY) .venv-bench/.ready ## measure the speed and write docs/performance.md | ONLY=memory measures one part, SIZES=10,100 sets class sizes
	@$(PY) -m benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(SIZES),--sizes "$(SIZES)")

compare-fidelity: $(READY) .venv-bench/.ready ## count what nbgrader, Otter and the kit get wrong | ONLY=nbgrader runs one, LIMIT=20 grades only some, | JOBS=2 runs two at a time. Results are kept in .fidelity/; | docs/fidelity.md is written when they are complete.
	@$(PY) -m benchmarks.fidelity $(if $(ONLY),--only "$(ONLY)") $(if $(LIMIT),--limit $(LIMIT)) $(if $(JOBS),--jobs $(JOBS))

architecture: $(READY) ## draw the imports between packages for docs/architecture.md
	@$(PY) -m docs.draw_imports

pictures: demo ## take the screenshots of the pages for docs/gallery.md
	@$(PY) -m docs.take_pictures

docs: $(READY) .venv-docs/.ready have-data ## build the documentation as a site in docs/_build/html/
	@.venv-docs/bin/python -m sphinx -W --keep-going -q -E -j auto -c docs . docs/_build/html
	@echo "Open docs/_build/html/index.html."

# A lock file contains every package with its hashes, for all supported systems and versions of Python. The second differs
# from the first only in TensorFlow's build. data/requirements.lock is not updated, so that the data keep the same bytes.
lock: ## pin the versions again after you change requirements.in
	@$(call create,.venv) && $(call install-uv,.venv)
	@$(call compile,requirements.lock) requirements.in
	@sed -e '/^tensorflow[=<>]/d' \
	     -e 's/^tensorflow-cpu\([^ ]*\).*/tensorflow[and-cuda]\1 ; sys_platform == "linux"/' requirements.in \
	  | $(call compile,requirements-gpu.lock) --constraint requirements.lock -

compile = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
    --custom-compile-command "make lock" --output-file $(1)

# The four files are in git; this is for a checkout without them.
have-data:
	@for file in $(DATA); do \
	  [ -e $$file ] || { echo "$$file is missing; generating the data."; $(MAKE) --no-print-directory data; exit; }; \
	done

# $(call fill,FOLDER,LOCK): a virtual environment in FOLDER with the packages of LOCK and nothing else.
# uv is fast; if it cannot run, pip does the same.
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
      echo "No Python 3.11, 3.12 or 3.13 with its venv module was found; install one or specify it: make PYTHON=/path/to/python3." >&2; \
      exit 1; \
    fi; \
    echo "Creating $(1) with $$("$$python" --version)."; \
    "$$python" -m venv --clear $(1); \
  fi

# The first import compiles the packages, which a sandboxed kernel may not do, and fails at once if one is broken.
$(READY): $(LOCK) Makefile
	@$(call fill,.venv,$(LOCK))
	@env -u PYTHONDONTWRITEBYTECODE TF_CPP_MIN_LOG_LEVEL=3 $(PY) -c "import tensorflow, seaborn, zeus.monitor, nbclient, \
	    nbgrader.api, ipykernel.kernelapp" 2>.venv/import.log || { cat .venv/import.log >&2; exit 1; }
	@rm -f .venv/import.log .venv/.ready-*
	@touch $@

# It uses the packages of .venv, so that both graders run the same TensorFlow.
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

.venv-fuzz/.ready: tests/fuzz/requirements.txt $(READY)
	@$(PY) -m venv --clear --without-pip .venv-fuzz
	@$(PY) -c 'import pathlib, sysconfig; \
	    there = pathlib.Path(sysconfig.get_path("purelib", vars={"base": ".venv-fuzz"})); \
	    (there / "kit.pth").write_text(sysconfig.get_path("purelib"))'
	@$(call install-uv,.venv)
	@$(PY) -m uv pip install --quiet --python .venv-fuzz/bin/python --no-deps --requirement tests/fuzz/requirements.txt
	@touch $@

.venv-data/.ready: data/requirements.lock Makefile
	@$(call fill,.venv-data,data/requirements.lock)
	@touch $@
