-- What the ways of shuffling do to the order of rows, seen by an own train_step.

local nn = require "nnlua"

-- The first column of every batch of one epoch.
local function batches(shuffle)
  nn.set_random_seed(5)
  local seen = {}
  local Watching = nn.Model:extend("Watching")
  function Watching:init()
    Watching.super.init(self, {})
    self.dense = nn.layers.Dense(1)
  end
  function Watching:call(x) return self.dense(x) end
  function Watching.train_step(_, data)
    seen[#seen + 1] = data[1]:reshape{-1}:totable()
    return {loss = 0}
  end
  local model, rows = Watching(), {}
  model:compile{loss = "mse"}
  for i = 1, 10 do rows[i] = {i} end
  model:fit{nn.tensor(rows), nn.zeros{10, 1}, batch_size = 4, shuffle = shuffle, verbose = 0}
  return seen
end

local function sorted(list)
  table.sort(list)
  return list
end

describe("shuffle", function()
  it("false keeps the order", function()
    assert.same({{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10}}, batches(false))
  end)

  it("true moves every row, each once", function()
    local all = {}
    for _, batch in ipairs(batches(true)) do
      for _, v in ipairs(batch) do all[#all + 1] = v end
    end
    assert.not_same({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, all)
    assert.same({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, sorted(all))
  end)

  it("'batch' moves rows inside their batches alone", function()
    local seen = batches("batch")
    assert.not_same({{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10}}, seen)
    for _, batch in ipairs(seen) do sorted(batch) end
    assert.same({{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10}}, seen)
  end)
end)
