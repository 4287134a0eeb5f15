"""A notebook that walks along attributes finds nothing of the runtime that can ask, report or know more than itself."""

from __future__ import annotations

import nbformat

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.execution.evidence import Act, Fit
from autograder.execution.kernels import Kernels
from autograder.execution.limits import Limits
from autograder.execution.runner import run
from autograder.execution.runtime.seal import seal
from autograder.submission.prepare import EXTRA, GIVEN, Submission

from .cells import run_cells

WALK = """
import builtins, functools, sys, types
import keras, time, datetime, json, numpy as np, pandas as pd, matplotlib, tensorflow as tf
from zeus.monitor import ZeusMonitor

LEAVES = ("measurement.py", "errors.py", "fork_server.py", "isolation.py", "processes.py",
          "gc_tuning.py", "loading.py")

def parts(thing):
    if isinstance(thing, types.FunctionType):
        yield thing.__globals__
        yield from (cell.cell_contents for cell in thing.__closure__ or () if has_contents(cell))
        yield thing.__defaults__
        yield thing.__kwdefaults__
    if isinstance(thing, types.MethodType):
        yield from (thing.__self__, thing.__func__)
    if isinstance(thing, (classmethod, staticmethod)):
        yield thing.__func__
    if isinstance(thing, functools.partial):
        yield from (thing.func, thing.args, thing.keywords)
    if isinstance(thing, property):
        yield from (thing.fget, thing.fset, thing.fdel)
    if isinstance(thing, dict):
        yield from thing.values()
    if isinstance(thing, (list, tuple, set, frozenset)):
        yield from list(thing)[:5000]
    if isinstance(thing, type):
        yield from type.__subclasses__(thing) if thing is not type else ()
        yield dict(vars(thing))
    else:
        try:
            yield vars(thing)
        except TypeError:
            pass

def has_contents(cell):
    try:
        cell.cell_contents
        return True
    except ValueError:
        return False

def is_of_runtime(thing):
    if not isinstance(thing, types.FunctionType):
        return False
    name = thing.__code__.co_filename
    return "/runtime/" in name and not name.endswith(LEAVES)

seen, waiting, found = set(), [sys.modules, get_ipython(), object, builtins, keras.Model, ZeusMonitor()], []
while waiting and len(seen) < 1_500_000:
    thing = waiting.pop()
    if id(thing) in seen:
        continue
    seen.add(id(thing))
    if is_of_runtime(thing):
        found.append(f"{thing.__code__.co_filename}: {thing.__qualname__}")
    try:
        waiting.extend(parts(thing))
    except Exception:
        continue
print("SEEN", len(seen), "FOUND", found)
metrics_vs_lr = [len(seen), *found]
"""


def test_no_way_along_attributes_leads_to_the_runtime(warm_kernels: Kernels, assignment: Assignment) -> None:
    done = run_cells(warm_kernels, assignment, WALK)
    value = done.evidence.value("metrics_vs_lr")
    assert value is not None, done.executed.cells[0].outputs
    assert value.items is not None
    assert (value.items[0].number or 0) > 100_000
    assert [item.text for item in value.items[1:]] == []


def test_a_sealed_function_is_called_as_before_and_hides_what_it_holds() -> None:
    secret = ["secret"]

    def greet(name: str, mark: str = "!") -> str:
        """Greet somebody."""
        return f"{secret[0]} {name}{mark}"

    sealed = seal(greet)
    assert sealed("x", mark="?") == "secret x?"
    assert sealed.__doc__ == "Greet somebody."
    assert not hasattr(sealed, "__closure__")
    assert not hasattr(sealed, "__globals__")
    assert not hasattr(sealed, "__wrapped__")
    kind = type("Kind", (), {"greet": sealed})
    assert callable(kind().greet)


LOOKS = """
import gc, sys
{look}
"""


def test_other_ways_are_reported(warm_kernels: Kernels, assignment: Assignment) -> None:
    ways = {
        "gc.get_objects()": "listed objects",
        "gc.get_referents(sys.modules)": "listed objects",
        "sys._getframe(1)": "inspected the stack",
        "try:\n    1 / 0\nexcept Exception as error:\n    error.__traceback__.tb_frame": "inspected the stack",
        "(n for n in [1]).gi_frame": "inspected the stack",
        "import ctypes; ctypes.string_at(id(1), 4)": "read memory directly",
        "open('/proc/self/mem', 'rb').close()": "opened a file outside",
        "open('/proc/self/maps').close()": "opened a file outside",
        "exec('gc.get_objects()')": "listed objects",
        "import concurrent.futures as c; c.ThreadPoolExecutor().submit(gc.get_objects).result()": "listed objects",
        "import inspect; inspect.currentframe()": "inspected the stack",
        "import inspect; inspect.stack()": "inspected the stack",
        "import traceback; list(traceback.walk_stack(None))": "inspected the stack",
        "import asyncio; asyncio.current_task().get_stack()": "inspected the stack",
        "import inspect, asyncio\ninspect.getcoroutinelocals(asyncio.current_task().get_coro())": "inspected the stack",
        "import bdb\ntry: 1 / 0\nexcept Exception as e: bdb.Bdb().get_stack(None, e.__traceback__)": "inspected the",
        "import collections, traceback as t\ntry: 1 / 0\n"
        "except Exception as e: collections.UserList(t.walk_tb(e.__traceback__))": "inspected the stack",
        "from pandas.core.computation.scope import ensure_scope\nfor n in range(1, 99):\n"
        "    try: ensure_scope(n)\n    except ValueError: break": "inspected the stack",
        "from pandas.core.computation.scope import ensure_scope; s = ensure_scope(1)\n"
        "getattr(s, '_update' if hasattr(s, '_update') else 'update')(9)": "inspected the stack",
        "import types; types._GeneratorWrapper((n for n in [1])).gi_frame": "inspected the stack",
        "import signal; signal.signal(signal.SIGUSR1, lambda *a: None)": "set a signal handler",
        "import _signal; _signal.signal(10, lambda *a: None)": "set a signal handler",
        "import threading; threading.settrace(print); threading.Thread().start()": "set a trace function",
        "import os; exec(compile('gc.get_objects()', os.__file__, 'exec'))": "under the name of another file",
        "f = lambda: 1; f.__code__.replace(co_filename=sys.modules['os'].__file__)": "under the name of another file",
        "import ctypes; ctypes.c_char.from_address(id(1))": "read memory directly",
        "await get_ipython().kernel.do_execute('1', True); gc.get_objects()": "listed objects",
        "open('own.py', 'w').write('import gc; gc.get_objects()'); import own": "listed objects",
        "sys._getframe = lambda *a: None; gc.get_objects()": "listed objects",
    }
    cells = [LOOKS.format(look=look) for look in ways]
    evidence = run_cells(warm_kernels, assignment, *cells).evidence
    acts = {(act.cell, act.what) for act in evidence.of(Act)}
    for number, what in enumerate(ways.values()):
        assert any(cell == number and what in said for cell, said in acts), (list(ways)[number], acts)


KEY = """
import sys
def look(frame):
    while frame is not None:
        for name, value in frame.f_locals.items():
            is_key = isinstance(value, bytes) and len(value) == 16
            if is_key or (isinstance(value, dict) and "setup" in value and "key" in value):
                yield name
        frame = frame.f_back
        if frame is not None and frame.f_code.co_name == "_become_kernel":
            yield "seen all"
metrics_vs_lr = list(look(sys._getframe()))
"""


def test_no_frame_above_a_cell_holds_the_key(warm_kernels: Kernels, assignment: Assignment) -> None:
    value = run_cells(warm_kernels, assignment, KEY).evidence.value("metrics_vs_lr")
    assert value is not None
    assert value.items is not None
    assert [item.text for item in value.items] == ["seen all"]


HIDDEN = """
import gc
shell = get_ipython()
def act(*results):
    gc.get_objects()
    shell.events.unregister("post_run_cell", act)
def before(info):
    if info.raw_cell == "given = 1":
        act.__code__ = act.__code__.replace(co_filename=shell.compile.get_code_name(info.raw_cell, info.raw_cell, 0))
        shell.events.register("post_run_cell", act)
shell.events.register("pre_run_cell", before)
"""


def test_an_act_under_the_name_of_a_given_cell_is_reported(warm_kernels: Kernels, assignment: Assignment) -> None:
    """What a given cell does itself is left out; code of another cell is told from it whatever name it takes."""
    cells = [nbformat.v4.new_code_cell(source) for source in (HIDDEN, "given = 1", "import gc; gc.get_objects()")]
    submission = Submission("student", nbformat.v4.new_notebook(cells=cells), (EXTRA, GIVEN, GIVEN))
    with run(submission, sample_scenario(assignment, 1), warm_kernels, limits=Limits()) as live:
        acts = [(act.cell, "objects" in act.what) for act in live.evidence.of(Act)]
        assert acts == [(0, False), (1, True)]  # the name is changed in the first cell


HARMLESS = """
import collections, dataclasses, enum, inspect, logging, traceback, typing, warnings, pandas as pd, numpy as np
Point = collections.namedtuple('Point', 'x y')
Color = enum.Enum('Color', 'red green')
T = typing.TypeVar('T')
class P(typing.NamedTuple):
    x: int
@dataclasses.dataclass
class D:
    x: int = 1
logging.warning('x'); warnings.warn('y')
try: 1 / 0
except Exception: traceback.print_exc(); traceback.format_exc()
n = 1
pd.DataFrame({'a': [1, 2]}).query('a > @n')
inspect.signature(D); inspect.getsource(logging.info)
exec('z = 1'); eval('z + 1')
import lab_helpers
"""


def test_what_a_notebook_does_for_good_reasons_is_not_reported(warm_kernels: Kernels, assignment: Assignment) -> None:
    evidence = run_cells(warm_kernels, assignment, HARMLESS, "!echo x", "%timeit -n 1 -r 1 1 + 1", "%time 1").evidence
    assert evidence.cells[0].error in (None, "ModuleNotFoundError"), evidence.cells
    assert not [act for act in evidence.of(Act) if act.what != "started a program"]


FORESEES = """
import gc, tensorflow as tf
from tensorflow.keras import Sequential, callbacks, layers, optimizers
import numpy as np
X = np.load('uiowa_std_scale_train_data.npy'); y = np.load('uiowa_permuted_train_labels.npy')
known, missed = [], []
class Looks(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if known and epoch > 0:
            missed.append(float(logs['val_accuracy']) not in known[-1])
        known.append({x for o in gc.get_objects() if isinstance(o, (list, tuple)) and len(o) < 5000
                      for x in o if type(x) is float and 0 < x < 1}
                     | {x for o in gc.get_objects() if isinstance(o, dict) and len(o) < 5000
                        for x in o.values() if type(x) is float and 0 < x < 1})
model = Sequential([layers.Input((X.shape[1],)), layers.Dense(8), layers.Dense(int(y.max()) + 1, 'softmax')])
model.compile(optimizers.Adam(0.001), 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(X, y, batch_size=128, epochs=12, validation_split=0.2, verbose=0, callbacks=[Looks()])
metrics_vs_lr = [len(missed), sum(missed)]
"""


def test_what_is_not_served_yet_is_nowhere_in_the_process(warm_kernels: Kernels, assignment: Assignment) -> None:
    """The next epoch's accuracy is a number that no container of the process holds; a repeated value may be known."""
    evidence = run_cells(warm_kernels, assignment, FORESEES).evidence
    value = evidence.value("metrics_vs_lr")
    assert value is not None, evidence.cells
    assert value.items is not None
    looked, unknown = (item.number or 0 for item in value.items)
    (fit,) = evidence.of(Fit)
    new = [v for n, v in enumerate(fit.val_accuracy) if n and v not in fit.val_accuracy[:n]]
    assert looked == 11
    assert unknown >= len(new) - 1
