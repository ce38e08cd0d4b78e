-- nn.metrics: what is watched beside the loss. One line a class, one a function.

local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local registry = require "nnlua.registry"

local loss_functions = {"mean_squared_error", "mean_absolute_error",
  "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "huber", "log_cosh",
  "poisson", "kl_divergence", "hinge", "squared_hinge", "categorical_hinge",
  "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
  "categorical_focal_crossentropy", "sparse_categorical_crossentropy"}

local functions = {
  binary_accuracy = "accuracy", categorical_accuracy = "accuracy",
  sparse_categorical_accuracy = "accuracy", top_k_categorical_accuracy = "accuracy",
  sparse_top_k_categorical_accuracy = "accuracy",
  pearson_correlation = "correlation", concordance_correlation = "correlation",
}
for _, name in ipairs(loss_functions) do functions[name] = "of_losses" end

local metrics = registry.namespace{
  module = "keras.metrics", folder = "nnlua.metrics.", what = "metric", base = "Metric",
  where = "compile",
  classes = {
    Metric = "metric", Mean = "mean", Sum = "mean", MeanMetricWrapper = "mean",
    Accuracy = "accuracy", BinaryAccuracy = "accuracy", CategoricalAccuracy = "accuracy",
    SparseCategoricalAccuracy = "accuracy", TopKCategoricalAccuracy = "accuracy",
    SparseTopKCategoricalAccuracy = "accuracy",
    MeanSquaredError = "of_losses", MeanAbsoluteError = "of_losses",
    MeanAbsolutePercentageError = "of_losses", MeanSquaredLogarithmicError = "of_losses",
    LogCoshError = "of_losses", Hinge = "of_losses", SquaredHinge = "of_losses",
    CategoricalHinge = "of_losses", KLDivergence = "of_losses", Poisson = "of_losses",
    BinaryCrossentropy = "of_losses", CategoricalCrossentropy = "of_losses",
    SparseCategoricalCrossentropy = "of_losses",
    RootMeanSquaredError = "regression", CosineSimilarity = "regression", R2Score = "r2",
    PearsonCorrelation = "correlation", ConcordanceCorrelation = "correlation",
    TruePositives = "counts", TrueNegatives = "counts", FalsePositives = "counts",
    FalseNegatives = "counts", Precision = "counts", Recall = "counts",
    SensitivityAtSpecificity = "thresholds", SpecificityAtSensitivity = "thresholds",
    PrecisionAtRecall = "thresholds", RecallAtPrecision = "thresholds", AUC = "auc",
    FBetaScore = "f_score", F1Score = "f_score",
    IoU = "iou", BinaryIoU = "iou", MeanIoU = "iou", OneHotIoU = "iou", OneHotMeanIoU = "iou",
  },
  functions = functions,
  aliases = {
    mse = "MeanSquaredError", MSE = "MeanSquaredError", mae = "MeanAbsoluteError",
    MAE = "MeanAbsoluteError", mape = "MeanAbsolutePercentageError",
    MAPE = "MeanAbsolutePercentageError", msle = "MeanSquaredLogarithmicError",
    MSLE = "MeanSquaredLogarithmicError", bce = "BinaryCrossentropy", BCE = "BinaryCrossentropy",
    -- functions without a class, by the names that saved models hold
    huber = "huber", log_cosh = "log_cosh",
    binary_focal_crossentropy = "binary_focal_crossentropy",
    categorical_focal_crossentropy = "categorical_focal_crossentropy",
  },
  common = {"accuracy", "precision", "recall", "auc"},
}

-- A function's name in logs. Lua functions have no names of their own: only built-in and registered
-- ones are known.
local function name_of(fn)
  return metrics.name_of(fn) or require("nnlua.losses").name_of(fn)
    or require("nnlua.saving.objects").registered_name(fn) or "metric"
end

--- A metric of a function f(y_true, y_pred) that gives one value a row.
function metrics.wrap(fn, name)
  local known = require("nnlua.losses").name_of(fn)
  local metric = metrics.MeanMetricWrapper{fn, name = name or name_of(fn):gsub("^.*>", "")}
  if known and known ~= "kl_divergence" and known ~= "poisson" then metric.direction = "down" end
  return metric
end

--- A new metric for compile: a string keeps its spelling as the name in logs (`given` where the
--- class was chosen by shapes), an object is taken as it is.
function metrics.for_compile(identifier, given)
  if identifier == nil or identifier == args.None then return nil end
  local metric = metrics.get(identifier)
  if type(metric) == "function" then
    return metrics.wrap(metric, type(identifier) == "string" and identifier or nil)
  end
  if class.is(metric, require("nnlua.losses").Loss) then
    return metrics.wrap(function(y_true, y_pred)
      return metric:call(y_true, y_pred)
    end, metric.name)
  end
  err.check(class.is(metric, metrics.Metric), "compile: metrics holds %s, expected a metric",
    err.show(metric))
  if type(identifier) == "string" then metric.name = given or identifier end
  rawset(metric, "compiled", true)
  return metric
end

return metrics
