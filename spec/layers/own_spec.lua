-- Layers that a script writes: their weights, layers inside layers, and the same numbers called
-- alone, in Sequential and functional models, traced and run eagerly.

local nn = require "nnlua"
local core = require "nnlua.core"
local waves = require "spec.support.waves"

local Layer = nn.layers.Layer

-- y = x w + b, written out.
local function affine_class()
  local Affine = Layer:extend("Affine", {args = "units, activation=None"})
  function Affine:init(a)
    Layer.init(self, a)
    self.units = a.units
    self.activation = nn.activations.get(a.activation)
  end
  function Affine:build(input_shape)
    self.w = self:add_weight{shape = {input_shape[#input_shape], self.units},
      initializer = "glorot_uniform", name = "w"}
    self.b = self:add_weight{shape = {self.units}, initializer = "zeros", name = "b"}
  end
  function Affine:call(x)
    return self.activation(nn.ops.matmul(x, self.w.tensor) + self.b.tensor)
  end
  return Affine
end

-- Two layers and a scale: no arguments, sub-layers in fields.
local function block_class()
  local Block = Layer:extend("Block")
  function Block:build(input_shape)
    local width = input_shape[#input_shape]
    self.inner = nn.layers.Dense{width, activation = "relu"}
    self.norm = nn.layers.LayerNormalization()
    self.scale = self:add_weight{shape = {}, initializer = "ones", name = "scale"}
  end
  function Block:call(x) return x + self.norm(self.inner(x)) * self.scale end
  return Block
end

local function train(model, options)
  local x, y = waves.data()
  model:compile{optimizer = nn.optimizers.SGD{0.05}, loss = "mse", run_eagerly = options.eager}
  local history = model:fit{x, y, epochs = 3, batch_size = 16, shuffle = false, verbose = 0}
  return history.history.loss, model:predict{x, verbose = 0}
end

local function flat(t) return core.totable(core.reshape(t, {t.size})) end

local function assert_near(a, b)
  assert.equal(#a, #b)
  for i = 1, #a do
    assert.is_true(math.abs(a[i] - b[i]) < 1e-5, ("%g and %g"):format(a[i], b[i]))
  end
end

describe("own layers", function()
  it("bind their arguments and the base ones", function()
    local Affine = affine_class()
    local layer = Affine{4, activation = "relu", name = "mine"}
    assert.equal("mine", layer.name)
    assert.equal(4, layer.units)
    assert.matches("Affine: unknown argument 'unit'; did you mean 'units'%?",
      select(2, pcall(Affine, {unit = 3})))
    assert.matches("Affine: units is missing", select(2, pcall(Affine)))
  end)

  it("take any named arguments without a signature", function()
    local Scale = Layer:extend("Scale")
    function Scale:call(x) return x * self.factor end
    local layer = Scale{factor = 3, name = "s"}
    assert.equal(3, layer.factor)
    assert.same({{3, 6}}, layer(nn.tensor{{1, 2}}):totable())
    assert.equal(3, layer:get_config().factor)
    assert.is_truthy(Scale().name:find "^scale")
  end)

  it("make their weights once, at the first call", function()
    local layer = affine_class(){2}
    assert.equal(0, #layer.weights)
    assert.is_false(layer.built)
    layer(nn.tensor{{1, 2, 3}})
    assert.is_true(layer.built)
    assert.equal(2, #layer.weights)
    assert.same({3, 2}, layer.weights[1].shape)
    assert.matches("^affine[_%d]*/w$", layer.weights[1].path)
    assert.equal(8, layer:count_params())
    layer(nn.tensor{{3, 2, 1}})
    assert.equal(2, #layer.weights)
  end)

  it("count the weights of the layers in their fields", function()
    local layer = block_class()()
    layer(nn.tensor{{1, 2, 3}})
    local names = {}
    for i, w in ipairs(layer.weights) do names[i] = w.name end
    assert.same({"scale", "kernel", "bias", "gamma", "beta"}, names)
    layer.inner.trainable = false
    assert.equal(3, #layer.trainable_weights)
    assert.equal(2, #layer.non_trainable_weights)
  end)

  it("keep weights made in init that need no shape", function()
    local Bias = Layer:extend("Bias", {args = "size"})
    function Bias:init(a)
      Layer.init(self, a)
      self.b = self:add_weight{shape = {a.size}, initializer = "ones", name = "b"}
    end
    function Bias:call(x) return x + self.b end
    local layer = Bias(2)
    assert.equal(1, #layer.weights)
    assert.same({{2, 3}}, layer(nn.tensor{{1, 2}}):totable())
  end)

  it("see training and further arguments in ctx, inner layers too", function()
    local seen = {}
    local Inner = Layer:extend("Inner")
    function Inner.call(_, x, ctx)
      seen[#seen + 1] = ctx.training or false
      return x
    end
    local Outer = Layer:extend("Outer")
    function Outer:build() self.inner = Inner() end
    function Outer:call(x, ctx)
      seen[#seen + 1] = ctx.factor or 0
      return self.inner(x)
    end
    local layer = Outer()
    layer(nn.tensor{{1}}, {training = true, factor = 7})
    layer(nn.tensor{{1}})
    assert.same({7, true, 0, false}, seen)
  end)

  it("say so when call is missing", function()
    local Empty = Layer:extend("Empty")
    assert.matches("Empty: the layer has no call%(x, ctx%)",
      select(2, pcall(Empty(), nn.tensor{1})))
  end)

  it("can add losses and regularize their weights", function()
    local Penalty = Layer:extend("Penalty")
    function Penalty:build(shape)
      self.w = self:add_weight{shape = {shape[2]}, initializer = "ones", name = "w",
        regularizer = nn.regularizers.L2(0.5)}
    end
    function Penalty:call(x)
      self:add_loss(nn.ops.mean(x * x))
      return x * self.w
    end
    local model = nn.Sequential{Penalty{input_shape = {2}}}
    model:compile{optimizer = nn.optimizers.SGD(0), loss = "mse"}
    local x = nn.tensor{{1, 2}, {3, 4}}
    local loss = model:evaluate{x, x, verbose = 0}
    assert.is_true(math.abs(loss - (7.5 + 0.5 * 2)) < 1e-5, tostring(loss))
    assert.equal(1, #model.losses)
  end)

  it("keep state that calls change, traced and eager", function()
    local Counter = Layer:extend("Counter")
    function Counter:build()
      self.total = self:add_weight{shape = {}, initializer = "zeros", name = "total",
        trainable = false}
    end
    function Counter:call(x, ctx)
      if ctx.training then self.total:assign(self.total + nn.ops.sum(x)) end
      return x
    end
    for _, eager in ipairs {false, true} do
      local counter = Counter{input_shape = {3}}
      local model = nn.Sequential{counter, nn.layers.Dense(1)}
      train(model, {eager = eager})
      local x = waves.data()
      local want = 0
      for _, v in ipairs(flat(x)) do want = want + v end
      assert.is_true(math.abs(counter.total.value:item() - 3 * want) < 1e-3)
    end
  end)
end)

describe("own layers in models", function()
  local Affine, Block = affine_class(), block_class()

  local function sequential()
    nn.set_random_seed(3)
    return nn.Sequential{Affine{6, activation = "tanh"}, Block(), Affine(1)}
  end

  local function functional()
    nn.set_random_seed(3)
    local x = nn.Input{shape = {3}}
    local first = Affine{6, activation = "tanh"}(x)
    return nn.Model{inputs = x, outputs = Affine(1)(Block()(first))}
  end

  it("train to the same losses traced, eager, and functional", function()
    local loss, prediction = train(sequential(), {})
    assert.is_true(loss[3] < loss[1])
    local eager_loss, eager_prediction = train(sequential(), {eager = true})
    assert_near(loss, eager_loss)
    assert_near(flat(prediction), flat(eager_prediction))
    local functional_loss = train(functional(), {})
    assert_near(loss, functional_loss)
  end)

  it("train like the built-in layer that they write out", function()
    local kernel = nn.initializers.GlorotUniform{seed = 4}
    local mine = nn.Sequential{Affine{1, input_shape = {3}}}
    local built_in = nn.Sequential{nn.layers.Dense{1, input_shape = {3}}}
    mine:set_weights{kernel({3, 1}), nn.zeros{1}}
    built_in:set_weights{kernel({3, 1}), nn.zeros{1}}
    assert_near((train(mine, {})), (train(built_in, {})))
  end)

  it("have shapes inferred for the models around them", function()
    local model = functional()
    assert.same({false, 1}, model.output_shape)
    assert.same({false, 6}, Affine(6):compute_output_shape{false, 3})
  end)

  it("keep no tensor that an initializer holds", function()
    local held = nn.ones{2, 1}
    local Held = nn.initializers.Initializer:extend("Held")
    function Held.call() return held end
    for _, initializer in ipairs {function() return held end, Held(), held} do
      local layer = nn.layers.Dense{1, kernel_initializer = initializer}
      layer:build{false, 2}
      layer.weights[1]:assign(nn.zeros{2, 1})
      assert.same({1, 1}, flat(held))
    end
  end)
end)
