-- Texts of nn.optimizers for the reference; see tools/docs/reference.lua. w is a weight, g its
-- gradient, lr the learning rate, t the number of the step from 1.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local registry = dofile "lua/nnlua/meta/texts/registry.lua"

-- One step on w = 1 with gradient 1: what is left of w, to four places.
local function step(name, left, arguments)
  return ([[
local w = nn.Variable(nn.tensor{1})
nn.optimizers.%s{%s}:apply({nn.tensor{1}}, {w})
print(("%%.4f"):format(w.value[1])) --> %s]]):format(name, arguments or "0.1", left)
end

return {
  intro = [[How gradients change weights. compile takes names and objects; `apply(gradients,
variables)` makes one step in a loop of one's own. Each step divides by loss_scale_factor,
accumulates, clips, decays weights by lr * weight_decay * w, applies the rule, updates averages and
projects on constraints, in that order.]],
  source = "Keras 3.15.1, keras.optimizers.%s",
  shapes = "Slots have their variable's shape.",
  returns = "An optimizer.",
  errors = "A rate below 0, a decay factor outside 0 .. 1, more than one kind of clipping.",
  arguments = {
    weight_decay = "w loses lr * weight_decay * w before the update; nil: nothing.",
    clipnorm = "Largest norm of each gradient, above 0.",
    clipvalue = "Largest absolute value of an element, above 0.",
    global_clipnorm = "Largest norm of all gradients together, above 0.",
    use_ema = "Keep averages of the weights, which fit copies into the model at its end.",
    ema_momentum = "How much of the average stays, from 0 to 1.",
    ema_overwrite_frequency = "Copy averages into the weights every so many steps; nil: never.",
    loss_scale_factor = "The loss is multiplied by it and gradients divided.",
    gradient_accumulation_steps = "One update for so many calls, 2 or more; nil: for each.",
    beta_1 = "How much of the mean gradient stays, from 0 to 1.",
    beta_2 = "How much of the mean square stays, from 0 to 1.",
    epsilon = "Added against division by 0.", rho = "How much of the mean square stays, 0 to 1.",
    momentum = "How much of the last step is repeated, from 0 to 1.",
    nesterov = "Look ahead with the momentum.", amsgrad = "Use the largest mean square so far.",
    centered = "Divide by the variance, not the mean square.",
    initial_accumulator_value = "Start of the sum of squares, 0 or more.",
    variables = "A list of variables.", variable = "A variable.", value = "A tensor or number.",
    trainable_variables = "A list of variables.", grads = "Gradients in the variables' order; "
      .. "false or nil leaves one alone.", loss = "A scalar.", n = "A number of calls.",
    initializer = "What it starts with.", store = "A table: name -> tensor.",
    reference = "The variable whose shape it takes.", weights = "A list of tensors.",
    optimizer_variables = "Values of the optimizer's variables.",
    var_list = "Variables.", var_names = "Texts or patterns found in names.",
    aggregation = "Taken for Keras's sake.", layout = "Taken for Keras's sake.",
    key = "A variable's path or a Lua pattern.", optimizer = "An optimizer.",
  },
  entries = registry("optimizers", "adam", "Adam", {
    Optimizer = {"The base; own optimizers have build and update_step.", example = [[
local Plain = nn.optimizers.Optimizer:extend("Plain")
function Plain:update_step(g, v, lr) self:assign_sub(v, g * lr) end
local w = nn.Variable(nn.tensor{1})
Plain{0.5}:apply({nn.tensor{1}}, {w})
print(w.value) --> [0.5]
]]},
    SGD = {"w -= lr * g; with momentum m: m = momentum * m - lr * g, w += m.",
      example = step("SGD", "0.9000")},
    RMSprop = {"v = rho * v + (1 - rho) * g^2; w -= lr * g / sqrt(v + epsilon).",
      paper = "Tieleman and Hinton 2012", example = step("RMSprop", "0.6838")},
    Adagrad = {"a += g^2; w -= lr * g / sqrt(a + epsilon).", paper = "Duchi et al. 2011",
      example = step("Adagrad", "0.9047")},
    Adadelta = {[[Steps sqrt(D + epsilon) / sqrt(A + epsilon) * g, where A and D average the
squares of gradients and of steps.]], paper = "Zeiler 2012", example = step("Adadelta", "0.9999")},
    Adam = {[[m and v average g and g^2; w -= lr * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m /
(sqrt(v) + epsilon).]], paper = "Kingma and Ba 2014", example = step("Adam", "0.9000")},
    AdamW = {"Adam with weight decay.", paper = "Loshchilov and Hutter 2019",
      errors = "weight_decay is nil.", example = step("AdamW", "0.8996")},
    Adamax = {"m averages g; u = max(beta_2 * u, |g|); w -= lr * m / ((1 - beta_1^t) (u + "
      .. "epsilon)).",
      paper = "Kingma and Ba 2014", example = step("Adamax", "0.9000")},
    Nadam = {"Adam that looks ahead with Nesterov's momentum.", paper = "Dozat 2015",
      example = [[
local w = nn.Variable(nn.tensor{1})
nn.optimizers.Nadam{0.1}:apply({nn.tensor{1}}, {w})
print(w.value[1] < 1) --> true]]},
    Ftrl = {"Follow the regularized leader: weights that become exactly 0.",
      args = {learning_rate_power = "0 or less; -0.5 gives Adagrad's rate.",
        l1_regularization_strength = "0 or more.", l2_regularization_strength = "0 or more.",
        l2_shrinkage_regularization_strength = "0 or more.", beta = "Added to the rate's root."},
      paper = "McMahan et al. 2013", example = [[
local w = nn.Variable(nn.tensor{0})
nn.optimizers.Ftrl{0.1, l1_regularization_strength = 10}:apply({nn.tensor{1}}, {w})
print(w.value[1]) --> 0.0]]},
    Lion = {"w -= lr * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g.",
      paper = "Chen et al. 2023", errors = "beta_1 is 0 or above 1.",
      example = step("Lion", "0.9000")},
    Lamb = {"Adam's direction r, scaled for each variable: w -= lr * |w| / |r| * r.",
      paper = "You et al. 2019", example = step("Lamb", "0.9000")},
    Adafactor = {"Adam's squares kept as one row and one column a matrix.",
      args = {beta_2_decay = "Exponent of the decay of squares.", epsilon_1 = "Added to squares.",
        epsilon_2 = "Smallest scale of a weight.", clip_threshold = "Largest mean step.",
        relative_step = "At most 1 / sqrt(t) as rate."},
      paper = "Shazeer and Stern 2018", example = step("Adafactor", "0.9000")},
    Muon = {[[Matrices move along the orthogonalised momentum (Newton-Schulz), all other variables
by Adam.]], args = {adam_beta_1 = "Adam's beta_1.", adam_beta_2 = "Adam's beta_2.",
        adam_weight_decay = "Weight decay of Adam's variables.",
        exclude_layers = "Patterns of paths that Adam takes.",
        exclude_embeddings = "Adam takes embeddings.", muon_a = "Factor of x.",
        muon_b = "Factor of "
          .. "x x^T x.", muon_c = "Factor of (x x^T)^2 x.", adam_lr_ratio = "Adam's rate / lr.",
        ns_steps = "Newton-Schulz iterations.", rms_rate = "Scale of a step; nil: 1.",
        learning_rate = "The rate.", momentum = "How much of the momentum stays."},
      paper = "Jordan et al. 2024", example = [[
local w = nn.Variable(nn.tensor{{1, 0}, {0, 1}})
nn.optimizers.Muon{0.1}:apply({nn.tensor{{1, 0}, {0, 1}}}, {w})
print(w.value[1][1] < 1) --> true]]},
    ScheduleFreeAdamW = {"Adam on an average of its own points, which needs no schedule.",
      args = {warmup_steps = "Steps in which the rate climbs."}, paper = "Defazio et al. 2024",
      example = [[
local w = nn.Variable(nn.tensor{1})
nn.optimizers.ScheduleFreeAdamW{0.1}:apply({nn.tensor{1}}, {w})
print(w.value[1] < 1) --> true]]},
    LossScaleOptimizer = {"Multiplies the loss by a factor that doubles while gradients stay "
      .. "finite.",
      args = {inner_optimizer = "The optimizer inside.", initial_scale = "First factor.",
        dynamic_growth_steps = "Finite steps until the factor doubles."}, example = [[
local o = nn.optimizers.LossScaleOptimizer{nn.optimizers.SGD{0.1}, initial_scale = 4}
local w = nn.Variable(nn.tensor{1})
o:apply({nn.tensor{4}}, {w})
print(w.value) --> [0.9]
]]},
    OptimizerMap = {"Optimizers by the path of a variable: an exact path, then a pattern, "
      .. "then the default.",
      args = {default_optimizer = "For all others.",
      optimizer_map = "path or pattern -> optimizer."},
      example = [[
local map = nn.optimizers.OptimizerMap{nn.optimizers.SGD{0.1}}
print(map ~= nil) --> true]]},
    MultiOptimizer = {"One optimizer that hands each variable to its own.",
      args = {optimizer_map = "An OptimizerMap."}, example = [[
local map = nn.optimizers.OptimizerMap{nn.optimizers.SGD{0.5}}
local w = nn.Variable(nn.tensor{1})
nn.optimizers.MultiOptimizer{map}:apply({nn.tensor{1}}, {w})
print(w.value) --> [0.5]
]]},
    schedules = "Learning rates as functions of the step: a page of its own.",
  }, true),
  fields = {Optimizer = {
    averages = "Averages of the weights (use_ema), in the variables' order.",
    calls = "Completed calls of apply.", is_custom = "The rule is written in Lua.",
    iterations = "Completed updates, from 0.",
    learning_rate = "The current rate; can be set to a number, a schedule or a function.",
    variables = "iteration, learning_rate, averages, accumulators, slots; the order of files.",
  }},
  internal = {Optimizer = "alternative check_variables config_keys hyperparameters rates "
    .. "uses_weight_decay"},
  methods = {Optimizer = {
    update_step = {"The rule of one variable; own optimizers write it.",
      signature = "(gradient, variable, learning_rate)"},
    assign = "Sets a variable, inside update_step.",
    assign_add = "Adds to a variable, inside update_step.",
    assign_sub = "Subtracts from a variable, inside update_step.",
    add_optimizer_variables = {[[One slot for each variable, or with a list of names a list of slots
for each name.]], args = {name = "The slot's name, or a list of names."}},
    apply = {"One update. A gradient that is nil or false leaves its variable alone.",
      returns = "Completed updates.", args = {squares = "Sums of squares of embeddings' gradients.",
        variables = "nil: those of the optimizer."}},
    apply_gradients = {"One update from a list of {gradient, variable}.",
      args = {pairs_ = "{{gradient, variable}, ...}."}},
    finalize_variable_values = {"Writes the averages into the variables (use_ema)."},
  }},
}
