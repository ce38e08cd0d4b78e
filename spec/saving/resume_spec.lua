-- Interrupted training goes on with the same bits: every kind of data, at epochs and inside them.

local nn = require "nnlua"
local core = require "nnlua.core"
local terminal = require "nnlua.terminal"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local folder
local warn = terminal.warn

setup(function()
  terminal.warn = function() end
  folder = scratch.make()
end)

teardown(function()
  terminal.warn = warn
  scratch.remove(folder)
end)

local function path(name) return folder .. "/" .. name end

before_each(function() scratch.remove(path "backup") end)

local function make(options)
  nn.utils.clear_session()
  nn.utils.set_random_seed(3)
  local x = nn.random.normal{{64, 4}}
  local y = nn.ops.cast(nn.ops.greater(nn.ops.sum(x, {axis = -1}), 0), "int32")
  local model = nn.Sequential{nn.Input{shape = {4}}, nn.layers.Dense{5, activation = "relu"},
    nn.layers.BatchNormalization{}, nn.layers.Dropout{0.2},
    nn.layers.Dense{2, activation = "softmax"}}
  model:compile{optimizer = options.optimizer or "adam", loss = "sparse_categorical_crossentropy",
    metrics = {"accuracy"}, run_eagerly = options.eager}
  return model, x, y
end

-- A callback that ends the run at its n-th batch, as a crash would.
local function bomb(n)
  return {on_train_batch_end = function()
    n = n - 1
    if n == 0 then error "crash" end
  end}
end

local function fit(options, callbacks, more)
  local model, x, y = make(options)
  local a = {x, y, epochs = 5, batch_size = 10, verbose = 0, callbacks = callbacks,
    steps_per_epoch = options.steps}
  if options.data_set then
    a = {nn.data.Dataset.from_tensors{x, y}:shuffle{64, seed = 9}:batch(10), epochs = 5,
      verbose = 0, callbacks = callbacks, steps_per_epoch = options.steps}
  end
  for key, v in pairs(more or {}) do a[key] = v end
  local ok, history = pcall(model.fit, model, a)
  if not ok then
    assert(tostring(history):find "crash", history)
    return nil
  end
  local values = {}
  for _, name in ipairs(history:names()) do
    for _, v in ipairs(history.history[name]) do values[#values + 1] = ("%a"):format(v) end
  end
  local variables = {}
  for i, v in ipairs(model.optimizer.variables) do variables[i] = core.new(v.tensor) end
  return {weights = core.sha256(model:get_weights()), optimizer = core.sha256(variables),
    history = table.concat(values, " "), steps = model.steps_done}
end

local function callbacks(freq, ...)
  return {nn.callbacks.EarlyStopping{monitor = "loss", patience = 3, restore_best_weights = true},
    nn.callbacks.BackupAndRestore{backup_dir = path "backup", save_freq = freq,
      delete_checkpoint = false}, ...}
end

local kinds = {
  ["arrays"] = {}, ["arrays, eagerly"] = {eager = true}, ["a data set"] = {data_set = true},
  ["arrays with steps_per_epoch"] = {steps = 3},
  ["a data set with steps_per_epoch"] = {data_set = true, steps = 3},
}

describe("a resumed fit", function()
  for name, options in pairs(kinds) do
    it("ends with the same bits: " .. name, function()
      local want = fit(options, {(callbacks "epoch")[1]})
      for _, freq in ipairs {"epoch", 1, 3} do
        for _, at in ipairs {2, 8, 12} do
          scratch.remove(path "backup")
          assert.is_nil(fit(options, callbacks(freq, bomb(at))))
          assert.same(want, fit(options, callbacks(freq)))
        end
      end
    end)
  end

  it("goes on from a file that resume names", function()
    local want = fit({}, {})
    local saver = {}
    function saver:on_epoch_end(epoch)
      if epoch == 2 then self.model:save_training_state(path "state.h5", {epoch = 2, batch = 0}) end
    end
    fit({}, {saver}, {epochs = 2})
    local got = fit({}, {saver}, {resume = path "state.h5"})
    assert.equal(want.weights, got.weights)
    assert.equal(want.optimizer, got.optimizer)
    assert.is_false(pcall(function() assert(fit({}, {}, {resume = path "no.h5"})) end))
  end)

  it("stays stopped when it had stopped", function()
    local options = {optimizer = nn.optimizers.SGD{learning_rate = 0}}
    local function list()
      return {nn.callbacks.EarlyStopping{monitor = "accuracy", patience = 1},
        nn.callbacks.BackupAndRestore{backup_dir = path "backup", delete_checkpoint = false}}
    end
    local want = fit(options, list())
    options.optimizer = nn.optimizers.SGD{learning_rate = 0}
    assert.same(want, fit(options, list()))
  end)
end)

describe("a file of a training's state", function()
  local function damage(name)
    local text = files.read(name)
    local at = #text // 2
    files.write(name, text:sub(1, at) .. string.char(text:byte(at + 1) ~ 1) .. text:sub(at + 2))
  end

  it("is known to be damaged, and leaves the model alone", function()
    local model, x, y = make{}
    model:fit{x, y, epochs = 1, verbose = 0}
    model:save_training_state(path "s.h5", {epoch = 1})
    local before = core.sha256(model:get_weights())
    model:fit{x, y, epochs = 1, verbose = 0}
    local after = core.sha256(model:get_weights())
    damage(path "s.h5")
    local ok = pcall(model.load_training_state, model, path "s.h5")
    assert.is_false(ok)
    assert.equal(after, core.sha256(model:get_weights()))
    assert.not_equal(before, after)
  end)

  it("gives way to the one before", function()
    local function list(...)
      return {nn.callbacks.BackupAndRestore{backup_dir = path "backup", save_freq = 2,
        double_checkpoint = true, delete_checkpoint = false}, ...}
    end
    local want = fit({}, {})
    assert.is_nil(fit({}, list(bomb(13))))
    damage(path "backup/latest.weights.h5")
    assert.same(want, fit({}, list()))
  end)

  it("is an error where there is none before", function()
    assert.is_nil(fit({}, callbacks(2, bomb(13))))
    damage(path "backup/latest.weights.h5")
    local ok, text = pcall(fit, {}, callbacks(2))
    assert.is_false(ok)
    assert.matches("BackupAndRestore: [^:]*/latest.weights.h5: .*; remove it to begin again", text)
  end)

  it("holds weights that load_weights reads", function()
    local model, x, y = make{}
    model:fit{x, y, epochs = 1, verbose = 0}
    model:save_training_state(path "w.weights.h5", {epoch = 1})
    local other = make{}
    other:load_weights(path "w.weights.h5")
    assert.equal(core.sha256(model:get_weights()), core.sha256(other:get_weights()))
    assert.equal(2, other.optimizer.iterations)
  end)
end)
