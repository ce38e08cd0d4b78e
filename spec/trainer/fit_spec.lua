-- What fit does with data, weights, validation, and the ways a run can end.

local nn = require "nnlua"
local core = require "nnlua.core"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"
local waves = require "spec.support.waves"

local ops, data, start = nn.ops, waves.data, waves.start

-- The same weights each time.
local function network(options)
  local model = nn.Sequential{nn.layers.Dense{8, activation = "tanh", input_shape = {3}},
    nn.layers.Dense(1)}
  for k, v in ipairs(model.weights) do v:assign(start(v.shape, k)) end
  local o = {optimizer = nn.optimizers.SGD{0.05}, loss = "mse"}
  for key, value in pairs(options or {}) do o[key] = value end
  model:compile(o)
  return model
end

local function fit(model, arguments)
  arguments.verbose = 0
  if arguments.shuffle == nil then arguments.shuffle = false end
  return model:fit(arguments)
end

local function losses(options, arguments)
  local x, y = data()
  arguments = arguments or {}
  arguments[1], arguments[2] = arguments[1] or x, arguments[2] or y
  arguments.epochs = arguments.epochs or 3
  arguments.batch_size = arguments.batch_size or 16
  return fit(network(options), arguments).history
end

local function near(a, b, tolerance)
  assert.equal(#a, #b)
  for i = 1, #a do
    local least = (tolerance or 1e-5) * (1 + math.abs(b[i]))
    assert.is_true(math.abs(a[i] - b[i]) <= least,
      ("%d: %.9g, expected %.9g"):format(i, a[i], b[i]))
  end
end

local function bytes(model)
  local list = {}
  for i, w in ipairs(model:get_weights()) do list[i] = core.tobytes(w) end
  return table.concat(list)
end

describe("data given to fit", function()
  local expected = losses().loss

  local function batches()
    local x, y = data()
    local at = 1
    return function()
      if at > 40 then return nil end
      local last = math.min(at + 15, 40)
      local a, b = x:slice{{at, last}}, y:slice{{at, last}}
      at = last + 1
      return a, b
    end
  end

  it("as nested tables is the same as tensors", function()
    local x, y = data()
    near(losses(nil, {x:totable(), y:totable()}).loss, expected)
  end)

  it("as a Dataset is the same as tensors", function()
    local set = nn.data.Dataset.from_tensors{data()}:batch(16)
    near(fit(network(), {set, epochs = 3}).history.loss, expected)
  end)

  it("as a factory of iterators is the same as tensors", function()
    near(fit(network(), {batches, epochs = 3}).history.loss, expected)
  end)

  it("as an iterator lasts for one pass", function()
    near(fit(network(), {batches()}).history.loss, {expected[1]})
    local model = network()
    assert.has_error(function() fit(model, {batches(), epochs = 2}) end)
    near(fit(model, {batches, epochs = 1}).history.loss, {expected[2]})
  end)

  it("for steps_per_epoch goes on where the last epoch stopped", function()
    local h = fit(network(), {nn.data.Dataset.from_tensors{data()}:batch(10), epochs = 4,
      steps_per_epoch = 2}).history.loss
    local twice = fit(network(), {nn.data.Dataset.from_tensors{data()}:batch(10), epochs = 2})
    near({(h[1] + h[2]) / 2, (h[3] + h[4]) / 2}, twice.history.loss)
  end)

  it("as lists and tables serves several inputs and outputs", function()
    local function two()
      local a, b = nn.Input{shape = {3}, name = "a"}, nn.Input{shape = {3}, name = "b"}
      local shared = nn.layers.Dense{4, activation = "tanh"}
      local both = nn.layers.Concatenate(){shared(a), shared(b)}
      local model = nn.Model{inputs = {a, b}, outputs = {nn.layers.Dense{1, name = "p"}(both),
        nn.layers.Dense{1, name = "q"}(both)}}
      for k, v in ipairs(model.weights) do v:assign(start(v.shape, k)) end
      model:compile{optimizer = "sgd", loss = {"mse", "mae"}, loss_weights = {1, 0.5}}
      return model
    end
    local x, y = data()
    local as_lists = fit(two(), {{x, -x}, {y, y * 2}}).history
    local as_tables = fit(two(), {{a = x, b = -x}, {p = y, q = y * 2}}).history
    near(as_lists.loss, {as_lists.p_loss[1] + 0.5 * as_lists.q_loss[1]})
    near(as_tables.loss, as_lists.loss)
    assert.equal(6, #two().weights)
  end)
end)

describe("weights and validation", function()
  it("class_weight is a sample weight for each class", function()
    local x = data()
    local ids = {}
    for i = 1, 40 do ids[i] = i % 3 end
    local function run(arguments)
      local model = nn.Sequential{nn.layers.Dense{3, activation = "softmax", input_shape = {3}}}
      for k, v in ipairs(model.weights) do v:assign(start(v.shape, k)) end
      model:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy"}
      arguments[1], arguments[2] = x, arguments[2] or nn.tensor(ids, "int32")
      arguments.epochs = 2
      return fit(model, arguments).history.loss
    end
    local by_row = {}
    for i = 1, 40 do by_row[i] = i % 3 + 1 end
    local weights = {[0] = 1, [1] = 2, [2] = 3}
    local expected = run {sample_weight = nn.tensor(by_row)}
    near(run {class_weight = weights}, expected)
    near(run {nil, nn.tensor(ids):reshape {40, 1}, class_weight = weights}, expected)
  end)

  it("validation_split takes the last rows", function()
    local x, y = data()
    local split = losses(nil, {validation_split = 0.25})
    local given = losses(nil, {x:slice{{1, 30}}, y:slice{{1, 30}},
      validation_data = {x:slice{{31, 40}}, y:slice{{31, 40}}}})
    near(split.loss, given.loss)
    near(split.val_loss, given.val_loss)
  end)

  it("validation_freq is every n epochs, or a list of them", function()
    local x, y = data()
    assert.equal(2, #losses(nil, {validation_data = {x, y}, validation_freq = 2,
      epochs = 5}).val_loss)
    assert.equal(3, #losses(nil, {validation_data = {x, y}, validation_freq = {1, 2, 5},
      epochs = 5}).val_loss)
  end)

  it("validation_steps takes the first batches", function()
    local x, y = data()
    local h = losses(nil, {validation_data = {x, y}, validation_steps = 1, epochs = 1,
      validation_batch_size = 10})
    local first = losses(nil, {validation_data = {x:slice{{1, 10}}, y:slice{{1, 10}}}, epochs = 1})
    near(h.val_loss, first.val_loss)
  end)
end)

describe("a run ends", function()
  it("at the epoch given, counted from initial_epoch", function()
    local h = fit(network(), {data(), select(2, data()), epochs = 5, initial_epoch = 4})
    assert.same({4, 5}, h.epoch)
  end)

  it("when the time is over", function()
    local x, y = data(4000)
    local before = core.sys.clock()
    local h = fit(network(), {x, y, epochs = 1000000, batch_size = 4, max_seconds = 0.2})
    assert.equal("time", h.stopped)
    assert.is_true(core.sys.clock() - before < 2)
  end)

  it("when a callback says so, after the batch", function()
    local batches = 0
    local x, y = data()
    local h = fit(network(), {x, y, epochs = 3, batch_size = 4, callbacks = {{
      on_train_batch_end = function(self, batch)
        batches = batch
        if batch == 3 then self.model.stop_training = true end
      end}}})
    assert.equal(3, batches)
    assert.equal(1, #h.history.loss)
  end)

  it("with an error of a callback, which leaves the model usable", function()
    local x, y = data()
    local model = network()
    local folder = scratch.make()
    finally(function() scratch.remove(folder) end)
    local path = folder .. "/log.csv"
    local ok, e = pcall(fit, model, {x, y, epochs = 3, callbacks = {nn.callbacks.CSVLogger(path),
      {on_epoch_end = function(_, epoch) if epoch == 2 then error "my own mistake" end end}}})
    assert.is_false(ok)
    assert.is_truthy(tostring(e):find("fit_spec.lua:%d+: my own mistake"))
    assert.is_truthy(files.read(path):find("\r\n1,", 1, true), "what was logged is there")
    assert.is_nil(core.recording())
    assert.equal(2, #fit(model, {x, y, epochs = 2}).history.loss)
  end)
end)

describe("the same numbers come", function()
  it("run_eagerly", function()
    local x, y = data()
    local arguments = {validation_data = {x, y}}
    local metrics = {"mae"}
    local planned = losses({metrics = metrics}, arguments)
    local eager = losses({metrics = metrics, run_eagerly = true}, {validation_data = {x, y}})
    for key in pairs(planned) do near(eager[key], planned[key]) end
  end)

  it("with steps_per_execution", function()
    near(losses({steps_per_execution = 3}).loss, losses().loss)
  end)

  it("with a train_step of one's own", function()
    local Mine = nn.Model:extend "Mine"
    function Mine:build() self.inner = network() self.built = true end
    function Mine:call(x) return self.inner(x) end
    function Mine:train_step(batch)
      local x, y = batch[1], batch[2]
      local variables = self.trainable_variables
      local loss, grads = nn.value_and_grad(function()
        return ops.mean((self(x, {training = true}) - y) ^ 2)
      end, variables)
      self.optimizer:apply(grads, variables)
      return {loss = loss}
    end
    local model = Mine{}
    model:build()
    model:compile{optimizer = nn.optimizers.SGD{0.05}, loss = "mse"}
    local x, y = data(32)
    local own = fit(model, {x, y, epochs = 3, batch_size = 32}).history.loss
    near(own, losses(nil, {x, y, batch_size = 32}).loss)
  end)

  it("twice from one seed, and from any number of threads: bit by bit", function()
    local function run(threads)
      nn.config.set_num_threads(threads)
      nn.set_random_seed(7)
      local model = nn.Sequential{nn.layers.Dense{64, activation = "relu", input_shape = {3}},
        nn.layers.Dropout(0.3), nn.layers.Dense(1)}
      model:compile{optimizer = "adam", loss = "mse"}
      local x, y = data(1000)
      model:fit{x, y, epochs = 2, verbose = 0}
      nn.config.set_num_threads(1)
      return bytes(model)
    end
    local first = run(1)
    for _, threads in ipairs {1, 2, 4} do assert.is_true(first == run(threads)) end
  end)
end)

describe("trainable = false", function()
  it("takes effect without another compile", function()
    local model = network()
    local x, y = data()
    fit(model, {x, y})
    model.layers[1].trainable = false
    local frozen, other = bytes(model.layers[1]), bytes(model.layers[2])
    fit(model, {x, y})
    assert.is_true(frozen == bytes(model.layers[1]))
    assert.is_false(other == bytes(model.layers[2]))
    model.layers[1].trainable = true
    fit(model, {x, y})
    assert.is_false(frozen == bytes(model.layers[1]))
  end)
end)

it("a step after the first allocates nothing", function()
  local x, y = data(1024 * 32)
  local model = network {optimizer = "adam", metrics = {"mae"}}
  model:train_on_batch(x:slice{{1, 32}}, y:slice{{1, 32}})
  local counts = {}
  fit(model, {x, y, epochs = 1, callbacks = {{on_epoch_begin = function()
    counts[1] = core.allocations()
  end, on_epoch_end = function() counts[2] = core.allocations() end}}})
  assert.equal(counts[1], counts[2])
end)
