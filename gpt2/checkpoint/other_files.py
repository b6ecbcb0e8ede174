"""Says what a folder has instead of config.json and model.safetensors."""

from pathlib import Path

ADAPTER = (
    "{folder} has an adapter ({file}), which is a change to a model, not a model: "
    "merge the two with peft's merge_and_unload(), then use save_pretrained"
)
PICKLE = (
    "{folder} has its weights in a pickle ({file}), which could run any code and is "
    "never opened here; convert it where you trust it, with transformers: "
    'GPT2LMHeadModel.from_pretrained("{folder}").save_pretrained("NEW_FOLDER")'
)
FORMAT = (
    "{folder} has its weights in {kind} ({file}), which cannot be read here: get the "
    "model in safetensors"
)
# The first pattern that finds a file decides.
INSTEAD = {
    "adapter_*": ADAPTER,
    "model-*-of-*.safetensors": (
        "{folder} has a part of the weights ({file}), but no "
        "model.safetensors.index.json: get that file and all parts"
    ),
    "*.safetensors": (
        "{folder} has no model.safetensors: if {file} has all weights, rename it"
    ),
    "**/*.incomplete": (
        "{folder} has a download that was cut off ({file}): start it again to finish it"
    ),
    "**/*.distcp": (
        "{folder} has the weights in parts of a distributed run ({file}): gather them "
        "with accelerate merge-weights"
    ),
    "global_step*/*": (
        "{folder} has the weights in parts of a DeepSpeed run ({file}): gather them "
        "with zero_to_fp32.py"
    ),
    "pytorch_model*.bin": PICKLE,
    "*.gguf": FORMAT.replace("{kind}", "llama.cpp's format GGUF"),
    "**/*.onnx": FORMAT.replace("{kind}", "ONNX"),
    "*.h5": FORMAT.replace("{kind}", "TensorFlow's format HDF5"),
    "*.msgpack": FORMAT.replace("{kind}", "Flax's format"),
    "*ckpt*.index": FORMAT.replace("{kind}", "a TensorFlow checkpoint"),
    "*.ot": FORMAT.replace("{kind}", "Rust's format"),
    "*.mlpackage": FORMAT.replace("{kind}", "Core ML"),
    "*.npz": FORMAT.replace("{kind}", "NumPy's format"),
    "*.[pc][tk]*": PICKLE,  # .pt, .pth, .ckpt
    "*.bin": PICKLE,
    "*.zip": "{folder} has an archive ({file}): unpack it first",
    "*.tar*": "{folder} has an archive ({file}): unpack it first",
}


def why_no_weights(folder: Path) -> str:
    """Returns one sentence on a folder without safetensors files to load."""
    return _instead(folder) or (
        f"{folder} has no model.safetensors, so there are no weights to load"
    )


def why_no_config(folder: Path) -> str:
    """Returns one sentence on a folder without config.json."""
    if within := [
        path.parent
        for depth in ("*", "*/*", "*/*/*")
        for path in sorted(folder.glob(f"{depth}/config.json"))
    ]:
        shown = " or ".join(map(str, within[:3]))
        return f"{folder} has no config.json itself: did you mean {shown}?"
    if (folder / "refs").is_dir():
        return (
            f"{folder} is a folder of the hub's cache, but the model's files are not "
            "in it: download the model again"
        )
    if any(folder.glob("adapter_*")):
        return _instead(folder) or ""
    return f"{folder} has no config.json: it is not a folder with a model"


def _instead(folder: Path) -> str | None:
    """Returns the sentence of the first pattern in ``INSTEAD`` that finds a file."""
    for pattern, sentence in INSTEAD.items():
        for found in sorted(folder.glob(pattern)):
            return sentence.format(folder=folder, file=found.relative_to(folder))
    return None
