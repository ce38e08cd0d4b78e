-- Models so large that the optimizer takes the gradients of kernels in pieces, while the backward
-- pass computes them: with a global norm to clip to it waits for all of them, so the two must agree
-- where that norm is never reached.

local nn = require "nnlua"
local core = require "nnlua.core"
local failure = require "spec.support.failure"

local WIDE = 1601 -- 2.6 million weights in one kernel, and columns that fill no vector

local function rows(n) return core.rng.normal({n, 40}, 0, 1, 7, 1, 0) end
local function ids(n) return core.rng.randint({n}, 0, 10, 7, 2, 0) end

local function chain(options)
  options = options or {}
  return nn.Sequential{nn.Input{shape = {40}}, nn.layers.Dense{WIDE, activation = "relu"},
    nn.layers.Dense{WIDE, activation = "relu", kernel_regularizer = options.regularizer,
      kernel_constraint = options.constraint},
    nn.layers.Dense{10, activation = "softmax"}}
end

-- One kernel used twice.
local function shared()
  local layer = nn.layers.Dense{WIDE, activation = "relu"}
  local x = nn.Input{shape = {40}}
  local h = layer(layer(nn.layers.Dense{WIDE, activation = "relu"}(x)))
  return nn.Model{inputs = x, outputs = nn.layers.Dense{10, activation = "softmax"}(h)}
end

local function trained(build, optimizer, norm)
  nn.set_random_seed(3)
  local model = build()
  model:compile{optimizer = optimizer(norm), loss = "sparse_categorical_crossentropy"}
  model:fit{rows(96), ids(96), batch_size = 32, epochs = 1, verbose = 0}
  return model
end

local function digest(model) return core.sha256(model:get_weights()) end

local function assert_same(build, optimizer)
  local got = digest(trained(build, optimizer, nil))
  assert.equal(digest(trained(build, optimizer, 2.0^100)), got)
  nn.set_random_seed(3)
  assert.not_equal(digest(build()), got)
end

local function adam(norm)
  return nn.optimizers.Adam{learning_rate = 0.01, global_clipnorm = norm, weight_decay = 0.01}
end

describe("gradients taken in pieces", function()
  it("give the bits of a step at the end", function()
    assert_same(chain, adam)
    assert_same(chain, function(norm)
      return nn.optimizers.SGD{learning_rate = 0.05, momentum = 0.9, global_clipnorm = norm,
        loss_scale_factor = 4}
    end)
  end)

  it("wait for the others where a kernel has more uses", function()
    assert_same(shared, adam)
    assert_same(function() return chain{regularizer = "l2"} end, adam)
    assert_same(function() return chain{constraint = nn.constraints.MaxNorm(0.5)} end, adam)
  end)

  it("leave all weights alone when the backward pass finds a fault", function()
    local model = chain()
    local function loss(y, p)
      local q = nn.ops.qr(p)
      return nn.ops.mean(q - y, {axis = -1})
    end
    model:compile{optimizer = adam(), loss = loss} -- its decay alone moves weights
    local before = digest(model)
    failure.says("qr: it has no gradient", model.fit, model,
      {rows(32), nn.ops.zeros{32, 10}, batch_size = 32, verbose = 0})
    assert.equal(before, digest(model))
  end)
end)
