"""The bundled demo: Wolder & Birk, a web shop for bikes, tents and clothing that we made up, with gaps that we planted.

``shop/`` holds what was written (articles, what customers and agents say, owners, releases); the modules hold chance.
"""

from lacuna.pipelines.demo.fixes import Fix
from lacuna.pipelines.demo.world import TopicTruth, Truth, load_truth
from lacuna.pipelines.demo.write import write_demo

__all__ = ["Fix", "TopicTruth", "Truth", "load_truth", "write_demo"]
