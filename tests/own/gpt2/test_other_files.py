"""Folders and files that are something else than a checkpoint: one sentence each."""

import json
import os

import pytest

from gpt2.checkpoint.loading import load_checkpoint
from tests.own.gpt2.samples import BPE, POSITIONS, sentence, shard, write_config

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 548105171\n"
)
FILES = ["config.json", "model.safetensors", "tokenizer.json"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (POINTER, "is a pointer of git-lfs, not the file itself: run git lfs pull"),
        (b"\xef\xbb\xbf" + POINTER, "is a pointer of git-lfs"),
        (b"<!DOCTYPE html>\n<html>Sign in", "is a web page or a server's error"),
        (b"\n<?xml version='1.0'?><Error><Code>AccessDenied", "is a web page or"),
        (b"GGUF\x03\0\0\0" + bytes(60), "in llama.cpp's format GGUF"),
        (b"PK\x03\x04" + bytes(60), "a zip archive or a pickle of torch.save"),
        (b"\x80\x02}q\x01" + bytes(60), "a pickle, which could run any code"),
        (b"\x1f\x8b\x08" + bytes(60), "an archive: unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "TensorFlow's format HDF5"),
    ],
)
def test_a_file_that_is_something_else(folder, file, content, words):
    (folder / file).write_bytes(content)
    assert f"{folder / file} is " in sentence(folder)
    assert words in sentence(folder)


def test_vocabulary_that_is_a_pointer(folder):
    (folder / "tokenizer.json").unlink()
    BPE.model.save(str(folder))
    for file in ("vocab.json", "merges.txt"):
        kept = (folder / file).read_bytes()
        (folder / file).write_bytes(POINTER)
        assert f"{folder / file} is a pointer of git-lfs" in sentence(folder)
        (folder / file).write_bytes(kept)


def test_an_answer_saved_as_weights(folder):
    (folder / "model.safetensors").write_text("Access to this model is restricted.")
    words = "is a text, not weights; it begins with 'Access to this model is"
    assert words in sentence(folder)


def test_a_header_that_begins_like_a_page_is_cut_short(folder):
    for first in (0x3C, 0x80):  # the header's length in bytes
        (folder / "model.safetensors").write_bytes(bytes([first, 2, 0, 0, 0, 0, 0, 0]))
        assert "is damaged or cut short" in sentence(folder)


@pytest.mark.parametrize("file", FILES)
def test_a_link_to_a_file_that_is_gone(folder, file):
    (folder / file).unlink()
    (folder / file).symlink_to("../blobs/4d7a")
    words = f"{folder / file} is a link to ../blobs/4d7a, which is missing"
    assert words in sentence(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_may_not_be_read(folder, file):
    (folder / file).chmod(0)
    assert f"{folder / file} cannot be read: Permission denied" in sentence(folder)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "a"), "a cannot be read: Permission"),
        (MemoryError(), "no memory is left for the model in "),
    ],
)
def test_a_system_that_refuses(folder, monkeypatch, error, words):
    def refuse(*_):
        raise error

    monkeypatch.setattr("gpt2.checkpoint.loading.read_weights", refuse)
    assert words in sentence(folder)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("pytorch_model.bin", "a pickle (pytorch_model.bin)"),
        ("pytorch_model-00001-of-00002.bin", "a pickle"),
        ("ckpt.pt", "a pickle (ckpt.pt)"),
        ("last.ckpt", "a pickle (last.ckpt)"),
        ("model.Q4_K_M.gguf", "llama.cpp's format GGUF (model.Q4_K_M.gguf)"),
        ("onnx/decoder_model.onnx", "ONNX (onnx/decoder_model.onnx)"),
        ("tf_model.h5", "TensorFlow's format HDF5"),
        ("flax_model.msgpack", "Flax's format"),
        ("model.ckpt.index", "a TensorFlow checkpoint"),
        ("rust_model.ot", "Rust's format"),
        ("weights.zip", "has an archive (weights.zip)"),
        ("gpt2.safetensors", "if gpt2.safetensors has all weights, rename it"),
        ("model-00001-of-00002.safetensors", "but no model.safetensors.index.json"),
        ("adapter_model.safetensors", "has an adapter (adapter_model.safetensors)"),
        (".cache/huggingface/download/x.incomplete", "a download that was cut off"),
        ("pytorch_model_fsdp_0/__0_0.distcp", "parts of a distributed run"),
        ("global_step9/mp_rank_00_model_states.pt", "parts of a DeepSpeed run"),
        ("notes.txt", "no model.safetensors, so there are no weights to load"),
    ],
)
def test_weights_in_another_form(folder, file, words):
    (folder / "model.safetensors").unlink()
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).touch()
    assert words in sentence(folder)


def test_an_adapter_alone(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    assert "has an adapter (adapter_config.json)" in sentence(tmp_path)


def test_the_folder_within_is_named(folder, tmp_path):
    inner = tmp_path / "outer" / "snapshots" / "4d7a"
    inner.mkdir(parents=True)
    write_config(inner)
    words = f"has no config.json itself: did you mean {inner}?"
    assert words in sentence(tmp_path / "outer")
    assert words in sentence(tmp_path / "outer" / "snapshots")


def test_cache_of_the_hub_without_a_snapshot(tmp_path):
    (tmp_path / "refs").mkdir()
    (tmp_path / "snapshots").mkdir()
    assert "the model's files are not in it" in sentence(tmp_path)


def test_snapshot_of_links_loads(folder, tmp_path):
    snapshot = tmp_path / "models--a--b" / "snapshots" / "4d7a"
    snapshot.mkdir(parents=True)
    for file in FILES:
        (snapshot / file).symlink_to(folder / file)
    assert load_checkpoint(f"{snapshot}/").config.n_positions == POSITIONS


def test_index_of_other_kinds(folder):
    shard(folder)
    for content in ({"weight_map": {"wte.weight": 3}}, {"weight_map": {"a": None}}):
        (folder / "model.safetensors.index.json").write_text(json.dumps(content))
        assert "has no weight_map" in sentence(folder)
