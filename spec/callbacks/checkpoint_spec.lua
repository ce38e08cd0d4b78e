-- ModelCheckpoint writes behind: what is on the disk when, and what a failed write does.

local nn = require "nnlua"
local core = require "nnlua.core"
local terminal = require "nnlua.terminal"
local scratch = require "spec.support.scratch"

local folder

local function path(name) return folder .. "/" .. name end

before_each(function() folder = scratch.make() end)

after_each(function() scratch.remove(folder) end)

local function train(callbacks, epochs)
  nn.utils.clear_session()
  nn.utils.set_random_seed(5)
  local x = nn.random.normal{{40, 6}}
  local model = nn.Sequential{nn.Input{shape = {6}}, nn.layers.Dense{5, activation = "relu"},
    nn.layers.BatchNormalization{}, nn.layers.Dense{1}}
  model:compile{optimizer = nn.optimizers.Adam{learning_rate = 0.01}, loss = "mse"}
  local ok, result = pcall(model.fit, model, {x, x:sum{axis = -1}, epochs = epochs or 3,
    batch_size = 10, verbose = 0, callbacks = callbacks})
  return model, ok, result
end

local function names()
  local list = assert(core.sys.listdir(folder))
  table.sort(list)
  return table.concat(list, " ")
end

local function flip(name, at)
  local file = assert(io.open(path(name), "r+b"))
  local size = file:seek "end"
  file:seek("set", at or size // 2)
  local byte = file:read(1)
  file:seek("set", at or size // 2)
  file:write(string.char(byte:byte() ~ 4))
  file:close()
end

local endings = {{".keras"}, {".h5"}, {".safetensors"}, {".weights.h5", true},
  {".safetensors", true}}

describe("ModelCheckpoint", function()
  for _, e in ipairs(endings) do
    local ending, weights = e[1], e[2]
    it("leaves the file that save writes: " .. (weights and "weights in " or "") .. ending,
      function()
        local model, ok, text = train{nn.callbacks.ModelCheckpoint{path("{epoch}" .. ending),
          save_weights_only = weights}}
        assert.is_true(ok, text)
        model[weights and "save_weights" or "save"](model, path("now" .. ending))
        assert.equal(core.sha256_file(path("now" .. ending)),
          core.sha256_file(path("3" .. ending)))
        assert.not_equal(core.sha256_file(path("now" .. ending)),
          core.sha256_file(path("2" .. ending)))
      end)
  end

  it("keeps the state of the moment, in the order of the saves", function()
    local seen = {}
    local watch = {on_train_batch_end = function(self, batch)
      if batch == 4 then seen[#seen + 1] = core.sha256(self.model:get_weights()) end
    end}
    local _, ok, text = train({watch, nn.callbacks.ModelCheckpoint{path "{epoch}.keras",
      save_freq = 4}, nn.callbacks.ModelCheckpoint{path "last.keras", save_freq = 1}}, 8)
    assert.is_true(ok, text)
    for epoch = 1, 8 do
      assert.equal(seen[epoch],
        core.sha256(nn.saving.load_model(path(epoch .. ".keras")):get_weights()))
    end
    assert.equal(core.sha256_file(path "8.keras"), core.sha256_file(path "last.keras"))
    assert.equal("1.keras 2.keras 3.keras 4.keras 5.keras 6.keras 7.keras 8.keras last.keras",
      names())
  end)

  it("is waited for by whoever loads", function()
    local got = {}
    local reader = {on_epoch_end = function(self)
      got[#got + 1] = core.sha256(nn.saving.load_model(path "m.keras"):get_weights())
        == core.sha256(self.model:get_weights())
    end}
    local _, ok, text = train{nn.callbacks.ModelCheckpoint{path "m.keras"}, reader}
    assert.is_true(ok, text)
    assert.same({true, true, true}, got)
  end)

  it("raises what went wrong at the next save or at the end", function()
    for epochs = 1, 3, 2 do
      local done = 0
      assert(core.sys.mkdir(path "m.keras"))
      local _, ok, text = train({nn.callbacks.ModelCheckpoint{path "m.keras"},
        {on_epoch_end = function(_, epoch) done = epoch end}}, epochs)
      assert.is_false(ok)
      assert.is_truthy(text:find("m.keras: cannot rename over it", 1, true), text)
      assert.equal(1, done)
      assert.equal("m.keras", names())
    end
  end)

  it("completes its file when fit fails, and warns when it cannot", function()
    local bomb = {on_epoch_end = function(_, epoch) if epoch == 2 then error "crash" end end}
    local _, ok, text = train{nn.callbacks.ModelCheckpoint{path "{epoch}.keras"}, bomb}
    assert.is_false(ok)
    assert.is_truthy(text:find("crash", 1, true))
    assert.equal("1.keras 2.keras", names())

    local warned, warn = {}, terminal.warn
    terminal.warn = function(t) warned[#warned + 1] = t end
    assert(core.sys.mkdir(path "3.keras"))
    bomb = {on_epoch_end = function() error "crash" end}
    _, ok, text = train{nn.callbacks.ModelCheckpoint{path "3.keras"}, bomb}
    terminal.warn = warn
    assert.is_false(ok)
    assert.is_truthy(text:find("crash", 1, true))
    assert.is_truthy(warned[1] and warned[1]:find("cannot rename", 1, true))
  end)

  it("waits for its file also when another callback fails at the end", function()
    local bomb = {on_train_end = function() error "crash" end}
    local _, ok, text = train({bomb, nn.callbacks.ModelCheckpoint{path "m.keras"}}, 1)
    assert.is_false(ok)
    assert.is_truthy(text:find("crash", 1, true))
    assert.equal("m.keras", names())
  end)

  it("keeps the file that it replaces with double_checkpoint", function()
    for _, e in ipairs(endings) do
      local ending, weights = e[1], e[2]
      local name = (weights and "w" or "m") .. ending
      local model, ok, text = train{nn.callbacks.ModelCheckpoint{path(name),
        save_weights_only = weights, double_checkpoint = true},
        nn.callbacks.ModelCheckpoint{path("{epoch}" .. ending), save_weights_only = weights}}
      assert.is_true(ok, text)
      assert.equal(core.sha256_file(path("2" .. ending)),
        core.sha256_file(path(name .. ".bkp")))
      flip(name)
      local function load(from)
        if not weights then return nn.saving.load_model(path(from)) end
        model:load_weights(path(from))
        return model
      end
      ok, text = pcall(load, name)
      assert.is_false(ok)
      assert.is_truthy(text:find("; the save before it is " .. path(name .. ".bkp"), 1, true), text)
      local bits = core.sha256(load(name .. ".bkp"):get_weights())
      assert.equal(core.sha256(load("2" .. ending):get_weights()), bits)
    end
  end)
end)

describe("a damaged file", function()
  it("is known by its checksum, wherever a byte changed", function()
    local model = train({}, 1)
    local bits = core.sha256(model:get_weights())
    for _, e in ipairs(endings) do
      local ending, name = e[1], "m" .. e[1]
      model:save_weights(path(name))
      local size = assert(io.open(path(name), "rb")):seek "end"
      for at = 0, size - 1, math.max(1, size // 97) do
        flip(name, at)
        local ok = pcall(model.load_weights, model, path(name))
        -- a zip has bytes that mean nothing, such as its times
        assert.is_true(not ok or ending == ".keras" and bits == core.sha256(model:get_weights()),
          name .. " at " .. at)
        flip(name, at)
      end
      assert.is_true(pcall(model.load_weights, model, path(name)))
    end
  end)
end)
