"""Run all benchmarks but the ablation, which takes hours, one after the other: `python -m
benchmarks`.
"""
import importlib
import pkgutil

import benchmarks

for module in pkgutil.iter_modules(benchmarks.__path__):
    if module.name not in ("__main__", "ablation"):
        print(f"\n{module.name}")
        importlib.import_module(f"benchmarks.{module.name}").main()
