"""Load and faults together, and then the question whether the money is right.

`python -m tests.chaos --minutes 10 --rate 200 --seed 1` runs it by itself; the suite runs a minute.
"""
