"""Measurements of the product: `python -m bench`. The figures and the machine are in docs/benchmarks.md."""
