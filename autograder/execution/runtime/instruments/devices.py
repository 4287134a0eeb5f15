"""TensorFlow's view of the machine: it can show GPUs that do not exist."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ..seal import seal


def install(gpus: int) -> None:
    """Make `tf.config` report that many GPUs."""
    original = tf.config.list_physical_devices
    pretended = [tf.config.PhysicalDevice(f"/physical_device:GPU:{n}", "GPU") for n in range(gpus)]
    hidden: list[bool] = []

    def list_physical_devices(device_type: str | None = None) -> list[Any]:
        if device_type == "GPU":
            return list(pretended)
        return original(device_type) + (pretended if device_type is None else [])

    def list_logical_devices(device_type: str | None = None) -> list[Any]:
        logical = [] if hidden else [tf.config.LogicalDevice(f"/device:GPU:{n}", "GPU") for n in range(gpus)]
        if device_type == "GPU":
            return logical
        return original_logical(device_type) + (logical if device_type is None else [])

    def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
        if device_type in (None, "GPU"):
            hidden[:] = [] if devices else [True]

    def get_visible_devices(device_type: str | None = None) -> list[Any]:
        seen = list_physical_devices(device_type)
        return [device for device in seen if not (hidden and device.device_type == "GPU")]

    def get_device_details(device: Any) -> dict[str, Any]:
        return {"device_name": "GPU", "compute_capability": (8, 0)} if device.device_type == "GPU" else {}

    original_logical = tf.config.list_logical_devices
    replacements = {
        "list_physical_devices": list_physical_devices,
        "list_logical_devices": list_logical_devices,
        "set_visible_devices": set_visible_devices,
        "get_visible_devices": get_visible_devices,
        "get_device_details": get_device_details,
        "set_memory_growth": lambda device, enable: None,
        "get_memory_growth": lambda device: False,
        "set_logical_device_configuration": lambda device, configurations: None,
        "get_memory_info": lambda device: {"current": 0, "peak": 0},
        "reset_memory_stats": lambda device: None,
        "set_virtual_device_configuration": lambda device, configurations: None,
    }
    _replace(replacements)
    tf.test.gpu_device_name = seal(lambda: "/device:GPU:0" if gpus else "")
    tf.test.is_gpu_available = seal(lambda *args, **kwargs: bool(gpus))


def _replace(replacements: dict[str, Any]) -> None:
    for place in (tf.config, tf.config.experimental):
        for name, replacement in replacements.items():
            if hasattr(place, name):
                setattr(place, name, seal(replacement, getattr(place, name)))
