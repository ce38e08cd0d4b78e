-- Texts of nn.losses for the reference; see tools/docs/reference.lua. t is y_true, p is y_pred.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local registry = dofile "lua/nnlua/meta/texts/registry.lua"

local rows = "One value a row: the shape of y_pred without its last axis."

local crossentropy_args = {
  alpha = "Weight of the positive class (or of all), from 0 to 1.",
  gamma = "Exponent that takes weight from easy rows; 0 or more.",
}

return {
  intro = [[What training makes small. Objects are called with (y_true, y_pred, sample_weight) and
reduce the rows' values to a scalar; functions of the lower-case names give the values. compile
takes names, objects and Lua functions of (y_true, y_pred).]],
  source = "Keras 3.15.1, keras.losses.%s",
  shapes = "y_true and y_pred (N, ...) alike.",
  returns = "A loss: called it gives a scalar, or one value a row with reduction=\"none\".",
  errors = "Labels whose shape does not belong to the predictions': the message names both.",
  arguments = {
    axis = "The classes' axis.", delta = "Where the square becomes a line, above 0.",
    alpha = "Weight of what is missed, 0 or more.", beta = "Weight of what is wrong, 0 or more.",
    gamma = "Scale, above 0.", margin = "Room between classes, from 0 to 1.",
    remove_diagonal = "Leave each row's distance to itself out.",
    apply_class_balancing = "Weigh classes by alpha and 1 - alpha.",
    q = "From 0 (crossentropy) to 1 (absolute error), both left out.",
    ref_labels = "Labels of embeddings to compare with; nil: the batch itself.",
    ref_embeddings = "Embeddings to compare with; nil: the batch itself.",
    fn = "A function of (y_true, y_pred) that gives values.", value = "Any value.",
    loss = "A loss, a function or a name.",
  },
  entries = registry("losses", "mse", "MeanSquaredError", {
    Loss = {"The base; own losses have `call(self, y_true, y_pred)`.", example = [[
local Cubic = nn.losses.Loss:extend("Cubic")
function Cubic:call(t, p) return nn.ops.mean(nn.ops.abs(t - p) ^ 3, -1) end
print(Cubic{}(nn.tensor{{1}}, nn.tensor{{3}})) --> 8.0]]},
    LossFunctionWrapper = {"A loss of a function (y_true, y_pred) that gives values.", example = [[
local half = nn.losses.LossFunctionWrapper{function(t, p) return (t - p) ^ 2 / 2 end}
print(half(nn.tensor{{1}}, nn.tensor{{3}})) --> 2.0]]},
    MeanSquaredError = {"mean((t - p)^2).",
      example = "print(nn.losses.MeanSquaredError{}(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) "
        .. "--> 2.0"},
    mean_squared_error = {"mean((t - p)^2).", returns = rows,
      example = "print(nn.losses.mean_squared_error(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) "
        .. "--> [2.]"},
    MeanAbsoluteError = {"mean(|t - p|).",
      example = "print(nn.losses.MeanAbsoluteError{}(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) "
        .. "--> 1.0"},
    mean_absolute_error = {"mean(|t - p|).", returns = rows,
      example = "print(nn.losses.mean_absolute_error(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) "
        .. "--> [1.]"},
    MeanAbsolutePercentageError = {"100 * mean(|t - p| / max(|t|, 1e-7)), in percent.",
      example = "print(nn.losses.MeanAbsolutePercentageError{}(nn.tensor{{1, 2}}, "
        .. "nn.tensor{{1, 4}})) --> 50.0"},
    mean_absolute_percentage_error = {"100 * mean(|t - p| / max(|t|, 1e-7)), in percent.",
    returns = rows,
      example = "print(nn.losses.mean_absolute_percentage_error(nn.tensor{{1, 2}}, "
        .. "nn.tensor{{1, 4}})) --> [50.]"},
    MeanSquaredLogarithmicError = {"mean((log(p + 1) - log(t + 1))^2), both held above 1e-7.",
      example = "print(nn.losses.MeanSquaredLogarithmicError{}(nn.tensor{{1, 2}}, "
        .. "nn.tensor{{1, 2}})) --> 0.0"},
    mean_squared_logarithmic_error = {"mean((log(p + 1) - log(t + 1))^2), both held above 1e-7.",
    returns = rows,
      example = "print(nn.losses.mean_squared_logarithmic_error(nn.tensor{{1, 2}}, "
        .. "nn.tensor{{1, 2}})) --> [0.]"},
    LogCosh = {"mean(log(cosh(p - t))), without overflow.",
      example = "print(nn.losses.LogCosh{}(nn.tensor{{1, 2}}, nn.tensor{{1, 2}})) --> 0.0"},
    log_cosh = {"mean(log(cosh(p - t))), without overflow.", returns = rows,
      example = "print(nn.losses.log_cosh(nn.tensor{{1, 2}}, nn.tensor{{1, 2}})) --> [0.]"},
    Hinge = {"mean(max(1 - t * p, 0)); labels that are all 0 or 1 become -1 and 1.",
      example = "print(nn.losses.Hinge{}(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})) --> 1.25"},
    hinge = {"mean(max(1 - t * p, 0)); labels that are all 0 or 1 become -1 and 1.", returns = rows,
      example = "print(nn.losses.hinge(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})) --> [1.25]"},
    SquaredHinge = {"mean(max(1 - t * p, 0)^2); labels that are all 0 or 1 become -1 and 1.",
      example = "print(nn.losses.SquaredHinge{}(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})) "
        .. "--> 2.125"},
    squared_hinge = {"mean(max(1 - t * p, 0)^2); labels that are all 0 or 1 become -1 and 1.",
    returns = rows,
      example = "print(nn.losses.squared_hinge(nn.tensor{{1, -1}}, nn.tensor{{0.5, 1}})) --> "
        .. "[2.125]"},
    CategoricalHinge = {"max(max((1 - t) * p) - sum(t * p) + 1, 0) for each row.",
      example = "print(nn.losses.CategoricalHinge{}(nn.tensor{{0, 1}}, nn.tensor{{0.5, "
        .. "0.25}})) --> 1.25"},
    categorical_hinge = {"max(max((1 - t) * p) - sum(t * p) + 1, 0) for each row.", returns = rows,
      example = "print(nn.losses.categorical_hinge(nn.tensor{{0, 1}}, nn.tensor{{0.5, "
        .. "0.25}})) --> [1.25]"},
    KLDivergence = {"sum(t * log(t / p)), both held to [1e-7, 1].",
    paper = "Kullback and Leibler 1951",
      example = "print(nn.losses.KLDivergence{}(nn.tensor{{0.5, 0.5}}, nn.tensor{{0.5, "
        .. "0.5}})) --> 0.0"},
    kl_divergence = {"sum(t * log(t / p)), both held to [1e-7, 1].", returns = rows,
    paper = "Kullback and Leibler 1951",
      example = "print(nn.losses.kl_divergence(nn.tensor{{0.5, 0.5}}, nn.tensor{{0.5, "
        .. "0.5}})) --> [0.]"},
    Poisson = {"mean(p - t * log(p + 1e-7)).",
      example = "print(nn.losses.Poisson{}(nn.tensor{{0, 0}}, nn.tensor{{1, 3}})) --> 2.0"},
    poisson = {"mean(p - t * log(p + 1e-7)).", returns = rows,
      example = "print(nn.losses.poisson(nn.tensor{{0, 0}}, nn.tensor{{1, 3}})) --> [2.]"},
    Huber = {"mean(e^2 / 2 up to delta, then delta * e - delta^2 / 2), e = |p - t|.",
      paper = "Huber 1964",
      example = "print(nn.losses.Huber{}(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) --> 0.75"},
    huber = {"mean(e^2 / 2 up to delta, then delta * e - delta^2 / 2), e = |p - t|.",
    returns = rows,
      paper = "Huber 1964",
      example = "print(nn.losses.huber(nn.tensor{{1, 2}}, nn.tensor{{1, 4}})) --> [0.75]"},
    CosineSimilarity = {"Minus the cosine of the angle between t and p along the axis: -1 is best.",
      example = "print(nn.losses.CosineSimilarity{}(nn.tensor{{0, 2}}, nn.tensor{{0, 5}})) "
        .. "--> -1.0"},
    cosine_similarity = {"Minus the cosine of the angle between t and p.", returns = rows,
      example = "print(nn.losses.cosine_similarity(nn.tensor{{0, 2}}, nn.tensor{{0, 5}})) "
        .. "--> [-1.]"},
    BinaryCrossentropy = {"mean(-t * log(p) - (1 - t) * log(1 - p)), p held to [1e-7, 1 - 1e-7].",
      shapes = "y_true and y_pred (N, ...); y_true from 0 to 1.", example = [[
local l = nn.losses.BinaryCrossentropy{}
print(("%.4f"):format(l(nn.tensor{{1}}, nn.tensor{{0.5}}):item())) --> 0.6931]]},
    binary_crossentropy = {"mean(-t * log(p) - (1 - t) * log(1 - p)).", returns = rows, example = [[
local l = nn.losses.binary_crossentropy(nn.tensor{{1}}, nn.tensor{{0}}, {from_logits = true})
print(("%.4f"):format(l:item())) --> 0.6931]]},
    BinaryFocalCrossentropy = {"Binary crossentropy times (1 - p_t)^gamma, p_t = tp + (1-t)(1-p).",
      args = crossentropy_args, paper = "Lin et al. 2017", example = [[
local l = nn.losses.BinaryFocalCrossentropy{gamma = 1}
print(("%.4f"):format(l(nn.tensor{{1}}, nn.tensor{{0.5}}):item())) --> 0.3466]]},
    binary_focal_crossentropy = {"Binary crossentropy times (1 - p_t)^gamma.", returns = rows,
      args = crossentropy_args, paper = "Lin et al. 2017", example = [[
local l = nn.losses.binary_focal_crossentropy(nn.tensor{{1}}, nn.tensor{{0.5}}, {gamma = 1})
print(("%.4f"):format(l:item())) --> 0.3466]]},
    CategoricalCrossentropy = {"-sum(t * log(p / sum(p))), p held to [1e-7, 1 - 1e-7].",
      shapes = "y_true and y_pred (N, ..., C): one-hot labels or distributions.", example = [[
local l = nn.losses.CategoricalCrossentropy{}
print(("%.4f"):format(l(nn.tensor{{0, 1}}, nn.tensor{{0.5, 0.5}}):item())) --> 0.6931]]},
    categorical_crossentropy = {"-sum(t * log(p / sum(p))).", returns = rows,
      shapes = "y_true and y_pred (N, ..., C).", example = [[
local l = nn.losses.categorical_crossentropy(nn.tensor{{0, 1}}, nn.tensor{{0.5, 0.5}})
print(("%.4f"):format(l:item())) --> 0.6931]]},
    CategoricalFocalCrossentropy = {"sum(alpha * (1 - p)^gamma * (-t * log(p))).",
      args = crossentropy_args, paper = "Lin et al. 2017",
      shapes = "y_true and y_pred (N, ..., C).", example = [[
local l = nn.losses.CategoricalFocalCrossentropy{alpha = 1, gamma = 1}
print(("%.4f"):format(l(nn.tensor{{0, 1}}, nn.tensor{{0.5, 0.5}}):item())) --> 0.3466]]},
    categorical_focal_crossentropy = {"sum(alpha * (1 - p)^gamma * (-t * log(p))).", returns = rows,
      args = crossentropy_args, paper = "Lin et al. 2017",
      shapes = "y_true and y_pred (N, ..., C).", example = [[
local l = nn.losses.categorical_focal_crossentropy(nn.tensor{{0, 1}}, nn.tensor{{0.5, 0.5}},
  {alpha = 1, gamma = 1})
print(("%.4f"):format(l:item())) --> 0.3466]]},
    SparseCategoricalCrossentropy = {"-log(p[t] / sum(p)): labels are class ids from 0.",
      shapes = "y_true (N, ...) or (N, ..., 1), y_pred (N, ..., C).",
      errors = "Shapes that do not belong together; a class id outside 0 .. C-1 gives NaN.",
      example = [[
local l = nn.losses.SparseCategoricalCrossentropy{}
print(("%.4f"):format(l(nn.tensor{1}, nn.tensor{{0.5, 0.5}}):item())) --> 0.6931]]},
    sparse_categorical_crossentropy = {"-log(p[t] / sum(p)): labels are class ids from 0.",
      shapes = "y_true (N, ...) or (N, ..., 1), y_pred (N, ..., C).", returns = rows, example = [[
local l = nn.losses.sparse_categorical_crossentropy(nn.tensor{1}, nn.tensor{{0.5, 0.5}})
print(("%.4f"):format(l:item())) --> 0.6931]]},
    CTC = {"Minus the log probability of all alignments of the labels with the logits.",
      shapes = "y_true (N, L) ids, 0 is blank and padding; y_pred (N, T, C) logits.",
      paper = "Graves et al. 2006", example = [[
local l = nn.losses.CTC{}
print(("%.4f"):format(l(nn.tensor{{1}}, nn.tensor{{{0, 0}}}):item())) --> 0.6931]]},
    ctc = {"Minus the log probability of all alignments of the labels with the logits.",
      shapes = "y_true (N, L) ids, 0 is blank and padding; y_pred (N, T, C) logits.",
      returns = "One value a row.", paper = "Graves et al. 2006", example = [[
print(("%.4f"):format(nn.losses.ctc(nn.tensor{{1}}, nn.tensor{{{0, 0}}}):item())) --> 0.6931]]},
    Dice = {"1 - 2 * sum(t * p) / (sum(t) + sum(p) + 1e-7).", paper = "Milletari et al. 2016",
      args = {axis = "Axes that are summed; nil: all elements."},
      example = "print(nn.losses.Dice{}(nn.tensor{{1, 0}}, nn.tensor{{0, 1}})) --> 1.0"},
    dice = {"1 - 2 * sum(t * p) / (sum(t) + sum(p) + 1e-7).", paper = "Milletari et al. 2016",
      args = {axis = "Axes that are summed; nil: all elements."},
      returns = "A scalar without axis.",
      example = "print(nn.losses.dice(nn.tensor{{1, 0}}, nn.tensor{{0, 1}})) --> 1.0"},
    Tversky = {"1 - I / (I + alpha * sum((1 - p) * t) + beta * sum(p * (1 - t)) + 1e-7), I = "
      .. "sum(tp).",
      args = {axis = "Axes that are summed; nil: all elements."}, paper = "Salehi et al. 2017",
      example = "print(nn.losses.Tversky{}(nn.tensor{{1, 0}}, nn.tensor{{0, 1}})) --> 1.0"},
    tversky = {"1 - I / (I + alpha * sum((1 - p) * t) + beta * sum(p * (1 - t)) + 1e-7), I = "
      .. "sum(tp).",
      args = {axis = "Axes that are summed; nil: all elements."}, paper = "Salehi et al. 2017",
      returns = "A scalar without axis.",
      example = "print(nn.losses.tversky(nn.tensor{{1, 0}}, nn.tensor{{0, 1}})) --> 1.0"},
    Circle = {"Brings embeddings of one label together and others apart.",
      shapes = "y_true (N,) class ids, y_pred (N, d) embeddings of length 1.",
      paper = "Sun et al. 2020", example = [[
local e = nn.tensor{{1, 0}, {1, 0}, {0, 1}}
print(nn.losses.Circle{}(nn.tensor{0, 0, 1}, e):item() >= 0) --> true]]},
    circle = {"Brings embeddings of one label together and others apart.",
      shapes = "y_true (N,) class ids, y_pred (N, d) embeddings of length 1.",
      returns = "One value a row.", paper = "Sun et al. 2020", example = [[
local e = nn.tensor{{1, 0}, {1, 0}, {0, 1}}
print(nn.losses.circle(nn.tensor{0, 0, 1}, e).size) --> 3]]},
    CategoricalGeneralizedCrossEntropy = {"(1 - p[t]^q) / q: robust against wrong labels.",
      shapes = "y_true (N,) class ids, y_pred (N, C).", paper = "Zhang and Sabuncu 2018",
      example = [[
local l = nn.losses.CategoricalGeneralizedCrossEntropy{q = 0.5}
print(l(nn.tensor{1}, nn.tensor{{0.75, 0.25}})) --> 1.0]]},
    categorical_generalized_cross_entropy = {"(1 - p[t]^q) / q: robust against wrong labels.",
      shapes = "y_true (N,) class ids, y_pred (N, C).", returns = rows,
      paper = "Zhang and Sabuncu 2018", example = [[
local f = nn.losses.categorical_generalized_cross_entropy
print(f(nn.tensor{1}, nn.tensor{{0.75, 0.25}}, 0.5)) --> [1.]
]]},
    is_loss = {"Whether a value is a loss object.", returns = "A boolean.", shapes = "",
      args = {v = "Any value."}, example = "print(nn.losses.is_loss(nn.losses.Huber{})) --> true"},
    wrap = {"A loss object of a function (y_true, y_pred) that gives values.",
      returns = "A loss.", shapes = "", args = {name = "Its name; nil: the function's."},
      example = "print(nn.losses.wrap(nn.losses.huber).name) --> huber"},
  }),
  methods = {Loss = {
    call = {"The values of a batch; own losses write it.", signature = "(y_true, y_pred)"},
    check_shapes = "Raises when labels do not belong to predictions of that shape.",
  }},
}
