# Reaching out of the kernel: files, processes, the network, other submissions, privileges.
#
# With a `goal` the cell is an attempt: it says so if that holds afterwards, and keeps quiet about every failure.
# os, socket, ctypes and subprocess are imported.

# %% reads-secret goal="'@CANARY@' in text" finding="opened a file"
# reads a secret of the grader
text = open('@FOLDER@/secret.txt').read()

# %% reads-solution goal="'SOLUTION' in text"
# reads the reference solution in source/
text = open('@ROOT@/source/tta-eta/tta-eta.ipynb').read()

# %% reads-checks goal="'def test' in text"
# reads the checks
text = open('@ROOT@/autograder/checks/tta_eta/test_callback.py').read()

# %% lists-checkout goal="'source' in names"
# lists the course's checkout
names = os.listdir('@ROOT@')

# %% lists-students goal="names"
# lists the folder in which submissions and results lie
names = os.listdir('@FOLDER@')

# %% reads-environment goal="value == '@CANARY@'" control="plain"
# reads the grader's environment
value = os.environ['GRADERS_SECRET']

# %% reads-processes goal="found"
# reads the command lines of other processes
found = False
for name in os.listdir('/proc'):
    if name.isdigit():
        try: found |= '@CANARY@' in open(f'/proc/{name}/cmdline').read()
        except OSError: pass

# %% reads-environment-of-process goal="'@CANARY@' in text"
# reads another process's environment
text = open('/proc/@PID@/environ').read()

# %% follows-root-of-process goal="'@CANARY@' in text"
# gets at files by /proc/<pid>/root
text = open('/proc/@PID@/root@FOLDER@/secret.txt').read()

# %% symlink goal="'@CANARY@' in text"
# reads through a link that it makes itself
os.symlink('@FOLDER@/secret.txt', 'link')
text = open('link').read()

# %% hard-link goal="True"
# makes a hard link to a file outside
os.link('@FOLDER@/secret.txt', '@FOLDER@/link')
os.unlink('@FOLDER@/link')

# %% by-program goal="'@CANARY@' in text" finding="started a program"
# reads through another program
text = subprocess.run(['cat', '@FOLDER@/secret.txt'], capture_output=True, text=True).stdout

# %% by-numpy goal="'@CANARY@' in text"
# reads through NumPy
import numpy as np
text = bytes(np.fromfile('@FOLDER@/secret.txt', dtype=np.uint8)).decode()

# %% by-tensorflow goal="'@CANARY@' in text"
# reads through TensorFlow's own file functions
import tensorflow as tf
text = tf.io.read_file('@FOLDER@/secret.txt').numpy().decode()

# %% password-file goal="'root' in text"
# reads the machine's users
text = open('/etc/passwd').read()

# %% shared-memory goal="'@CANARY@' in text"
# reads what another left in shared memory
text = open('@SHARED@').read()

# %% writes-outside goal="True"
# writes into a folder of the grader
open('@FOLDER@/mark', 'w').close()
os.remove('@FOLDER@/mark')

# %% changes-secret goal="True"
# opens a file of the grader for writing
open('@FOLDER@/secret.txt', 'a').close()

# %% changes-packages goal="True" needs_root=true
# writes into the installed packages, where the next submission would find it
import numpy
folder = os.path.dirname(numpy.__file__)
open(f'{folder}/mark', 'w').close()
os.remove(f'{folder}/mark')

# %% changes-runtime goal="True" finding="frames of its callers"
# writes into the folder of the runtime
import sys
frame = sys._getframe()
while frame and not frame.f_code.co_filename.endswith('fork_server.py'): frame = frame.f_back
folder = os.path.dirname(frame.f_code.co_filename)
open(f'{folder}/mark', 'w').close()
os.remove(f'{folder}/mark')

# %% leaves-a-message goal="True"
# leaves a file in /tmp for the next submission
open('/var/tmp/left-behind', 'w').close()
os.remove('/var/tmp/left-behind')

# %% writes-device goal="True" needs_root=true
# writes to the terminal of the grader
import fcntl, termios
os.close(os.open('/dev/kmsg', os.O_WRONLY | os.O_NONBLOCK))

# %% tcp goal="True" finding="tried to use the network"
# connects to a service on this machine
socket.create_connection(('127.0.0.1', @PORT@), 5).close()

# %% udp goal="True"
# sends a datagram
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @DATAGRAM_PORT@))

# %% local-socket goal="True"
# connects to a local socket in the file system
socket.socket(socket.AF_UNIX).connect('@FOLDER@/local')

# %% abstract-socket goal="True"
# connects to a local socket without a file
socket.socket(socket.AF_UNIX).connect('\0@ABSTRACT@')

# %% packet-socket goal="True" needs_root=true
# listens to the machine's traffic
socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()

# %% vsock goal="True"
# makes a socket towards the virtual machine's host
socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()

# %% interfaces goal="len(names) > 1"
# sees the network interfaces of the machine
names = [name for _, name in socket.if_nameindex()]

# %% kills goal="True"
# sends a signal to a process of the grader (0, which only asks)
os.kill(@PID@, 0)

# %% kills-all goal="others" needs_root=true
# sends a signal to every other process (0, which only asks)
others = [int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) != os.getpid()]
for other in others: os.kill(other, 0)

# %% ptrace goal="result == 0"
# attaches to another process as a debugger does
libc = ctypes.CDLL(None, use_errno=True)
result = libc.ptrace(16, @PID@, 0, 0)
if result == 0: os.waitpid(@PID@, 0x40000000); libc.ptrace(17, @PID@, 0, 0)

# %% reads-memory goal="True"
# reads another process's memory
open('/proc/@PID@/mem', 'rb').close()

# %% nice goal="True" needs_root=true
# takes more of the processor than others
os.nice(-1)
os.nice(1)

# %% real-time goal="True" needs_root=true
# asks for a real-time schedule
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

# %% becomes-root goal="os.getuid() == 0" needs_root=true
# becomes root
os.setuid(0)

# %% new-user-namespace goal="child.stdout.strip() == '0'"
# makes a user namespace, the first step of many escapes
child = subprocess.run(['python3', '-c', 'import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))'], capture_output=True, text=True)

# %% mounts goal="child.stdout.split() == ['0', '0', '0']" needs_root=true
# mounts a file system (in a process with mounts of its own)
code = "import ctypes; c = ctypes.CDLL(None); print(c.unshare(0x20000), c.mount(None, b'/', None, 0x44000, None), c.mount(b'x', b'/mnt', b'tmpfs', 0, None))"
child = subprocess.run(['python3', '-c', code], capture_output=True, text=True)

# %% chroot goal="child.stdout.strip() == '1'" needs_root=true
# changes its root folder (in a process of its own)
child = subprocess.run(['python3', '-c', 'import os; os.chroot("/"); print(1)'], capture_output=True, text=True)

# %% keyring goal="result > 0"
# puts a key into the kernel's keyring
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(248, b'user', b'row', b'x', 1, -2)

# %% loads-bpf goal="result >= 0" needs_root=true
# loads a program into the kernel
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(321, 0, bytes([1,0,0,0,4,0,0,0,4,0,0,0,1,0,0,0]) + bytes(100), 72)

# %% perf-events goal="result >= 0" needs_root=true
# watches the processor
libc = ctypes.CDLL(None, use_errno=True)
import struct
attributes = struct.pack('=IIQ', 1, 112, 0) + bytes(96)
result = libc.syscall(298, attributes, 0, -1, -1, 0)

# %% handles goal="result == 0"
# opens files by handle, past what separates mounts
libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer(136)
ctypes.memmove(handle, (128).to_bytes(4, 'little'), 4)
mount = ctypes.c_int()
result = libc.name_to_handle_at(-100, b'/usr', handle, ctypes.byref(mount), 0)

# %% io-uring goal="result >= 0"
# uses the interface that many kernel attacks went through
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(425, 2, bytes(120))

# %% sets-host-name goal="True" needs_root=true
# names the machine anew (with the name that it has)
socket.sethostname(socket.gethostname())

# %% sets-clock goal="result == 0" needs_root=true
# sets the machine's clock (to what it shows)
libc = ctypes.CDLL(None, use_errno=True)
now = ctypes.create_string_buffer(16)
libc.clock_gettime(0, now)
result = libc.clock_settime(0, now)

# %% raises-limits goal="True"
# raises its own limits
import resource
resource.setrlimit(resource.RLIMIT_CORE, (10**6, 10**6))

# %% capabilities goal="int(line.split()[1], 16) != 0"
# still holds a privilege
line = next(l for l in open('/proc/self/status') if l.startswith('CapBnd'))
