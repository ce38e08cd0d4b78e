-- Saves the model after epochs or batches: each time, or only when the watched value improved.
--
-- Training waits for a copy of the state; a thread makes the checksums and writes, to a name beside
-- the file's, which is renamed when all is on the disk. The writes keep their order: a save waits
-- for the one before, and what went wrong with a write is raised there or when fit ends. Whoever
-- loads or saves a file through nn.saving waits for it.

local Callback = require "nnlua.callbacks.callback"
local behind = require "nnlua.saving.behind"
local err = require "nnlua.err"
local logs_of = require "nnlua.logs"
local monitor = require "nnlua.callbacks.monitor"
local pyformat = require "nnlua.pyformat"
local repr = require "nnlua.repr"
local sys = require("nnlua.core").sys
local terminal = require "nnlua.terminal"

require "nnlua.saving" -- which defines behind.save

---@class nn.callbacks.ModelCheckpoint: nn.callbacks.Callback
local ModelCheckpoint = Callback:extend("ModelCheckpoint", {
  args = [[filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False,
    mode="auto", save_freq="epoch", initial_value_threshold=None, double_checkpoint=False]],
})

local function check_path(self)
  local path = self.filepath
  err.check(type(path) == "string", "ModelCheckpoint: filepath is %s, expected a path",
    err.show(path))
  if self.save_weights_only then
    err.check(path:find("%.weights%.h5$") or path:find("%.safetensors$"), "ModelCheckpoint: "
      .. "weights files end in .weights.h5 (or .safetensors), filepath is '%s'", path)
  else
    err.check(path:find("%.keras$") or path:find("%.h5$") or path:find("%.safetensors$"),
      "ModelCheckpoint: model files end in .keras, .h5 or .safetensors, filepath is '%s'", path)
  end
end

--- `filepath` may hold {epoch}, {batch} and names of the logs with Python's format specs. save_freq
--- is "epoch" or a number of batches. `double_checkpoint` keeps the file that a save replaces, with
--- ".bkp" behind its name.
function ModelCheckpoint:init(a)
  for key, value in pairs(a) do self[key] = value end
  self.min_delta = 0
  self.best = a.initial_value_threshold
  monitor.check(self)
  check_path(self)
  local freq = a.save_freq
  err.check(freq == "epoch" or (math.tointeger(freq) and freq > 0),
    "ModelCheckpoint: save_freq is %s, expected 'epoch' or a number of batches above 0",
    err.show(freq))
  self.last_batch, self.batches, self.epoch = 0, 0, 1
end

--- Batches matter only where a number of them is asked for.
function ModelCheckpoint:wants_batches(kind)
  return kind == "train" and self.save_freq ~= "epoch"
end

local function file_path(self, epoch, batch, logs)
  local values = {}
  for _, key in ipairs(logs_of.keys(logs)) do values[key] = logs[key] end
  values.epoch, values.batch = epoch, batch
  local path, message, name = pyformat.fill(self.filepath, values)
  if path then return path end
  if message == "unknown" then
    local names = logs_of.keys(logs)
    err.raise("ModelCheckpoint: filepath names '%s' but the logs hold %s%s", name,
      table.concat(names, ", "), err.suggest(name, names))
  end
  err.raise("ModelCheckpoint: filepath '%s': field '%s': %s", self.filepath, name, message)
end

local function say(self, text, ...)
  if self.verbose <= 0 then return end
  terminal.print(("\nEpoch %d: "):format(self.epoch) .. text:format(...))
end

local function number_text(x) return x == nil and "None" or repr.fixed("%.5f", x) end

local function should_save(self, logs, path)
  if not self.save_best_only then
    say(self, "saving model to %s", path)
    return true
  end
  local value = logs[self.monitor]
  if value == nil then
    if not self.warned then
      terminal.warn(("Can save best model only with %s available."):format(self.monitor))
    end
    self.warned = true
    return true
  end
  if not monitor.improves(self, value, self.best) then
    say(self, "%s did not improve from %s", self.monitor, number_text(self.best))
    return false
  end
  say(self, "%s improved from %s to %s, saving model to %s", self.monitor, number_text(self.best),
    number_text(value), path)
  self.best = value
  return true
end

local function make_folder(path)
  local folder = path:match("^(.+)/[^/]*$")
  if not folder or sys.exists(folder) then return end
  local ok, message = sys.mkdir(folder)
  if not ok then err.raise("ModelCheckpoint: cannot make the folder %s", message) end
end

-- The write that is under way is over; what went wrong with it is told here. keep: the memory of
-- its copy is the next one's.
local function wait(self, keep)
  local job = self.job
  self.job = nil
  return job and job:wait(keep)
end

-- A job; nil where the model has a way of its own to save, which has written.
local function begin(self, path, spare)
  local model, method = self.model, self.save_weights_only and "save_weights" or "save"
  if model[method] ~= require("nnlua.model")[method] then
    model[method](model, path)
    return nil
  end
  return behind.save(model, path, {weights = self.save_weights_only, spare = spare,
    previous = self.double_checkpoint and path .. behind.previous or nil})
end

local function save(self, batch, logs)
  local path = file_path(self, self.epoch, batch, logs)
  if not should_save(self, logs, path) then return end
  make_folder(path)
  self.job = begin(self, path, wait(self, true))
  say(self, "finished saving model to %s", path)
end

--- After an error in fit: what could be written is written, and a failed write only warned of.
function ModelCheckpoint:settle()
  local ok, message = pcall(wait, self)
  if not ok then terminal.warn("ModelCheckpoint: " .. tostring(message)) end
end

function ModelCheckpoint:on_train_begin() self:settle() end

function ModelCheckpoint:on_train_end() wait(self) end

function ModelCheckpoint:on_epoch_begin(epoch) self.epoch = epoch end

function ModelCheckpoint:on_train_batch_end(batch, logs)
  if self.save_freq == "epoch" then return end
  -- steps_per_execution skips numbers; a number that is not higher begins an epoch
  self.batches = self.batches + (batch > self.last_batch and batch - self.last_batch or batch)
  self.last_batch = batch
  if self.batches < self.save_freq then return end
  self.batches = 0
  save(self, batch, logs)
end

function ModelCheckpoint:on_epoch_end(epoch, logs)
  self.epoch = epoch
  if logs[self.monitor] ~= nil then monitor.direction(self) end
  if self.save_freq == "epoch" then save(self, nil, logs) end
end

return ModelCheckpoint
