"""Run all benchmarks, but for the training of the shipped weights, one after the other: `python -m
benchmarks`.
"""
import importlib
import pkgutil

import benchmarks

for module in pkgutil.iter_modules(benchmarks.__path__):
    if module.name not in ("__main__", "weights"):
        print(f"\n{module.name}")
        importlib.import_module(f"benchmarks.{module.name}").main()
