"""scikit-learn's MLPClassifier and MLPRegressor, which draw their own first weights (Glorot's
uniform ones, as everybody's)."""
import warnings

import peer
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.filterwarnings("ignore")  # "not converged yet"


class Sklearn:
    version = sklearn.__version__
    mode = "fit"

    def __init__(self, work):
        self.work = work
        self.target = work.labels if work.softmax else work.y.ravel()
        self.model = None

    def new(self, epochs):
        w = self.work
        kind = MLPClassifier if w.softmax else MLPRegressor
        return kind(
            hidden_layer_sizes=tuple(w.widths[1:-1]), alpha=0.0, batch_size=w.batch,
            solver="adam" if w.optimizer == "adam" else "sgd", epsilon=1e-7,
            learning_rate_init=0.001 if w.optimizer == "adam" else 0.01, momentum=0.9,
            nesterovs_momentum=False, max_iter=epochs, tol=0.0, n_iter_no_change=epochs + 1,
            shuffle=True, random_state=1)

    def warm(self):
        n = min(self.work.rows, self.work.batch * 4)
        self.new(1).fit(self.work.x[:n], self.target[:n])

    def reset(self):
        if self.work.name == "W2" and self.model is None:  # for inference alone: any weights do
            self.model = self.new(1).fit(self.work.x[:2000], self.target[:2000])

    def train(self, epochs):
        self.model = self.new(epochs).fit(self.work.x, self.target)
        loss = self.model.loss_curve_[-1]
        return (loss, None) if self.work.softmax else (2 * loss, None)  # its squares are halved

    def predict(self, x):
        return self.model.predict_proba(x)


peer.serve(Sklearn)
