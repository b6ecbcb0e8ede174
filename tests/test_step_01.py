"""Checks step 01: the configuration."""

import dataclasses

from course.check_program import check_file
from course.checks import CheckFailed, expect_equal, kind_of, require
from course.student import Raised

SIZES = {
    "vocab_size": 50257,
    "n_positions": 1024,
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "n_inner": 3072,
    "layer_norm_epsilon": 1e-5,
}
OTHER = dict(zip(SIZES, [97, 32, 48, 5, 4, 60, 1e-3], strict=True))


def expect_sizes(config, expected, call):
    """Requires every field's number, and whole numbers for the sizes."""
    yours = {name: config.get(name) for name in expected}
    for name, size in expected.items():
        known = {f"the default of `{name}`": SIZES[name]}
        known |= {f"the value for `{other}`": n for other, n in expected.items()}
        known["4 times `n_embd`"] = 4 * expected["n_embd"]
        kind, call_of_name = type(size).__name__, f"{call}.{name}"
        try:
            expect_equal(
                yours[name], size, f"{name} is not right.", call_of_name, known
            )
            message = f"{name} must be of type {kind}."
            right = type(yours[name]).__name__ == kind
            require(right, message, call_of_name, kind_of(yours[name]))
        except CheckFailed as error:
            error.observed = repr(yours)  # one wrong number has many causes
            raise


def test_dataclass(step):
    """GPT2Config is a dataclass.

    From a list of fields Python then makes all that is asked for below.
    """
    is_dataclass = step.hold(dataclasses.is_dataclass)
    found = is_dataclass(step.module.get("GPT2Config"))
    message = "GPT2Config is something else, or a class without @dataclass."
    require(found is True, message, "dataclasses.is_dataclass(GPT2Config)", found)


def test_defaults(step):
    """GPT2Config() has the sizes of the smallest GPT-2, with 124 million parameters.

    Its weights fit into tables of exactly these sizes, so each number counts.
    """
    expect_sizes(step.GPT2Config(), SIZES, "GPT2Config()")


def test_own_sizes(step):
    """Every size can be chosen by its name, and the others keep their defaults.

    The models of the later steps are tiny ones, made in just this way.
    """
    expect_sizes(step.GPT2Config(**OTHER), OTHER, "GPT2Config(vocab_size=97, …)")
    few = {"n_embd": 24, "n_head": 3}
    config = step.GPT2Config(**few)
    expect_sizes(config, SIZES | few, "GPT2Config(n_embd=24, n_head=3)")
    try:
        other = step.GPT2Config(n_heads=3)
    except Raised:
        other = None  # as it has to be
    message = "A size that does not exist was accepted, and nothing was set."
    require(other is None, message, "GPT2Config(n_heads=3)", "accepted")
    zeros = {"n_layer": 0, "layer_norm_epsilon": 0.0}  # are sizes like others
    call = "GPT2Config(n_layer=0, layer_norm_epsilon=0.0)"
    expect_sizes(step.GPT2Config(**zeros), SIZES | zeros, call)


def test_order(step):
    """Without names, the sizes come in the order in which the text lists them.

    A dataclass takes its arguments in the order of its fields.
    """
    call = "GPT2Config(97, 32, 48, 5, 4, 60, 0.001)"
    expect_sizes(step.GPT2Config(*OTHER.values()), OTHER, call)


def test_frozen(step):
    """A configuration cannot be changed once it is made.

    Many layers share one configuration; a change would reach only some of them.
    """
    config = step.GPT2Config(**OTHER)
    try:
        config.call("__setattr__", "n_embd", 999)
    except Raised:
        expect_sizes(config, OTHER, "config.n_embd = 999; config")
    else:
        message = "The assignment was accepted, where Python should have refused it."
        raise CheckFailed(message, [("called", "config.n_embd = 999")], "accepted")


def test_equality(step):
    """Two configurations are equal when all their sizes are.

    So a program can tell whether two models have the same shape.
    """
    config = step.GPT2Config(**OTHER)
    same = config.call("__eq__", step.GPT2Config(**OTHER))
    message = "Two configurations with the same sizes are not equal."
    require(same is True, message, "GPT2Config(…) == GPT2Config(…)", kind_of(same))
    for name, size in OTHER.items():
        other = config.call("__eq__", step.GPT2Config(**OTHER | {name: size + 1}))
        message = f"Two configurations of which one has a larger {name} are equal."
        require(other is not True, message, "GPT2Config(…) == GPT2Config(…)", other)


def test_replace(step):
    """dataclasses.replace makes a copy in which one size is different.

    That is how one changes what is frozen. The original stays as it was.
    """
    replace = step.hold(dataclasses.replace)
    config = step.GPT2Config(**OTHER)
    call = "dataclasses.replace(config, n_layer=7)"
    expect_sizes(replace(config, n_layer=7), OTHER | {"n_layer": 7}, call)
    expect_sizes(config, OTHER, f"{call}; config")


if __name__ == "__main__":
    check_file(__file__)
