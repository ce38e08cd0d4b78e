-- What the Lua side costs around the steps: an epoch of one batch, a hook of single batches, a
-- prediction of one row. Medians of rounds, in microseconds; bytes are what Lua allocates a call.
--
--   nnlua bench/lua_side.lua [epochs=10000] [rounds=5]

local nn = require "nnlua"
local clock = nn.core.sys.clock

local options = {epochs = 10000, rounds = 5}
for _, a in ipairs(arg) do
  local key, v = a:match "^(%w+)=(%d+)$"
  if key then options[key] = math.tointeger(tonumber(v)) end
end

local function median(f)
  local list = {}
  for i = 1, options.rounds do list[i] = f() end
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function model_of(metrics)
  nn.set_random_seed(1)
  local m = nn.Sequential{
    nn.layers.Dense{5, activation = "relu", input_shape = {39}},
    nn.layers.Dense{5, activation = "relu"},
    nn.layers.Dense{2, activation = "softmax"},
  }
  m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = metrics}
  return m
end

local x = nn.random.normal{{32, 39}, seed = 1}
local y = nn.random.randint{{32}, 0, 2, seed = 2}

local function tell(what, us, more) print(("%-58s %9.3f us%s"):format(what, us, more or "")) end

-- Epochs ------------------------------------------------------------------------------------------

local function epochs(metrics, more)
  local m = model_of(metrics)
  m:fit{x, y, epochs = 2, verbose = 0}
  return median(function()
    local a = {x, y, epochs = options.epochs, verbose = 0, batch_size = 32}
    for k, v in pairs(more or {}) do a[k] = v end
    local t = clock()
    m:fit(a)
    return (clock() - t) / options.epochs * 1e6
  end)
end

local nothing = function() end

tell("an epoch of one batch", epochs(nil))
tell("an epoch of one batch, shuffle=false", epochs(nil, {shuffle = false}))
tell("an epoch of one batch, accuracy", epochs {"accuracy"})
tell("an epoch of one batch, EarlyStopping", epochs(nil,
  {callbacks = {nn.callbacks.EarlyStopping{monitor = "loss", patience = 1e9}}}))
tell("an epoch of one batch, a hook of epochs", epochs(nil,
  {callbacks = {{on_epoch_end = nothing}}}))
tell("an epoch of one batch, validation", epochs(nil, {validation_data = {x, y}}))

-- Batches -----------------------------------------------------------------------------------------

local batches = 20000
local many_x, many_y = nn.random.normal{{32 * batches, 39}, seed = 1},
  nn.random.randint{{32 * batches}, 0, 2, seed = 2}

local function batch_with(callbacks, metrics)
  local m = model_of(metrics)
  m:fit{many_x, many_y, epochs = 1, verbose = 0, shuffle = false}
  return median(function()
    local t = clock()
    m:fit{many_x, many_y, epochs = 1, verbose = 0, shuffle = false, callbacks = callbacks}
    return (clock() - t) / batches * 1e6
  end)
end

local bare = batch_with(nil)
local hooked = batch_with {{on_train_batch_end = nothing}}
local read = batch_with {{on_train_batch_end = function(_, _, logs) return logs.loss end}}
tell("a batch", bare)
tell("on_train_batch_end that does nothing, a batch beyond that", hooked - bare)
tell("on_train_batch_end that reads logs.loss, beyond that", read - bare)

-- One row -----------------------------------------------------------------------------------------

local row = x:slice{{1, 1}}

local function calls(what, f)
  for _ = 1, 10 do f() end
  local n = 20000
  local us = median(function()
    local t = clock()
    for _ = 1, n do f() end
    return (clock() - t) / n * 1e6
  end)
  collectgarbage "collect"
  collectgarbage "stop"
  local before = collectgarbage "count"
  for _ = 1, 1000 do f() end
  local bytes = (collectgarbage "count" - before) * 1024 / 1000
  collectgarbage "restart"
  tell(what, us, ("  %6.0f bytes"):format(bytes))
end

local m = model_of()
m:predict{row, verbose = 0}
calls("predict_on_batch of one row", function() return m:predict_on_batch(row) end)
calls("predict{x, verbose=0} of one row", function() return m:predict{row, verbose = 0} end)
calls("predict(x, {verbose=0}) of one row", function() return m:predict(row, {verbose = 0}) end)
calls("model(x) of one row", function() return m(row) end)
calls("the result alone: a tensor of (1, 2)", function() return nn.core.full({1, 2}, 0) end)
