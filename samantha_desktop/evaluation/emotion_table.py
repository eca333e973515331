"""The figures of `evaluation.emotion` for people, in plain text."""

from __future__ import annotations

from typing import Any

_TITLES = {
    "goemotions": "GoEmotions (comments)",
    "meld": "MELD (spoken dialogue)",
    "empatheticdialogues": "EmpatheticDialogues",
    "dailydialog": "DailyDialog",
}


def as_table(document: dict[str, Any]) -> str:
    """What was measured, its interval, and the bar where there is one."""
    lines = [f"{document['model']} on {document['device']}, {document['took_s']:.0f} s"]
    for name, title in _TITLES.items():
        figures = document.get(name)
        if figures is None:
            continue
        lines += ["", f"{title}: {figures['n_texts']} texts"]
        if name == "goemotions":
            for part, what in (("labels", "28 labels"), ("groups", "7 groups")):
                values = figures[part]
                bar = document["bars"].get(f"{name}.{part}.macro_f1")
                lines.append(_f1_line(f"{what}, macro-F1", values["macro_f1"], bar))
                if values["macro_f1_without_duplicates"] is not None:
                    without = values["macro_f1_without_duplicates"]
                    lines.append(_f1_line("  not in the train file", without, None))
                bar = document["bars"].get(f"{name}.{part}.calibration_error")
                lines.append(_error_line("  calibration error", values["calibration_error"], bar))
        else:
            bar = document["bars"].get(f"{name}.weighted_f1")
            lines.append(_f1_line("weighted F1", figures["weighted_f1"], bar))
            lines.append(f"  {'always the most frequent':<28}{figures['majority_weighted_f1']:.3f}")
            lines.append(_f1_line("macro-F1", figures["macro_f1"], None))
            bar = document["bars"].get(f"{name}.calibration_error")
            lines.append(_error_line("  calibration error", figures["calibration_error"], bar))
            lines.append("  " + ", ".join(f"{k} {v:.2f}" for k, v in figures["f1"].items()))
        if figures["wrong"]:
            worst = figures["wrong"][0]
            lines.append(
                f"  surest mistake: {worst['text'][:60]!r} is {' and '.join(worst['truth'])}, "
                f"not {worst['said']}"
            )
    return "\n".join(lines)


def _f1_line(what: str, figure: dict[str, float], bar: float | None) -> str:
    line = f"  {what:<28}{figure['value']:.3f}  ({figure['low']:.3f} to {figure['high']:.3f})"
    return line if bar is None else f"{line}  {_verdict(figure['value'] >= bar)} {bar:g}"


def _error_line(what: str, value: float, bar: float | None) -> str:
    line = f"  {what:<28}{value:.3f}"
    return line if bar is None else f"{line}  {_verdict(value <= bar)} {bar:g}"


def _verdict(is_reached: bool) -> str:
    return "reaches the bar of" if is_reached else "misses the bar of"
