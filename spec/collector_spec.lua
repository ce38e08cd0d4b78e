-- The collector takes nothing that is still wanted, and changes no number: a training runs with a
-- whole collection after nearly every allocation, and once as usual.

local nn = require "nnlua"
local scratch = require "spec.support.scratch"

local Twice = nn.layers.Layer:extend("Twice", {
  call = function(_, x) return x * 2 end,
})

local function train()
  nn.utils.set_random_seed(3)
  local x = nn.random.normal{{40, 4}}
  local y = nn.ops.sum(x, -1, true)
  local input = nn.Input{shape = {4}}
  local hidden = nn.layers.Dense{6, activation = "relu"}(input)
  hidden = nn.layers.Dropout{0.2}(nn.layers.BatchNormalization{}(Twice{}(hidden)))
  local model = nn.Model{inputs = input, outputs = nn.layers.Dense{1}(hidden)}
  model:compile{optimizer = "adam", loss = "mse", metrics = {"mae"}}
  local seen = {}
  local history = model:fit{nn.data.Dataset.from_tensors{x, y}:batch(8), epochs = 2, verbose = 0,
    callbacks = {{on_train_batch_end = function(_, _, logs) seen[#seen + 1] = logs.loss end}}}
  scratch.with(function(folder)
    model:save_weights(folder .. "/m.weights.h5")
    model:load_weights(folder .. "/m.weights.h5")
  end)
  local w = nn.Variable(nn.ones{4, 1})
  local loss, gradients = nn.value_and_grad(function()
    return nn.ops.mean(nn.ops.square(nn.ops.matmul(x, w) - y))
  end, {w})
  return {history.history, seen, model:predict{x, verbose = 0}:totable(), loss:item(),
    gradients[1]:totable()}
end

--- Counts the collections: a sentinel that dies in each makes the next.
local collections = 0
local function watch()
  setmetatable({}, {__gc = function()
    collections = collections + 1
    watch()
  end})
end
watch()

describe("a collector that never rests", function()
  after_each(function() collectgarbage("incremental", 200, 100, 13) end)

  it("leaves a training what it was", function()
    local want = train()
    collectgarbage("incremental", 1, 1000, 1)
    collectgarbage() -- from here on
    local before = collections
    assert.same(want, train())
    assert.is_true(collections - before > 20, "too few: " .. collections - before)
  end)

  it("in generations too", function()
    local want = train()
    collectgarbage("generational", 1, 1)
    collectgarbage()
    assert.same(want, train())
  end)
end)
