-- Texts of nn.metrics for the reference; see tools/docs/reference.lua. t is y_true, p is y_pred.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local registry = dofile "lua/nnlua/meta/texts/registry.lua"

local rows = "One value a row: the shape of y_pred without its last axis."
local any_shape = "y_true and y_pred of any shape, alike; y_pred from 0 to 1."

return {
  intro = [[What training reports. `update_state(y_true, y_pred, sample_weight)` adds a batch,
`result()` gives the value so far, `reset_state()` begins again; functions of the lower-case names
give the values of rows.]],
  source = "Keras 3.15.1, keras.metrics.%s",
  shapes = "y_true and y_pred (N, ...) alike.",
  returns = "A metric; its `result()` is a number.",
  errors = "Labels whose shape does not belong to the predictions': the message names both.",
  arguments = {
    k = "How many of the largest predictions count, above 0.",
    top_k = "Only the k largest of a row "
      .. "can be positive; nil: all.", num_thresholds = "How many thresholds from 0 to 1 are "
      .. "tried.",
    num_classes = "Number of classes.", target_class_ids = "The classes that count, from 0.",
    sparse_y_true = "Labels are class ids, not one-hot.",
    sparse_y_pred = "Predictions are class ids, not probabilities.",
    average = "\"micro\", \"macro\", \"weighted\" or nil: one value a class.",
    beta = "Weight of recall against precision, above 0.",
    from_sorted_ids = "Predictions are class ids, best first.", delta = "Where the square ends.",
    alpha = "Weight of the positive class.", gamma = "Focus on hard rows, 0 or more.",
    apply_class_balancing = "Weigh classes by alpha and 1 - alpha.",
    fn = "A function of (y_true, y_pred) that gives values.",
    values = "Numbers or a tensor.", axis = "The axis of the classes or of the vectors.",
  },
  entries = registry("metrics", "mse", "MeanSquaredError", {
    Metric = {"The base; own metrics have update_state and result.", example = [[
local Count = nn.metrics.Metric:extend("Count")
function Count:init(a)
  nn.metrics.Metric.init(self, a)
  self.rows = self:add_variable{shape = {}, initializer = "zeros", name = "rows"}
end
function Count:update_state(y_true) self.rows:assign_add(y_true.shape[1]) end
function Count:result() return self.rows.value end
local m = Count{}
m:update_state(nn.tensor{1, 2})
print(m:result()) --> 2.0]]},
    MeanMetricWrapper = {"The mean of a function (y_true, y_pred) over all rows.", example = [[
local m = nn.metrics.MeanMetricWrapper{function(t, p) return (t - p) ^ 2 end, name = "square"}
m:update_state(nn.tensor{{1}}, nn.tensor{{3}})
print(m:result()) --> 4.0]]},
    Mean = {"The weighted mean of values.", shapes = "update_state(values, sample_weight).",
      example = [[
local m = nn.metrics.Mean{}
m:update_state(nn.tensor{1, 3})
print(m:result()) --> 2.0]]},
    Sum = {"The weighted sum of values.", shapes = "update_state(values, sample_weight).",
      example = [[
local m = nn.metrics.Sum{}
m:update_state(nn.tensor{1, 3})
print(m:result()) --> 4.0]]},
    MeanSquaredError = {"mean((t - p)^2) over all rows.", example = [[
local m = nn.metrics.MeanSquaredError{}
m:update_state(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})
print(m:result()) --> 2.0]]},
    mean_squared_error = {"mean((t - p)^2).", returns = rows, example = [[
local f = nn.metrics.mean_squared_error
print(f(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) --> [2.]
]]},
    MeanAbsoluteError = {"mean(|t - p|) over all rows.", example = [[
local m = nn.metrics.MeanAbsoluteError{}
m:update_state(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})
print(m:result()) --> 1.0]]},
    mean_absolute_error = {"mean(|t - p|).", returns = rows, example = [[
local f = nn.metrics.mean_absolute_error
print(f(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) --> [1.]
]]},
    MeanAbsolutePercentageError = {"100 * mean(|t - p| / max(|t|, 1e-7)), in percent.", example = [[
local m = nn.metrics.MeanAbsolutePercentageError{}
m:update_state(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})
print(m:result()) --> 50.0]]},
    mean_absolute_percentage_error = {"100 * mean(|t - p| / max(|t|, 1e-7)), in percent.",
      returns = rows, example = [[
local f = nn.metrics.mean_absolute_percentage_error
print(f(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) --> [50.]
]]},
    MeanSquaredLogarithmicError = {"mean((log(p + 1) - log(t + 1))^2).", example = [[
local m = nn.metrics.MeanSquaredLogarithmicError{}
m:update_state(nn.tensor{{1, 2}}, nn.tensor{{1, 2}})
print(m:result()) --> 0.0]]},
    mean_squared_logarithmic_error = {"mean((log(p + 1) - log(t + 1))^2).", returns = rows,
      example = [[
local f = nn.metrics.mean_squared_logarithmic_error
print(f(nn.tensor{{1, 2}}, nn.tensor{{1, 2}})) --> [0.]
]]},
    Hinge = {"mean(max(1 - t * p, 0)).", example = [[
local m = nn.metrics.Hinge{}
m:update_state(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})
print(m:result()) --> 1.25]]},
    hinge = {"mean(max(1 - t * p, 0)).", returns = rows, example = [[
local f = nn.metrics.hinge
print(f(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})) --> [1.25]
]]},
    SquaredHinge = {"mean(max(1 - t * p, 0)^2).", example = [[
local m = nn.metrics.SquaredHinge{}
m:update_state(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})
print(m:result()) --> 2.125]]},
    squared_hinge = {"mean(max(1 - t * p, 0)^2).", returns = rows, example = [[
local f = nn.metrics.squared_hinge
print(f(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})) --> [2.125]
]]},
    CategoricalHinge = {"max(max((1 - t) * p) - sum(t * p) + 1, 0).", example = [[
local m = nn.metrics.CategoricalHinge{}
m:update_state(nn.tensor{{0, 1}}, nn.tensor{{0.5, 0.25}})
print(m:result()) --> 1.25]]},
    categorical_hinge = {"max(max((1 - t) * p) - sum(t * p) + 1, 0).", returns = rows, example = [[
local f = nn.metrics.categorical_hinge
print(f(nn.tensor{{0, 1}}, nn.tensor{{0.5, 0.25}})) --> [1.25]
]]},
    KLDivergence = {"sum(t * log(t / p)); it has no direction.", example = [[
local m = nn.metrics.KLDivergence{}
m:update_state(nn.tensor{{0.5, 0.5}}, nn.tensor{{0.5, 0.5}})
print(m:result()) --> 0.0]]},
    kl_divergence = {"sum(t * log(t / p)); it has no direction.", returns = rows, example = [[
local f = nn.metrics.kl_divergence
print(f(nn.tensor{{0.5, 0.5}}, nn.tensor{{0.5, 0.5}})) --> [0.]
]]},
    Poisson = {"mean(p - t * log(p + 1e-7)); it has no direction.", example = [[
local m = nn.metrics.Poisson{}
m:update_state(nn.tensor{{0, 0}}, nn.tensor{{1, 3}})
print(m:result()) --> 2.0]]},
    poisson = {"mean(p - t * log(p + 1e-7)); it has no direction.", returns = rows, example = [[
local f = nn.metrics.poisson
print(f(nn.tensor{{0, 0}}, nn.tensor{{1, 3}})) --> [2.]
]]},
    Accuracy = {"The share of elements with t = p.", example = [[
local m = nn.metrics.Accuracy{}
m:update_state(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})
print(m:result()) --> 0.5]]},
    BinaryAccuracy = {"The share of elements with t = (p > threshold).", example = [[
local m = nn.metrics.BinaryAccuracy{}
m:update_state(nn.tensor{{1, 0}}, nn.tensor{{0.9, 0.8}})
print(m:result()) --> 0.5]]},
    binary_accuracy = {"1 where t = (p > threshold), else 0.", returns = "One value an element.",
      example = [==[
local f = nn.metrics.binary_accuracy
print(f(nn.tensor{{1, 0}}, nn.tensor{{0.9, 0.8}})) --> [[1. 0.]]
]==]},
    CategoricalAccuracy = {"The share of rows whose largest label and prediction stand together.",
      returns = rows, example = [[
local m = nn.metrics.CategoricalAccuracy{}
m:update_state(nn.tensor{{0, 1}, {1, 0}}, nn.tensor{{0.2, 0.8}, {0.1, 0.9}})
print(m:result()) --> 0.5]]},
    categorical_accuracy = {"The share of rows whose largest label and prediction stand together.",
      returns = rows, example = [[
local f = nn.metrics.categorical_accuracy
print(f(nn.tensor{{0, 1}, {1, 0}}, nn.tensor{{0.2, 0.8}, {0.1, 0.9}})) --> [1. 0.]
]]},
    SparseCategoricalAccuracy = {"The share of rows whose largest prediction is at the class id.",
      returns = rows, example = [[
local m = nn.metrics.SparseCategoricalAccuracy{}
m:update_state(nn.tensor{1, 0}, nn.tensor{{0.2, 0.8}, {0.1, 0.9}})
print(m:result()) --> 0.5]]},
    sparse_categorical_accuracy = {"The share of rows whose largest prediction is at the class id.",
      returns = rows, example = [[
local f = nn.metrics.sparse_categorical_accuracy
print(f(nn.tensor{1, 0}, nn.tensor{{0.2, 0.8}, {0.1, 0.9}})) --> [1. 0.]
]]},
    RootMeanSquaredError = {"sqrt(mean((t - p)^2)) over all rows.", example = [[
local m = nn.metrics.RootMeanSquaredError{}
m:update_state(nn.tensor{{1, 2}}, nn.tensor{{4, 5}})
print(m:result()) --> 3.0]]},
    CosineSimilarity = {"The cosine of the angle between t and p: 1 is best.", example = [[
local m = nn.metrics.CosineSimilarity{}
m:update_state(nn.tensor{{0, 2}}, nn.tensor{{0, 5}})
print(m:result()) --> 1.0]]},
    LogCoshError = {"mean(log(cosh(p - t))).", example = [[
local m = nn.metrics.LogCoshError{}
m:update_state(nn.tensor{{1}}, nn.tensor{{1}})
print(m:result()) --> 0.0]]},
    TruePositives = {"Weighted count of positives that were predicted positive.",
      shapes = any_shape, example = [[
local m = nn.metrics.TruePositives{}
m:update_state(nn.tensor{1, 1, 0, 0}, nn.tensor{0.9, 0.2, 0.8, 0.1})
print(m:result()) --> 1.0]]},
    TrueNegatives = {"Weighted count of negatives that were predicted negative.",
      shapes = any_shape, example = [[
local m = nn.metrics.TrueNegatives{}
m:update_state(nn.tensor{1, 1, 0, 0}, nn.tensor{0.9, 0.2, 0.8, 0.1})
print(m:result()) --> 1.0]]},
    FalsePositives = {"Weighted count of negatives that were predicted positive.",
      shapes = any_shape, example = [[
local m = nn.metrics.FalsePositives{}
m:update_state(nn.tensor{1, 1, 0, 0}, nn.tensor{0.9, 0.2, 0.8, 0.1})
print(m:result()) --> 1.0]]},
    FalseNegatives = {"Weighted count of positives that were predicted negative.",
      shapes = any_shape, example = [[
local m = nn.metrics.FalseNegatives{}
m:update_state(nn.tensor{1, 1, 0, 0}, nn.tensor{0.9, 0.2, 0.8, 0.1})
print(m:result()) --> 1.0]]},
    Precision = {"TP / (TP + FP): how many predicted positives are right; 0 without any.",
      shapes = any_shape, example = [[
local m = nn.metrics.Precision{}
m:update_state(nn.tensor{1, 1, 0, 0}, nn.tensor{0.9, 0.2, 0.8, 0.1})
print(m:result()) --> 0.5]]},
    Recall = {"TP / (TP + FN): how many positives were found; 0 without any.", shapes = any_shape,
      example = [[
local m = nn.metrics.Recall{}
m:update_state(nn.tensor{1, 1, 0, 0}, nn.tensor{0.9, 0.2, 0.8, 0.1})
print(m:result()) --> 0.5]]},
    SensitivityAtSpecificity = {[[Sensitivity TP / (TP + FN) at the best threshold with
specificity TN / (TN + FP) of
at least this.]], shapes = any_shape,
      args = {specificity = "From 0 to 1."}, example = [[
local m = nn.metrics.SensitivityAtSpecificity{0.5}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0.1, 0.2, 0.8, 0.9})
print(m:result()) --> 1.0]]},
    SpecificityAtSensitivity = {[[Specificity TN / (TN + FP) at the best threshold with
sensitivity of
at least this.]], shapes = any_shape,
      args = {sensitivity = "From 0 to 1."}, example = [[
local m = nn.metrics.SpecificityAtSensitivity{0.5}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0.1, 0.2, 0.8, 0.9})
print(m:result()) --> 1.0]]},
    PrecisionAtRecall = {[[Precision at the best threshold with recall of at least this.]],
    shapes = any_shape,
      args = {recall = "From 0 to 1."}, example = [[
local m = nn.metrics.PrecisionAtRecall{0.5}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0.1, 0.2, 0.8, 0.9})
print(m:result()) --> 1.0]]},
    RecallAtPrecision = {[[Recall at the best threshold with precision of at least this.]],
    shapes = any_shape,
      args = {precision = "From 0 to 1."}, example = [[
local m = nn.metrics.RecallAtPrecision{0.5}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0.1, 0.2, 0.8, 0.9})
print(m:result()) --> 1.0]]},
    IoU = {"Intersection over union TP / (TP + FP + FN), averaged over the target classes.",
      shapes = "Class ids (or probabilities) of any shape, alike.", example = [[
local m = nn.metrics.IoU{num_classes = 2, target_class_ids = {0}}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0, 1, 1, 1})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.5000]]},
    MeanIoU = {"Intersection over union, averaged over all classes.",
      shapes = "Class ids (or probabilities) of any shape, alike.", example = [[
local m = nn.metrics.MeanIoU{num_classes = 2}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0, 1, 1, 1})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.5833]]},
    BinaryIoU = {"Intersection over union of two classes, class 1 where p >= threshold.",
      shapes = "Class ids (or probabilities) of any shape, alike.",
      example = [[
local m = nn.metrics.BinaryIoU{threshold = 0.5}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0.1, 0.6, 0.7, 0.8})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.5833]]},
    OneHotIoU = {"Intersection over union of one-hot labels, averaged over the target classes.",
      shapes = "One-hot labels and predictions (N, ..., C).", example = [[
local m = nn.metrics.OneHotIoU{num_classes = 2, target_class_ids = {0}}
m:update_state(nn.tensor{{1, 0}, {0, 1}}, nn.tensor{{0.9, 0.1}, {0.2, 0.8}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 1.0000]]},
    OneHotMeanIoU = {"Intersection over union of one-hot labels, averaged over all classes.",
      shapes = "One-hot labels and predictions (N, ..., C).", example = [[
local m = nn.metrics.OneHotMeanIoU{num_classes = 2}
m:update_state(nn.tensor{{1, 0}, {0, 1}}, nn.tensor{{0.9, 0.1}, {0.2, 0.8}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 1.0000]]},
    TopKCategoricalAccuracy = {"The share of rows whose label is among the k largest predictions.",
      example = [[
local m = nn.metrics.TopKCategoricalAccuracy{k = 2}
m:update_state(nn.tensor{{0, 1, 0}}, nn.tensor{{0.5, 0.3, 0.2}})
print(m:result()) --> 1.0]]},
    top_k_categorical_accuracy = {"1 where the label is among the k largest predictions.",
      returns = rows, example = [[
local f = nn.metrics.top_k_categorical_accuracy
print(f(nn.tensor{{0, 1, 0}}, nn.tensor{{0.5, 0.3, 0.2}}, {k = 2})) --> [1.]
]]},
    SparseTopKCategoricalAccuracy = {[[The share of rows whose class id is among the k largest
predictions.]], shapes = "y_true (N,), y_pred (N, C).", example = [[
local m = nn.metrics.SparseTopKCategoricalAccuracy{k = 2}
m:update_state(nn.tensor{1}, nn.tensor{{0.5, 0.3, 0.2}})
print(m:result()) --> 1.0]]},
    sparse_top_k_categorical_accuracy = {"1 where the class id is among the k largest predictions.",
      shapes = "y_true (N,), y_pred (N, C).", returns = rows, example = [[
local f = nn.metrics.sparse_top_k_categorical_accuracy
print(f(nn.tensor{1}, nn.tensor{{0.5, 0.3, 0.2}}, {k = 2})) --> [1.]
]]},
    BinaryCrossentropy = {"Mean of the binary crossentropy.", example = [[
local m = nn.metrics.BinaryCrossentropy{}
m:update_state(nn.tensor{{1}}, nn.tensor{{0.5}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.6931]]},
    CategoricalCrossentropy = {"Mean of the crossentropy with one-hot labels.", example = [[
local m = nn.metrics.CategoricalCrossentropy{}
m:update_state(nn.tensor{{0, 1}}, nn.tensor{{0.5, 0.5}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.6931]]},
    SparseCategoricalCrossentropy = {"Mean of the crossentropy with class ids.",
      shapes = "y_true (N,), y_pred (N, C).", example = [[
local m = nn.metrics.SparseCategoricalCrossentropy{}
m:update_state(nn.tensor{1}, nn.tensor{{0.5, 0.5}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.6931]]},
    AUC = {"Area under the ROC or precision-recall curve, from thresholds between 0 and 1.",
      shapes = "y_true and y_pred (N,) or (N, labels); y_pred from 0 to 1.",
      args = {curve = "\"ROC\", \"PR\" or \"PRGAIN\".",
        summation_method = "\"interpolation\", \"minoring\" or \"majoring\".",
        multi_label = "One curve a column.", num_labels = "Columns with multi_label; nil: "
          .. "from data.",
        label_weights = "Weights of the columns.",
        thresholds = "The thresholds themselves, without 0 and 1."},
      paper = "Davis and Goadrich 2006", example = [[
local m = nn.metrics.AUC{}
m:update_state(nn.tensor{0, 0, 1, 1}, nn.tensor{0, 0.5, 0.3, 0.9})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.7500]]},
    FBetaScore = {"(1 + b^2) * P * R / (b^2 * P + R): precision and recall in one number.",
      shapes = "y_true and y_pred (N, C).",
      args = {threshold = "Positive above it; nil: the row's maximum."}, example = [[
local m = nn.metrics.FBetaScore{average = "micro", beta = 2.0}
m:update_state(nn.tensor{{1, 0}, {0, 1}}, nn.tensor{{0.9, 0.1}, {0.2, 0.8}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 1.0000]]},
    F1Score = {"2 * P * R / (P + R): the harmonic mean of precision and recall.",
      shapes = "y_true and y_pred (N, C).",
      args = {threshold = "Positive above it; nil: the row's maximum."}, example = [[
local m = nn.metrics.F1Score{}
m:update_state(nn.tensor{{1, 0}, {0, 1}}, nn.tensor{{0.6, 0.4}, {0.7, 0.3}})
print(("%.4f"):format(m:result()[1])) --> 0.6667]]},
    R2Score = {"1 - sum((t - p)^2) / sum((t - mean(t))^2), for each column.",
      shapes = "y_true and y_pred (N, columns).",
      args = {class_aggregation = "\"uniform_average\", \"variance_weighted_average\" or nil.",
        num_regressors = "Number of inputs, to adjust for; 0: not."}, example = [[
local m = nn.metrics.R2Score{}
m:update_state(nn.tensor{{1}, {2}, {3}}, nn.tensor{{1}, {2}, {2}})
print(m:result()) --> 0.5]]},
    PearsonCorrelation = {"Mean over rows of the correlation of t and p along the axis.",
      example = [[
local m = nn.metrics.PearsonCorrelation{}
m:update_state(nn.tensor{{1, 2, 3}}, nn.tensor{{1, 2, 2}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 0.8660]]},
    pearson_correlation = {"The correlation of t and p along the axis.", returns = rows,
      example = [[
local r = nn.metrics.pearson_correlation(nn.tensor{{1, 2, 3}}, nn.tensor{{1, 2, 2}})
print(("%.4f"):format(r:item())) --> 0.8660]]},
    ConcordanceCorrelation = {[[Mean over rows of the concordance: correlation that also asks for
equal means and variances.]], paper = "Lin 1989", example = [[
local m = nn.metrics.ConcordanceCorrelation{}
m:update_state(nn.tensor{{1, 2, 3}}, nn.tensor{{1, 2, 3}})
print(("%.4f"):format(nn.tensor(m:result()):item())) --> 1.0000]]},
    concordance_correlation = {"The concordance of t and p along the axis.", returns = rows,
      paper = "Lin 1989", example = [[
local r = nn.metrics.concordance_correlation(nn.tensor{{1, 2, 3}}, nn.tensor{{1, 2, 3}})
print(("%.4f"):format(r:item())) --> 1.0000]]},
    for_compile = {"The metric that a name stands for in compile, where \"accuracy\" and "
      .. "\"acc\" depend "
      .. "on the shapes.", returns = "A metric.", shapes = "",
      args = {given = "The name in logs."}, example = [[
print(nn.metrics.for_compile("mae").name) --> mae]]},
    wrap = {"A metric of a function (y_true, y_pred) that gives values.", returns = "A metric.",
      shapes = "", args = {name = "Its name."}, example = [[
print(nn.metrics.wrap(nn.metrics.mean_squared_error, "mine").name) --> mine]]},
  }),
  fields = {Metric = {variables = "The metric's variables; also a method.",
    name = "The name in logs.", direction = "\"up\", \"down\" or nil: which way is better."}},
  methods = {Metric = {
    update_state = {"Adds a batch.", signature = "(y_true, y_pred, sample_weight)",
      example = "nn.metrics.Mean{}:update_state(nn.tensor{1, 2})"},
    result = "The value so far: a tensor, usually a scalar; 0 before any data.",
    reset_state = "Sets the variables back to their start.",
    add_variable = {"A variable of the metric.", args = {
      initializer = "What it starts with; nil: zeros."}},
    add_weight = {"As add_variable.", args = {initializer = "What it starts with; nil: zeros."}},
  }},
}
