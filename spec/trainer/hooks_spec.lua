-- Hooks of single batches: the batches run in one call into C, which must not show.

local nn = require "nnlua"
local core = require "nnlua.core"

local x, y = nn.random.normal{{64, 5}, seed = 1}, nn.random.normal{{64, 1}, seed = 2}

local function model_of(metrics)
  nn.set_random_seed(3)
  local m = nn.Sequential{nn.layers.Dense{4, activation = "tanh", input_shape = {5}},
    nn.layers.Dropout{0.2}, nn.layers.Dense{1}}
  m:compile{optimizer = nn.optimizers.SGD{learning_rate = 0.1}, loss = "mse", metrics = metrics}
  return m
end

local function fit(m, callbacks, epochs)
  return m:fit{x, y, batch_size = 10, epochs = epochs or 2, verbose = 0, callbacks = callbacks}
end

local function bytes(m)
  local parts = {}
  for i, w in ipairs(m:get_weights()) do parts[i] = core.tobytes(w) end
  return table.concat(parts)
end

describe("a hook of single batches", function()
  it("changes nothing by being there", function()
    local a, count = model_of {"mae"}, 0
    local want = fit(a).history
    local b = model_of {"mae"}
    local got = fit(b, {{on_train_batch_end = function() count = count + 1 end}}).history
    assert.equal(bytes(a), bytes(b))
    assert.same(want.loss, got.loss)
    assert.same(want.mae, got.mae)
    assert.equal(14, count)
  end)

  it("gets its own logs each time, with the means so far", function()
    local m, all, batches = model_of {"mae"}, {}, {}
    local h = fit(m, {{on_train_batch_end = function(_, batch, logs)
      all[#all + 1], batches[#batches + 1] = logs, batch
    end}}, 1)
    assert.same({1, 2, 3, 4, 5, 6, 7}, batches)
    assert.equal(h.history.loss[1], all[7].loss)
    assert.equal(h.history.mae[1], all[7].mae)
    assert.not_equal(all[1].loss, all[2].loss)
    local names = {}
    all[1].extra = 1
    for name in pairs(all[1]) do names[#names + 1] = name end
    assert.same({"loss", "mae", "extra"}, names)
  end)

  it("sets a learning rate that the next batch has", function()
    local slow = model_of()
    fit(slow, {{on_train_batch_end = function(self) self.model.optimizer.learning_rate = 0 end}})
    local one = model_of()
    fit(one, {{on_train_batch_end = function(self) self.model.stop_training = true end}})
    assert.equal(bytes(one), bytes(slow))
  end)

  it("stops training after its batch", function()
    local m, count = model_of(), 0
    fit(m, {{on_train_batch_end = function(self, batch)
      count = count + 1
      self.model.stop_training = batch == 3
    end}})
    assert.equal(3, count)
    assert.equal(3, m.steps_done)
    assert.equal(3, m.optimizer.iterations)
  end)

  it("may predict, evaluate, draw, fail and yield", function()
    local a = model_of()
    fit(a)
    local b = model_of()
    fit(b, {{on_train_batch_end = function(self)
      self.model:predict{x, verbose = 0}
      self.model:evaluate{x, y, verbose = 0}
    end}})
    assert.equal(bytes(a), bytes(b))

    local c = model_of()
    local run = coroutine.wrap(function()
      fit(c, {{on_train_batch_end = function(_, batch) coroutine.yield(batch) end}})
      return "end"
    end)
    local seen = {}
    repeat seen[#seen + 1] = run() until seen[#seen] == "end"
    assert.equal(15, #seen)
    assert.equal(bytes(a), bytes(c))

    assert.error_matches(function()
      fit(model_of(), {{on_train_batch_end = function() error("stop here", 0) end}})
    end, "stop here")
  end)

  it("finds both ends of a batch, in order", function()
    local calls = {}
    fit(model_of(), {{on_train_batch_begin = function(_, b) calls[#calls + 1] = "b" .. b end,
      on_train_batch_end = function(_, b) calls[#calls + 1] = "e" .. b end}}, 1)
    assert.equal("b1 e1 b2 e2 b3 e3 b4 e4 b5 e5 b6 e6 b7 e7", table.concat(calls, " "))
  end)

  it("is heard as a method of a class, under its short name too", function()
    local Mine = nn.callbacks.Callback:extend("Mine")
    local count = 0
    function Mine.on_batch_end() count = count + 1 end
    fit(model_of(), {Mine{}}, 1)
    fit(model_of(), {{on_batch_end = function() count = count + 1 end}}, 1)
    assert.equal(14, count)
  end)
end)

describe("predict of one batch", function()
  it("gives the same when it is called again, and after more training", function()
    local m = model_of()
    local row = x:slice{{1, 1}}
    for _ = 1, 2 do
      local want = m:predict{x, verbose = 0, batch_size = 64}:slice{{1, 1}}:totable()
      for _ = 1, 3 do assert.same(want, m:predict{row, verbose = 0}:totable()) end
      fit(m)
    end
    local first = m:predict{row, verbose = 0}
    local again = m:predict{x:slice{{2, 2}}, verbose = 0}
    assert.not_same(first:totable(), again:totable()) -- results do not share memory
  end)

  it("still checks its arguments", function()
    local m = model_of()
    m:predict{x:slice{{1, 1}}, verbose = 0}
    assert.error_matches(function() m:predict{x:slice{{1, 1}}, verbose = 0, batch_size = 0} end,
      "predict: batch_size is 0")
    assert.error_matches(function() m:predict{x[1], verbose = 0} end, "for one row write")
  end)
end)
