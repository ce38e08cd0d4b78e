-- A file of a training's state is a stranger's file too: what stands in it is checked before the
-- model is touched, and callbacks take from it only what they save.

local nn = require "nnlua"
local core = require "nnlua.core"
local store = require "nnlua.saving.store"
local version = require "nnlua.saving.version"
local failure = require "spec.support.failure"
local scratch = require "spec.support.scratch"

local json, message = core.json, failure.of
local folder

local function path(name) return folder .. "/" .. name end

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

local function make()
  nn.utils.clear_session()
  nn.utils.set_random_seed(3)
  local x = nn.random.normal{{32, 4}}
  local y = nn.ops.cast(nn.ops.greater(nn.ops.sum(x, {axis = -1}), 0), "int32")
  local model = nn.Sequential{nn.Input{shape = {4}}, nn.layers.Dense{5}, nn.layers.Dropout{0.2},
    nn.layers.Dense{2, activation = "softmax"}}
  model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy",
    metrics = {"accuracy"}}
  return model, x, y
end

local function text_of(tensor)
  local bytes = tensor:totable()
  for i = 1, #bytes do bytes[i] = string.char(bytes[i]) end
  return table.concat(bytes)
end

-- A state with a right checksum whose contents `edit` has changed.
local function forge(name, edit)
  local model, x, y = make()
  model:fit{x, y, epochs = 1, verbose = 0}
  model:save_training_state(path "good.weights.h5", {epoch = 1})
  local file = core.hdf5.open(path "good.weights.h5")
  local state = json.decode(text_of(file:read "training_state/json"), "state")
  local text = json.encode(edit(state) or state)
  local items = store.items(model)
  items[#items + 1] = {"tensor", "training_state/json", core.new({text:byte(1, -1)}, "uint8")}
  for k = 1, math.huge do
    local at = "training_state/tensors/" .. k
    local tensor = file:read(at)
    if not tensor then break end
    items[#items + 1] = {"tensor", at, tensor}
  end
  items[#items + 1] = version.item()
  core.hdf5.save(path(name), items)
end

local function fingerprint(model)
  local list = model:get_weights()
  for _, v in ipairs(model.optimizer.variables) do list[#list + 1] = core.new(v.tensor) end
  return core.sha256(list) .. model.steps_done .. " " .. model.seed
    .. json.encode(require("nnlua.seed").state())
end

describe("a forged state", function()
  local changes = {
    {"the state is 5, expected a table", function() return 5 end},
    {"the format nil, expected at most", function(s) s.format = nil end},
    {"seed of the state is a string, expected an integer", function(s) s.seed = "x" end},
    {"seed of the state is 1.5, expected", function(s) s.seed = 1.5 end},
    {"streams of the state is nil, expected", function(s) s.streams = nil end},
    {"streams of the state", function(s) s.streams = {["/layers/dropout"] = "x"} end},
    {"process of the state", function(s) s.process = {seed = 1} end},
    {"draws of the state", function(s) s.draws = "x" end},
    {"rate of the state is %-1, expected", function(s) s.rate = -1 end},
    {"epoch of the state is %-1, expected", function(s) s.epoch = -1 end},
    {"batch of the state is nil, expected", function(s) s.batch = nil end},
    {"steps_done of the state", function(s) s.steps_done = json.array{} end},
    {"metrics of the state", function(s) s.metrics = json.array{{name = "x", values = 3}} end},
    {"metrics of the state", function(s) s.metrics = json.array{{values = json.array{1}}} end},
    {"callbacks of the state", function(s) s.callbacks = json.array{3} end},
    {"callbacks of the state", function(s) s.callbacks = json.array{{class_name = 3}} end},
    {"source of the state", function(s) s.source = {at = -1, passes = 1} end},
    {"logs of the state", function(s) s.logs = 4 end},
    {"stopped of the state", function(s) s.stopped = "x" end},
  }
  for i, c in ipairs(changes) do
    it(("leaves the model alone, %d: %s"):format(i, c[1]), function()
      forge("bad.weights.h5", c[2])
      local model, x, y = make()
      model:fit{x, y, epochs = 2, verbose = 0}
      local before = fingerprint(model)
      local text = message(model.load_training_state, model, path "bad.weights.h5")
      assert.matches(c[1], text)
      assert.is_truthy(text:find("load_training_state: " .. path "bad.weights.h5", 1, true), text)
      assert.equal(before, fingerprint(model))
    end)
  end

  it("is no state of another kind of data", function()
    forge("at.weights.h5", function(s) s.source = {at = 0, passes = 1} end)
    local model, x, y = make()
    local data = nn.data.Dataset.from_tensors{x, y}:batch(8)
    assert.matches("another kind of data", message(model.fit, model, {data, epochs = 2,
      verbose = 0, resume = path "at.weights.h5"}))
  end)
end)

describe("callbacks take from a state", function()
  local C = nn.callbacks

  -- The callback after a resumed run, whose state in the file is that one.
  local function resumed(callback, class_name, state)
    forge("callbacks.weights.h5", function(s)
      s.callbacks = json.array{{class_name = class_name, state = state}}
    end)
    local model, x, y = make()
    model:fit{x, y, epochs = 2, verbose = 0, callbacks = {callback},
      resume = path "callbacks.weights.h5"}
    return callback
  end

  it("neither paths nor functions", function()
    local saver = resumed(C.ModelCheckpoint{path "good.keras"}, "ModelCheckpoint",
      {filepath = path "evil.keras", on_epoch_end = 5, save_freq = 1, best = 0.25, extra = {1}})
    assert.is_truthy(core.sys.exists(path "good.keras"))
    assert.is_falsy(core.sys.exists(path "evil.keras"))
    assert.equal(0.25, saver.best)
    assert.equal("epoch", saver.save_freq)
    assert.is_nil(saver.extra)
    local early = resumed(C.EarlyStopping{monitor = "loss"}, "EarlyStopping",
      {wait = "x", best = -100, on_epoch_end = 5, patience = 7})
    assert.equal(-100, early.best)
    assert.equal(0, early.patience)
  end)

  it("nothing for tables that save nothing", function()
    local seen = 0
    local own = {on_epoch_end = function() seen = seen + 1 end}
    resumed(own, "table", {on_epoch_end = 5, filepath = 1})
    assert.equal(1, seen)
    assert.is_nil(own.filepath)
  end)

  it("no lists of another shape", function()
    resumed(C.CSVLogger{path "log.csv"}, "CSVLogger", {text = 5, keys = {5}})
    resumed(C.CSVLogger{path "log.csv"}, "CSVLogger", {text = "", keys = json.array{5}})
    for _, state in ipairs{{names = 5}, {names = json.array{"loss"}, values = json.array{},
      epochs = json.array{}, epoch = json.array{}}} do
      assert.same({2}, resumed(C.History{}, "History", state).epoch)
    end
  end)
end)
