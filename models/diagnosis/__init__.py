"""Why a subtopic fails: evidence, rules, reasons."""
