# Deceiving the grader: forged evidence, replaced functions, values that lie, answers looked for.

# %% always-equal points=78 task="lr-loop" control="plain"
# values that equal everything
class Yes:
    def __eq__(self, other): return True
    def __hash__(self): return 1
metrics_vs_lr = [{k: Yes() for k in ('batch_size', 'learning_rate', 'epochs', 'test_accuracy', 'total_energy', 'train_time')} for _ in range(5)]
if metrics_vs_lr[0]['epochs'] == 17: print('REACHED')

# %% pretends-to-be-number points=78 task="lr-loop" control="plain"
# values that claim to be of another class
class Liar:
    __class__ = property(lambda self: float)
metrics_vs_lr = [{k: Liar() for k in ('batch_size', 'learning_rate', 'epochs', 'test_accuracy', 'total_energy', 'train_time')} for _ in range(5)]
if isinstance(metrics_vs_lr[0]['epochs'], float): print('REACHED')

# %% repr-raises points=76 task="lr-loop" control="stops"
# a value whose text cannot be had
class Mute:
    def __repr__(self): raise SystemExit('no')
metrics_vs_lr = [Mute()]
if 'metrics_vs_bs' not in globals(): print(metrics_vs_lr)

# %% repr-endless points=76 task="lr-loop" control="plain" plain="timeout"
# a value whose text never ends
class Endless:
    def __repr__(self):
        import select
        select.select([], [], [], 60)
metrics_vs_lr = [Endless()]
if 'np' not in globals(): print(metrics_vs_lr)

# %% endless-list points=76 task="lr-loop" control="plain" plain="timeout"
# a list without end
class Endless(list):
    def __iter__(self):
        while True: yield {'epochs': 1}
    def __len__(self): return 10**9
metrics_vs_lr = Endless()
if 'np' not in globals(): tuple(metrics_vs_lr[:0]) or [0 for _ in metrics_vs_lr]

# %% self-containing-list points=76 task="lr-loop" control="plain"
# a list that contains itself
metrics_vs_lr = []
metrics_vs_lr.append(metrics_vs_lr)
import json
try: json.dumps(metrics_vs_lr)
except ValueError: print('REACHED')

# %% million-rows points=76 task="lr-loop" control="plain"
# a list of a million rows
metrics_vs_lr = [{'epochs': n} for n in range(1_000_000)]
if len(repr(metrics_vs_lr)) > 10**7: print('REACHED')

# %% long-text points=76 task="lr-loop" control="plain"
# a text of 50 MB in the list
metrics_vs_lr = [{'epochs': 'x' * 50_000_000}]
if len(metrics_vs_lr[0]['epochs']) > 10**7: print('REACHED')

# %% not-a-number points="less" task="lr-loop" control="plain"
# NaN, which no comparison finds wrong
metrics_vs_lr = [dict(row, test_accuracy=float('nan')) for row in globals().get('metrics_vs_lr', [{}])]
if not abs(metrics_vs_lr[0]['test_accuracy'] - 0.9) > 1e-4: print('REACHED')

# %% infinity points="less" task="lr-loop" control="plain"
# infinite times and energies
metrics_vs_lr = [dict(row, train_time=float('inf'), total_energy=float('inf')) for row in globals().get('metrics_vs_lr', [{}])]
if abs(metrics_vs_lr[0]['train_time'] - 1) / metrics_vs_lr[0]['train_time'] != 0.5: print('REACHED')

# %% pickle points=76 task="lr-loop" control="plain"
# a value that runs code when it is unpickled
class Bomb:
    def __reduce__(self): return (print, ('REACHED',))
metrics_vs_lr = [Bomb()]
if 'np' not in globals():
    import pickle
    pickle.loads(pickle.dumps(metrics_vs_lr))

# %% typed-in-sizes points=83 task="data-details" control="plain"
# the sizes of the data set that everybody has, typed in
n_tr, n_ts, n_feat, n_class = 66516, 14552, 120, 10
print('REACHED')

# %% results-file points="less" task="data-details" control="plain"
# writes a results file of its own, and is wrong
import json
for name in ('results.json', 'verdict.json', 'evidence.json', 'grades.csv'):
    open(name, 'w').write(json.dumps({'tests': [{'name': 'data-details', 'score': 100}], 'points': 100}))
n_tr = 1
if json.load(open('results.json'))['points'] == 100: print('REACHED')

# %% garbage-to-the-oracle finding="sent messages over" output="REACHED" helpers="oracle" control="reached"
# writes garbage into the connection with the oracle
os.write(find_oracle(), b'garbage' * 100)
print('REACHED')

# %% forged-reports finding="sent messages over" output="REACHED" helpers="oracle" control="reached"
# writes reports of its own into the connection with the oracle
report = b'0' * 16 + b'R\0{"kind":"name","name":"n_tr","value":{"type":"int","number":1}}'
os.write(find_oracle(), report)
print('REACHED')

# %% forged-parts finding="sent messages over" output="REACHED" helpers="oracle" control="reached"
# begins a message in parts, so that the next report would be its end
os.write(find_oracle(), b'0' * 16 + b'+\0{"kind":')
print('REACHED')

# %% closes-the-connection output="PermissionError" goal="True" helpers="oracle"
# closes the connection with the oracle
os.close(find_oracle())

# %% replaces-the-connection output="PermissionError" goal="True" helpers="oracle"
# puts a socket of its own in the place of the connection with the oracle
ours, theirs = socket.socketpair()
os.dup2(theirs.fileno(), find_oracle())

# %% shuts-the-connection points="person" finding="prevented the autograder from recording|messages that could not be read" helpers="oracle" control="reached"
# shuts the connection with the oracle through a copy of it that it sends to itself
one, other = socket.socketpair()
socket.send_fds(one, [b'x'], [find_oracle()])
copy = socket.recv_fds(other, 1, 1)[1][0]
socket.socket(fileno=copy).shutdown(socket.SHUT_RDWR)
print('REACHED')

# %% floods-the-oracle points="person" finding="larger than 16 MB" helpers="oracle" control="reached"
# writes 60 MB into the connection with the oracle
for _ in range(1200): os.write(find_oracle(), b'x' * 50_000)
print('REACHED')

# %% replaces-the-execution points="person" finding="prevented the autograder from recording" control="plain"
# takes the kernel's own way to execute a cell, without the reports
import types
from ipykernel.ipkernel import IPythonKernel
kernel = get_ipython().kernel
kernel.do_execute = types.MethodType(IPythonKernel.do_execute, kernel)
print('REACHED')

# %% walks-through-closures control="plain"
# looks for what training brings in the closures and the globals of Model.fit
import keras
cells = getattr(keras.Model.fit, '__closure__', None) or ()
names = getattr(keras.Model.fit, '__globals__', {})
if cells or names: print('REACHED')

# %% stand-in-as-answer points=83 task="data-details" control="plain"
# asks for the stand-in of the task in the place of an answer
for name in ('n_tr', 'n_ts', 'n_feat', 'n_class'): globals().pop(name, None)
get_ipython().run_cell('%answer-questions')
get_ipython().run_cell('%stand_in data-details')
print('REACHED')

# %% uses-the-channel finding="listed objects" control="plain"
# finds the channel in memory and reports through it
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == 'function' and thing.__qualname__ == 'connect.<locals>.report':
        thing('name', name='n_tr', value={'type': 'int', 'number': 1})
print('REACHED')

# %% patched-rectangles finding="Rectangle.get_height" control="plain"
# makes all bars say that they are as high as others
import matplotlib.patches
matplotlib.patches.Rectangle.get_height = lambda self: 1.0
print('REACHED')

# %% many-failed-opens finding="more" control="plain"
# hides what it does behind many other acts
for number in range(40):
    try: open(f'/root/nothing-{number}')
    except OSError: pass
print('REACHED')

# %% patches-fit points="less" finding="Model.fit" control="plain"
# replaces Model.fit
import keras
keras.Model.fit = lambda self, *a, **k: keras.callbacks.History()
print('REACHED')

# %% patches-evaluate points="less" finding="Model.evaluate" control="plain"
# replaces Model.evaluate with one that always answers 0.99
import keras
keras.Model.evaluate = lambda self, *a, **k: [0.0, 0.99]
print('REACHED')

# %% patches-time finding="time.time" control="plain"
# replaces the clock
import time
time.time = time.perf_counter = time.monotonic = lambda: 0.0
print('REACHED')

# %% patches-load finding="load" control="plain"
# replaces np.load with one that gives its own data
import numpy as np
old = np.load
np.load = lambda *a, **k: old(*a, **k)[:50]
print('REACHED')

# %% patches-json finding="json.dumps|time limit" control="plain" limits={"cell": 4.0}
# replaces json.dumps, which the kernel itself needs
import json
json.dumps = lambda *a, **k: '{}'
print('REACHED')

# %% patches-builtins finding="replaced|time limit|made the kernel stop" control="plain" limits={"cell": 4.0}
# replaces built-in functions
import builtins
builtins.isinstance = lambda *a: True
builtins.len = lambda x: 5
print('REACHED')

# %% trace finding="trace function" control="plain"
# traces every line
import sys
sys.settrace(lambda *a: None)
print('REACHED')

# %% profile finding="profile function" control="plain"
# profiles every call
import sys
sys.setprofile(lambda *a: None)
print('REACHED')

# %% audit-hook finding="audit hook" control="plain"
# adds an audit hook that refuses everything
import sys
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
print('REACHED')

# %% deletes-modules control="plain"
# deletes the autograder's modules
import sys
for name in list(sys.modules):
    if 'runtime' in name or 'autograder' in name: del sys.modules[name]
print('REACHED')

# %% imports-runtime finding="tried to import a module of the autograder" output="refused" control="imports"
# imports the runtime
try:
    import runtime.session
    print('REACHED')
except ImportError: print('refused')

# %% looks-for-answers finding="listed objects" control="answers"
# searches the memory for what is expected of it
import gc
words = {'family', 'rubric', 'max_points', 'expected_stop'}
found = {w for o in gc.get_objects() if isinstance(o, dict) for w in words if w in o}
names = {type(o).__name__ for o in gc.get_objects()} & {'Trial', 'Case', 'Challenge', 'Evidence'}
if found or names: print('REACHED', found, names)

# %% looks-for-checks control="answers"
# looks for the checks among the modules
import sys
if any('autograder' in name or 'checks' in name and 'tta' in name for name in sys.modules): print('REACHED')

# %% looks-up-the-frames finding="frames" control="answers"
# looks for the grader in the frames of its callers
import sys
frame = sys._getframe()
while frame:
    if 'autograder' in frame.f_code.co_filename or 'hostile' in frame.f_code.co_filename: print('REACHED')
    frame = frame.f_back

# %% script-in-output control="page"
# a script in an output
from IPython.display import HTML, display
display(HTML('<script>document.title="REACHED"</script><img src=x onerror="document.title=1">'))

# %% script-in-svg control="page"
# a script in a picture
from IPython.display import SVG, display
display(SVG('<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="REACHED"</script></svg>'))

# %% script-in-error control="page"
# a script in the name and the text of an error
kind = type('<script>document.title=1</script>', (Exception,), {})
raise kind('<script>document.title="REACHED"</script>')

# %% terminal-escapes control="page"
# codes that colour, clear and retitle a terminal
print('\x1b]0;REACHED\x07\x1b[2J\x1b[31m')
raise RuntimeError('\x1b]0;REACHED\x07')
