local nn = require "nnlua"
local core = require "nnlua.core"
local gradcheck = require "spec.support.gradcheck"
local mask = require "nnlua.mask"

local losses = nn.losses

local function draw(shape, lo, hi, step) return core.rng.uniform(shape, lo, hi, 7, 1, step) end

local function one_hot(ids, classes)
  local rows = {}
  for i, id in ipairs(ids) do
    rows[i] = {}
    for k = 1, classes do rows[i][k] = k == id + 1 and 1 or 0 end
  end
  return nn.tensor(rows)
end

local function near(want, got, tolerance)
  assert.near(want, core.is_tensor(got) and got:item() or got, tolerance or 1e-5)
end

-- name -> labels, predictions (away from corners, where differences are no gradient)
local regression = {draw({4, 5}, 0.1, 0.9, 1), draw({4, 5}, 0.15, 0.85, 2)}
local ids = nn.tensor({0, 2, 1, 2}, "int32")
local rows = one_hot({0, 2, 1, 2}, 3)
local probabilities = draw({4, 3}, 0.1, 0.9, 3)

describe("the gradient of", function()
  for _, name in ipairs {"mean_squared_error", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "huber", "log_cosh",
    "cosine_similarity", "poisson", "kl_divergence", "hinge", "squared_hinge",
    "binary_crossentropy", "binary_focal_crossentropy", "dice", "tversky"} do
    it(name, function()
      local y_true = regression[1]
      gradcheck(function(p) return losses[name](y_true, p) end, {regression[2]}, {step = 1e-3,
        rtol = 1e-2, atol = name:find "percentage" and 1e-1 or 2e-3})
    end)
  end

  for _, name in ipairs {"categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge"} do
    it(name, function()
      gradcheck(function(p) return losses[name](rows, p) end, {probabilities},
        {step = 1e-3, rtol = 1e-2, atol = 2e-3})
    end)
  end

  it("the losses of class ids", function()
    gradcheck(function(p) return losses.sparse_categorical_crossentropy(ids, p) end,
      {probabilities}, {step = 1e-3, rtol = 1e-2, atol = 2e-3})
    gradcheck(function(p)
      return losses.categorical_generalized_cross_entropy(ids, p, 0.5)
    end, {probabilities}, {step = 1e-3, rtol = 1e-2, atol = 2e-3})
  end)

  it("crossentropies of logits", function()
    local z = draw({4, 3}, -3, 3, 4)
    for _, name in ipairs {"categorical_crossentropy", "categorical_focal_crossentropy",
      "binary_crossentropy", "binary_focal_crossentropy"} do
      gradcheck(function(p) return losses[name](rows, p, {from_logits = true}) end, {z})
    end
    gradcheck(function(p)
      return losses.sparse_categorical_crossentropy(ids, p, {from_logits = true})
    end, {z})
  end)

  it("circle", function()
    gradcheck(function(p) return losses.circle(ids, p, {gamma = 2}) end,
      {draw({4, 3}, -0.5, 0.5, 5)}, {traced = true})
  end)

  it("ctc", function()
    local labels = nn.tensor({{1, 2, 0}, {2, 2, 3}, {3, 0, 0}}, "int32")
    gradcheck(function(z) return losses.ctc(labels, z) end, {draw({3, 6, 4}, -2, 2, 6)})
  end)
end)

describe("losses at extremes", function()
  local hard = nn.tensor {{1, 0}, {0, 1}, {1, 0}}

  it("give no NaN where Keras has none: probabilities of 0 and 1", function()
    local p = nn.tensor {{1, 0}, {1, 0}, {0, 0}}
    for _, name in ipairs {"binary_crossentropy", "binary_focal_crossentropy",
      "categorical_hinge", "kl_divergence", "poisson", "mean_squared_logarithmic_error"} do
      assert.is_false(core.has_nan(losses[name](hard, p)), name)
    end
    near(-math.log(1 - 1e-7), losses.categorical_crossentropy(nn.tensor{{1, 0}}, nn.tensor{{1, 0}}),
      1e-6)
    near(-math.log(1e-7), losses.categorical_crossentropy(nn.tensor{{0, 1}}, nn.tensor{{1, 0}}),
      1e-4)
  end)

  it("hold logits of 1e4", function()
    local z = nn.tensor {{1e4, -1e4}, {1e4, -1e4}}
    local y = nn.tensor {{1, 0}, {0, 1}}
    local v = losses.categorical_crossentropy(y, z, {from_logits = true}):totable()
    near(0, v[1])
    near(2e4, v[2])
    v = losses.binary_crossentropy(y, z, {from_logits = true}):totable()
    near(0, v[1])
    near(1e4, v[2])
    near(2e4, losses.sparse_categorical_crossentropy(nn.tensor({0, 1}, "int32"), z,
      {from_logits = true})[2])
    near(1e4 - math.log(2), losses.log_cosh(nn.tensor{{0}}, nn.tensor{{1e4}}), 1e-2)
  end)

  it("take one row and no row", function()
    near(4, losses.MeanSquaredError()(nn.tensor{{1}}, nn.tensor{{3}}))
    near(0, losses.MeanSquaredError()(nn.zeros{0, 2}, nn.zeros{0, 2}))
  end)
end)

describe("a loss of a probability that a softmax or sigmoid made", function()
  local function gradient_of(loss, y, z, activation)
    local v = nn.Variable(nn.tensor(z))
    local value, g = nn.value_and_grad(function() return loss(y, activation(v.tensor)) end, {v})
    return value:item(), g[1]:totable()
  end

  it("goes through the logits while a step is recorded", function()
    local value, g = gradient_of(losses.CategoricalCrossentropy(), nn.tensor{{0, 1}}, {{40, -40}},
      nn.ops.softmax)
    near(80, value)
    near(1, g[1][1])
    value = gradient_of(losses.SparseCategoricalCrossentropy(), nn.tensor({1}, "int32"),
      {{40, -40}}, nn.ops.softmax)
    near(80, value)
    value, g = gradient_of(losses.BinaryCrossentropy(), nn.tensor{{0}}, {{40}}, nn.ops.sigmoid)
    near(40, value)
    near(1, g[1][1])
  end)

  it("is clipped for plain numbers, and behind a layer in between", function()
    near(16.1181, losses.CategoricalCrossentropy()(nn.tensor{{0, 1}},
      nn.ops.softmax(nn.tensor{{40, -40}})), 1e-4)
    local value = gradient_of(losses.CategoricalCrossentropy(), nn.tensor{{0, 1}}, {{40, -40}},
      function(z) return nn.ops.softmax(z) * 1 end)
    near(16.1181, value, 1e-4)
  end)
end)

describe("reductions", function()
  local y, p, w = nn.tensor{{0}, {0}}, nn.tensor{{1}, {2}}, nn.tensor{1, 3}

  local function reduced(how) return losses.MeanSquaredError{reduction = how}(y, p, w) end

  it("divide by the elements, by the weights, or not", function()
    near(6.5, reduced "sum_over_batch_size")
    near(6.5, reduced "mean")
    near(13, reduced "sum")
    near(3.25, reduced "mean_with_sample_weight")
    assert.same({1, 12}, reduced("none"):totable())
    assert.same({1, 12}, reduced(nn.None):totable())
  end)

  it("refuse other names", function()
    assert.error_matches(function() losses.Huber{reduction = "avg"} end,
      "Huber: reduction is 'avg'")
  end)

  it("take weights (N,) with the rows of values of any rank", function()
    local loss = losses.MeanSquaredError{reduction = "none"}
    local v = loss(nn.zeros{2, 2, 1}, nn.ones{2, 2, 1}, nn.tensor{1, 3})
    assert.same({{1, 1}, {3, 3}}, v:totable())
  end)

  it("leave masked steps out of the mean", function()
    local q = nn.tensor {{{1}, {5}}, {{3}, {7}}}
    mask.set(q, nn.tensor({{1, 0}, {1, 0}}, "uint8"))
    near(5, losses.MeanSquaredError()(nn.zeros{2, 2, 1}, q))
    near(10, losses.MeanSquaredError{reduction = "sum"}(nn.zeros{2, 2, 1}, q))
    near(5, losses.MeanSquaredError()(nn.zeros{2, 2, 1}, q, nn.tensor{0.5, 9.5 / 9}), 1e-4)
  end)

  it("leave the ignored class out of the mean", function()
    local loss = losses.SparseCategoricalCrossentropy{ignore_class = -1}
    local q = nn.tensor {{0.5, 0.5}, {0.9, 0.1}}
    near(math.log(2), loss(nn.tensor({0, -1}, "int32"), q))
  end)
end)

describe("ctc", function()
  -- All paths of T steps over C classes, added up.
  local function by_enumeration(z, labels)
    local steps, classes, total = #z, #z[1], 0
    local p = {}
    for t = 1, steps do
      local sum = 0
      for k = 1, classes do sum = sum + math.exp(z[t][k]) end
      p[t] = {}
      for k = 1, classes do p[t][k] = math.exp(z[t][k]) / sum end
    end
    local function walk(t, last, spelt, product)
      if t > steps then
        if table.concat(spelt, ",") == table.concat(labels, ",") then total = total + product end
        return
      end
      for k = 0, classes - 1 do
        local longer = table.move(spelt, 1, #spelt, 1, {})
        if k ~= 0 and k ~= last then longer[#longer + 1] = k end
        walk(t + 1, k, longer, product * p[t][k + 1])
      end
    end
    walk(1, 0, {}, 1)
    return -math.log(total)
  end

  it("is the sum over all paths that spell the labels", function()
    local z = draw({3, 5, 3}, -2, 2, 8)
    local labels = {{1, 2}, {2, 2}, {1}}
    local got = losses.ctc(nn.tensor({{1, 2}, {2, 2}, {1, 0}}, "int32"), z):totable()
    for i = 1, 3 do near(by_enumeration(z:totable()[i], labels[i]), got[i], 1e-5) end
  end)

  it("is infinite, without a gradient, where the steps are too few", function()
    local v = nn.Variable(nn.zeros{1, 2, 3})
    local labels = nn.tensor({{1, 1}}, "int32")
    local value, g = nn.value_and_grad(function()
      return nn.ops.sum(losses.ctc(labels, v.tensor))
    end, {v})
    assert.equal(math.huge, value:item())
    assert.is_false(core.has_nan(g[1]))
  end)
end)

describe("errors of losses", function()
  local function fit(loss, y)
    local model = nn.Sequential {nn.layers.Dense{3, activation = "softmax", input_shape = {4}}}
    model:compile{loss = loss}
    model:fit{nn.zeros{10, 4}, y, verbose = 0}
  end

  it("tell class ids from one-hot rows", function()
    assert.error_matches(function() fit("categorical_crossentropy", nn.zeros{10}) end,
      "fit: categorical_crossentropy wants one%-hot rows %(10, 3%) but y holds class ids %(10%); "
      .. "use sparse_categorical_crossentropy")
    assert.error_matches(function() fit("sparse_categorical_crossentropy", nn.zeros{10, 3}) end,
      "fit: sparse_categorical_crossentropy wants class ids %(10%) but y is one%-hot %(10, 3%); "
      .. "use categorical_crossentropy")
    assert.error_matches(function() fit("mse", nn.zeros{10, 2}) end,
      "fit: y has shape %(10, 2%) but the output is %(batch, 3%)")
  end)

  it("name what comes nearest", function()
    assert.error_matches(function() losses.get "crossentropi" end,
      "compile: unknown loss 'crossentropi'; did you mean 'crossentropy'?")
    assert.error_matches(function() losses.get(3) end,
      "compile: loss is 3, expected a name or a loss")
  end)

  it("hold arguments to their ranges", function()
    assert.error_matches(function() losses.CategoricalGeneralizedCrossEntropy{q = 1} end,
      "q is 1, expected a number between 0 and 1")
    assert.error_matches(function() losses.BinaryCrossentropy{axis = true} end,
      "BinaryCrossentropy: axis is true, expected an integer")
    assert.error_matches(function()
      losses.sparse_categorical_crossentropy(nn.tensor({3}, "int32"), nn.tensor{{0.5, 0.5}})
    end, "class id 3 in row 1, expected 0 to 1")
  end)
end)

describe("losses as data", function()
  it("come back from what serialize gives", function()
    for _, loss in ipairs {losses.Huber{delta = 2, reduction = "sum"}, losses.Dice{axis = -1},
      losses.SparseCategoricalCrossentropy{from_logits = true, ignore_class = 0, name = "mine"}} do
      local data = losses.serialize(loss)
      assert.equal("keras.losses", data.module)
      assert.same(loss:get_config(), losses.deserialize(data):get_config())
    end
    assert.equal("mean_squared_error", losses.serialize(losses.get "mse"))
  end)

  it("are found by names, classes, objects and functions", function()
    local f = function() end
    assert.equal(losses.mean_squared_error, losses.get "MSE")
    assert.equal("Huber", losses.get("Huber").class_name)
    assert.equal("Dice", losses.get(losses.Dice).class_name)
    assert.equal(f, losses.get(f))
    assert.is_nil(losses.get(nil))
    assert.equal(0.5, losses.get{class_name = "Huber", config = {delta = 0.5}}.delta)
    assert.has_error(function() losses.get "logcosh" end)
  end)
end)

describe("a loss of a script", function()
  local function cubic(y_true, y_pred)
    return nn.ops.mean(nn.ops.abs(y_true - y_pred) ^ 3, {axis = -1})
  end

  local function train(loss, eager)
    nn.set_random_seed(5)
    local model = nn.Sequential {nn.layers.Dense{1, input_shape = {3}}}
    model:compile{optimizer = "sgd", loss = loss, run_eagerly = eager}
    return model:fit{draw({32, 3}, -1, 1, 9), draw({32, 1}, -1, 1, 10), epochs = 3, shuffle = false,
      verbose = 0}.history.loss
  end

  it("trains as a function and as a class", function()
    local Cubic = losses.Loss:extend("Cubic")
    function Cubic.call(_, y_true, y_pred) return cubic(y_true, y_pred) end
    local history = train(cubic)
    assert.is_true(history[3] < history[1])
    assert.same(history, train(Cubic()))
    for i, v in ipairs(train(cubic, true)) do near(history[i], v, 1e-6) end
  end)
end)
