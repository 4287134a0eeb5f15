"""A stand-in for `zeus.monitor.ZeusMonitor`: the same calls, fields and errors, fed by the virtual clock.

It follows zeus 0.16 (https://ml.energy/zeus/): windows have names and may overlap; beginning one twice, or ending one
that was not begun, raises ValueError.

Events: `window`.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
from typing import Any

from ..errors import meant
from ..measurement import Measurement
from ..seal import seal


def make_monitor_class(clock: Any, channel: Any, gpus: int) -> tuple[type, list[Any]]:
    """Make the ZeusMonitor of a machine with that many GPUs, of which only the first uses energy.

    Returns:
        The class and the list of its instances. Their `measurement_states` map the names of open windows to the virtual
        seconds and joules at their beginning.
    """
    instances: list[Any] = []

    def init(
        self: Any,
        gpu_indices: list[int] | None = None,
        cpu_indices: list[int] | None = None,
        approx_instant_energy: bool = False,
        log_file: Any = None,
        sync_execution_with: str = "torch",
    ) -> None:
        self.gpu_indices = list(range(gpus)) if gpu_indices is None else list(gpu_indices)
        self.cpu_indices = list(cpu_indices or [])
        if unknown := [index for index in self.gpu_indices if index not in range(gpus)]:
            raise meant(ValueError(f"There is no GPU with index {unknown[0]}"))
        self.measurement_states = {}
        instances.append(self)

    def begin_window(self: Any, key: str, sync_execution: bool = True, restart: bool = False) -> None:
        if key in self.measurement_states and not restart:
            raise meant(ValueError(f"Measurement window '{key}' already exists"))
        self.measurement_states[key] = (clock.now(), clock.joules())
        channel.report("window", key=str(key)[:100], begins=True)

    def end_window(self: Any, key: str, sync_execution: bool = True, cancel: bool = False) -> Measurement:
        if key not in self.measurement_states:
            raise meant(ValueError(f"Measurement window '{key}' does not exist"))
        seconds, joules = self.measurement_states.pop(key)
        channel.report("window", key=str(key)[:100], begins=False, cancelled=bool(cancel))
        if cancel:
            return Measurement(0.0, dict.fromkeys(self.gpu_indices, 0.0))
        clock.now()
        used = {index: clock.joules() - joules if index == 0 else 0.0 for index in self.gpu_indices}
        return Measurement(clock.seconds() - seconds, used)

    methods = {"__init__": init, "begin_window": begin_window, "end_window": end_window}
    members: dict[str, Any] = {name: seal(method) for name, method in methods.items()}
    return type("ZeusMonitor", (), members | {"__module__": "zeus.monitor.energy"}), instances


def install(session: Any) -> None:
    """Make `import zeus` find the stand-in."""
    names = ("zeus", "zeus.monitor", "zeus.monitor.energy")
    modules = {name: types.ModuleType(name) for name in names}
    for name, module in modules.items():
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    monitor, instances = make_monitor_class(session.clock, session.channel, session.setup["gpus"])
    for name in names[1:]:
        modules[name].__dict__.update(ZeusMonitor=monitor, Measurement=Measurement)
    modules["zeus"].__dict__.update(__version__="0.16.0", __path__=[], monitor=modules["zeus.monitor"])
    modules["zeus.monitor"].__dict__.update(__path__=[], energy=modules["zeus.monitor.energy"])
    sys.modules.update(modules)

    def close_windows() -> None:
        """Close the windows that a cell left open when an error stopped it."""
        for instance in instances:
            instance.measurement_states.clear()

    session.before_stand_in.append(close_windows)
    session.guard(monitor, "begin_window", "end_window")
    session.guard(modules["zeus.monitor"], "ZeusMonitor")
