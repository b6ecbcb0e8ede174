"""How far a text depends on its batch. A file holds the measurements."""

from collections.abc import Iterator

from book.figures._measured import result


def numbers() -> dict[str, str | list]:
    """The numbers of the section on batch invariance."""
    found = result("invariance")
    kinds, times = (found["drawn"], found["greedy"]), found["milliseconds"]
    different = sum(len(kind["first_differences"]) for kind in kinds)
    apart = max(row["drawn_apart"] for row in found["logits"])
    return {
        "drawn_texts": f"{found['drawn']['texts']}",
        "greedy_texts": f"{found['greedy']['texts']}",
        "invariance_batch": f"{found['batch']}",
        "invariance_machine": f"{found['cpu']}, {found['cores']} cores, {found['day']}",
        "invariance_tokens": f"{sum(kind['tokens'] for kind in kinds):,}",
        "invariance_different": f"{different or 'none'}",
        "invariance": [*differences(found["logits"])],
        "invariance_once": f"{float(f'{1 / apart:.1g}'):,.0f}",
        "invariance_lead": f"{found['greedy']['smallest_lead']:.6f}",
        "among_batches": f"{found['among_batches']:g}",
        "pair_cost": f"{times['two rows']:.2f} ms",
        "lone_cost": f"{times['one row']:.2f} ms",
    }


def differences(measured: list[dict]) -> Iterator[list[str]]:
    """Yields a table's rows: a text's logits in a batch, compared with those alone."""
    yield [
        "rows in the batch",
        "logits differ by up to",
        "another token, in a million draws",
    ]
    for row in measured:
        largest, apart = row["largest_difference"], 1e6 * row["drawn_apart"]
        yield [f"{row['rows']}", f"{largest:.6f}", f"{apart:.0f}"]
