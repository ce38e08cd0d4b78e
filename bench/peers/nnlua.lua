-- nnlua as a peer of bench/peers/run.py: the whole `fit` from Lua, accuracy and history included.
--
--   nnlua bench/peers/nnlua.lua FOLDER W1|W2|W3|W4|I1|S1

package.path = "./?.lua;" .. package.path
local nn = require "nnlua"
local core = require "nnlua.core"

local folder, name = arg[1], arg[2]
local clock = core.sys.clock

local function say(t)
  print(core.json.encode(t))
  io.stdout:flush()
end

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

local function read_settings(workload)
  local file = assert(io.open(("%s/%s.spec"):format(folder, workload)))
  local words = {}
  for word in file:read("a"):gmatch "%S+" do words[#words + 1] = word end
  file:close()
  local w = {optimizer = words[4], softmax = words[5] == "softmax", widths = {}}
  w.rows, w.batch, w.epochs = tonumber(words[1]), tonumber(words[2]), tonumber(words[3])
  for i = 6, #words do w.widths[i - 5] = math.tointeger(tonumber(words[i])) end
  return w
end

local function build(w)
  local layers = {nn.Input{shape = {w.widths[1]}}}
  for i = 2, #w.widths - 1 do
    layers[i] = nn.layers.Dense{w.widths[i], activation = "relu"}
  end
  layers[#w.widths] = nn.layers.Dense{w.widths[#w.widths],
    activation = w.softmax and "softmax" or "linear"}
  return nn.Sequential(layers)
end

local function compile(model, w)
  model:compile{
    optimizer = w.optimizer == "adam" and "adam"
      or nn.optimizers.SGD{learning_rate = 0.01, momentum = 0.9},
    loss = w.softmax and "categorical_crossentropy" or "mse",
    metrics = w.softmax and {"accuracy"} or nil}
end

local function load(workload)
  local w = read_settings(workload)
  local function array(what, mapped)
    return nn.data.npy{("%s/%s-%s.npy"):format(folder, workload, what), mmap = mapped}
  end
  local function start(model) -- one at a time: the memory is to be the training's
    for i, v in ipairs(model.weights) do
      v:assign(array((i % 2 == 1 and "w" or "b") .. (i + 1) // 2, true))
      collectgarbage()
    end
  end
  return w, array "x", array "y", start
end

local function clear(variable)
  local t = variable.tensor
  if t.ndim < 2 then return variable:assign(nn.ops.zeros_like(t)) end
  local zero = nn.ops.zeros_like(core.view(t, {{1, 1}}))
  for i = 1, t.shape[1] do core.apply("assign", {core.view(t, {{i, i}}), zero}) end
end

-- Each run starts from the same weights and an optimizer without memory.
local function train(workload)
  local w, x, y, start = load(workload)
  local model = build(w)
  local function fit(epochs)
    return model:fit{x, y, batch_size = w.batch, epochs = epochs, verbose = 0, shuffle = true}
  end
  compile(model, w)
  local function reset()
    start(model)
    for _, v in ipairs(model.optimizer.variables) do
      if v.name ~= "learning_rate" then clear(v) end
    end
  end
  fit(1)
  say{ready = true, mode = "fit"}
  for line in io.lines() do
    if line == "quit" then break end
    local times, started = {}, clock()
    local history
    repeat
      reset()
      local t = clock()
      history = fit(w.epochs).history
      times[#times + 1] = clock() - t
    until clock() - started > 0.2
    local accuracy = history.accuracy
    say{seconds = median(times), loss = history.loss[w.epochs],
      accuracy = accuracy and accuracy[w.epochs]}
  end
end

local function latencies(model, one)
  local times = {}
  for i = 1, 2000 do
    local t = clock()
    model:predict_on_batch(one)
    times[i] = clock() - t
  end
  table.sort(times)
  return times[1000], times[1980]
end

local function inference()
  local w, x, _, start = load "W2"
  local model = build(w)
  start(model)
  local many_rows = math.min(1024, w.rows)
  local one = core.reshape(core.view(x, {{1, 1}}), {1, w.widths[1]})
  local many = core.view(x, {{1, many_rows}})
  model:predict_on_batch(one)
  model:predict_on_batch(many)
  say{ready = true, mode = "predict_on_batch"}
  for line in io.lines() do
    if line == "quit" then break end
    local p50, p99 = latencies(model, one)
    local times = {}
    for i = 1, 20 do
      local t = clock()
      model:predict_on_batch(many)
      times[i] = clock() - t
    end
    say{p50 = p50, p99 = p99, rows_a_second = many_rows / median(times)}
  end
end

local function first_step()
  local w = {optimizer = "adam", softmax = true, widths = {39, 5, 5, 2}}
  local model = build(w)
  compile(model, w)
  model:train_on_batch(nn.zeros{32, 39}, nn.ones{32, 2})
  say{step = true}
  io.read() -- alive while its memory is read
end

if name == "S1" then first_step() elseif name == "I1" then inference() else train(name) end
