-- Trainings and computations whose bits are the same on every CPU type and number of threads.
-- Sets the global `report`: a line "name digest" for each. spec/bits/bits_test.c runs this with
-- each set of kernels; tools/arm.sh compares the lines of two machines. The global `threads` is
-- set before.

local nn = require "nnlua"
local core = require "nnlua.core"
local rows = require "spec.layers.rows"

nn.config.set_num_threads(math.tointeger(threads))
nn.config.set_gemm_backend "native"

local lines = {}

-- Digests of what `f` returns: tensors, numbers, strings and tables of them. A NaN has many
-- patterns of bits, and which one comes out is no promise: none may be among the results.
local function collect(v, parts)
  if core.is_tensor(v) then
    assert(v.dtype ~= "float32" or not core.has_nan(v), "a NaN")
    parts[#parts + 1] = core.tobytes(v)
  elseif type(v) == "number" then
    assert(v == v, "a NaN")
    parts[#parts + 1] = ("%a "):format(v)
  elseif type(v) == "string" then
    parts[#parts + 1] = v
  else
    for _, w in ipairs(v) do collect(w, parts) end
  end
  return parts
end

local function case(name, f)
  nn.utils.set_random_seed(7)
  local done, result = pcall(f)
  local digest = done and core.sha256(collect(result, {})):sub(1, 16)
    or "error: " .. tostring(result)
  lines[#lines + 1] = name .. " " .. digest
end

-- Numbers -----------------------------------------------------------------------------------------

-- Random numbers stand at fixed addresses, so cases do not depend on each other.
local function draw(shape, low, high, step)
  return core.rng.uniform(shape, low or -1, high or 1, 3, 1, step or 0)
end
local function classes(shape, count, step)
  return core.rng.randint(shape, 0, count, 3, 2, step or 0)
end

case("normal", function() return core.rng.normal({100003}, 1, 2, 5, 6, 7) end)
case("uniform", function() return draw({100003}, -3, 8) end)
for _, name in ipairs {"normal", "truncated_normal", "uniform"} do
  case("random." .. name, function() return nn.random[name] {{777}, seed = 4} end)
end
case("random.gamma", function() return nn.random.gamma{{777}, 1.3, seed = 4} end)
case("random.beta", function() return nn.random.beta{{777}, 0.7, 2, seed = 4} end)
case("random.binomial", function() return nn.random.binomial{{777}, 9, 0.3, seed = 4} end)
case("random.categorical", function()
  return nn.random.categorical{draw({50, 7}), 9, seed = 4}
end)
case("random.shuffle", function() return nn.random.shuffle{draw({777}), seed = 4} end)
for _, name in ipairs {"GlorotUniform", "GlorotNormal", "HeNormal", "LecunUniform", "Orthogonal",
  "RandomNormal", "TruncatedNormal"} do
  case("initializers." .. name, function()
    return nn.initializers[name]{seed = 3}({37, 21}, "float32")
  end)
end

-- Functions ---------------------------------------------------------------------------------------

local function value_and_gradients(f, inputs)
  local y
  local _, g = nn.value_and_grad(function()
    y = f(table.unpack(inputs))
    return nn.ops.sum(y * draw(y.shape, 0.5, 1.5, 99))
  end, inputs)
  return {y, g}
end

-- name -> the range of the argument
local unary = {
  erfc = {-5, 9},
  abs = {-4, 4}, arccos = {-1, 1}, arccosh = {1, 40}, arcsin = {-1, 1}, arcsinh = {-40, 40},
  arctan = {-40, 40}, arctanh = {-1, 1}, cbrt = {-90, 90}, celu = {-6, 3}, cos = {-9, 9},
  cosh = {-9, 9}, deg2rad = {-400, 400}, elu = {-6, 3}, erf = {-5, 5}, erfinv = {-1, 1},
  exp = {-80, 80}, exp2 = {-80, 80}, expm1 = {-20, 20}, gelu = {-6, 6}, hard_sigmoid = {-4, 4},
  leaky_relu = {-2, 2}, log = {1e-3, 90}, log10 = {1e-3, 90}, log1p = {-0.9, 90},
  log2 = {1e-3, 90}, log_sigmoid = {-40, 40}, mish = {-20, 20}, reciprocal = {0.1, 9},
  rsqrt = {0.1, 9}, selu = {-6, 3}, sigmoid = {-40, 40}, silu = {-40, 40}, sin = {-9, 9},
  sinc = {-4, 4}, sinh = {-9, 9}, softplus = {-40, 40}, softsign = {-9, 9}, sparse_plus = {-2, 2},
  sqrt = {0.1, 900}, square = {-9, 9}, squareplus = {-9, 9}, tan = {-9, 9}, tanh = {-12, 12},
  tanh_shrink = {-4, 4}, i0 = {-20, 20},
}
for name, range in pairs(unary) do
  local f = nn.ops[name] or nn.activations[name]
  unary[name] = {f = f, range = range}
end
local names = {}
for name in pairs(unary) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  case("ops." .. name, function()
    local low, high = table.unpack(unary[name].range)
    return value_and_gradients(unary[name].f, {draw({20011}, low, high)})
  end)
end
case("ops.gelu exact", function()
  return value_and_gradients(function(x) return nn.ops.gelu{x, approximate = false} end,
    {draw({20011}, -6, 6)})
end)
for _, name in ipairs {"power", "arctan2", "hypot", "logaddexp", "divide", "multiply", "maximum",
  "mod", "floor_divide"} do
  case("ops." .. name, function()
    return value_and_gradients(nn.ops[name], {draw({20011}, 0.1, 7), draw({20011}, 0.3, 5, 1)})
  end)
end
for _, name in ipairs {"sum", "mean", "var", "std", "max", "prod", "logsumexp", "cumsum", "norm",
  "softmax", "log_softmax", "median"} do
  for _, axis in ipairs {1, -1} do
    case(("ops.%s %d"):format(name, axis), function()
      local x = draw({61, 73}, 0.7, 1.3)
      return value_and_gradients(function(t) return nn.ops[name] {t, axis = axis} end, {x})
    end)
  end
end
for _, name in ipairs {"svd", "qr", "eigh", "inv", "cholesky", "det"} do
  case("ops." .. name, function()
    local x = draw({6, 6})
    return {nn.ops[name](nn.ops.matmul(x, nn.ops.transpose(x)) + nn.ops.eye(6))}
  end)
end
for _, size in ipairs {{1, 1, 7}, {3, 5, 11}, {32, 39, 5}, {33, 127, 65}, {1, 513, 200},
  {130, 260, 97}, {257, 300, 511}} do
  local m, k, n = table.unpack(size)
  case(("matmul %d %d %d"):format(m, k, n), function()
    return value_and_gradients(nn.ops.matmul, {draw({m, k}), draw({k, n}, -1, 1, 1)})
  end)
end

-- Layers ------------------------------------------------------------------------------------------

local function make(name, arguments)
  local a = {}
  for key, v in pairs(arguments) do a[key] = v end
  for _, key in ipairs {"layer", "cell"} do
    if a[key] then a[key] = make(a[key][1], a[key][2]) end
  end
  return nn.layers[name](a)
end

for i, row in ipairs(rows) do
  case(("layer %d %s"):format(i, row[1]), function()
    local layer = make(row[1], row[2])
    local shapes = type(row[3][1]) == "number" and {row[3]} or row[3]
    local inputs, floats = {}, {}
    for k, shape in ipairs(shapes) do
      inputs[k] = row.dtype == "int32" and classes(shape, 4, k) or draw(shape, 0.1, 1.4, k)
      if row.dtype ~= "int32" then floats[#floats + 1] = inputs[k] end
    end
    local x = #inputs == 1 and inputs[1] or inputs
    local y = layer(x, {training = true})
    if row.grad == false then return y end
    for _, w in ipairs(layer.trainable_weights) do floats[#floats + 1] = w.tensor end
    local _, g = nn.value_and_grad(function()
      y = layer(x, {training = true})
      return nn.ops.sum(y * y)
    end, floats)
    return {y, g, layer:get_weights()}
  end)
end

-- Trainings ---------------------------------------------------------------------------------------

-- The weights, the optimizer's numbers, the history and the predictions, by batches of any size.
local function train(layers, x, y, compile, fit)
  local model = nn.Sequential(layers)
  model:compile(compile)
  local history = model:fit{x, y, epochs = fit and fit.epochs or 2, verbose = 0,
    batch_size = fit and fit.batch_size or 13, validation_split = 0.2}
  local out = {model:get_weights()}
  for _, v in ipairs(model.optimizer.variables) do out[#out + 1] = core.new(v.tensor) end
  for _, name in ipairs(history:names()) do
    for _, v in ipairs(history.history[name]) do out[#out + 1] = v end
  end
  local at_once = model:predict{x, batch_size = 1000, verbose = 0}
  for _, size in ipairs {1, 7, 32} do
    local again = model:predict{x, batch_size = size, verbose = 0}
    assert(core.tobytes(again) == core.tobytes(at_once), "predict depends on the batch size")
  end
  out[#out + 1] = at_once
  return out
end

local L = nn.layers
local softmax_of = {optimizer = "adam", loss = "sparse_categorical_crossentropy",
  metrics = {"accuracy"}}

for _, activation in ipairs {"relu", "tanh", "sigmoid", "gelu", "selu", "mish", "celu", "swish",
  "log_sigmoid", "softplus"} do
  case("mlp " .. activation, function()
    return train({L.Input{shape = {39}}, L.Dense{5, activation = activation},
      L.Dense{5, activation = activation}, L.Dense{2, activation = "softmax"}},
      draw({103, 39}), classes({103}, 2), softmax_of)
  end)
end
case("mlp wide", function()
  return train({L.Input{shape = {120}}, L.Dense{256, activation = "relu"}, L.BatchNormalization{},
    L.Dropout{0.3}, L.Dense{130, activation = "tanh"}, L.LayerNormalization{},
    L.GaussianNoise{0.1}, L.Dense{10, activation = "softmax"}}, draw({300, 120}),
    classes({300}, 10), softmax_of, {batch_size = 128})
end)
case("conv", function()
  return train({L.Input{shape = {12, 12, 3}}, L.Conv2D{8, 3, activation = "relu"},
    L.BatchNormalization{}, L.MaxPooling2D{2}, L.SeparableConv2D{12, 3, padding = "same"},
    L.SpatialDropout2D{0.2}, L.GlobalAveragePooling2D{}, L.Dense{4, activation = "softmax"}},
    draw({60, 12, 12, 3}), classes({60}, 4), softmax_of)
end)
for _, name in ipairs {"SimpleRNN", "LSTM", "GRU"} do
  case("recurrent " .. name, function()
    return train({L.Input{shape = {9, 5}}, L[name] {17, return_sequences = true},
      L.Bidirectional{L[name] {6}}, L.Dense{1, activation = "sigmoid"}}, draw({50, 9, 5}),
      classes({50, 1}, 2), {optimizer = "rmsprop", loss = "binary_crossentropy",
      metrics = {"auc", "precision", "recall"}})
  end)
end
case("embedding", function()
  return train({L.Input{shape = {11}, dtype = "int32"}, L.Embedding{50, 12, mask_zero = true},
    L.GRU{8}, L.Dense{3, activation = "softmax"}}, classes({70, 11}, 50), classes({70}, 3),
    softmax_of)
end)

local function of_units(units, activation)
  return {L.Input{shape = {6}}, L.Dense{7, activation = "tanh"},
    L.Dense{units, activation = activation}}
end

local schedules = nn.optimizers.schedules
local rates = {
  CosineDecay = function() return schedules.CosineDecay{0.05, 9, warmup_target = 0.1,
    warmup_steps = 3} end,
  ExponentialDecay = function() return schedules.ExponentialDecay{0.05, 7, 0.83} end,
  InverseTimeDecay = function() return schedules.InverseTimeDecay{0.05, 7, 0.83} end,
  PolynomialDecay = function() return schedules.PolynomialDecay{0.05, 11, power = 1.7} end,
}
for _, name in ipairs {"CosineDecay", "ExponentialDecay", "InverseTimeDecay", "PolynomialDecay"} do
  case("schedule " .. name, function()
    return train(of_units(1), draw({60, 6}), draw({60, 1}, -1, 1, 1),
      {optimizer = nn.optimizers.SGD{learning_rate = rates[name](), momentum = 0.9}, loss = "mse"})
  end)
end

local options = {SGD = {momentum = 0.9, nesterov = true}, Adam = {amsgrad = true}}
for _, name in ipairs {"Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl",
  "Lamb", "Lion", "Muon", "Nadam", "RMSprop", "SGD", "ScheduleFreeAdamW"} do
  for _, extra in ipairs {"plain", "norm", "global", "ema"} do
    case(("optimizer %s %s"):format(name, extra), function()
      local o = {learning_rate = 0.03}
      for key, v in pairs(options[name] or {}) do o[key] = v end
      if extra ~= "plain" then o.weight_decay = 0.01 end
      if extra == "norm" then o.clipnorm = 0.3 end
      if extra == "global" then o.global_clipnorm = 0.3 end
      if extra == "ema" then o.clipvalue, o.use_ema = 0.01, true end
      return train(of_units(1), draw({60, 6}), draw({60, 1}, -1, 1, 1),
        {optimizer = nn.optimizers[name](o), loss = "mse", metrics = {"mae", "r2_score"}},
        {epochs = 4})
    end)
  end
end

local losses = {
  {"mean_squared_error mean_absolute_error mean_absolute_percentage_error "
    .. "mean_squared_logarithmic_error huber log_cosh cosine_similarity poisson kl_divergence "
    .. "hinge squared_hinge binary_crossentropy binary_focal_crossentropy dice tversky", "sigmoid",
    draw({60, 3}, 0.05, 0.95, 1)},
  {"categorical_crossentropy categorical_focal_crossentropy categorical_hinge", "softmax",
    nn.ops.one_hot(classes({60}, 3), 3)},
  {"sparse_categorical_crossentropy", "softmax", classes({60}, 3)},
}
for _, group in ipairs(losses) do
  for name in group[1]:gmatch "%S+" do
    case("loss " .. name, function()
      local metric = nn.metrics.name_of(nn.losses[name]) and {name} or nil
      return train(of_units(3, group[2]), draw({60, 6}), group[3],
        {optimizer = "adam", loss = name, metrics = metric})
    end)
  end
end
case("loss circle", function()
  return value_and_gradients(function(p) return nn.losses.circle(classes({40}, 4), p) end,
    {draw({40, 8}, -0.5, 0.5)})
end)
case("loss ctc", function()
  return value_and_gradients(function(z) return nn.losses.ctc(classes({5, 3}, 4) , z) end,
    {draw({5, 9, 5}, -2, 2)})
end)

for _, name in ipairs {"AUC", "BinaryAccuracy", "BinaryIoU", "CosineSimilarity", "F1Score",
  "FBetaScore", "LogCoshError", "PearsonCorrelation", "ConcordanceCorrelation", "Precision",
  "Recall", "RootMeanSquaredError", "R2Score", "TopKCategoricalAccuracy"} do
  case("metric " .. name, function()
    local m = nn.metrics[name] {}
    for step = 1, 3 do
      m:update_state(nn.ops.one_hot(classes({40}, 3, step), 3), draw({40, 3}, 0, 1, step))
    end
    return m:result()
  end)
end

report = table.concat(lines, "\n") .. "\n"
