-- nn.losses: how far predictions are from what is wanted. One line a class, one a function.
--
-- A string names the function where there is one ("mse", "huber"), else the class ("Huber");
-- compile wraps functions, also those of scripts: f(y_true, y_pred) gives one value a row.

local class = require "nnlua.class"
local registry = require "nnlua.registry"

local losses = registry.namespace{
  module = "keras.losses", folder = "nnlua.losses.", what = "loss", base = "Loss",
  where = "compile", strings_give_functions = true,
  classes = {
    Loss = "loss", LossFunctionWrapper = "wrapper",
    MeanSquaredError = "regression", MeanAbsoluteError = "regression",
    MeanAbsolutePercentageError = "regression", MeanSquaredLogarithmicError = "regression",
    Huber = "regression", LogCosh = "regression", CosineSimilarity = "regression",
    Poisson = "regression", KLDivergence = "regression",
    Hinge = "hinge", SquaredHinge = "hinge", CategoricalHinge = "hinge",
    BinaryCrossentropy = "binary", BinaryFocalCrossentropy = "binary",
    CategoricalCrossentropy = "categorical", CategoricalFocalCrossentropy = "categorical",
    SparseCategoricalCrossentropy = "sparse", CategoricalGeneralizedCrossEntropy = "sparse",
    Dice = "overlap", Tversky = "overlap", Circle = "circle", CTC = "ctc",
  },
  functions = {
    mean_squared_error = "regression", mean_absolute_error = "regression",
    mean_absolute_percentage_error = "regression", mean_squared_logarithmic_error = "regression",
    huber = "regression", log_cosh = "regression", cosine_similarity = "regression",
    poisson = "regression", kl_divergence = "regression",
    hinge = "hinge", squared_hinge = "hinge", categorical_hinge = "hinge",
    binary_crossentropy = "binary", binary_focal_crossentropy = "binary",
    categorical_crossentropy = "categorical", categorical_focal_crossentropy = "categorical",
    sparse_categorical_crossentropy = "sparse",
    categorical_generalized_cross_entropy = "sparse",
    dice = "overlap", tversky = "overlap", circle = "circle", ctc = "ctc",
  },
  aliases = {
    mse = "mean_squared_error", MSE = "mean_squared_error", mae = "mean_absolute_error",
    MAE = "mean_absolute_error", mape = "mean_absolute_percentage_error",
    MAPE = "mean_absolute_percentage_error", msle = "mean_squared_logarithmic_error",
    MSLE = "mean_squared_logarithmic_error", bce = "binary_crossentropy",
    BCE = "binary_crossentropy", kld = "kl_divergence", KLD = "kl_divergence",
  },
  not_strings = {"categorical_generalized_cross_entropy"},
  common = {"crossentropy"},
}

--- A loss object of a function f(y_true, y_pred), a built-in or a script's own.
function losses.wrap(fn, name)
  return losses.LossFunctionWrapper{fn, name = name or losses.name_of(fn)}
end

--- True for an object that is called with (y_true, y_pred, sample_weight).
function losses.is_loss(v) return class.is(v, losses.Loss) end

return losses
