local nn = require "nnlua"
local core = require "nnlua.core"
local seed = require "nnlua.seed"

local function bytes(t) return core.tobytes(t) end

describe("the process generator", function()
  it("repeats after set_random_seed", function()
    nn.set_random_seed(3)
    local a, b = seed.next(), seed.next()
    nn.set_random_seed(3)
    assert.same({a, b}, {seed.next(), seed.next()})
    assert.not_equal(a, b)
    nn.set_random_seed(4)
    assert.not_equal(a, seed.next())
  end)

  it("goes on from a state", function()
    nn.set_random_seed(3)
    seed.next()
    local state, a = seed.state(), seed.next()
    seed.restore(state)
    assert.equal(a, seed.next())
  end)

  it("wants an integer", function()
    assert.error_matches(function() nn.set_random_seed "x" end,
      "set_random_seed: seed is a string, expected an integer")
  end)
end)

describe("initializers", function()
  it("give the same numbers again, other objects others", function()
    nn.set_random_seed(1)
    local g = nn.initializers.get "glorot_uniform"
    assert.equal(bytes(g {3, 4}), bytes(g {3, 4}))
    assert.not_equal(bytes(g {3, 4}), bytes(nn.initializers.get "glorot_uniform" {3, 4}))
    assert.equal(bytes(nn.initializers.HeNormal{seed = 1} {3, 4}),
      bytes(nn.initializers.HeNormal{seed = 1} {3, 4}))
  end)

  it("are made again from data, drawing anew unless a seed was given", function()
    local data = nn.initializers.serialize(nn.initializers.RandomUniform{minval = -1, seed = 4})
    assert.same({minval = -1, maxval = 0.05, seed = 4}, data.config)
    assert.equal(nn.None, nn.initializers.GlorotNormal():get_config().seed)
    assert.equal(4, nn.initializers.deserialize(data).seed)
  end)

  it("take a function, a tensor, a class", function()
    local f = function(shape) return nn.full{shape, 2} end
    assert.equal(f, nn.initializers.get(f))
    local t = nn.ones {2}
    assert.equal(t, nn.initializers.get(t))
    assert.equal("Ones", nn.initializers.get(nn.initializers.Ones).class_name)
    local layer = nn.layers.Dense{1, kernel_initializer = f}
    layer(nn.zeros{1, 2})
    assert.same({{2}, {2}}, layer.kernel.value:totable())
  end)

  it("say what is wrong", function()
    assert.error_matches(function() nn.layers.Dense{3, kernel_initializer = "glorot"} end,
      "Dense: unknown initializer 'glorot'; did you mean 'glorot_uniform'?")
    assert.error_matches(function() nn.initializers.VarianceScaling{scale = 0} end,
      "VarianceScaling: scale is 0, expected a number above 0")
    assert.error_matches(function() nn.initializers.VarianceScaling{mode = "fan"} end,
      "VarianceScaling: mode is fan, expected fan_in, fan_out or fan_avg")
    assert.error_matches(function() nn.initializers.Identity() {2, 2, 2} end,
      "Identity: shape is %(2, 2, 2%), expected 2 dimensions")
    assert.error_matches(function() nn.initializers.HeNormal{seed = "x"} end,
      "HeNormal: seed is a string, expected an integer")
  end)
end)

describe("core.rng.permutation", function()
  it("holds each number once and can be written over", function()
    local order = core.rng.permutation(50, 1, 2, 3)
    local seen = {}
    for _, k in ipairs(order:totable()) do seen[k] = true end
    for k = 0, 49 do assert.is_true(seen[k]) end
    local before = bytes(order)
    assert.equal(order, core.rng.permutation(50, 1, 2, 4, order))
    assert.not_equal(before, bytes(order))
    assert.equal(before, bytes(core.rng.permutation(50, 1, 2, 3)))
    assert.error_matches(function() core.rng.permutation(3, 1, 2, 3, order) end, "into is no")
  end)
end)

describe("regularizers and constraints", function()
  it("refuse negative factors and unknown names", function()
    assert.error_matches(function() nn.regularizers.L2{-1} end,
      "L2: l2 is %-1, expected a number of 0 or more")
    assert.error_matches(function() nn.regularizers.L1{0 / 0} end, "expected a number of 0 or more")
    assert.error_matches(function() nn.layers.Dense{1, kernel_constraint = "maxnorm"} end,
      "Dense: unknown constraint 'maxnorm'; did you mean 'max_norm'?")
  end)

  it("are functions, too", function()
    local layer = nn.layers.Dense{1, kernel_regularizer = function(w) return nn.ops.sum(w) * 2 end,
      kernel_constraint = function(w) return w * 0 end, input_shape = {2}}
    local model = nn.Sequential {layer}
    model:compile{optimizer = "sgd", loss = "mse"}
    model:fit{nn.ones{4, 2}, nn.ones{4, 1}, verbose = 0}
    assert.same({{0}, {0}}, layer.kernel.value:totable())
  end)

  it("come back from what serialize gives", function()
    local c = nn.constraints.MinMaxNorm{min_value = 0.5, axis = {1, 2}}
    local data = nn.constraints.serialize(c)
    assert.same(c:get_config(), nn.constraints.deserialize(data):get_config())
    local r = nn.regularizers.get "l1_l2"
    assert.equal("L1L2", nn.regularizers.serialize(r).class_name)
  end)
end)
