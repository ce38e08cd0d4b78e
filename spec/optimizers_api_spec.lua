require "nnlua"

local args = require "nnlua.args"
local core = require "nnlua.core"
local Variable = require "nnlua.variable"
local optimizers = require "nnlua.optimizers"
local schedules = require "nnlua.optimizers.schedules"
local failure = require "spec.support.failure"

local fails = failure.says

local function variable(values, name) return Variable {core.new(values), name = name or "w"} end

local function list(t)
  local out = {}
  for i = 1, t.size do out[i] = t[i] end
  return out
end

local ALL = {"SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam", "Ftrl",
  "Lion", "Lamb", "Adafactor", "Muon", "ScheduleFreeAdamW"}

describe("an optimizer", function()
  it("checks its arguments", function()
    fails("SGD: momentum is 1.5, expected 0 to 1", optimizers.SGD, {momentum = 1.5})
    fails("Adam: learning_rate is -1, expected 0 or more", optimizers.Adam, {learning_rate = -1})
    fails("Adam: learning_rate is a string, expected a number, a schedule or a function",
      optimizers.Adam, {learning_rate = "fast"})
    fails("Adam: clipnorm and clipvalue are both set", optimizers.Adam,
      {clipnorm = 1, clipvalue = 1})
    fails("AdamW: weight_decay is nil, expected a number", optimizers.AdamW,
      {weight_decay = args.None})
    fails("SGD: gradient_accumulation_steps is 1, expected an integer of 2 or more",
      optimizers.SGD, {gradient_accumulation_steps = 1})
    fails("Adam: unknown argument 'learning_rte'; did you mean 'learning_rate'?", optimizers.Adam,
      {learning_rte = 1})
  end)

  it("is found by its name in any case", function()
    for _, name in ipairs(ALL) do
      assert.equal(name, optimizers.get(name:lower()).class_name)
      assert.equal(name, optimizers.get(name:upper()).class_name)
    end
    fails("unknown optimizer 'adamm'; did you mean 'adam'?", optimizers.get, "adamm")
    local o = optimizers.get {class_name = "SGD", config = {momentum = 0.5}}
    assert.equal(0.5, o.momentum)
    assert.equal(o, optimizers.get(o))
  end)

  it("comes back from its config", function()
    for _, name in ipairs(ALL) do
      local o = optimizers[name] {clipnorm = 2, use_ema = true, name = "mine"}
      local again = optimizers.deserialize(optimizers.serialize(o))
      assert.same(o:get_config(), again:get_config())
      assert.equal("mine", again.name)
    end
    local muon = optimizers.Muon {rms_rate = args.None, weight_decay = args.None}
    local again = optimizers.deserialize(optimizers.serialize(muon))
    assert.is_nil(again.rms_rate)
    assert.is_nil(again.weight_decay)
  end)

  it("keeps the rate in float32, as Keras does", function()
    local o = optimizers.Adam {}
    assert.equal(0.0010000000474974513, o.learning_rate)
    o.learning_rate = 0.5
    assert.equal(0.5, o.learning_rate)
    o.learning_rate = function() return 0.25 end
    assert.equal(0.25, o.learning_rate)
  end)

  it("takes a schedule", function()
    local o = optimizers.SGD {schedules.ExponentialDecay {0.5, 1, 0.5}}
    assert.equal(0.5, o.learning_rate)
    assert.same({0.5, 0.25, 0.125}, o:rates(3))
    fails("learning_rate comes from a schedule", function() o.learning_rate = 1 end)
    local w = variable {0}
    o:apply({core.new {1}}, {w})
    o:apply({core.new {1}}, {w})
    assert.equal(-0.75, w.tensor[1])
    assert.equal(2, o.iterations)
    assert.equal("iteration", o.variables[1].name)
    assert.equal(1 + 0, #o.variables)
  end)

  it("leaves variables without a gradient alone", function()
    local a, b = variable({1}, "a"), variable({1}, "b")
    local o = optimizers.SGD {1, weight_decay = 0.5}
    o:apply({false, core.new {1}}, {a, b})
    assert.same({1}, list(a.tensor))
    assert.same({-0.5}, list(b.tensor))
    fails("SGD: no gradients provided for any variable", o.apply, o, {false, false}, {a, b})
  end)

  it("serves one model", function()
    local o = optimizers.SGD {}
    o:apply({core.new {1}}, {variable {1}})
    fails("this optimizer already belongs to another model", o.apply, o, {core.new {1}},
      {variable {1}})
  end)

  it("keeps weight decay from what is excluded", function()
    local a, b = variable({1}, "kernel"), variable({1}, "bias")
    local o = optimizers.SGD {0.5, weight_decay = 0.5}
    o:exclude_from_weight_decay {var_names = {"bias"}}
    o:apply_gradients {{core.new {0}, a}, {core.new {0}, b}}
    assert.same({0.75}, list(a.tensor))
    assert.same({1}, list(b.tensor))
    fails("the optimizer is built already", o.exclude_from_weight_decay, o, {})
  end)

  it("writes its averages into the weights at the end", function()
    local w, o = variable {0}, optimizers.SGD {1, use_ema = true, ema_momentum = 0.5}
    for _ = 1, 3 do o:apply({core.new {-1}}, {w}) end
    o:finalize_variable_values {w}
    assert.same({2.25}, list(w.tensor))
  end)

  it("goes on where its variables left off", function()
    for _, name in ipairs(ALL) do
      local w1, w2 = variable {{1, 2}, {3, -4}}, variable {{1, 2}, {3, -4}}
      local a, b = optimizers[name] {0.01}, optimizers[name] {0.5}
      local function step(o, w, i) o:apply({core.new {{i, -1}, {0.5, i / 3}}}, {w}) end
      for i = 1, 5 do step(a, w1, i) end
      w2:assign(w1)
      b:build {w2}
      local store = {}
      a:save_own_variables(store)
      b:load_own_variables(store)
      for i = 6, 9 do step(a, w1, i) step(b, w2, i) end
      for i = 1, 2 do
        for j = 1, 2 do assert.equal(w1.tensor[i][j], w2.tensor[i][j], name) end
      end
    end
  end)

  it("can be tried without changing anything", function()
    local w, o = variable {1}, optimizers.Adam {0.1}
    o:build {w}
    local own = {}
    for i, v in ipairs(o.variables) do own[i] = core.new(v.tensor) end
    local weights, after = o:stateless_apply(own, {core.new {1}}, {w})
    assert.near(0.9, weights[1][1], 1e-6)
    assert.equal(1, after[1]:item())
    assert.equal(1, w.tensor[1])
    assert.equal(0, o.iterations)
  end)
end)

-- SGD with momentum, as a script would write it.
local Mine = optimizers.Optimizer:extend "Mine"

function Mine:build(variables)
  Mine.super.build(self, variables)
  self.momentums = {}
  local made = self:add_optimizer_variables(variables, "momentum")
  for i, v in ipairs(variables) do self.momentums[v] = made[i] end
end

function Mine:update_step(gradient, v, learning_rate)
  local m = self.momentums[v]
  m:assign(m.tensor * 0.9 - gradient * learning_rate)
  v:assign(v.tensor + m.tensor)
end

describe("an optimizer made by a script", function()
  local with = {
    {}, {weight_decay = 0.1}, {clipnorm = 1}, {clipvalue = 0.5}, {global_clipnorm = 2},
    {loss_scale_factor = 4}, {gradient_accumulation_steps = 2},
    {use_ema = true, ema_momentum = 0.5, ema_overwrite_frequency = 3},
  }
  for _, config in ipairs(with) do
    local what = next(config) or "nothing else"
    it("does the steps around its rule, with " .. what, function()
      config.learning_rate = 0.1
      local mine = Mine(config)
      config.momentum = 0.9
      local sgd = optimizers.SGD(config)
      local a, b = variable {1, 2, 3}, variable {1, 2, 3}
      for i = 1, 7 do
        local g = core.new {i, -2 * i, 0.1}
        mine:apply({g}, {a})
        sgd:apply({g}, {b})
        for k = 1, 3 do assert.near(b.tensor[k], a.tensor[k], 1e-5) end
      end
      assert.equal(sgd.iterations, mine.iterations)
      assert.equal(#sgd.variables, #mine.variables)
      for i, v in ipairs(sgd.variables) do assert.equal(v.name, mine.variables[i].name) end
      assert.is_true(mine.is_custom)
      assert.is_false(sgd.is_custom)
    end)
  end

  it("says what is missing", function()
    local Empty = optimizers.Optimizer:extend "Empty"
    fails("Empty: the method update_step(gradient, variable, learning_rate) is missing",
      function() Empty {}:apply({core.new {1}}, {variable {1}}) end)
  end)
end)

describe("MultiOptimizer", function()
  it("gives each variable to its own optimizer", function()
    local o = optimizers.MultiOptimizer {optimizers.OptimizerMap {
      default_optimizer = optimizers.SGD {1}, optimizer_map = {["net/b.*"] = optimizers.SGD {0.5}},
    }}
    local a = Variable {core.new {0}, name = "a", path = "net/a"}
    local b = Variable {core.new {0}, name = "bias", path = "net/bias"}
    o:apply({core.new {1}, core.new {1}}, {a, b})
    assert.same({-1}, list(a.tensor))
    assert.same({-0.5}, list(b.tensor))
    assert.equal(4, #o.variables)
  end)
end)

describe("LossScaleOptimizer", function()
  it("halves its scale when a gradient is not finite, and doubles it after good steps", function()
    local w = variable {0}
    local o = optimizers.LossScaleOptimizer {optimizers.SGD {1}, initial_scale = 8,
      dynamic_growth_steps = 2}
    o:apply({core.new {8}}, {w})
    assert.same({-1}, list(w.tensor))
    o:apply({core.new {1 / 0}}, {w})
    assert.same({-1}, list(w.tensor))
    assert.equal(4, o.dynamic_scale)
    o:apply({core.new {4}}, {w})
    o:apply({core.new {4}}, {w})
    assert.equal(8, o.dynamic_scale)
    assert.same({-3}, list(w.tensor))
  end)
end)
