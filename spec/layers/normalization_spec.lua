-- What normalizations do beyond their numbers: moving statistics, frozen layers, masks, batch
-- renormalization, spectral normalization.

local nn = require "nnlua"

local L = nn.layers

local function near(a, b, bound)
  assert.is_true(math.abs(a - b) <= (bound or 1e-5) * math.max(1, math.abs(b)),
    ("%.8g, expected %.8g"):format(a, b))
end

local function near_all(got, want)
  for i, v in ipairs(want) do near(got[i], v) end
  assert.equal(#want, #got)
end

local x = nn.tensor{{1, 10}, {2, 20}, {3, 60}}

describe("BatchNormalization", function()
  it("moves its statistics in training alone", function()
    local layer = L.BatchNormalization{momentum = 0.9}
    layer(x)
    assert.same({0, 0}, layer.moving_mean.value:totable())
    layer(x, {training = true})
    near_all(layer.moving_mean.value:totable(), {0.2, 3})
    near_all(layer.moving_variance.value:totable(), {0.9 + 0.1 * 2 / 3, 0.9 + 0.1 * 1400 / 3})
  end)

  it("stands still when it is frozen", function()
    local layer = L.BatchNormalization()
    layer(x)
    layer.trainable = false
    local y = layer(x, {training = true}):totable()
    assert.same({0, 0}, layer.moving_mean.value:totable())
    assert.same(layer(x):totable(), y)
    assert.equal(0, #layer.trainable_weights)
    assert.equal(4, #layer.non_trainable_weights)
  end)

  it("moves its statistics in fit, traced and eager alike", function()
    local moved = {}
    for i, eager in ipairs {false, true} do
      local layer = L.BatchNormalization{momentum = 0.5}
      local model = nn.Sequential{nn.Input{shape = {2}}, layer}
      model:compile{optimizer = nn.optimizers.SGD(0), loss = "mse", run_eagerly = eager}
      model:fit{x, x, epochs = 3, batch_size = 2, shuffle = false, verbose = 0}
      moved[i] = layer.moving_mean.value:totable()
    end
    near_all(moved[1], moved[2])
    -- batches {1, 2} and {3}: m <- (m + mean) / 2, three times over
    local m = 0
    for _ = 1, 3 do m = ((m + 1.5) / 2 + 3) / 2 end
    near(moved[1][1], m)
  end)

  it("renormalizes towards the moving averages", function()
    local layer = L.BatchNormalization{renorm = true, renorm_momentum = 0.9, momentum = 0.8,
      epsilon = 0.1, renorm_clipping = {rmax = 1.5, rmin = 0.5, dmax = 2}}
    local names = {}
    layer(x)
    for i, w in ipairs(layer.weights) do names[i] = w.name end
    assert.same({"gamma", "beta", "moving_mean", "moving_variance", "moving_stddev", "renorm_mean",
      "renorm_stddev"}, names)
    local column = {1, 2, 3}
    local deviation = math.sqrt(2 / 3 + 0.1)
    local r, d = math.min(math.max(deviation / 1, 0.5), 1.5), math.min(2 / 1, 2)
    local y = layer(x, {training = true})
    for i, v in ipairs(column) do near(y[i][1], (v - 2) / deviation * r + d) end
    near(layer.renorm_mean.value[1], 0.2)
    near(layer.renorm_stddev.value[1], 0.9 + 0.1 * deviation)
    near(layer.moving_stddev.value[1], 0.8 + 0.2 * deviation)
    near(layer.moving_variance.value[1], (0.8 + 0.2 * deviation) ^ 2 - 0.1)
  end)

  it("leaves masked steps out of the statistics", function()
    local layer = L.BatchNormalization{momentum = 0}
    local steps = nn.tensor{{{1}, {5}, {100}}}
    layer(steps, {training = true, mask = nn.tensor({{1, 1, 0}}, "uint8")})
    near(layer.moving_mean.value[1], 3)
    near(layer.moving_variance.value[1], 4)
  end)

  it("refuses an axis that is not there", function()
    local ok, e = pcall(L.BatchNormalization{axis = 4}, x)
    assert.is_false(ok)
    assert.matches("axis 4, the input %(3, 2%) has 2 axes", e)
    assert.matches("renorm_clipping has the key 'max'",
      select(2, pcall(L.BatchNormalization, {renorm_clipping = {max = 1}})))
  end)
end)

describe("GroupNormalization", function()
  it("refuses groups that do not divide the channels", function()
    assert.matches("32 groups, the input has 2 channels",
      select(2, pcall(L.GroupNormalization(), x)))
    assert.matches("5 channels do not divide into 3 groups",
      select(2, pcall(L.GroupNormalization(3), nn.zeros{1, 5})))
  end)
end)

describe("SpectralNormalization", function()
  it("divides the kernel by its largest singular value", function()
    local dense = L.Dense{2, use_bias = false}
    local layer = L.SpectralNormalization{dense, power_iterations = 30}
    local input = nn.tensor{{1, 0}, {0, 1}}
    layer(input)
    local names = {}
    for i, w in ipairs(layer.weights) do names[i] = w.name end
    assert.same({"kernel", "vector_u"}, names)
    dense.kernel:assign(nn.tensor{{3, 0}, {4, 5}}) -- singular values sqrt(45), sqrt(5)
    assert.same({{3, 0}, {4, 5}}, layer(input):totable())
    local y = layer(input, {training = true})
    near(y[1][1], 3 / math.sqrt(45), 1e-4)
    near(y[2][2], 5 / math.sqrt(45), 1e-4)
    near(dense.kernel.value[2][1], 4 / math.sqrt(45), 1e-4)
  end)

  it("wants a layer with a kernel", function()
    assert.matches("has neither kernel nor embeddings",
      select(2, pcall(L.SpectralNormalization(L.Flatten()), x)))
  end)
end)
