-- Parts that a script writes are traced into the plan: the same numbers as the built-in ones, and
-- as run_eagerly. What branches on values says so.

local nn = require "nnlua"
local waves = require "spec.support.waves"

local ops, data, start = nn.ops, waves.data, waves.start

local function history(dense, options)
  dense[1], dense.input_shape = 8, {3}
  local model = nn.Sequential{nn.layers.Dense(dense), nn.layers.Dense(1)}
  for k, v in ipairs(model.weights) do
    if k > 2 or not dense.kernel_initializer then v:assign(start(v.shape, k)) end
  end
  options.optimizer = options.optimizer or nn.optimizers.SGD{0.05}
  options.loss = options.loss or "mse"
  model:compile(options)
  local x, y = data()
  return model:fit{x, y, epochs = 4, batch_size = 16, shuffle = false, verbose = 0}.history, model
end

local function near(a, b)
  assert.equal(#a, #b)
  for i = 1, #a do
    assert.is_true(math.abs(a[i] - b[i]) <= 1e-5 * (1 + math.abs(b[i])),
      ("%d: %.9g, expected %.9g"):format(i, a[i], b[i]))
  end
end

-- own and built-in give equal losses, planned and eagerly.
local function same(own, builtin)
  local function run(part, eager)
    local dense, options = part()
    options.run_eagerly = eager
    return (history(dense, options))
  end
  local expected = run(builtin, false)
  for _, eager in ipairs {false, true} do
    local got = run(own, eager)
    for key, values in pairs(expected) do near(got[key], values) end
  end
end

local Descent = nn.optimizers.Optimizer:extend("Descent", {args = "learning_rate=0.05"})
function Descent:update_step(gradient, variable, rate) -- luacheck: ignore self
  variable:assign_sub(gradient * rate)
end

local Momentum = nn.optimizers.Optimizer:extend("Momentum", {
  args = "learning_rate=0.05, clipnorm=None, global_clipnorm=None, weight_decay=None, "
    .. "use_ema=False, gradient_accumulation_steps=None",
})
function Momentum:build(variables)
  Momentum.super.build(self, variables)
  self.speed = self:add_optimizer_variables(variables, "momentum")
end
function Momentum:update_step(gradient, variable, rate)
  local m = self.speed[self.positions[variable]]
  m:assign(m.tensor * 0.9 - gradient * rate)
  variable:assign_add(m.tensor)
end

describe("written in Lua and compiled into the plan:", function()
  it("a loss function", function()
    same(function()
      return {}, {loss = function(y, p) return ops.mean(ops.square(p - y), {axis = -1}) end}
    end, function() return {}, {} end)
  end)

  it("a loss class", function()
    local Own = nn.losses.Loss:extend "Own"
    function Own.call(_, y, p) return ops.mean(ops.abs(p - y), {axis = -1}) end
    same(function() return {}, {loss = Own()} end, function() return {}, {loss = "mae"} end)
  end)

  it("a metric function", function()
    local function distance(y, p) return ops.mean(ops.abs(p - y), {axis = -1}) end
    local own = history({}, {metrics = {distance}})
    local builtin = history({}, {metrics = {"mae"}})
    local key = next(own) == "loss" and next(own, "loss") or next(own)
    near(own[key], builtin.mae)
  end)

  it("a metric class", function()
    local Distance = nn.metrics.Metric:extend("Distance", {args = "name=None"})
    function Distance:init(a)
      Distance.super.init(self, a)
      self.sum = self:add_variable{shape = {}, initializer = "zeros", name = "sum"}
      self.n = self:add_variable{shape = {}, initializer = "zeros", name = "n"}
    end
    function Distance:update_state(y, p)
      self.sum:assign_add(ops.sum(ops.abs(p - y)))
      self.n:assign_add(y.size)
    end
    function Distance:result() return self.sum.tensor / self.n.tensor end
    near(history({}, {metrics = {Distance{name = "d"}}}).d, history({}, {metrics = {"mae"}}).mae)
  end)

  it("an activation", function()
    same(function()
      return {activation = function(x) return ops.maximum(x, 0) end}, {}
    end, function() return {activation = "relu"}, {} end)
  end)

  it("an initializer", function()
    local function half(shape) return ops.full(shape, 0.5) end
    near(history({kernel_initializer = half}, {}).loss,
      history({kernel_initializer = nn.initializers.Constant(0.5)}, {}).loss)
  end)

  it("a regularizer", function()
    same(function()
      return {kernel_regularizer = function(w) return 0.1 * ops.sum(ops.square(w)) end}, {}
    end, function() return {kernel_regularizer = nn.regularizers.L2(0.1)}, {} end)
  end)

  it("a constraint", function()
    same(function()
      return {kernel_constraint = function(w) return ops.maximum(w, 0) end}, {}
    end, function() return {kernel_constraint = "non_neg"}, {} end)
  end)

  it("a schedule", function()
    local Decay = nn.optimizers.schedules.LearningRateSchedule:extend("Decay")
    function Decay.__call(_, step) return 0.05 * 0.9 ^ (step / 3) end
    same(function() return {}, {optimizer = nn.optimizers.SGD{Decay()}} end, function()
      return {}, {optimizer = nn.optimizers.SGD{nn.optimizers.schedules.ExponentialDecay{0.05, 3,
        0.9}}}
    end)
  end)

  it("an optimizer", function()
    same(function() return {}, {optimizer = Descent()} end, function() return {}, {} end)
    same(function() return {}, {optimizer = Momentum()} end, function()
      return {}, {optimizer = nn.optimizers.SGD{0.05, momentum = 0.9}}
    end)
  end)

  it("an optimizer with what all optimizers can", function()
    for _, common in ipairs {{clipnorm = 0.5}, {global_clipnorm = 0.7}, {weight_decay = 0.01},
      {use_ema = true}, {gradient_accumulation_steps = 2}} do
      local function with(record)
        for key, value in pairs(common) do record[key] = value end
        return record
      end
      same(function() return {}, {optimizer = Momentum(with{})} end, function()
        return {}, {optimizer = nn.optimizers.SGD(with{0.05, momentum = 0.9})}
      end)
    end
  end)

  it("an optimizer whose rate a schedule changes", function()
    local function rate() return nn.optimizers.schedules.ExponentialDecay{0.05, 3, 0.9} end
    same(function() return {}, {optimizer = Momentum{rate()}} end, function()
      return {}, {optimizer = nn.optimizers.SGD{rate(), momentum = 0.9}}
    end)
  end)
end)

it("an optimizer that needs the values of its rate runs batch by batch", function()
  local Careful = nn.optimizers.Optimizer:extend("Careful", {args = "learning_rate=0.05"})
  function Careful:update_step(gradient, variable, rate)
    if self.iterations + 1 > 2 then rate = math.min(rate, 0.05) end
    variable:assign_sub(gradient * rate)
  end
  same(function() return {}, {optimizer = Careful()} end, function() return {}, {} end)
end)

describe("a function that branches on values", function()
  local function loss(y, p)
    local d = ops.mean(ops.abs(p - y))
    if d:item() > 1 then return d end
    return d * d
  end

  it("says so at its line", function()
    local model = nn.Sequential{nn.layers.Dense{1, input_shape = {3}}}
    model:compile{loss = loss}
    local x, y = data()
    local ok, e = pcall(model.fit, model, {x, y, verbose = 0})
    assert.is_false(ok)
    local line = tonumber(e:match "^spec/trainer/own_parts_spec%.lua:(%d+): a traced tensor has no")
    assert.equal(debug.getinfo(loss, "S").linedefined + 2, line)
    assert.is_truthy(e:find("run_eagerly=true", 1, true))
  end)

  it("runs eagerly", function()
    local h = history({}, {loss = loss, run_eagerly = true})
    assert.equal(4, #h.loss)
  end)
end)
