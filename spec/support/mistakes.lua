-- Data, models and checks for the specs of mistakes.

local nn = require "nnlua"
local assert = require "luassert"
local terminal = require "nnlua.terminal"

local Dense = nn.layers.Dense

-- data and models ---------------------------------------------------------------------------------

local function numbers(...)
  local shape, size, list = {...}, 1, {}
  for _, n in ipairs(shape) do size = size * n end
  for i = 1, size do list[i] = math.sin(i) end
  return nn.tensor(list):reshape(shape)
end

local function ids(n)
  local list = {}
  for i = 1, n do list[i] = i % 3 end
  return nn.tensor(list, "int32")
end

local function one_hot(n) return nn.utils.to_categorical(ids(n), 3) end

local function network(loss, metrics)
  local model = nn.Sequential{Dense{5, activation = "relu", input_shape = {4}},
    Dense{3, activation = "softmax"}}
  model:compile{optimizer = "sgd", loss = loss or "sparse_categorical_crossentropy",
    metrics = metrics}
  return model
end

local function trains(model, x, y)
  local h = model:fit{x or numbers(10, 4), y or ids(10), epochs = 2, verbose = 0}
  assert.equal(2, #h.history.loss)
  assert.is_true(h.history.loss[2] == h.history.loss[2])
end

local function two_inputs()
  local a, b = nn.Input{shape = {2}, name = "a"}, nn.Input{shape = {3}, name = "b"}
  local model = nn.Model{inputs = {a, b}, outputs = Dense{1}(nn.layers.Concatenate(){a, b})}
  model:compile{optimizer = "sgd", loss = "mse"}
  return model
end

local function warnings(f)
  local said, warn = {}, terminal.warn
  terminal.warn = function(text) said[#said + 1] = text end
  local ok, e = pcall(f)
  terminal.warn = warn
  assert.is_true(ok, e)
  return table.concat(said, "\n")
end

-- f must raise `text` at a line of its own.
local function raises(text, f)
  local ok, e = pcall(f)
  assert.is_false(ok, "no error, expected: " .. text)
  local line, said = tostring(e):match("^[%w_/.]+:(%d+): (.*)$")
  assert.is_not_nil(line, "not at the caller's line: " .. tostring(e))
  local info = debug.getinfo(f, "S")
  assert.equal(info.short_src, tostring(e):match "^(.-):%d+: ")
  line = tonumber(line)
  assert.is_true(line >= info.linedefined and line <= info.lastlinedefined,
    "line " .. line .. " is not the caller's: " .. said)
  assert.equal(text, said)
end

-- fit with these arguments raises `text`; the model trains afterwards.
local function fit_raises(text, arguments, model)
  model = model or network()
  arguments.verbose = 0
  raises(text, function() model:fit(arguments) end)
  return model
end

return {numbers = numbers, ids = ids, one_hot = one_hot, network = network, trains = trains,
  two_inputs = two_inputs, warnings = warnings, raises = raises, fit_raises = fit_raises}
