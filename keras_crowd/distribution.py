"""Annotators spread over devices. Data parallelism needs nothing of this: see `docs/scale.md`."""

import keras

from .layers import CrowdLayer


def layout_map(
    device_mesh: keras.distribution.DeviceMesh, crowd: CrowdLayer, model_dim_name: str = "model"
) -> keras.distribution.LayoutMap:
    """Lays out a crowd layer for `keras.distribution.ModelParallel`, with the annotators sharded.

    Every device of the mesh axis holds the parameters of its part of the annotators, and what the optimizer keeps for
    them. Variables that are not in the map, such as the classifier's, are on all devices; add them as to
    any `LayoutMap`.

    Args:
        device_mesh: A `keras.distribution.DeviceMesh`.
        crowd: A crowd layer, built or not; build it, or the model with it, in the scope of the distribution.
            `num_annotators` must be a multiple of that axis of the mesh: annotators who never answer may be added.
            It must have no `max_batch_slots`, which is for one device.
        model_dim_name: String. Axis of the mesh over which annotators are spread. Defaults to `"model"`.

    Returns:
        A `keras.distribution.LayoutMap`.

    Example:

    >>> mesh = keras.distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=1000, name="crowd")
    >>> layouts = keras_crowd.distribution.layout_map(mesh, crowd)
    >>> layouts["functional/crowd/annotators/kernel"].axes
    ('model',)
    >>> parallel = keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")
    """
    if not isinstance(device_mesh, keras.distribution.DeviceMesh):
        raise ValueError(
            "`device_mesh` must be a `keras.distribution.DeviceMesh`. "
            f"Received: {type(device_mesh).__name__}"
        )
    if not isinstance(crowd, CrowdLayer):
        raise ValueError(f"`crowd` must be a crowd layer. Received: {type(crowd).__name__}")
    if crowd.max_batch_slots is not None:
        raise ValueError(
            "`crowd` must have no `max_batch_slots`, which is for one device. "
            f"Received: max_batch_slots={crowd.max_batch_slots}"
        )
    if model_dim_name not in device_mesh.axis_names:
        raise ValueError(
            f"`model_dim_name` must be an axis of `device_mesh`, one of {tuple(device_mesh.axis_names)}. "
            f"Received: model_dim_name={model_dim_name!r}"
        )
    num_parts = device_mesh.shape[list(device_mesh.axis_names).index(model_dim_name)]
    if crowd.num_annotators % num_parts:
        raise ValueError(
            f"`num_annotators` of `crowd` must be a multiple of {num_parts}, the size of the axis {model_dim_name!r}. "
            f"Received: num_annotators={crowd.num_annotators}"
        )
    layouts = keras.distribution.LayoutMap(device_mesh)
    layouts[crowd.annotator_paths()] = (model_dim_name,)
    return layouts


def __dir__() -> list[str]:
    return ["layout_map"]
