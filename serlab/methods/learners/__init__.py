"""What fits and predicts: the classes that families of :mod:`serlab.methods` build.

They import torch and the like; families do not.

One way to use data a module: on which part a classifier learns
(:mod:`~serlab.methods.learners.scenarios`), networks in stages
(:mod:`~serlab.methods.learners.deep`), adaptation, self-training ...
"""
