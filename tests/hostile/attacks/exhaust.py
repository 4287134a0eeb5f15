# Taking more than one's share: time, memory, processes, files, output; and kernels that end or do not end.

# %% endless-loop finding="time limit" limits={"cell": 6.0, "run": 60.0} free={"cell": 60.0, "run": 120.0}
# while True (unprotected: 16 s)
import os
end = os.times().elapsed + 16
while os.times().elapsed < end: pass
print('REACHED')

# %% long-sleep finding="time limit" limits={"cell": 6.0, "run": 60.0} free={"cell": 60.0, "run": 120.0}
# sleeps for 10**6 s of real time (unprotected: 16 s)
import select
select.select([], [], [], 16)
print('REACHED')

# %% virtual-sleep output="REACHED" control="plain" plain="timeout"
# time.sleep(10**6), which takes virtual time alone
import time
time.sleep(10**6)
print('REACHED')

# %% catches-interrupt finding="time limit|made the kernel stop" limits={"cell": 2.0, "run": 60.0} free={"cell": 60.0, "run": 120.0}
# catches the interrupt and goes on (unprotected: 16 s)
import os
end = os.times().elapsed + 16
while os.times().elapsed < end:
    try:
        while os.times().elapsed < end: pass
    except BaseException: pass
print('REACHED')

# %% ignores-signals finding="time limit" limits={"cell": 2.0, "run": 60.0} free={"cell": 60.0, "run": 120.0}
# switches the interrupt off (unprotected: 16 s)
import signal, select
signal.signal(signal.SIGINT, signal.SIG_IGN)
for _ in range(16): select.select([], [], [], 1)
print('REACHED')

# %% holds-the-interpreter finding="time limit|made the kernel stop" limits={"cell": 4.0, "run": 90.0} free={"cell": 60.0, "run": 120.0}
# one long call that no interrupt reaches (unprotected: some seconds)
x = 7 ** 2_000_000
for _ in range(16): y = x * x
print('REACHED')

# %% thread-outlives-cell output="REACHED" control="plain" plain="timeout"
# a thread that goes on after its cell (unprotected: 20 s)
import threading, select
threading.Thread(target=lambda: [select.select([], [], [], .05) for _ in range(400)], daemon=False).start()
print('REACHED')

# %% thread-prints-on output="REACHED" control="plain" plain="noise"
# a thread that prints into later cells
import threading, select
def go():
    for _ in range(200):
        select.select([], [], [], .02); print('noise')
threading.Thread(target=go).start()
print('REACHED')

# %% hangs-at-exit output="REACHED" control="plain" plain="timeout"
# a hook that hangs when the kernel ends
import atexit, select
atexit.register(lambda: select.select([], [], [], 30))
print('REACHED')

# %% detached-process finding="started a program" output="REACHED" control="lingers"
# a process that detaches itself and goes on (unprotected: 20 s)
import os, subprocess, select
subprocess.Popen(['setsid', '-f', 'sleep', '20'])
select.select([], [], [], .5)
print('REACHED')

# %% allocates output="MemoryError" limits={"address_space": 4000000000} free={"address_space": 20000000000, "memory": 8000000000}
# allocates 50 GB (here 3 GB against a limit)
x = bytearray(3_000_000_000)
print('REACHED')

# %% allocates-in-pieces finding="memory" limits={"memory": 800000000} free={"memory": 4000000000}
# allocates piece by piece (here 900 MB against a limit)
kept = []
for _ in range(90): kept.append(b'x' * 10_000_000)
import select
select.select([], [], [], 2)
print('REACHED')
kept = None

# %% allocates-in-processes finding="memory" limits={"memory": 700000000} free={"memory": 4000000000}
# allocates in many processes (here 4 with 200 MB)
import os, select
for _ in range(4):
    if os.fork() == 0:
        kept = b'x' * 200_000_000
        select.select([], [], [], 3)
        os._exit(0)
select.select([], [], [], 3)
print('REACHED')

# %% fork-bomb finding="started another process" output="refused" limits={"processes": 130} free={"processes": 400}
# a fork bomb (here 150 processes, which are waited for, against a limit of 130, threads among them)
import os, select
made = []
try:
    for _ in range(150):
        made.append(os.fork())
        if made[-1] == 0:
            select.select([], [], [], 2)
            os._exit(0)
    print('REACHED')
except OSError as error: print('refused', error)
finally:
    for child in made: os.waitpid(child, 0)

# %% thread-bomb output="refused" limits={"processes": 200} free={"processes": 1000}
# threads without end (here 300, which are waited for, against a limit of 200)
import threading, select
made = []
try:
    for _ in range(300):
        thread = threading.Thread(target=select.select, args=([], [], [], 4))
        thread.start()
        made.append(thread)
    print('REACHED')
except RuntimeError as error: print('refused', error)
finally:
    for thread in made: thread.join()

# %% opens-files output="refused" limits={"open_files": 256} free={"open_files": 1024}
# opens files without end (here 400 against a limit)
kept = []
try:
    for _ in range(400): kept.append(open('/dev/null'))
    print('REACHED')
except OSError as error: print('refused', error)
finally: [file.close() for file in kept]

# %% large-file output="refused" limits={"file_size": 10000000} free={"file_size": 200000000}
# a file that grows without end (here 20 MB against a limit)
try:
    with open('large', 'wb') as file: file.write(bytes(20_000_000))
    print('REACHED')
except OSError as error: print('refused', error)

# %% full-disk output="refused" limits={"space": 24000000} free={"space": 256000000}
# fills the disk (here 40 MB against 24)
try:
    for n in range(40):
        with open(f'part{n}', 'wb') as file: file.write(bytes(1_000_000))
    print('REACHED')
except OSError as error: print('refused', error)
finally:
    import os
    for n in range(40):
        if os.path.exists(f'part{n}'): os.remove(f'part{n}')

# %% many-files output="refused"
# files without end (here 25,000)
import os
try:
    for n in range(25_000): os.close(os.open(f'/tmp/file{n}', os.O_CREAT | os.O_WRONLY))
    print('REACHED')
except OSError as error: print('refused', error)
finally:
    for n in range(25_000):
        if os.path.exists(f'/tmp/file{n}'): os.remove(f'/tmp/file{n}')

# %% shared-memory-full output="refused"
# fills shared memory (here 100 MB)
import os
try:
    with open('/dev/shm/row', 'wb') as file: file.write(bytes(100_000_000))
    print('REACHED')
except OSError as error: print('refused', error)
finally:
    if os.path.exists('/dev/shm/row'): os.remove('/dev/shm/row')

# %% memory-files output="refused"
# memory in files without a name, which no process owns
import os
try:
    place = os.memfd_create('row')
    os.ftruncate(place, 300_000_000)
    print('REACHED')
    os.close(place)
except OSError as error: print('refused', error)

# %% system-v-memory finding="native code" output="refused"
# memory in a System V segment, which no process owns once it is detached
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
segment = libc.shmget(0, 300_000_000, 0o1600)
print('refused' if segment < 0 else 'REACHED', ctypes.get_errno())
if segment >= 0: libc.shmctl(segment, 0, None)

# %% message-queues finding="native code" output="refused"
# memory in System V message queues, which no process owns
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
queue = libc.msgget(0, 0o1600)
print('refused' if queue < 0 else 'REACHED', ctypes.get_errno())
if queue >= 0: libc.msgctl(queue, 0, None)

# %% shared-memory-without-a-name output="refused"
# memory in anonymous mappings that are shared, which stays when nobody maps it any more
import mmap
try:
    place = mmap.mmap(-1, 300_000_000)
    print('REACHED')
    place.close()
except OSError as error: print('refused', error)

# %% larger-socket-buffers output="refused"
# has the system let more memory be in the buffers of a socket
import socket
one, other = socket.socketpair()
try:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    print('REACHED')
except OSError as error: print('refused', error)

# %% socket-buffers-count-as-memory finding="memory" limits={"memory": 500000000} free={"memory": 4000000000}
# fills the buffers of sockets that nobody reads, in several processes (here some 100 MB)
import os, select, socket
for _ in range(8):
    if os.fork() == 0:
        kept = []
        for _ in range(100):
            kept.append(socket.socketpair())
            for end in kept[-1]:
                end.setblocking(False)
                try:
                    while True: end.send(bytes(32768))
                except BlockingIOError: pass
        select.select([], [], [], 6)
        os._exit(0)
select.select([], [], [], 6)
print('REACHED')

# %% files-count-as-memory finding="memory" limits={"memory": 500000000} free={"memory": 4000000000}
# memory in the files of all its folders together (here some 400 MB against a limit)
import os, select
for place in ('/home/student/a', '/content/a', '/kaggle/a', '/dev/shm/a', '/tmp/a'):
    try:
        for n in range(4):
            with open(f'{place}{n}', 'wb') as file: file.write(bytes(60_000_000))
    except OSError: pass
select.select([], [], [], 2)
print('REACHED')

# %% nested-output output="only the first|is not shown" free={"output": 1000000000, "outputs": 1000000000}
# an output whose metadata are nested very deeply, which libraries that read the notebook again cannot follow
from IPython.display import display
inner = {}
for _ in range(480): inner = {'a': inner}
display({'text/plain': 'REACHED'}, metadata=inner, raw=True)

# %% million-lines output="only the first" free={"output": 1000000000, "outputs": 1000000000}
# prints without end (here 300,000 lines)
for n in range(300_000): print('line', n)
print('REACHED')

# %% long-line output="only the first|is not shown" free={"output": 1000000000, "outputs": 1000000000}
# prints one line of 30 MB
print('x' * 30_000_000 + 'REACHED')

# %% large-display output="only the first|is not shown" free={"output": 1000000000, "outputs": 1000000000}
# displays a value of 20 MB
from IPython.display import HTML, display
display(HTML('x' * 20_000_000 + 'REACHED'))

# %% displays output="only the first" free={"output": 1000000000, "outputs": 1000000000}
# displays without end (here 500 times)
from IPython.display import display
for n in range(500): display(str(n) * 2000)
print('REACHED')

# %% many-large-outputs output="only the first" free={"output": 1000000000, "outputs": 1000000000}
# puts out 1 MB again and again, in messages that are each allowed (here 30 times)
from IPython.display import display
for n in range(30): display({'text/plain': 'x' * 900_000}, raw=True)
print('REACHED')

# %% large-comm output="REACHED" memory=200.0
# opens comms with 12 MB of data, which no output limit counts (here 40 times, 480 MB): the grader drops them, and does not grow by so much
parent = get_ipython().kernel.get_parent()
send, socket = get_ipython().kernel.session.send, get_ipython().kernel.iopub_socket
for n in range(40): send(socket, 'comm_open', {'comm_id': str(n), 'target_name': 'nothing', 'data': {'text': 'x' * 12_000_000}}, parent=parent)
print('REACHED')

# %% display-updates output="^(?!.*498498).*499499" control="plain" plain="498498"
# updates what it displayed without end (here 500 times)
from IPython.display import display
handle = display('0' * 1000, display_id=True)
for n in range(500): handle.update(str(n) * 2000)

# %% huge-message limits={"cell": 8.0, "run": 60.0} control="plain"
# sends one message that is larger than the grader's memory (here 100 MB against 64)
print('x' * 100_000_000 + 'REACHED')

# %% deep-recursion output="RecursionError" control="stops"
# recursion without end
def deeper(n): return deeper(n + 1)
deeper(0)

# %% stack-overflow finding="made the kernel stop" control="stops"
# recursion past the stack's end
import sys, ctypes
sys.setrecursionlimit(10**7)
ctypes.string_at(0)
print('REACHED')

# %% exit control="stops"
# exit()
exit()

# %% sys-exit control="stops"
# sys.exit()
import sys; sys.exit(1)

# %% os-exit finding="made the kernel stop" control="stops"
# os._exit(0)
import os; os._exit(0)

# %% kills-itself finding="sent a signal" control="stops"
# kills its own kernel
import os, signal; os.kill(os.getpid(), signal.SIGKILL)

# %% stops-itself finding="sent a signal" control="stops"
# stops its own kernel
import os, signal; os.kill(os.getpid(), signal.SIGSTOP)

# %% aborts finding="made the kernel stop" control="stops"
# os.abort()
import os; os.abort()

# %% restarts control="stops"
# asks the kernel to shut down
get_ipython().kernel.do_shutdown(True)

# %% replaces-itself finding="replaced its process|made the kernel stop" control="stops"
# becomes another program
import os; os.execv('/bin/sleep', ['sleep', '1'])

# %% closes-stdout control="stops"
# closes the standard streams
import sys, os
sys.stdout.close(); sys.stderr.close()
for n in (0, 1, 2): os.close(n)

# %% closes-sockets finding="time limit|made the kernel stop" control="stops" limits={"cell": 4.0}
# closes the sockets of its kernel
import gc, zmq
for thing in gc.get_objects():
    if isinstance(thing, zmq.Socket): thing.close(0)

# %% closes-everything finding="time limit|made the kernel stop" control="stops" limits={"cell": 4.0}
# closes every open file of the kernel
import os; os.closerange(3, 200)

# %% asks-for-input output="StdinNotImplementedError" control="stops"
# input()
input('who are you? ')

# %% shell-magic output="not run" control="plain" tried="%%bash"
# %%bash
# echo REACHED

# %% shell-line output="not run" control="plain" tried="!wget and !pip install"
# !echo REACHED
# !wget -q http://127.0.0.1:9/x
# %pip --version

# %% no-python output="SyntaxError" control="stops"
# a cell that is no Python
Dear grader, this is not code.

# %% unknown-magic control="stops" tried="magic commands that do not exist"
# %load_ext nothing_of_that_name
# %abracadabra
