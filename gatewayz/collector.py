"""Python's garbage collector, for processes that live long."""

import gc

YOUNG_MIDDLE_OLD = 2_000, 5, 2_000  # a full collection after 20 million objects that stayed


def spare_the_collector() -> None:
    """Leave what start-up made out of every later collection, and collect all of it seldom.

    A full collection walks all of Django and the snapshot; it took a fifth of a request's time. The
    young are collected often: 50,000 at once, while a snapshot is read, took 12 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*YOUNG_MIDDLE_OLD)
