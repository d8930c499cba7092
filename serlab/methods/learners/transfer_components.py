"""Transfer component analysis with skada's interface; needs the extra ``adaptation``."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import svds
from skada import TransferComponentAnalysisAdapter
from sklearn.metrics.pairwise import pairwise_kernels


class TransferComponents(TransferComponentAnalysisAdapter):
    """Transfer component analysis (Pan, Tsang, Kwok & Yang 2011).

    With the kernel matrix ``K`` of all rows, ``H`` that centres and ``L`` that
    makes ``tr(K L)`` the squared MMD, the components are the leading
    generalised eigenvectors of ``K H K w = lambda (I + mu K L K) w``: much
    variance, little distance between the domains (section III-B; their trade-off
    is 1 / mu). skada 0.6 forms the product ``(I + mu K L K)^-1 K H K`` and
    hands it, although it is not symmetric, to an eigensolver for symmetric
    matrices, which reads one triangle of it: the domains stay apart. So the
    fit is ours and all else theirs.

    ``L`` has rank one: the inverse square root of the right side is known in
    closed form, and the components are singular vectors of one matrix. That
    takes O(n^2) a component instead of O(n^3), and needs no subsampling.

    Components are scaled together to a mean squared norm of 1. Their variances
    stay unequal: whitened, as the paper's constraint has them, the small ones
    are noise with the weight of the large.
    """

    def fit(self, X: np.ndarray, y: None = None, *, sample_domain: np.ndarray) -> TransferComponents:
        """Fit on rows of both domains, the source's (positive domains) first."""
        n = int((sample_domain > 0).sum())
        m = len(X) - n
        self.X_source_, self.X_target_ = X[:n], X[n:]
        self.K_ = pairwise_kernels(X, metric=self.kernel)
        apart = self.K_ @ np.repeat([1 / n, -1 / m], [n, m])  # K L K is its outer product
        length2 = apart @ apart
        shrink = (1 - 1 / np.sqrt(1 + self.mu * length2)) / max(length2, np.finfo(float).tiny)

        def times_root(rows: np.ndarray) -> np.ndarray:
            """``rows @ (I + mu K L K)^(-1/2)``."""
            return rows - np.outer(rows @ apart, shrink * apart)

        start = np.random.default_rng(0).standard_normal(len(X))  # ARPACK's own differs from run to run
        centred = self.K_ - self.K_.mean(axis=0)
        right = svds(times_root(centred), k=self.n_components, v0=start)[2][::-1]
        components = times_root(right).T
        self.eigvects_ = components / np.linalg.norm(self.K_ @ components) * np.sqrt(len(X))
        return self
