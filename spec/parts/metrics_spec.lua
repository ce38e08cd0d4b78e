local nn = require "nnlua"
local core = require "nnlua.core"
local mask = require "nnlua.mask"

local metrics = nn.metrics

local function near(want, got, tolerance) assert.near(want, got:item(), tolerance or 1e-6) end

local function after(metric, ...)
  metric:update_state(...)
  return metric:result()
end

describe("metrics", function()
  it("give what Keras's documentation prints", function()
    local t, p = nn.tensor {0, 0, 1, 1}, nn.tensor {0, 0.5, 0.3, 0.9}
    near(0.75, after(metrics.AUC(), t, p))
    near(0.7972674, after(metrics.AUC{curve = "PR"}, t, p))
    near(0.5833333, after(metrics.MeanIoU{2}, t, nn.tensor {0, 1, 1, 1}))
    near(0.5, after(metrics.R2Score(), nn.tensor {{1}, {2}, {3}}, nn.tensor {{1}, {2}, {2}}))
    near(0.8660254, after(metrics.PearsonCorrelation{axis = 1}, nn.tensor {1, 2, 3},
      nn.tensor {1, 2, 2}))
    local f1 = after(metrics.F1Score(), nn.tensor {{1, 0}, {0, 1}}, nn.tensor {{.6, .4}, {.7, .3}})
    assert.near(0.6666666, f1[1], 1e-6)
    assert.equal(0, f1[2])
    near(2.6666667, after(metrics.Mean(), nn.tensor {{1, 2}, {3, 4}}, nn.tensor {{1, 0}, {1, 1}}))
  end)

  it("are 0 before the first value and after a reset", function()
    local m = metrics.Mean()
    near(0, m:result())
    near(3, m(nn.tensor {2, 4}))
    m:reset_state()
    near(0, m:result())
    near(5, m {5})
  end)

  it("take records, plain tables and numbers", function()
    local m = metrics.MeanSquaredError()
    m:update_state{y_true = {{1}, {2}}, y_pred = {{1}, {4}}, sample_weight = {1, 3}}
    near(3, m:result())
    near(7, metrics.Sum()(7))
  end)

  it("list their variables as a field and as a method", function()
    local m = metrics.Precision{thresholds = {0.2, 0.8}}
    assert.equal(2, #m.variables)
    assert.equal("true_positives", m:variables()[1].name)
    assert.same({2}, m.variables[1].shape)
  end)

  it("leave masked steps out", function()
    local p = nn.tensor {{{1}, {5}}, {{3}, {7}}}
    mask.set(p, nn.tensor({{1, 0}, {1, 0}}, "uint8"))
    near(5, after(metrics.MeanSquaredError(), nn.zeros{2, 2, 1}, p))
  end)

  it("know which way is better", function()
    for name, way in pairs {mse = "down", AUC = "up", accuracy = "up", bce = "down",
      root_mean_squared_error = "down", cosine_similarity = "up", f1_score = "up"} do
      assert.equal(way, metrics.get(name).direction, name)
    end
    for _, name in ipairs {"mean", "sum", "poisson", "kl_divergence", "true_positives"} do
      assert.is_nil(metrics.get(name).direction, name)
    end
    assert.equal("down", metrics.for_compile(nn.losses.huber).direction)
    assert.is_nil(metrics.for_compile(function() end).direction)
  end)

  it("keep the spelling of a string as their name in logs", function()
    assert.equal("MSE", metrics.for_compile("MSE").name)
    assert.equal("acc", metrics.for_compile("binary_accuracy", "acc").name)
    assert.equal("huber", metrics.for_compile(nn.losses.huber).name)
    assert.equal("huber", metrics.for_compile("huber").name)
    assert.equal("mine", metrics.for_compile(metrics.Mean{name = "mine"}).name)
  end)

  it("refuse what they cannot count", function()
    assert.error_matches(function() metrics.get "acuracy" end,
      "compile: unknown metric 'acuracy'; did you mean 'accuracy'?")
    for _, name in ipairs {"kld", "logcosh"} do
      assert.has_error(function() metrics.get(name) end)
    end
    assert.error_matches(function() metrics.AUC()(nn.zeros{10}, nn.zeros{10, 3}) end,
      "AUC wants y and the output of one shape, got %(10%) and %(10, 3%)")
    assert.error_matches(function() metrics.Precision{thresholds = 1.2} end,
      "Precision: a threshold is 1.2, expected 0 to 1")
    assert.error_matches(function() metrics.F1Score{average = "all"} end, "F1Score: average is all")
    assert.error_matches(function() metrics.IoU{2, {2}} end, "target_class_ids holds 2")
  end)

  it("come back from what serialize gives", function()
    for _, m in ipairs {metrics.AUC{curve = "PR", thresholds = {0.3, 0.6}},
      metrics.TopKCategoricalAccuracy{k = 2}, metrics.Recall{top_k = 2, class_id = 1},
      metrics.OneHotMeanIoU{3}, metrics.BinaryCrossentropy{label_smoothing = 0.1}} do
      local data = metrics.serialize(m)
      assert.same(m:get_config(), metrics.deserialize(data):get_config())
    end
  end)
end)

describe("metrics in fit", function()
  local x = core.rng.normal({48, 4}, 0, 1, 3, 1, 1)
  local y = core.rng.randint({48, 1}, 0, 2, 3, 1, 2)

  local function fit(list, eager)
    nn.set_random_seed(2)
    local model = nn.Sequential {nn.layers.Dense{1, activation = "sigmoid", input_shape = {4}}}
    model:compile{optimizer = "sgd", loss = "binary_crossentropy", metrics = list,
      run_eagerly = eager}
    return model:fit{x, y, epochs = 2, batch_size = 20, shuffle = false, verbose = 0}.history, model
  end

  local function all()
    return {"accuracy", "auc", "precision", "recall", "mse", metrics.F1Score{
      threshold = 0.5, average = "micro"}, metrics.BinaryIoU{name = "iou"}, metrics.R2Score(),
      metrics.SensitivityAtSpecificity{0.5, name = "best"},
      metrics.TruePositives{thresholds = 0.4, name = "right"}}
  end

  it("are the same planned and run eagerly", function()
    local planned, eager = fit(all()), fit(all(), true)
    local count = 0
    for key, list in pairs(planned) do
      count = count + 1
      for i, v in ipairs(list) do assert.near(eager[key][i], v, 1e-5, key) end
    end
    assert.equal(11, count)
  end)

  it("count the rows of an epoch as one batch would", function()
    local _, model = fit(all())
    local p = model:predict{x, verbose = 0}
    local by_name = model:evaluate{x, y, return_dict = true, verbose = 0, batch_size = 7}
    near(by_name.auc, after(metrics.AUC(), y, p), 1e-5)
    near(by_name.accuracy, after(metrics.BinaryAccuracy(), y, p), 1e-5)
    near(by_name.r2_score, after(metrics.R2Score(), y, p), 1e-5)
    near(by_name.precision, after(metrics.Precision(), y, p), 1e-5)
  end)

  it("may be a script's own: a function or a class", function()
    local Largest = metrics.Metric:extend("Largest", {direction = "up"})
    function Largest:init(a)
      Largest.super.init(self, a)
      self.largest = self:add_weight{shape = {}, initializer = "zeros", name = "largest"}
    end
    function Largest:update_state(_, y_pred)
      self.largest:assign(nn.ops.maximum(self.largest.value, nn.ops.max(y_pred)))
    end
    function Largest:result() return self.largest.value end
    local function within(y_true, y_pred)
      return nn.ops.mean(nn.ops.cast(nn.ops.less(nn.ops.abs(y_true - y_pred), 0.3), "float32"),
        {axis = -1})
    end
    local history, model = fit {Largest{name = "largest"}, within}
    local p = model:predict{x, verbose = 0}
    local by_name = model:evaluate{x, y, return_dict = true, verbose = 0}
    near(by_name.largest, nn.ops.max(p), 1e-6)
    assert.equal(2, #history.metric)
  end)
end)
