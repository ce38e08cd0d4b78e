-- The workloads that specs, `make bench` and the comparison with peers share. Data is drawn from a
-- fixed seed; the final loss is reported, so that a fast run that does not train shows.

local nn = require "nnlua"
local core = require "nnlua.core"

local workloads = {}

-- Gaussian rows, and classes by a fixed random linear map (so that there is something to learn).
local function classification(rows, columns, classes)
  local x = core.rng.normal({rows, columns}, 0, 1, 7, 1, 0)
  local map = core.rng.normal({columns, classes}, 0, 1, 7, 2, 0)
  local ids = nn.ops.argmax(nn.ops.matmul(x, map), {axis = -1}) - 1
  return x, nn.utils.to_categorical(ids, classes)
end

local function regression(rows, columns)
  local x = core.rng.normal({rows, columns}, 0, 1, 7, 1, 0)
  local map = core.rng.normal({columns, 1}, 0, 1, 7, 2, 0)
  return x, nn.ops.tanh(nn.ops.matmul(x, map))
end

local function mlp(columns, widths, last)
  local layers = {nn.Input{shape = {columns}}}
  for _, w in ipairs(widths) do layers[#layers + 1] = nn.layers.Dense{w, activation = "relu"} end
  layers[#layers + 1] = nn.layers.Dense(last)
  return nn.Sequential(layers)
end

-- flops_a_row: multiply-adds of one row's forward and backward pass, times two (the first layer
-- needs no gradient of its input).
local function spec(name, s)
  s.name = name
  local all = {table.unpack(s.widths)}
  all[#all + 1] = s.classes
  local total, from = 0, s.columns
  for i, w in ipairs(all) do
    total = total + 2 * from * w * (i == 1 and 2 or 3)
    from = w
  end
  s.flops_a_row = total
  workloads[name] = s
end

spec("W1", {columns = 39, widths = {5, 5}, classes = 2, rows = 10000, batch = 32, epochs = 10,
  optimizer = "adam", softmax = true})
spec("W2", {columns = 784, widths = {512, 512}, classes = 10, rows = 60000, batch = 128, epochs = 1,
  optimizer = "adam", softmax = true})
spec("W3", {columns = 64, widths = {128, 64}, classes = 1, rows = 100000, batch = 32, epochs = 1,
  optimizer = "adam"})
spec("W4", {columns = 1024, widths = {2048, 2048}, classes = 1000, rows = 5120, batch = 256,
  epochs = 1, optimizer = "sgd-momentum", softmax = true})

--- The settings of a workload; quick: few rows and one epoch, to see whether everything runs.
function workloads.settings(name, quick)
  local w = workloads[name]
  if not quick then return w end
  return setmetatable({rows = math.min(w.rows, w.batch * 6 + 5), epochs = 1}, {__index = w})
end

--- Model, x and y of a training workload, compiled, and its settings.
function workloads.make(name, quick)
  local w = workloads.settings(name, quick)
  local model, x, y = workloads.model(w), workloads.data(w)
  return model, x, y, w
end

--- x and y of a workload.
function workloads.data(w)
  if w.softmax then return classification(w.rows, w.columns, w.classes) end
  return regression(w.rows, w.columns)
end

--- The compiled model of a workload.
function workloads.model(w)
  nn.set_random_seed(1)
  local model = mlp(w.columns, w.widths, w.softmax
    and {w.classes, activation = "softmax"} or {w.classes})
  local optimizer = w.optimizer == "sgd-momentum"
    and nn.optimizers.SGD{learning_rate = 0.01, momentum = 0.9} or w.optimizer
  model:compile{optimizer = optimizer,
    loss = w.softmax and "categorical_crossentropy" or "mse",
    metrics = w.softmax and {"accuracy"} or nil}
  return model
end

return workloads
