local Callback = require "nnlua.callbacks.callback"
local CallbackList = require "nnlua.callbacks.list"
local callbacks = require "nnlua.callbacks"
local core = require "nnlua.core"
local logs_of = require "nnlua.logs"
local failure = require "spec.support.failure"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"
local support = require "spec.callbacks.support"

local raises = failure.says
local folder

before_each(function() folder = scratch.make() end)

after_each(function() scratch.remove(folder) end)

describe("CallbackList", function()
  it("calls the user's callbacks in order, then History, then the progress bar", function()
    local heard = {}
    local function say(name)
      return {on_epoch_end = function(_, epoch) heard[#heard + 1] = name .. epoch end}
    end
    local list = CallbackList {{say "a", {say "b", {say "c"}}}, add_history = true,
      add_progbar = true, model = support.model()}
    list:set_params {verbose = 0, epochs = 2}
    list:on_epoch_end(1, logs_of.new {loss = 1})
    assert.same({"a1", "b1", "c1"}, heard)
    assert.equal("History", list.callbacks[4].class_name)
    assert.equal("ProgbarLogger", list.callbacks[5].class_name)
  end)

  it("shares one logs table, sorted, additions last", function()
    local keys
    support.fit({
      {on_epoch_end = function(_, _, logs)
        logs.zeta = 1
        logs.alpha = 2
      end},
      {on_epoch_end = function(_, _, logs) keys = logs_of.keys(logs) end},
    }, {{val_loss = 1, loss = 2, accuracy = 3}})
    assert.same({"accuracy", "loss", "val_loss", "zeta", "alpha"}, keys)
    local seen = {}
    for key in pairs(logs_of.new {b = 1, a = 2}) do seen[#seen + 1] = key end
    assert.same({"a", "b"}, seen)
  end)

  it("gives callbacks their model and params", function()
    local plain = {on_epoch_end = function() end}
    local list, model = support.fit(plain, {{loss = 1}})
    assert.equal(model, plain.model)
    assert.equal(1, plain.params.epochs)
    assert.equal(list.history, model.history)
  end)

  it("knows who listens to batches", function()
    local function hears(callback, kind) return CallbackList({callback}):has_batch_hooks(kind) end
    local Mine = Callback:extend("Mine")
    assert.is_false(hears(Mine()))
    assert.is_false(hears({on_epoch_end = print}))
    assert.is_false(hears(callbacks.EarlyStopping()))
    assert.is_false(hears(callbacks.ProgbarLogger()))
    assert.is_false(hears(callbacks.ModelCheckpoint "a.keras"))
    assert.is_true(hears(callbacks.ModelCheckpoint {"a.keras", save_freq = 2}, "train"))
    assert.is_true(hears(callbacks.TerminateOnNaN(), "train"))
    assert.is_true(hears({on_batch_end = print}, "train"))
    assert.is_false(hears({on_batch_end = print}, "test"))
    assert.is_true(hears({on_test_batch_end = print}, "test"))
    assert.is_true(hears(callbacks.LambdaCallback {on_train_batch_end = print}))
    function Mine.on_predict_batch_end() end
    assert.is_true(hears(Mine(), "predict"))
    assert.is_false(hears(Mine(), "train"))
  end)

  it("calls on_batch_* for training batches", function()
    local n = 0
    support.fit({{on_batch_end = function(_, batch) n = n + batch end}}, {{loss = 1}, {loss = 1}})
    assert.equal(2, n)
  end)

  it("refuses what is no callback", function()
    raises("callbacks: 5 is no callback", function() CallbackList {{5}} end)
    raises("callbacks: EarlyStopping is a class", function()
      CallbackList {{callbacks.EarlyStopping}}
    end)
    raises("unknown hook 'on_epoch_and'; did you mean 'on_epoch_end'?", function()
      CallbackList {{{on_epoch_and = print}}}
    end)
  end)

  it("takes classes of the user's own, with arguments or plain", function()
    local Named = Callback:extend("Named", {args = "every=2"})
    function Named:init(a) self.every = a.every end
    assert.equal(3, Named {every = 3}.every)
    local Plain = Callback:extend("Plain")
    function Plain:init(x, y) self.sum = x + y end
    assert.equal(5, Plain(2, 3).sum)
  end)
end)

describe("EarlyStopping", function()
  local function stops(record, values, name)
    local callback = callbacks.EarlyStopping(record)
    local list, model
    local text, warned = support.capture(function()
      list, model = support.fit(callback, support.series(name or "loss", values))
    end)
    return #list.history.epoch, model, text, warned
  end

  it("waits `patience` epochs", function()
    assert.equal(4, (stops({"loss", patience = 2}, {3, 2, 2, 2, 2, 2})))
    assert.equal(2, (stops({"loss"}, {3, 3, 3, 3})))
    assert.equal(3, (stops({"accuracy", patience = 0}, {1, 2, 2, 3}, "accuracy")))
  end)

  it("says why the run ended", function()
    local _, model, text = stops({"loss", verbose = 1}, {1, 2, 3})
    assert.equal("early stopping", model.stop_reason)
    assert.equal("early stopping", model.history.stopped)
    assert.equal("Epoch 2: early stopping\n", text)
  end)

  it("brings the best weights back, also without a stop", function()
    local _, model, text =
      stops({"loss", patience = 9, restore_best_weights = true, verbose = 1}, {3, 1, 2, 2})
    assert.equal(2, model.weight)
    assert.equal("Restoring model weights from the end of the best epoch: 2.\n", text)
  end)

  it("skips the first epochs", function()
    assert.equal(5, (stops({"loss", patience = 1, start_from_epoch = 3}, {1, 2, 3, 4, 5, 6})))
  end)

  it("never takes NaN for an improvement", function()
    assert.equal(3, (stops({"loss", patience = 2}, {1, 0 / 0, 0 / 0, 0 / 0})))
  end)

  it("warns once where the value is missing", function()
    local n, _, _, warned = stops({"val_acc", patience = 1}, {1, 2, 3})
    assert.equal(3, n)
    assert.same({"Early stopping conditioned on metric `val_acc` which is not available. "
      .. "Available metrics are: loss"}, warned)
  end)

  it("wants to know the direction", function()
    raises("EarlyStopping: mode is 'sideways', expected auto, min or max", function()
      callbacks.EarlyStopping {mode = "sideways"}
    end)
    raises("EarlyStopping: cannot tell whether less or more of 'odd' is better; give mode",
      function() stops({"odd"}, {1, 2, 3}, "odd") end)
    assert.equal(2, (stops({"odd", mode = "max"}, {3, 2, 1}, "odd")))
    assert.equal(2, (stops({"val_out_loss"}, {1, 2, 3}, "val_out_loss")))
  end)
end)

describe("ReduceLROnPlateau", function()
  it("refuses a factor of 1 or more", function()
    raises("ReduceLROnPlateau: factor is 1.5, expected below 1", function()
      callbacks.ReduceLROnPlateau {factor = 1.5}
    end)
  end)

  it("does not go below min_lr", function()
    local model = support.model(1)
    support.fit(callbacks.ReduceLROnPlateau {"loss", patience = 1, min_lr = 0.05},
      support.series("loss", {1, 1, 1, 1, 1}), model)
    assert.near(0.05, model.optimizer.learning_rate, 1e-8)
  end)
end)

describe("LearningRateScheduler", function()
  it("gets the epoch from 1 and the present rate", function()
    local seen = {}
    support.fit(callbacks.LearningRateScheduler(function(epoch, rate)
      seen[#seen + 1] = epoch
      return rate / 2
    end), {{loss = 1}, {loss = 1}})
    assert.same({1, 2}, seen)
  end)

  it("wants a number", function()
    raises("LearningRateScheduler: schedule returned a string, expected a number", function()
      support.fit(callbacks.LearningRateScheduler(function() return "x" end), {{loss = 1}})
    end)
    raises("LearningRateScheduler: schedule is 0.1, expected a function", function()
      callbacks.LearningRateScheduler(0.1)
    end)
  end)
end)

describe("ModelCheckpoint", function()
  it("wants the right ending", function()
    raises("ModelCheckpoint: weights files end in .weights.h5", function()
      callbacks.ModelCheckpoint {"w.h5", save_weights_only = true}
    end)
    raises("ModelCheckpoint: model files end in .keras", function()
      callbacks.ModelCheckpoint "model.bin"
    end)
    raises("save_freq is 0", function() callbacks.ModelCheckpoint {"a.keras", save_freq = 0} end)
  end)

  it("names what the template misses", function()
    raises("ModelCheckpoint: filepath names 'val_los' but the logs hold accuracy, loss", function()
      support.fit(callbacks.ModelCheckpoint "{val_los}.keras", {{loss = 1, accuracy = 2}})
    end)
  end)

  it("saves, with a warning, where the best cannot be known", function()
    local model
    local _, warned = support.capture(function()
      model = select(2, support.fit(callbacks.ModelCheckpoint {"a.keras", save_best_only = true},
        {{loss = 1}, {loss = 1}}))
    end)
    assert.same({"Can save best model only with val_loss available."}, warned)
    assert.equal(2, #model.saved)
  end)

  it("makes missing folders", function()
    support.fit(callbacks.ModelCheckpoint(folder .. "/a/b/m.keras"), {{loss = 1}})
    assert.equal("directory", core.sys.exists(folder .. "/a/b"))
  end)

  it("keeps the best of an earlier fit", function()
    local callback = callbacks.ModelCheckpoint {"{epoch}.keras", "loss", save_best_only = true}
    local _, model = support.fit(callback, support.series("loss", {3, 2}))
    assert.equal(2, #model.saved)
    _, model = support.fit(callback, support.series("loss", {5, 1}))
    assert.same({"2.keras"}, model.saved)
  end)
end)

describe("TerminateOnNaN", function()
  it("stops and says why", function()
    local model
    local text = support.capture(function()
      model = select(2, support.fit(callbacks.TerminateOnNaN(),
        {{loss = 1}, {loss = 0 / 0}, {loss = 1}}))
    end)
    assert.equal("nan", model.stop_reason)
    assert.equal("Batch 0: Invalid loss, terminating training\n", text)
    assert.equal(2, #model.history.epoch)
  end)

  it("raises when asked to", function()
    raises("TerminateOnNaN: the loss of batch 1 is inf", function()
      support.fit(callbacks.TerminateOnNaN {raise_error = true}, {{loss = math.huge}})
    end)
  end)
end)

describe("LambdaCallback", function()
  it("calls plain functions", function()
    local heard = {}
    local callback = callbacks.LambdaCallback {
      on_epoch_end = function(epoch, logs) heard[#heard + 1] = epoch .. ":" .. logs.loss end,
      on_test_begin = function() end, note = "mine",
    }
    support.fit(callback, {{loss = 1}, {loss = 2}})
    assert.same({"1:1", "2:2"}, heard)
    assert.equal("mine", callback.note)
    raises("LambdaCallback: on_epoch_end is 5, expected a function", function()
      callbacks.LambdaCallback {on_epoch_end = 5}
    end)
  end)
end)

describe("CSVLogger", function()
  it("appends without a second header, quotes, and fills gaps", function()
    local path = folder .. "/log.csv"
    support.fit(callbacks.CSVLogger(path), {{loss = 0.5, ["a,b"] = {1.0, 2.0}}})
    support.fit(callbacks.CSVLogger {path, append = true}, {{loss = 0.25}})
    assert.equal('epoch,"a,b",loss,"val_a,b",val_loss\r\n1,"""[1.0, 2.0]""",0.5,NA,NA\r\n'
      .. "1,0.25,NA\r\n", files.read(path))
  end)

  it("says which file cannot be written", function()
    raises("CSVLogger: cannot write /nowhere/log.csv", function()
      support.fit(callbacks.CSVLogger "/nowhere/log.csv", {{loss = 1}})
    end)
  end)
end)

describe("SwapEMAWeights", function()
  local function variable(value)
    return {value = value, numpy = function(self) return self.value end,
      assign = function(self, x) self.value = x end}
  end

  local function model_with_averages(use_ema)
    local model = support.model()
    model.optimizer = {use_ema = use_ema, learning_rate = 0.1, built = true,
      trainable_variables = {variable(1)}, averages = {variable(2)}}
    return model
  end

  local function values(model)
    return {model.optimizer.trainable_variables[1].value, model.optimizer.averages[1].value}
  end

  it("shows the averages to evaluate and predict", function()
    local model = model_with_averages(true)
    local list = CallbackList {{callbacks.SwapEMAWeights()}, model = model}
    for _, hook in ipairs {"test", "predict"} do
      list["on_" .. hook .. "_begin"](list)
      assert.same({2, 1}, values(model))
      list["on_" .. hook .. "_end"](list)
      assert.same({1, 2}, values(model))
    end
  end)

  it("shows them between epochs and leaves them in the model after the last one", function()
    local model, seen = model_with_averages(true), {}
    local watch = {
      on_epoch_begin = function(_, epoch) seen[#seen + 1] = {epoch, values(model)} end,
      on_epoch_end = function(_, epoch) seen[#seen + 1] = {epoch, values(model)} end,
    }
    support.fit({callbacks.SwapEMAWeights {swap_on_epoch = true}, watch}, {{loss = 1}, {loss = 1}},
      model)
    assert.same({{1, {1, 2}}, {1, {2, 1}}, {2, {1, 2}}, {2, {2, 2}}}, seen)
  end)

  it("wants an optimizer with averages", function()
    raises("SwapEMAWeights: the optimizer keeps no averages; give it use_ema=true", function()
      CallbackList({{callbacks.SwapEMAWeights()}, model = model_with_averages(false)})
        :on_test_begin()
    end)
  end)
end)

describe("BackupAndRestore", function()
  local function store(model)
    function model.save_training_state(_, path, state)
      if state.previous then os.rename(path, state.previous) end
      local file = assert(io.open(path, "w"))
      file:write(state.epoch, " ", state.batch)
      file:close()
    end
    function model.load_training_state(_, path)
      local file = assert(io.open(path))
      local epoch, batch = file:read("n", "n")
      file:close()
      if not epoch then error("damaged") end
      return {epoch = epoch, batch = batch}
    end
    return model
  end

  local function crash_in(epoch)
    return {on_epoch_begin = function(_, n) if n == epoch then error("power cut") end end}
  end

  it("goes on after the last saved epoch and tidies up", function()
    local backup = folder .. "/backup"
    local epochs = support.series("loss", {3, 2, 1, 0})
    assert.is_false(pcall(support.fit, {callbacks.BackupAndRestore(backup), crash_in(3)}, epochs,
      store(support.model())))
    local model = store(support.model())
    support.fit(callbacks.BackupAndRestore(backup), epochs, model)
    assert.same({epoch = 2, batch = 0}, model.resume_from)
    assert.is_nil(io.open(backup))
  end)

  it("falls back to the older save", function()
    local backup = folder .. "/backup"
    local record = {backup, double_checkpoint = true, delete_checkpoint = false}
    support.fit(callbacks.BackupAndRestore(record), support.series("loss", {3, 2}),
      store(support.model()))
    local file = io.open(backup .. "/latest.weights.h5", "w")
    file:close()
    local model = store(support.model())
    local _, warned = support.capture(function()
      support.fit(callbacks.BackupAndRestore(record), {}, model)
    end)
    assert.same({epoch = 1, batch = 0}, model.resume_from)
    assert.equal(1, #warned)
  end)

  it("wants a built model", function()
    raises("BackupAndRestore: the model must be built before fit", function()
      local model = support.model()
      model.built = false
      support.fit(callbacks.BackupAndRestore "x", {}, model)
    end)
  end)
end)
