# Reaching out of the kernel: files, processes, the network, other submissions, privileges.

# %% reads-secret finding="opened a file"
# reads a secret of the grader
import os, socket, ctypes, subprocess
try:
    text = open('@FOLDER@/secret.txt').read()
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% reads-solution
# reads the reference solution in source/
import os, socket, ctypes, subprocess
try:
    text = open('@ROOT@/source/tta-eta/tta-eta.ipynb').read()
    if 'SOLUTION' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% reads-checks
# reads the checks
import os, socket, ctypes, subprocess
try:
    text = open('@ROOT@/autograder/checks/tta_eta/test_callback.py').read()
    if 'def test' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% lists-checkout
# lists the course's checkout
import os, socket, ctypes, subprocess
try:
    names = os.listdir('@ROOT@')
    if 'source' in names: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% lists-students
# lists the folder in which submissions and results lie
import os, socket, ctypes, subprocess
try:
    names = os.listdir('@FOLDER@')
    if names: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% reads-environment control="plain"
# reads the grader's environment
import os, socket, ctypes, subprocess
try:
    value = os.environ['GRADERS_SECRET']
    if value == '@CANARY@': print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% reads-processes
# reads the command lines of other processes
import os, socket, ctypes, subprocess
try:
    found = False
    for name in os.listdir('/proc'):
        if name.isdigit():
            try: found |= '@CANARY@' in open(f'/proc/{name}/cmdline').read()
            except OSError: pass
    if found: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% reads-environment-of-process
# reads another process's environment
import os, socket, ctypes, subprocess
try:
    text = open('/proc/@PID@/environ').read()
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% follows-root-of-process
# gets at files by /proc/<pid>/root
import os, socket, ctypes, subprocess
try:
    text = open('/proc/@PID@/root@FOLDER@/secret.txt').read()
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% symlink
# reads through a link that it makes itself
import os, socket, ctypes, subprocess
try:
    os.symlink('@FOLDER@/secret.txt', 'link')
    text = open('link').read()
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% hard-link
# makes a hard link to a file outside
import os, socket, ctypes, subprocess
try:
    os.link('@FOLDER@/secret.txt', '@FOLDER@/link')
    os.unlink('@FOLDER@/link')
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% by-program finding="started a program"
# reads through another program
import os, socket, ctypes, subprocess
try:
    text = subprocess.run(['cat', '@FOLDER@/secret.txt'], capture_output=True, text=True).stdout
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% by-numpy
# reads through NumPy
import os, socket, ctypes, subprocess
try:
    import numpy as np
    text = bytes(np.fromfile('@FOLDER@/secret.txt', dtype=np.uint8)).decode()
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% by-tensorflow
# reads through TensorFlow's own file functions
import os, socket, ctypes, subprocess
try:
    import tensorflow as tf
    text = tf.io.read_file('@FOLDER@/secret.txt').numpy().decode()
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% password-file
# reads the machine's users
import os, socket, ctypes, subprocess
try:
    text = open('/etc/passwd').read()
    if 'root' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% shared-memory
# reads what another left in shared memory
import os, socket, ctypes, subprocess
try:
    text = open('@SHARED@').read()
    if '@CANARY@' in text: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% writes-outside
# writes into a folder of the grader
import os, socket, ctypes, subprocess
try:
    open('@FOLDER@/mark', 'w').close()
    os.remove('@FOLDER@/mark')
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% changes-secret
# opens a file of the grader for writing
import os, socket, ctypes, subprocess
try:
    open('@FOLDER@/secret.txt', 'a').close()
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% changes-packages
# writes into the installed packages, where the next submission would find it
import os, socket, ctypes, subprocess
try:
    import numpy
    folder = os.path.dirname(numpy.__file__)
    open(f'{folder}/mark', 'w').close()
    os.remove(f'{folder}/mark')
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% changes-bench finding="frames of its callers"
# writes into the bench's own folder
import os, socket, ctypes, subprocess
try:
    import sys
    frame = sys._getframe()
    while frame and not frame.f_code.co_filename.endswith('warm.py'): frame = frame.f_back
    folder = os.path.dirname(frame.f_code.co_filename)
    open(f'{folder}/mark', 'w').close()
    os.remove(f'{folder}/mark')
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% leaves-a-message
# leaves a file in /tmp for the next submission
import os, socket, ctypes, subprocess
try:
    open('/var/tmp/left-behind', 'w').close()
    os.remove('/var/tmp/left-behind')
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% writes-device
# writes to the terminal of the grader
import os, socket, ctypes, subprocess
try:
    import fcntl, termios
    os.close(os.open('/dev/kmsg', os.O_WRONLY | os.O_NONBLOCK))
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% tcp finding="reached for the network"
# connects to a service on this machine
import os, socket, ctypes, subprocess
try:
    socket.create_connection(('127.0.0.1', @PORT@), 5).close()
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% udp
# sends a datagram
import os, socket, ctypes, subprocess
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @DATAGRAM_PORT@))
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% local-socket
# connects to a local socket in the file system
import os, socket, ctypes, subprocess
try:
    socket.socket(socket.AF_UNIX).connect('@FOLDER@/local')
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% abstract-socket
# connects to a local socket without a file
import os, socket, ctypes, subprocess
try:
    socket.socket(socket.AF_UNIX).connect('\0@ABSTRACT@')
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% packet-socket
# listens to the machine's traffic
import os, socket, ctypes, subprocess
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% vsock
# makes a socket towards the virtual machine's host
import os, socket, ctypes, subprocess
try:
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% interfaces
# sees the network interfaces of the machine
import os, socket, ctypes, subprocess
try:
    names = [name for _, name in socket.if_nameindex()]
    if len(names) > 1: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% kills
# sends a signal to a process of the grader (0, which only asks)
import os, socket, ctypes, subprocess
try:
    os.kill(@PID@, 0)
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% kills-all
# sends a signal to every other process (0, which only asks)
import os, socket, ctypes, subprocess
try:
    others = [int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) != os.getpid()]
    for other in others: os.kill(other, 0)
    if others: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% ptrace
# attaches to another process as a debugger does
import os, socket, ctypes, subprocess
try:
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.ptrace(16, @PID@, 0, 0)
    if result == 0: os.waitpid(@PID@, 0x40000000); libc.ptrace(17, @PID@, 0, 0)
    if result == 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% reads-memory
# reads another process's memory
import os, socket, ctypes, subprocess
try:
    open('/proc/@PID@/mem', 'rb').close()
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% nice
# takes more of the processor than others
import os, socket, ctypes, subprocess
try:
    os.nice(-1)
    os.nice(1)
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% real-time
# asks for a real-time schedule
import os, socket, ctypes, subprocess
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% becomes-root
# becomes root
import os, socket, ctypes, subprocess
try:
    os.setuid(0)
    if os.getuid() == 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% new-user-namespace
# makes a user namespace, the first step of many escapes
import os, socket, ctypes, subprocess
try:
    child = subprocess.run(['python3', '-c', 'import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))'], capture_output=True, text=True)
    if child.stdout.strip() == '0': print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% mounts
# mounts a file system (in a process with mounts of its own)
import os, socket, ctypes, subprocess
try:
    code = "import ctypes; c = ctypes.CDLL(None); print(c.unshare(0x20000), c.mount(None, b'/', None, 0x44000, None), c.mount(b'x', b'/mnt', b'tmpfs', 0, None))"
    child = subprocess.run(['python3', '-c', code], capture_output=True, text=True)
    if child.stdout.split() == ['0', '0', '0']: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% chroot
# changes its root folder (in a process of its own)
import os, socket, ctypes, subprocess
try:
    child = subprocess.run(['python3', '-c', 'import os; os.chroot("/"); print(1)'], capture_output=True, text=True)
    if child.stdout.strip() == '1': print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% keyring
# puts a key into the kernel's keyring
import os, socket, ctypes, subprocess
try:
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(248, b'user', b'row', b'x', 1, -2)
    if result > 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% loads-bpf
# loads a program into the kernel
import os, socket, ctypes, subprocess
try:
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(321, 0, bytes([1,0,0,0,4,0,0,0,4,0,0,0,1,0,0,0]) + bytes(100), 72)
    if result >= 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% perf-events
# watches the processor
import os, socket, ctypes, subprocess
try:
    libc = ctypes.CDLL(None, use_errno=True)
    import struct
    attributes = struct.pack('=IIQ', 1, 112, 0) + bytes(96)
    result = libc.syscall(298, attributes, 0, -1, -1, 0)
    if result >= 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% handles
# opens files by handle, past the walls between mounts
import os, socket, ctypes, subprocess
try:
    libc = ctypes.CDLL(None, use_errno=True)
    handle = ctypes.create_string_buffer(136)
    ctypes.memmove(handle, (128).to_bytes(4, 'little'), 4)
    mount = ctypes.c_int()
    result = libc.name_to_handle_at(-100, b'/usr', handle, ctypes.byref(mount), 0)
    if result == 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% io-uring
# uses the interface that many kernel attacks went through
import os, socket, ctypes, subprocess
try:
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(425, 2, bytes(120))
    if result >= 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% sets-host-name
# names the machine anew (with the name that it has)
import os, socket, ctypes, subprocess
try:
    socket.sethostname(socket.gethostname())
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% sets-clock
# sets the machine's clock (to what it shows)
import os, socket, ctypes, subprocess
try:
    libc = ctypes.CDLL(None, use_errno=True)
    now = ctypes.create_string_buffer(16)
    libc.clock_gettime(0, now)
    result = libc.clock_settime(0, now)
    if result == 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% raises-limits
# raises its own limits
import os, socket, ctypes, subprocess
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (10**6, 10**6))
    if True: print('REACHED')
except BaseException as error:
    print(type(error).__name__)

# %% capabilities
# still holds a privilege
import os, socket, ctypes, subprocess
try:
    line = next(l for l in open('/proc/self/status') if l.startswith('CapBnd'))
    if int(line.split()[1], 16) != 0: print('REACHED')
except BaseException as error:
    print(type(error).__name__)
