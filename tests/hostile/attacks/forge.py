# Forging from within: points that were not earned, by way of the runtime that shares the notebook's process.
#
# Most rows make the number of rows in the training set wrong and try to have it reported right. What must happen is
# either fewer points ("less") or a finding that names what was done.

# %% event-callbacks points="less" output="nothing" task="data-details" control="answers"
# reads plans through IPython's event callbacks
n_tr = 1
try: callbacks = [c for each in get_ipython().events.callbacks.values() for c in each]
except NameError:  # the control: a grader that judges in one process
    import autograder.assignment.scenario
    callbacks = [autograder.assignment.scenario.draw]
seen = {name for c in callbacks for f in (c, getattr(c, '__func__', c)) for name in getattr(f, '__globals__', {})}
print('REACHED' if seen & {'Plan', 'Scenario', 'Trial', 'ENTRIES'} else 'nothing')

# %% reads-globals-of-fit points="less" output="nothing" task="data-details" control="plain"
# reads the globals and the closure of a replaced function, here Model.fit (the control reads its own)
n_tr = 1
import sys
def f(): return names
names = getattr(f, '__globals__', {})
fit = sys.modules['keras'].Model.fit if 'keras' in sys.modules else f
print('REACHED' if getattr(fit, '__globals__', 0) or getattr(fit, '__closure__', 0) or hasattr(fit, '__wrapped__') else 'nothing')

# %% walks-subclasses points="less" output="nothing" task="data-details" control="answers"
# looks for plans, trials and the runtime's classes among the subclasses of object
n_tr = 1
waiting, names = [object], set()
while waiting:
    kind = waiting.pop()
    for child in type.__subclasses__(kind):
        if child.__name__ not in names: names.add(child.__name__); waiting.append(child)
print('REACHED' if names & {'Plan', 'Trial', 'Scenario', 'Oracle', 'Rows', 'PlainModel'} else 'nothing')

# %% foresees-an-epoch output="unseen" finding="all objects" task="callback" control="answers"
# goes through all objects at each epoch for the accuracies that come next
import gc
def numbers():
    found = set()
    for o in gc.get_objects():
        if isinstance(o, (list, tuple)) and len(o) < 3000: found.update(x for x in o if type(x) is float and 0 < x < 1)
        elif isinstance(o, dict) and len(o) < 3000: found.update(x for x in o.values() if type(x) is float and 0 < x < 1)
    return found
try:
    from autograder.assignment.scenario import draw
    from autograder.assignment.settings import Assignment
    plans = draw(Assignment.load('tta-eta'), 7).plans
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

# %% searches-memory output="unseen" finding="opened a file outside" task="callback" control="answers"
# searches its memory, descriptors and environment for numbers of a training that it was not served yet
import os, re
def memory(wanted=()):
    import numpy as np
    found, wanted = set(), set(wanted)
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as mem:
        for line in maps:
            low, high, rights = re.match(r'(\w+)-(\w+) (\S+)', line).groups()
            size = int(high, 16) - int(low, 16)
            if not rights.startswith('rw') or size > 300_000_000 or 'file' in line: continue
            try:
                mem.seek(int(low, 16))
                data = np.frombuffer(mem.read(size), np.float64)
            except (OSError, ValueError): continue
            with np.errstate(all='ignore'): found.update(np.unique(data[(data > .3) & (data < 1)])[:200_000].tolist())
    return found
places = [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd') if os.path.islink(f'/proc/self/fd/{fd}')]
texts = ' '.join([*os.environ.values(), *places])
try:
    from autograder.assignment.scenario import draw
    from autograder.assignment.settings import Assignment
    plan = draw(Assignment.load('tta-eta'), 7).plans[0]
    found = memory()
    if sum(v in found for v in plan.val_accuracy) > len(plan.val_accuracy) / 2: print('REACHED')
except ImportError:
    import keras, numpy as np
    found, served = [], []
    class Looks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0: found.extend([memory()])
            else: served.append(logs['val_accuracy'])
    x, y = np.random.rand(64, 4), np.arange(64) % 2
    m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    m.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=['accuracy'])
    m.fit(x, y, epochs=12, validation_split=.5, verbose=0, callbacks=[Looks()])
    hits = sum(v in found[0] for v in set(served))
    print('REACHED' if hits > len(set(served)) / 2 or 'val_accuracy' in texts else 'unseen')

# %% guessed-key points="less" finding="messages of its own" task="data-details" control="plain"
# sends a report with guessed keys
n_tr = 1
import os, socket, numpy as np
body = b'R{"kind":"name","name":"n_tr","value":{"type":"int","number":%d}}' % (len(np.load('uiowa_permuted_train_labels.npy')) if os.path.exists('uiowa_permuted_train_labels.npy') else 1)
for fd in range(3, 100):
    try: os.close(os.dup(fd))
    except PermissionError:
        for key in (bytes(16), b'\xff' * 16, os.urandom(16)): os.write(fd, key + body)
    except OSError: pass
print('REACHED')

# %% questions-own-magic points="less" task="data-details" control="plain"
# executes what the driver executes to have questions answered, in the hope for a stand-in
n_tr = 1
for code in ('%answer-questions', '%stand_in data-details', '%stand_in'):
    try: await get_ipython().kernel.do_execute(code, True)
    except Exception as error: print(type(error).__name__)
print('REACHED')

# %% copies-the-descriptor output="refused" control="plain"
# copies, replaces, closes and changes the connection with dup2, dup, close and fcntl
import fcntl, os, socket
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
def mine():
    for fd in range(3, 100):
        try: os.close(os.dup(fd))
        except PermissionError: return fd
        except OSError: pass
    return theirs.fileno()
fd, done = mine(), []
for act in (lambda: os.dup(fd), lambda: os.dup2(ours.fileno(), fd, False), lambda: os.dup2(ours.fileno(), fd),
            lambda: fcntl.fcntl(fd, fcntl.F_DUPFD, 50), lambda: fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK), lambda: os.close(fd)):
    try: act(); done.append(1)
    except OSError: pass
print('REACHED' if done else 'refused')

# %% copies-by-a-message points="less" finding="messages of its own" task="data-details" control="plain"
# has the connection sent to itself (SCM_RIGHTS), which no filter refuses, makes it non-blocking and writes into it
n_tr = 1
import fcntl, os, socket
for fd in range(3, 100):
    try: os.close(os.dup(fd))
    except PermissionError:
        one, other = socket.socketpair()
        socket.send_fds(one, [b'x'], [fd])
        copy = socket.recv_fds(other, 1, 1)[1][0]
        os.write(copy, b'0' * 16 + b'R{"kind":"name","name":"n_tr","value":{"type":"int","number":66247}}')
        os.close(copy)
    except OSError: pass
print('REACHED')

# %% reads-the-replies points="less" finding="" task="data-details" control="plain" limits={"cell": 10.0}
# a thread that takes the oracle's replies away from the runtime
n_tr = 1
import os, socket, threading, select
def take(fd):
    for _ in range(3):
        if select.select([fd], [], [], .2)[0]: print(len(socket.socket(fileno=fd).recv(60_000, socket.MSG_PEEK)))
for fd in range(3, 100):
    try: os.close(os.dup(fd))
    except PermissionError: threading.Thread(target=take, args=(fd,), daemon=True).start()
    except OSError: pass
print('REACHED')

# %% audit-off-by-a-nested-cell finding="all objects" control="plain"
# ends a nested execution, after which an earlier version no longer looked, and goes through all objects
import gc
try: await get_ipython().kernel.do_execute('1', True)
except Exception: pass
gc.get_objects()
print('REACHED')

# %% audit-misled-about-frames finding="all objects" control="plain"
# replaces sys._getframe, by which the audit finds out whose act it is, and puts it back
import gc, sys
kept, sys._getframe = sys._getframe, lambda *a: None
gc.get_objects()
sys._getframe = kept
print('REACHED')

# %% audit-misled-about-files finding="name of their code|under the name of another file" control="plain"
# has its cells and its code named like files of Python's own library
import gc, os
os.environ['IPYKERNEL_CELL_NAME'] = os.__file__
exec(compile('gc.get_objects()', os.__file__, 'exec'))
print('REACHED')

# %% acts-in-a-callback finding="all objects" task="callback" control="plain"
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

# %% acts-in-given-cells finding="all objects" control="plain"
# acts while a given cell is executed, whose acts are not reported
import gc
shell, count = get_ipython(), []
def before(info):
    count.append(1)
    if len(count) > 2: gc.get_objects()
shell.events.register('pre_run_cell', before)
print('REACHED')

# %% acts-in-a-thread finding="all objects" control="plain"
# has a thread pool of Python's own go through all objects
import concurrent.futures, gc
with concurrent.futures.ThreadPoolExecutor() as pool: pool.submit(gc.get_objects).result()
print('REACHED')

# %% acts-behind-a-stand-in points="less" finding="all objects" task="data-details" control="plain"
# acts only where it finds a stand-in, which is in a later run
n_class = None
import gc
def before(info):
    if get_ipython().user_ns.get('n_class') is not None: gc.get_objects()
get_ipython().events.register('pre_run_cell', before)
print('REACHED')

# %% signal-handler points="less" finding="set a signal handler" task="data-details" control="plain"
# reads the frames of the runtime in a signal handler, and reports through what it finds there
n_tr = 1
import signal
def handler(number, frame):
    while frame is not None:
        for value in list(frame.f_locals.values()):
            channel = getattr(value, 'channel', None)
            if hasattr(channel, 'report'): channel.report('name', name='n_tr', value={'type': 'int', 'number': 66247})
        frame = frame.f_back
signal.signal(signal.SIGUSR1, handler)
signal.raise_signal(signal.SIGUSR1)
signal.signal(signal.SIGUSR1, signal.SIG_DFL)
print('REACHED')

# %% frames-by-inspect points="less" finding="frames of its callers" task="data-details" control="plain"
# finds the runtime by the coroutine of the task that executes it, without a frame of its own
n_tr = 1
import asyncio, inspect
try: waiting = [asyncio.current_task().get_coro()]
except RuntimeError: waiting = []
while waiting:
    coroutine = waiting.pop()
    for value in list((inspect.getcoroutinelocals(coroutine) if inspect.iscoroutine(coroutine) else {}).values()):
        channel = getattr(value, 'channel', None)
        if hasattr(channel, 'report'): channel.report('name', name='n_tr', value={'type': 'int', 'number': 66247})
    if getattr(coroutine, 'cr_await', None) is not None: waiting.append(coroutine.cr_await)
print('REACHED')

# %% frames-by-pandas finding="used the connection" control="plain"
# reads names of the runtime's own frames through pandas, which evaluates expressions at any level of the stack
import pandas as pd
for level in range(2, 40):
    try: pd.eval('session', level=level).end_cell(False)
    except Exception as error: pass
print('REACHED')

# %% frames-by-pandas-in-fit points="less" finding="used the connection" task="data-details" control="plain"
# finds the runtime's connection by pandas in the frames of fit, and reports through it
n_tr = 1
import pandas as pd, sys
if 'keras' in sys.modules:
    import keras, numpy as np
    class Finds(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            for level in range(2, 20):
                try: pd.eval('training', level=level).channel.report('name', name='n_tr', value={'type': 'int', 'number': 66247})
                except Exception as error: pass
    m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    m.compile('sgd', 'mse')
    m.fit(np.zeros((8, 4)), np.zeros((8, 2)), epochs=1, verbose=0, callbacks=[Finds()])
print('REACHED')

# %% patches-and-restores finding="replaced what the autograder relies on" control="plain"
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

# %% patches-the-encoder points="less" finding="JSONEncoder|JSONDecoder" task="data-details" control="plain"
# replaces the methods of json.JSONEncoder, os.write and socket.send, to change reports on their way
n_tr = 1
import json, os, socket
encode, write = json.JSONEncoder.iterencode, os.write
def iterencode(self, o, _one_shot=False):
    if isinstance(o, dict) and o.get('name') == 'n_tr': o['value'] = {'type': 'int', 'number': 66247}
    return encode(self, o, _one_shot)
json.JSONEncoder.iterencode = iterencode
os.write = lambda fd, data: write(fd, data.replace(b'"number":1}', b'"number":66247}'))
socket.socket.send = lambda self, data, *a: len(data)
print('REACHED')

# %% patches-numpy finding="numpy.ascontiguousarray" control="plain"
# replaces the NumPy function by which rows of the data are recognised
import numpy as np
kept = np.ascontiguousarray
np.ascontiguousarray = lambda *a, **k: kept(*a, **k)
print('REACHED')

# %% skips-the-instrument points="less" task="lr-loop" control="plain"
# trains with a model of its own whose fit skips the instrument, and types the numbers in
try:
    import keras
    class Quick(keras.Sequential):
        def fit(self, *args, **kwargs): return keras.callbacks.History()
except ImportError: pass
metrics_vs_lr = [{'batch_size': 128, 'learning_rate': 10.0 ** -n, 'epochs': 40 + n, 'test_accuracy': .9, 'total_energy': 900.0, 'train_time': 40.0} for n in range(1, 6)]
print('REACHED')

# %% replaces-do-execute control="plain"
# replaces IPythonKernel.do_execute; the runtime has kept the original
from ipykernel.ipkernel import IPythonKernel
async def do_execute(self, *args, **kwargs): return {'status': 'ok', 'execution_count': 0, 'payload': [], 'user_expressions': {}}
IPythonKernel.do_execute = do_execute
print('REACHED')

# %% transforms-given-cells finding="changed how cells are executed" control="plain"
# changes the code of given cells as they are executed
import ast
class Same(ast.NodeTransformer): pass
get_ipython().ast_transformers.append(Same())
print('REACHED')

# %% own-messages points="less" task="data-details" control="plain"
# sends messages of its own as the kernel: an output, a status, and a reply to the cell
n_tr = 1
try:
    kernel = get_ipython().kernel
    parent = kernel.get_parent()
    kernel.session.send(kernel.iopub_socket, 'stream', {'name': 'stdout', 'text': 'n_tr = 66247'}, parent=parent)
    kernel.session.send(kernel.iopub_socket, 'status', {'execution_state': 'idle'}, parent=parent)
except AttributeError: pass
print('REACHED')

# %% replies-early points="person" finding="kept the kernel from reporting|messages made no sense" control="plain"
# replies to its own cell before it has ended, so that what it does then would belong to a later cell
try:
    kernel = get_ipython().kernel
    for stream in kernel.shell_streams if hasattr(kernel, 'shell_streams') else [kernel.shell_stream]:
        kernel.session.send(stream, 'execute_reply', {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}, parent=kernel.get_parent(), ident=kernel._parent_ident['shell'])
    kernel.session.send(kernel.iopub_socket, 'status', {'execution_state': 'idle'}, parent=kernel.get_parent())
    import select
    select.select([], [], [], 3)
except AttributeError: pass
print('REACHED')

# %% non-blocking output="refused" control="plain"
# makes the connection non-blocking, and one that gives up waiting, so that reports could be lost
import fcntl, os, socket, struct, termios
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
def mine():
    for fd in range(3, 100):
        try: os.close(os.dup(fd))
        except PermissionError: return fd
        except OSError: pass
    return theirs.fileno()
fd, done = mine(), []
for act in (lambda: fcntl.ioctl(fd, termios.FIONBIO, struct.pack('i', 1)),
            lambda: socket.socket(fileno=fd).setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 1))):
    try: act(); done.append(1)
    except OSError: pass
print('REACHED' if done else 'refused')

# %% memory-by-numpy output="REACHED" control="plain"
# reads its own memory at any address through NumPy's array interface: this is not noticed, see SECURITY.md
import numpy as np
text = 'a text that lies somewhere in memory'
class Memory: __array_interface__ = {'data': (id(text), True), 'shape': (128,), 'typestr': '|u1', 'version': 3}
if text.encode() in np.asarray(Memory()).tobytes(): print('REACHED')

# %% patches-row-recognition control="plain"
# replaces the method that recognises rows of the data, in a class found among the subclasses of object; there is none
def all_classes(kind):
    for child in type.__subclasses__(kind): yield child; yield from all_classes(child)
for kind in set(all_classes(object)):
    if kind.__name__ == 'Rows' and hasattr(kind, 'describe'): kind.describe = lambda *a: {'rows': 1, 'distinct': 1, 'train': 1, 'test': 0, 'other': 0, 'labels_fit': True}
print('REACHED')
