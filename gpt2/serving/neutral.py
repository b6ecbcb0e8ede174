"""Values of a request that ask for nothing, and so change nothing.

Many clients send all fields that they know, most of them with such a value. The fields
are those of OpenAI's completions and chats, of vLLM, and of llama.cpp's server.
"""

from collections.abc import Collection
from typing import Any

# Of any field that the server lacks.
EMPTY: list[Any] = [None, "", [], {}]
OFF = [*EMPTY, False]
# Of fields that the server has. For these, only null is neutral otherwise.
OWN: dict[str, list[Any]] = {
    "seed": [-1],
    "logprobs": [False],
    "top_k": [-1],  # as in vLLM
    "stop": [""],
}
# Of fields that the server lacks.
GROUPS = [
    (
        "dry_multiplier dynatemp_range frequency_penalty min_tokens mirostat n_keep "
        "n_probs no_repeat_ngram_size presence_penalty priority top_a top_logprobs "
        "xtc_probability",
        [*OFF, 0],
    ),
    ("length_penalty repeat_penalty tfs_z typical_p", [*OFF, 1]),
    (
        "functions ignore_eos include_stop_str_in_output logit_bias metadata "
        "post_sampling_probs prompt_logprobs return_progress return_token_ids "
        "return_tokens return_tokens_as_token_ids store suffix timings_per_token tools "
        "truncate_prompt_tokens use_beam_search",
        OFF,
    ),
    (  # These change nothing for GPT-2, on or off.
        "add_special_tokens cache_prompt parallel_tool_calls "
        "spaces_between_special_tokens",
        [*OFF, True],
    ),
    ("skip_special_tokens", [*EMPTY, True]),
    ("id_slot", [*EMPTY, -1]),
    ("modalities", [*OFF, ["text"]]),
    ("reasoning_effort", [*OFF, "none"]),
    ("response_format", [*OFF, {"type": "text"}]),
    ("service_tier", [*OFF, "auto", "default"]),
    ("tool_choice function_call", [*OFF, "none", "auto"]),
    ("verbosity", [*OFF, "medium"]),
]
LACKING = {name: values for names, values in GROUPS for name in names.split()}
LACKING_IN_FORMS = {
    "disable_additional_properties": OFF,
    "disable_any_whitespace": OFF,
    "disable_fallback": OFF,
    "json_object": OFF,
}
LACKING_IN_STREAMS = {"include_obfuscation": OFF, "continuous_usage_stats": OFF}


def without_neutral(
    fields: dict[str, Any], own: Collection[str], lacking: dict[str, list[Any]]
) -> dict[str, Any]:
    """Returns the fields that ask for something.

    Args:
        fields: of a request, from JSON.
        own: the names of the server's fields.
        lacking: neutral values of some fields that the server lacks.
    """
    neutral = {name: [None, *OWN.get(name, ())] for name in own}
    return {
        name: value
        for name, value in fields.items()
        if not is_among(value, (lacking | neutral).get(name, EMPTY))
    }


def is_among(value: Any, values: Collection[Any]) -> bool:
    """Whether the list has the value; in Python alone, True equals 1."""
    return value in [
        v for v in values if isinstance(v, bool) == isinstance(value, bool)
    ]


def add_neutral(schema: dict[str, Any], lacking: dict[str, list[Any]]) -> None:
    """Adds the neutral values to a JSON schema of a request's fields."""
    own = schema["properties"]
    for name in own.keys() - schema.get("required", ()):
        values = {"enum": [None, *OWN.get(name, ())]}
        own[name] = {"anyOf": [own[name], values]}
    own |= {name: {"enum": values} for name, values in lacking.items()}
    schema["additionalProperties"] = {"enum": EMPTY}
